"""Confidence intervals, and the figures at which a candidate is clearly worse."""

from __future__ import annotations

import math
import random
import statistics
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.prompting.canary import Canary
from bot.prompting.canary_analysis import LEAST_TURNS, as_json, compare, worse
from bot.prompting.canary_metrics import Tallies, Tally, sums_of_turn
from bot.prompting.confidence import Z_99, mean, wilson_interval
from tests.rows import each

COUNTS = st.integers(1, 5000).flatmap(lambda tries: st.tuples(st.integers(0, tries), st.just(tries)))
VALUES = st.lists(st.integers(0, 10**7), min_size=1, max_size=60)


def sums(
    turns: int, errors: int = 0, hand_overs: int = 0, thumbs_down: int = 0, cost: int = 500, length: int = 100
) -> Tally:
    """So many turns of the same cost and length."""
    squares = (turns * cost * cost, turns * length, turns * length * length)
    return Tally(turns, errors, hand_overs, thumbs_down, turns * cost, *squares)


ARMS = st.integers(0, 400).flatmap(
    lambda turns: st.builds(
        sums, st.just(turns), *[st.integers(0, turns)] * 3, cost=st.integers(0, 10**6), length=st.integers(0, 4000)
    )
)


def names(current: Tally, candidate: Tally) -> list[str]:
    return [signal.name for signal in worse(Tallies(current, candidate))]


@each(
    ("hits", "tries", "low", "high"),
    [(0, 0, 0, 1), (10, 10, 0.7225, 1), (0, 10, 0, 0.2775), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662)],
)
def test_the_interval_of_a_share_is_wilsons(hits: int, tries: int, low: float, high: float) -> None:
    """The values of R. Newcombe (Statistics in Medicine 17, 1998), method 3, and of the formula by hand."""
    assert wilson_interval(hits, tries) == pytest.approx((low, high), abs=0.0001)


@given(COUNTS)
def test_the_interval_of_a_share_holds_it_within_0_and_1_and_mirrors_its_opposite(count: tuple[int, int]) -> None:
    hits, tries = count
    low, high = wilson_interval(hits, tries)
    assert 0 <= low <= hits / tries + 1e-12
    assert hits / tries - 1e-12 <= high <= 1
    assert (1 - high, 1 - low) == pytest.approx(wilson_interval(tries - hits, tries), abs=1e-9)


@given(COUNTS)
def test_more_of_the_same_narrows_the_interval_of_a_share_and_more_hits_raise_it(count: tuple[int, int]) -> None:
    hits, tries = count
    low, high = wilson_interval(hits, tries)
    often_low, often_high = wilson_interval(hits * 4, tries * 4)
    assert often_high - often_low < high - low
    more_low, more_high = wilson_interval(min(hits + 1, tries), tries)
    assert more_low >= low
    assert more_high >= high


@given(VALUES)
def test_the_interval_of_a_mean_is_the_normal_one_of_its_values(values: list[int]) -> None:
    low, high = mean(sum(values), sum(value * value for value in values), len(values))
    if len(values) == 1:
        assert (low, high) == (0, math.inf)
        return
    middle, error = statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values))
    assert high == pytest.approx(middle + 1.959964 * error, rel=1e-6, abs=1e-6)
    assert low == pytest.approx(max(0, middle - 1.959964 * error), rel=1e-4, abs=1e-3)


def test_the_mean_of_nothing_may_be_anything() -> None:
    assert mean(0, 0, 0) == (0, math.inf)


@given(ARMS)
def test_an_arm_is_never_worse_than_itself(arm: Tally) -> None:
    assert not names(arm, arm)


@given(ARMS, ARMS)
def test_both_arms_are_not_worse_than_each_other_in_the_same_thing(tally: Tally, other: Tally) -> None:
    assert not set(names(tally, other)) & set(names(other, tally))


@given(ARMS, ARMS)
def test_nothing_is_judged_before_both_have_their_turns(tally: Tally, other: Tally) -> None:
    if min(tally.turns, other.turns) < LEAST_TURNS:
        assert not names(tally, other)


