"""Business profile: hours, days off, and diagnostics of unclear values."""

from collections.abc import Callable
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from bot.prompting.business_profile import Business
from bot.prompting.diagnostics import Diagnostic
from tests.prompting.conftest import Folder

MEXICO = ZoneInfo("America/Mexico_City")
HOURS = """\
hours:
  monday: 9:00-14:00, 16:00-19:00
  tuesday: 09:00-19:00
  saturday: 0:00-24:00
  sunday: cerrado
"""
Describe = Callable[..., Business]


@pytest.fixture
def describe(folder: Folder) -> Describe:
    def describe(front: str, body: str = "Vendemos cosas.") -> Business:
        return folder(_business=f"---\n{front}---\n{body}\n").release().business

    return describe


@pytest.fixture
def wrong(folder: Folder) -> Callable[..., Diagnostic]:
    def wrong(front: str, body: str = "Vendemos cosas.") -> Diagnostic:
        (diagnostic,) = folder(_business=f"---\n{front}---\n{body}\n").errors
        return diagnostic

    return wrong


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=MEXICO)


# 2026-11-23 is a Monday.
@pytest.mark.parametrize(
    ("moment", "is_open", "opens_next"),
    [
        ("2026-11-23 08:59", False, "2026-11-23 09:00"),
        ("2026-11-23 09:00", True, "2026-11-23 16:00"),
        ("2026-11-23 13:59", True, "2026-11-23 16:00"),
        ("2026-11-23 14:00", False, "2026-11-23 16:00"),
        ("2026-11-23 18:59", True, "2026-11-24 09:00"),
        ("2026-11-23 19:00", False, "2026-11-24 09:00"),
        ("2026-11-25 12:00", False, "2026-11-28 00:00"),
        ("2026-11-28 23:59", True, "2026-11-30 09:00"),
        ("2026-11-29 12:00", False, "2026-11-30 09:00"),
    ],
)
def test_when_it_is_open_and_opens_next(describe: Describe, moment: str, is_open: object, opens_next: str) -> None:
    business = describe(HOURS)
    assert business.open_at(at(moment)) is is_open
    assert business.next_opening(at(moment)) == at(opens_next)


def test_on_a_day_off_it_is_closed_whatever_the_weekday(describe: Describe) -> None:
    business = describe(f"{HOURS}closed:\n  - 2026-11-23\n  - 2026-11-24\n")
    assert not business.open_at(at("2026-11-23 10:00"))
    assert business.next_opening(at("2026-11-23 10:00")) == at("2026-11-28 00:00")


def test_one_that_never_opens_has_no_next_opening(describe: Describe) -> None:
    business = describe("hours: {}\n")
    assert business.next_opening(at("2026-11-23 10:00")) is None


@pytest.mark.parametrize(
    "closed",
    ["cerrado", "closed", "", "no", "off", "Cerrado", "CERRADO", "Cerrado.", "Closed", "No", "“Cerrado”", "null"],
)
def test_a_day_is_closed_in_many_words(describe: Describe, closed: str) -> None:
    assert describe(f"hours:\n  monday: {closed}\n").hours == ((),) * 7


NINE_TO_SEVEN = ((time(9), time(19)),)


@pytest.mark.parametrize(
    ("written", "ranges"),
    [
        *(
            (f"9:00{dash}19:00", NINE_TO_SEVEN)
            for dash in ("-", " - ", "–", " – ", "—", "‐", "‑", "−", "\u00a0–\u00a0", " a ", " to ", " hasta las ", "~")
        ),
        ("09.00-19.00", NINE_TO_SEVEN),
        ("09h00 – 19h00", NINE_TO_SEVEN),
        ("9:00 – 19:00 hrs.", NINE_TO_SEVEN),
        ("9 h a 19 h", NINE_TO_SEVEN),
        ("De 9:00 a 19:00", NINE_TO_SEVEN),
        ("9:00 a.m. - 7:00 p.m.", NINE_TO_SEVEN),
        ("9:00 a. m. a 7:00 p. m.", NINE_TO_SEVEN),
        ("9am–7pm", NINE_TO_SEVEN),
        ("9 AM - 7 PM", NINE_TO_SEVEN),
        ("“9:00–19:00”", NINE_TO_SEVEN),
        ("12 pm - 11 pm", ((time(12), time(23)),)),
        ("12:30 am - 1:00 am", ((time(0, 30), time(1)),)),
        ("9:00–14:00, 16:00–19:00", ((time(9), time(14)), (time(16), time(19)))),
        ("9:00–14:00 y 16:00–19:00", ((time(9), time(14)), (time(16), time(19)))),
        ("9:00 a 14:00; de 16:00 a 24:00", ((time(9), time(14)), (time(16), time.max))),
    ],
)
def test_hours_are_taken_as_people_and_phones_write_them(
    describe: Describe, written: str, ranges: tuple[tuple[time, time], ...]
) -> None:
    assert describe(f"hours:\n  monday: {written}\n").hours[0] == ranges
    assert describe(f"hours:\n  Monday: '{written}' # lunes\n").hours[0] == ranges


