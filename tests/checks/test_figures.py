"""Every way of writing a figure is read back as the value it was made from."""

import time
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from arf_core.checks.figures import Amount, Clock, Code, Day, Figure, figures

UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
TENS = ". . twenty thirty forty fifty sixty seventy eighty ninety".split()
MONTHS = (
    "January February March April May June July August September October November December"
).split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def the_one(text: str) -> Figure:
    """The only figure of a text."""
    found = figures(text)
    assert len(found) == 1, found
    return found[0]


def amounts(figure: Figure, kind: str) -> set[Decimal]:
    return {r.value for r in figure.readings if isinstance(r, Amount) and r.kind == kind}


def in_words(n: int) -> str:
    if n < 20:
        return UNITS[n]
    if n < 100:
        return TENS[n // 10] + (f"-{UNITS[n % 10]}" if n % 10 else "")
    if n < 1000:
        rest = n % 100
        return f"{UNITS[n // 100]} hundred" + (f" and {in_words(rest)}" if rest else "")
    rest = n % 1000
    link = " and " if 0 < rest < 100 else " "
    return f"{in_words(n // 1000)} thousand" + (f"{link}{in_words(rest)}" if rest else "")


def grouped(n: int, mark: str) -> str:
    return f"{n:,}".replace(",", mark)


# -- numbers ------------------------------------------------------------------------------------


@given(st.integers(0, 999_999))
def test_number_words_are_read_back(n: int) -> None:
    figure = the_one(f"about {in_words(n)} of them")
    assert n in amounts(figure, "number")


@given(st.integers(0, 999_999))
def test_number_words_are_read_whatever_their_case_and_links(n: int) -> None:
    words = in_words(n).replace(" and ", " ").replace("-", " ").title()
    assert n in amounts(the_one(words), "number")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("twelve hundred", "1200"),
        ("a dozen", "12"),
        ("two dozen", "24"),
        ("one and a half", "1.5"),
        ("two and a half thousand", "2500"),
        ("one and a half million", "1500000"),
        ("half a million", "500000"),
        ("3 lakh", "300000"),
        ("1.2k", "1200"),
        ("1.2 million", "1200000"),
        ("5bn", "5000000000"),
        ("2½", "2.5"),
        ("2 1/2", "2.5"),
        ("1,23,456", "123456"),
        ("1.234.567,89", "1234567.89"),
        ("1,234,567.89", "1234567.89"),
        ("12,5", "12.5"),
        ("nineteen ninety-nine", "1999"),
        ("twenty twenty-five", "2025"),
        ("１２３４", "1234"),
        ("१२३४", "1234"),
    ],
)
def test_a_number_is_read_however_it_is_written(text: str, value: str) -> None:
    assert Decimal(value) in amounts(the_one(text), "number")


@given(
    st.integers(1000, 99_999_999), st.sampled_from([",", ".", "'", "’", "\u00a0", "\u202f", " "])
)
def test_thousands_may_be_parted_by_any_mark(n: int, mark: str) -> None:
    assert n in amounts(the_one(f"({grouped(n, mark)})"), "number")


@given(st.decimals("0", "99999.99", places=2), st.sampled_from(".,"))
def test_decimals_may_follow_a_point_or_a_comma(value: Decimal, mark: str) -> None:
    assert value in amounts(the_one(f"is {value}".replace(".", mark)), "number")


def test_a_number_in_digits_that_could_be_two_is_read_as_both() -> None:
    assert amounts(the_one("1.200"), "number") == {Decimal(1200), Decimal("1.2")}


def test_a_row_of_numbers_is_no_one_number() -> None:
    assert [f.of("1,2,3 and 4") for f in figures("1,2,3 and 4")] == ["1", "2", "3", "4"]


# -- money and percentages ----------------------------------------------------------------------