@given(ARMS, ARMS)
def test_what_is_worse_stays_so_with_more_of_it(tally: Tally, other: Tally) -> None:
    if "errors" in names(tally, other) and other.errors < other.turns:
        assert "errors" in names(tally, replace(other, errors=other.errors + 1))


@each(
    ("candidate", "worsened"),
    [
        (sums(30), []),
        (sums(30, errors=11), ["errors"]),
        (sums(30, errors=10), []),
        (sums(29, errors=29), []),
        (sums(30, hand_overs=20), ["hand_overs"]),
        (sums(30, thumbs_down=15), ["thumbs_down"]),
        (sums(30, thumbs_down=300), ["thumbs_down"]),
        (sums(30, cost=751), ["cost"]),
        (sums(30, cost=750, length=150), []),
        (sums(30, length=151), ["length"]),
        (sums(30, cost=100, length=10), []),
    ],
)
def test_worse_is_what_lies_wholly_above(candidate: Tally, worsened: list[str]) -> None:
    assert names(sums(30), candidate) == worsened


def test_a_cost_that_varies_much_is_not_called_worse_by_few_dear_turns() -> None:
    turns = [sums_of_turn(failed=False, handed_over=False, cost=cost, length=100) for cost in [*[400] * 28, 9000, 9000]]
    dear = Tally(**{name: sum(turn[name] for turn in turns) for name in turns[0]})
    assert not names(sums(30), dear)


def test_where_nothing_is_worse_a_look_after_every_turn_seldom_finds_something() -> None:
    """200 trials of 600 turns each, with 5 % errors in both arms."""
    chance = random.Random(7)
    alarms = 0
    for _ in range(200):
        counts = [[0, 0], [0, 0]]
        for _ in range(600):
            arm = counts[chance.random() < 0.5]
            arm[0] += 1
            arm[1] += chance.random() < 0.05
            (turns, errors), (others, more) = counts
            if (
                min(turns, others) >= LEAST_TURNS
                and wilson_interval(more, others, Z_99)[0] > wilson_interval(errors, turns, Z_99)[1]
            ):
                alarms += 1
                break
    assert alarms <= 4


def test_the_figures_are_words_and_json() -> None:
    signals = compare(Tallies(sums(30, errors=1), sums(30, errors=20)))
    assert str(signals[0]) == "errors 66.7% (43.4% … 83.9%) against 3.3% (0.4% … 23.2%)"
    assert [signal["name"] for signal in as_json(signals)] == ["errors", "hand_overs", "thumbs_down", "cost", "length"]
    assert as_json(compare(Tallies()))[3]["candidate"] == {"value": 0.0, "interval": [0.0, None]}


# ---- who gets the candidate

CONVERSATIONS = [f"c_{number:020x}" for number in range(4000)]


@each("percent", [1, 10, 50, 99])
def test_a_candidate_comes_to_its_share_of_the_contacts(percent: int) -> None:
    canary = Canary.now("0123456789ab", percent)
    found = sum(canary.arm_of(conversation) == "candidate" for conversation in CONVERSATIONS)
    # Four standard deviations of a binomial share; the hash is fixed, so that this is no matter of luck.
    spread = math.sqrt(len(CONVERSATIONS) * percent * (100 - percent)) / 100
    assert abs(found - len(CONVERSATIONS) * percent / 100) < 4 * spread


@given(st.text(max_size=40), st.integers(1, 98))
def test_whoever_has_a_candidate_keeps_it_when_its_share_grows(conversation: str, percent: int) -> None:
    few, more = Canary.now("0123456789ab", percent), Canary.now("0123456789ab", percent + 1)
    assert Canary.read(few.raw) == few
    if few.arm_of(conversation) == "candidate":
        assert more.arm_of(conversation) == "candidate"


def test_another_candidate_comes_to_others() -> None:
    first, other = (Canary.now(name, 10) for name in ("0123456789ab", "ba9876543210"))
    both = sum(first.arm_of(name) == other.arm_of(name) == "candidate" for name in CONVERSATIONS)
    assert both < 0.02 * len(CONVERSATIONS)
