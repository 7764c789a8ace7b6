"""Growth of work with a text's length, by ratios of this thread's CPU time, which other load leaves alone."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

LENGTHS = (250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000)
# Short texts first: where work is plainly linear, we skip the long texts; quadratic work takes hundreds of plain scans.
_SHORT, _MIDDLE, _LONG = 250, 1_000, 2_000
_PLAIN_SCANS = 10
# Twice the growth of linear work: a quadratic part is small at this length.
_MOST_AT_A_GLANCE = 1.6
_STEEPEST = 3.0
# Work beyond this much CPU time is stopped, because it may never end.
_STOP_SECONDS = 1.0


class _Endless(Exception):
    pass


def steep(work: Callable[[str], object], text: Callable[[int], str]) -> str | None:
    """The growth, where twice the text takes more than three times as long, twice in a row; else None."""
    try:
        return _steep(work, text)
    except _Endless:
        return f"no end after {_STOP_SECONDS} s"


def least_seconds(work: Callable[[], object], tries: int) -> float:
    """The least CPU time of this thread for the work; endless work is stopped."""

    def once() -> float:
        started = time.thread_time()
        work()
        return time.thread_time() - started

    with _stopped(tries):
        return min(once() for _ in range(tries))


def _steep(work: Callable[[str], object], text: Callable[[int], str]) -> str | None:
    short = _least(work, text(_SHORT), 1)
    glance = _MIDDLE if short > _noise(_SHORT) else _LONG
    most = max(_noise(glance), _MOST_AT_A_GLANCE * short * glance / _SHORT)
    if _least(work, text(glance), 1) < most or _least(work, text(glance), 2) < most:
        return None
    times: list[float] = []
    lengths = LENGTHS if glance == _MIDDLE else LENGTHS[LENGTHS.index(_LONG) :]
    for length in lengths:
        times.append(_least(work, text(length), 2))
        if _is_steep(times) and times[-1] > _noise(length):
            # Measured again, because other load may have slowed the first run.
            last = [_least(work, text(length), 3) for length in lengths[len(times) - 3 : len(times)]]
            if _is_steep(last):
                shown = ", ".join(
                    f"{length}: {took * 1000:.1f} ms" for length, took in zip(lengths, times, strict=False)
                )
                return f"by characters: {shown}"
    return None


def _is_steep(times: list[float]) -> bool:
    return len(times) >= 3 and all(later > _STEEPEST * earlier for earlier, later in zip(times[-3:], times[-2:]))  # noqa: B905


def _noise(length: int) -> float:
    return _PLAIN_SCANS * _plain() * length


def _least(work: Callable[[str], object], text: str, tries: int) -> float:
    return least_seconds(lambda: work(text), tries)


@cache
def _plain() -> float:
    """This machine's seconds for a character that starts no match and belongs to no word."""
    text, pattern = "a" * 20_000, re.compile(r"\b(?:bc|de)|[0-9]")
    return _least(pattern.search, text, 5) / len(text)


@contextmanager
def _stopped(tries: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise _Endless

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, _STOP_SECONDS * tries)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