BEFORE = {"$": "USD", "US$": "USD", "A$": "AUD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR"}
BEFORE |= {"CHF ": "CHF", "Rs. ": "INR", "Rs ": "INR", "AED ": "AED", "R": "ZAR", "kr ": "NOK"}
BEFORE |= {"USD ": "USD", "EUR": "EUR", "₦": "NGN"}
AFTER = {"$": "USD", " €": "EUR", " euros": "EUR", " dollars": "USD", " US dollars": "USD"}
AFTER |= {" quid": "GBP", " pounds": "GBP", " rupees": "INR", " CHF": "CHF", " kr": "SEK"}
AFTER |= {" zł": "PLN", " PLN": "PLN", "PLN": "PLN", " Ft": "HUF", " lei": "RON", " yen": "JPY"}
AFTER |= {" bucks": "USD", " dirhams": "AED", " naira": "NGN", "€": "EUR", " kronor": "SEK"}


def money(figure: Figure) -> set[tuple[Decimal, str]]:
    return {
        (r.value, code)
        for r in figure.readings
        if isinstance(r, Amount) and r.kind == "money"
        for code in r.unit.split()
    }


@given(st.decimals("0.01", "99999.99", places=2), st.sampled_from(sorted(BEFORE)))
def test_money_is_read_with_the_currency_before_it(value: Decimal, mark: str) -> None:
    figure = the_one(f"paid {mark}{value} for it")
    assert (value, BEFORE[mark]) in money(figure)
    assert figure.kind == "money"


@given(st.decimals("0.01", "99999.99", places=2), st.sampled_from(sorted(AFTER)))
def test_money_is_read_with_the_currency_after_it(value: Decimal, mark: str) -> None:
    figure = the_one(f"paid {value:,}{mark} for it")
    assert (value, AFTER[mark]) in money(figure)


@pytest.mark.parametrize(
    ("text", "value", "code"),
    [
        ("50 cents", "0.5", "EUR"),
        ("99p", "0.99", "GBP"),
        ("20 pence", "0.2", "GBP"),
        ("45 dollars and 20 cents", "45.2", "USD"),
        ("$1.2 million", "1200000", "USD"),
        ("£5m", "5000000", "GBP"),
        ("$3k", "3000", "USD"),
        ("five hundred dollars", "500", "USD"),
        ("twelve quid", "12", "GBP"),
        ("1.200,50 €", "1200.5", "EUR"),
        ("$45.20 CAD", "45.2", "CAD"),
    ],
)
def test_money_is_read_in_all_its_forms(text: str, value: str, code: str) -> None:
    assert (Decimal(value), code) in money(the_one(text))


def test_both_ends_of_a_range_count_the_same() -> None:
    assert [money(f) and min(v for v, _ in money(f)) for f in figures("$40-50")] == [40, 50]
    assert [amounts(f, "duration") for f in figures("3 to 5 days")] == [{4320}, {7200}]
    assert [amounts(f, "percent") for f in figures("15-20%")] == [{15}, {20}]


@given(st.integers(0, 100), st.sampled_from(["%", " %", " percent", " per cent", " pct"]))
def test_percentages_are_read(n: int, mark: str) -> None:
    assert amounts(the_one(f"a cut of {n}{mark}."), "percent") == {n}


# -- dates --------------------------------------------------------------------------------------


def days(figure: Figure) -> set[Day]:
    return {r for r in figure.readings if isinstance(r, Day)}