@pytest.mark.parametrize(
    "name",
    [
        "Tienda #1", "#1 en ventas", "No", "Sí", "on", "12:30", "1e3", "007", "0x1F", "1_000", "null", "~",
        "2026-12-25",
        "@recado", "*La Estrella*", "& Co", "+52 55 1234 5678", "Tienda: la buena", '"La Buena" del centro',
        "[Nuevo] Tienda", "- Abarrotes", "> Más barato", "% Ofertas", "`Café`", "O'Higgins #3", "“La Tienda”",
        "Pérez, Ruiz y Cía.", "¿Y tú?", "Bar ? Restaurante", "100% natural", "Tienda #1, #2 y #3",
    ],
)  # fmt: skip
def test_a_name_stays_as_it_is_written(describe: Describe, name: str) -> None:
    assert describe(f"name: {name}\n{HOURS}").name == name
    assert describe(f"name: {name} # el nombre\n{HOURS}closed: # feriados\n  - 2026-12-25\n").name == name
    assert describe(f"name:\u00a0{name}\n{HOURS}").name == name


@pytest.mark.parametrize("fence", ["—", "—-", "–-", "--- "])
def test_a_dash_of_a_phone_opens_and_closes_the_head(folder: Folder, fence: str) -> None:
    business = folder(_business=f"{fence}\nname: Casa\n{HOURS}{fence}\nVendemos.\n").release().business
    assert (business.name, business.facts) == ("Casa", "Vendemos.")


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("closed:\n  - 2026-12-25\n  - '2027-01-01'\n", {date(2026, 12, 25), date(2027, 1, 1)}),
        ("closed: [2026-12-25, 2027-01-01]\n", {date(2026, 12, 25), date(2027, 1, 1)}),
        ("closed: 2026-12-25\n", {date(2026, 12, 25)}),
        ("closed: '2026-12-25'\n", {date(2026, 12, 25)}),
        ("closed:\n", set()),
        ("closed: null\n", set()),
        ("closed: ~\n", set()),
        ("", set()),
    ],
    ids=["list", "list in a line", "one", "one in quotes", "none yet", "null", "tilde", "not written"],
)
def test_days_off_are_dates(describe: Describe, written: str, days: set[date]) -> None:
    assert describe(HOURS + written).closed == days


@pytest.mark.parametrize(
    ("front", "line", "words"),
    [
        ("name: x\n", 2, "hours are missing"),
        ("hours: 9-5\n", 2, "hours are missing"),
        ("hours:\n  monday: 9-19\n", 3, "'9-19' is not a time"),
        ("hours:\n  monday: 9:00-25:00\n", 3, "is not a time"),
        ("hours:\n  monday: 9:60-10:00\n", 3, "is not a time"),
        ("hours:\n  monday: 19:00-9:00\n", 3, "is not a time"),
        ("hours:\n  monday: 9:00-9:00\n", 3, "is not a time"),
        ("hours:\n  monday: yes\n", 3, "is not a time"),
        (f"name: [Nuevo]\n{HOURS}", 2, "name: a list is not a name"),
        (f"name: {{Casa}}\n{HOURS}", 2, "is not a name"),
        ("hours:\n  monday: 9 a 19\n", 3, "'9 a 19' is not a time"),
        ("hours:\n  monday: 9:00-7:00 pm\n", 3, "is not a time"),
        ("hours:\n  monday: 13:00 pm - 7:00 pm\n", 3, "is not a time"),
        ("hours:\n  monday: 9:00–19:00–20:00\n", 3, "is not a time"),
        ("hours:\n  monday: [9, 10]\n", 3, "is not a time"),
        ("hours:\n  tuesday: 9:00-19:00\n  lunes: 9:00-19:00\n", 4, "'lunes' is no day"),
        (f"{HOURS}closed:\n  - 2026-12-25\n  - navidad\n", 9, "'navidad' is not a date"),
        (f"{HOURS}closed: navidad\n", 7, "'navidad' is not a date"),
        (f"{HOURS}closed:\n  navidad: 2026-12-25\n", 7, "is not a date"),
        (f"{HOURS}closed:\n  - 2026-12-25\n  - 2026-02-30\n", 9, "'2026-02-30' is not a date"),
        (f"{HOURS}closed:\n  - 2026-12-25 10:00:00\n", 8, "is not a date"),
        (f"{HOURS}closed: 7\n", 7, "is not a date"),
    ],
)
def test_what_can_not_be_understood_is_told_with_its_line(
    wrong: Callable[..., Diagnostic], front: str, line: int, words: str
) -> None:
    diagnostic = wrong(front)
    assert words in diagnostic.message
    assert (diagnostic.code, diagnostic.line) == ("bad-business", line)


def test_its_facts_are_told_under_its_own_name(describe: Describe) -> None:
    business = describe(f"name: La Tienda\n{HOURS}", "{{ business.name }} vende cosas.")
    assert (business.name, business.facts) == ("La Tienda", "La Tienda vende cosas.")


@pytest.mark.parametrize("value", ["now", "customer_name", "summary", "language"])
def test_its_facts_are_the_same_for_everybody(wrong: Callable[..., Diagnostic], value: str) -> None:
    diagnostic = wrong(HOURS, f"Uno\n{{{{ {value} }}}}")
    assert value in diagnostic.message
    assert (diagnostic.code, diagnostic.line) == ("unknown-variable", 9)
