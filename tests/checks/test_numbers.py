"""Every way of writing a number is read back as the value it was made from."""

import time
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arf_core.checks.claims import is_claim
from arf_core.checks.known_numbers import KnownNumbers
from arf_core.checks.number import Number
from arf_core.checks.numbers import numbers
from arf_core.checks.transcript import Transcript, TranscriptTurn

MONTHS = (
    "January February March April May June July August September October November December"
).split()


def the_one(text: str) -> Number:
    """The only number of a text."""
    found = numbers(text)
    assert len(found) == 1, found
    return found[0]


def measures(text: str) -> set[tuple[str, float]]:
    return set(the_one(text).meanings)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("two hundred and five", 205),
        ("forty two", 42),
        ("twelve hundred", 1200),
        ("two dozen", 24),
        ("two and a half thousand", 2500),
        ("nineteen ninety-nine", 1999),
        ("twenty twenty-five", 2025),
        ("3 lakh", 300_000),
        ("1.2k", 1200),
        ("1.2 million", 1_200_000),
        ("1,23,456", 123_456),
        ("1.234.567,89", 1_234_567.89),
        ("12,5", 12.5),
        ("20 000", 20_000),
        ("१२३४", 1234),
    ],
)
def test_a_number_is_read_however_it_is_written(text: str, value: float) -> None:
    assert value in the_one(text).values


@given(st.integers(1000, 99_999_999), st.sampled_from([",", ".", "'", "’", "\u00a0", " "]))
def test_thousands_may_be_separated_by_any_mark(n: int, mark: str) -> None:
    assert float(n) in the_one(f"({n:,})".replace(",", mark)).values


@given(st.decimals("0", "99999.99", places=2), st.sampled_from(".,"))
def test_decimals_may_follow_a_point_or_a_comma(value: Decimal, mark: str) -> None:
    assert float(value) in the_one(f"is {value}".replace(".", mark)).values


@given(
    st.decimals("1.01", "99999.99", places=2),
    st.sampled_from(["${}", "US${}", "{:,} dollars", "USD {}", "{}$", "{} bucks"]),
)
def test_money_is_read_with_its_currency(value: Decimal, pattern: str) -> None:
    number = the_one(f"paid {pattern.format(value)} for it")
    assert number.kind == "money"
    assert ("dollar", float(value)) in number.meanings


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("two weeks", "14 days"),
        ("a fortnight", "14 days"),
        ("48 hours", "2 days"),
        ("half an hour", "30 minutes"),
        ("an hour and a half", "90 mins"),
        ("18 months", "1.5 years"),
        ("5 working days", "1 week"),
        ("14-day", "2-week"),
        ("half past five", "5:30 pm"),
        ("quarter to six", "17:45"),
        ("noon", "12 pm"),
        ("315pm", "3:15 pm"),
        ("5 km", "5000 metres"),
        ("20GB", "20 gigs"),
        ("50 cents", "€0.50"),
    ],
)
def test_equal_measures_share_a_meaning(first: str, second: str) -> None:
    assert measures(first) & measures(second)


def test_both_ends_of_a_range_have_the_unit() -> None:
    for text in ("3-5 days", "3 to 5 days", "three or five days"):
        assert [n.kind for n in numbers(text)] == ["duration"] * 2, text
    assert [n.kind for n in numbers("$40-50")] == ["money"] * 2
    assert [n.meanings for n in numbers("12-14 May")] == [{("date", 512)}, {("date", 514)}]


@given(
    st.dates(date(2000, 1, 1), date(2049, 12, 31)),
    st.sampled_from(["{d} {m}", "{d}th of {m}", "{m} {d}", "the {d} {m}", "{m} the {d}th"]),
)
def test_a_date_is_read_however_it_is_written(day: date, pattern: str) -> None:
    text = pattern.format(d=day.day, m=MONTHS[day.month - 1])
    assert measures(text) == {("date", 100.0 * day.month + day.day)}


def test_a_date_in_digits_is_read_either_way_round() -> None:
    assert measures("03/04/2025") == {("date", 304), ("date", 403)}
    assert measures("13/04/2025") == {("date", 413)}
    assert measures("2025-05-12") == {("date", 512)}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("order 88-1201", "881201"),
        ("AB-77/1201-X", "AB771201X"),
        ("AB1299X", "AB1299X"),
        ("#12345", "12345"),
        ("4471889", "4471889"),
        ("12ab34", "12AB34"),
    ],
)
def test_codes_are_read_without_their_separators(text: str, code: str) -> None:
    number = the_one(text)
    assert (number.kind, number.digits) == ("code", code)


# -- any text at all ----------------------------------------------------------------------------

WILD = st.text(max_size=200) | st.text(
    "0123456789.,:/-' $€%kmhpdaMay+()#½\u00a0\nandtwohundred", max_size=120
)


@given(WILD)
def test_any_text_gives_numbers_that_are_slices_in_order(text: str) -> None:
    at = 0
    for number in numbers(text):
        assert at <= number.start <= number.first <= number.last <= number.end <= len(text)
        assert number.start < number.end
        at = number.end


HOSTILE = ["1", "1,", "1 ", "12/", "1.2", "a1", "A1", "-1", "one ", "half ", "$", "$1-", "May ",
    "1 2/3 ", "+1 ", "(1", "a@", "1:2", "two hundred and ", "of the ", "5 to ", "x", "٣", "Mon ",
    "1-2-", "A1-", "5h", "fifty-", "1st ", "# ", "1 000 ", "a couple of days "]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_long_hostile_text_is_read_in_linear_time(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    assert any(seconds_for(text, "a refund of 4471.20") < 4 for _ in range(3))


def test_a_number_of_a_million_digits_is_compared_and_not_computed() -> None:
    long = "7" * 1_000_000
    assert any(seconds_for(f"I paid {long}.", f"She paid {long}.") < 4 for _ in range(3))
    assert any(seconds_for("I paid 7.", f"She paid {long}8.") < 4 for _ in range(3))


def seconds_for(conversation: str, summary: str) -> float:
    started = time.process_time()
    known = KnownNumbers(Transcript([TranscriptTurn("customer", conversation)]))
    for number in [*numbers(summary), *numbers(conversation)[:50]]:
        if is_claim(number, summary):
            known.bears_out(number, summary)
    return time.process_time() - started