def ending(n: int) -> str:
    return {1: "st", 2: "nd", 3: "rd"}.get(n % 10 if n // 10 != 1 else 0, "th")


WAYS_TO_WRITE_A_DATE = [
    lambda d: f"{d.day} {MONTHS[d.month - 1]} {d.year}",
    lambda d: f"{d.day}{ending(d.day)} of {MONTHS[d.month - 1]}, {d.year}",
    lambda d: f"{MONTHS[d.month - 1]} {d.day}, {d.year}",
    lambda d: f"{MONTHS[d.month - 1][:3]} {d.day}{ending(d.day)}, {d.year}",
    lambda d: f"{d.day}-{MONTHS[d.month - 1][:3]}-{d.year}",
    lambda d: f"{d:%d/%m/%Y}",
    lambda d: f"{d:%m/%d/%Y}",
    lambda d: f"{d:%Y-%m-%d}",
    lambda d: f"{d:%d.%m.%Y}",
    lambda d: f"{d:%d/%m/%y}",
]


@given(st.dates(date(2000, 1, 1), date(2049, 12, 31)), st.sampled_from(WAYS_TO_WRITE_A_DATE))
def test_a_whole_date_is_read_however_it_is_written(day: date, write: object) -> None:
    assert callable(write)
    text = f"by {write(day)}"
    assert Day(day.year, day.month, day.day) in days(the_one(text)), text


@given(st.dates(date(2024, 1, 1), date(2024, 12, 31)))
def test_a_date_with_its_weekday_is_one_figure(day: date) -> None:
    text = f"{WEEKDAYS[day.weekday()]}, {day.day} {MONTHS[day.month - 1]}"
    assert days(the_one(text)) == {Day(None, day.month, day.day, day.weekday())}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("12.05.", Day(None, 5, 12)),
        ("the twelfth of May", Day(None, 5, 12)),
        ("May the 4th", Day(None, 5, 4)),
        ("the twenty-first of June", Day(None, 6, 21)),
        ("on Friday", Day(weekday=4)),
        ("in October", Day(month=10)),
        ("in May 2023", Day(2023, 5)),
        ("05/2023", Day(2023, 5)),
        ("on the 21st", Day(day=21)),
        ("in 2019", Day(2019)),
    ],
)
def test_a_date_is_read_as_far_as_it_is_said(text: str, day: Day) -> None:
    assert day in days(the_one(text))


def test_a_date_in_digits_is_read_either_way_round() -> None:
    assert days(the_one("03/04/2025")) == {Day(2025, 4, 3), Day(2025, 3, 4)}
    assert days(the_one("13/04/2025")) == {Day(2025, 4, 13)}


def test_both_days_of_a_range_have_the_month() -> None:
    both = [Day(None, 5, 12), Day(None, 5, 14)]
    for text in ("12-14 May", "May 12-14", "12 to 14 May", "May 12 and 14"):
        assert [day for f in figures(text) for day in days(f)] == both, text


def test_may_is_a_month_only_where_it_must_be() -> None:
    assert not [f for f in figures("You may call. May I? It may.") if f.firm]
    assert Day(None, 5, 2) in days(the_one("may 2"))


# -- times of day and lengths of time -----------------------------------------------------------

WAYS_TO_WRITE_A_TIME = [
    lambda h, m: f"{h:02}:{m:02}",
    lambda h, m: f"{h % 12 or 12}:{m:02} {'pm' if h >= 12 else 'am'}",
    lambda h, m: f"{h % 12 or 12}.{m:02}{'pm' if h >= 12 else 'am'}",
    lambda h, m: f"{h % 12 or 12}:{m:02} {'P.M.' if h >= 12 else 'A.M.'}",
    lambda h, m: f"{h}h{m:02}",
    lambda h, m: f"{h}:{m:02}:59",
]


@given(st.integers(0, 23), st.integers(0, 59), st.sampled_from(WAYS_TO_WRITE_A_TIME))
def test_a_time_is_read_however_it_is_written(hour: int, minute: int, write: object) -> None:
    assert callable(write)
    text = f"at {write(hour, minute)}"
    assert Clock(hour * 60 + minute) in the_one(text).readings, text


@pytest.mark.parametrize(
    ("text", "minute"),
    [
        ("5 pm", 1020),
        ("5pm", 1020),
        ("five pm", 1020),
        ("five thirty pm", 1050),
        ("half past five", 1050),
        ("quarter to six", 1065),
        ("ten past five", 310),
        ("noon", 720),
        ("midnight", 0),
        ("5 o'clock", 300),
        ("315pm", 915),
        ("1700 hours", 1020),
        ("12 am", 0),
    ],
)
def test_a_time_is_read_in_words_too(text: str, minute: int) -> None:
    assert Clock(minute) in the_one(text).readings


LENGTHS = {"minute": 1, "hour": 60, "day": 1440, "week": 10080}


@given(st.integers(2, 999), st.sampled_from(sorted(LENGTHS)), st.booleans())
def test_a_length_of_time_is_read_in_words_and_digits(n: int, unit: str, words: bool) -> None:
    text = f"{in_words(n) if words else n} {unit}s"
    assert n * LENGTHS[unit] in amounts(the_one(text), "duration")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("two weeks", "14 days"),
        ("a fortnight", "14 days"),
        ("48 hours", "2 days"),
        ("half an hour", "30 minutes"),
        ("1 h 20", "80 min"),
        ("1h20m", "80 minutes"),
        ("2 hours and 30 minutes", "150 min"),
        ("two and a half hours", "150 minutes"),
        ("an hour and a half", "90 mins"),
        ("12 months", "1 year"),
        ("18 months", "1.5 years"),
        ("5 working days", "1 week"),
        ("90 seconds", "1.5 minutes"),
        ("a couple of days", "48 hrs"),
        ("14-day", "2-week"),
    ],
)
def test_equal_lengths_of_time_share_a_reading(first: str, second: str) -> None:
    a, b = (amounts(the_one(text), "duration") for text in (first, second))
    assert a & b, (a, b)


# -- codes --------------------------------------------------------------------------------------

LETTERS = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ", min_size=2, max_size=4)


@given(LETTERS, st.integers(10, 99_999_999), st.sampled_from(["", "-", "/", "_"]))
def test_a_code_is_read_without_its_separators(letters: str, n: int, mark: str) -> None:
    assume(all(f.kind == "code" for f in figures(f"{letters}12")))  # EUR12 is money
    figure = the_one(f"ref {letters}{mark}{n}")
    assert Code(f"{letters}{n}") in figure.readings


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("order 88-1201", "881201"),
        ("#12345", "12345"),
        ("(408) 247-8880", "4082478880"),
        ("+44 20 7946 0958", "442079460958"),
        ("4000 1234 5678 9010", "4000123456789010"),
        ("DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("iOS 11.1.2", "11.1.2"),
        ("12ab34", "12AB34"),
        ("four two seven one", "4271"),
        ("4471889", "4471889"),
    ],
)
def test_codes_are_read(text: str, code: str) -> None:
    assert Code(code) in the_one(text).readings


def test_quantities_are_read_with_their_unit() -> None:
    found = [
        figures(text)[0].readings[0] for text in ("20 GB", "20GB", "20 gigs", "5 km", "5000 m")
    ]
    assert found[0] == found[1] == found[2]
    assert {r.value for r in found[3:4] if isinstance(r, Amount)} == {5000}


# -- any text at all ----------------------------------------------------------------------------

WILD = st.text(max_size=200) | st.text(
    "0123456789.,:/-' $€%kmhpdaMay+()#½\u00a0\nandtwohundred", max_size=120
)


@settings(max_examples=400)
@given(WILD)
def test_any_text_gives_figures_that_are_slices_in_order(text: str) -> None:
    at = 0
    for figure in figures(text):
        assert at <= figure.start < figure.end <= len(text)
        assert figure.readings
        at = figure.end


HOSTILE = ["1", "1,", "1 ", "12/", "1.2", "a1", "-1", "one ", "half ", "$", "$1-", "May ", "1 2/3 ",
    "+1 ", "(1", "a@", "www.", "1:2", "two hundred and ", "of the ", "5 to ", "x", "٣", "Mon ",
    "1-2-", "A1-", "5h", "fifty-", "1st ", "a.b", "# "]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_long_hostile_text_is_read_in_linear_time(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    assert any(seconds_for(text) < 2 for _ in range(3))  # the machine may be busy


def seconds_for(text: str) -> float:
    started = time.process_time()
    figures(text)
    return time.process_time() - started
