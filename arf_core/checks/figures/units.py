"""What may stand beside a number: currencies, measures, lengths of time. Data only."""

from decimal import Decimal
from typing import NamedTuple

DOLLARS = "USD AUD CAD NZD SGD HKD MXN"
KRONER = "SEK NOK DKK ISK"
RUPEES = "INR PKR LKR NPR"
MINOR = f"{DOLLARS} EUR ZAR"

CURRENCY_SIGNS = {
    "$": DOLLARS,
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY CNY",
    "₹": RUPEES,
    "₽": "RUB",
    "₩": "KRW",
    "₺": "TRY",
    "₪": "ILS",
    "₫": "VND",
    "฿": "THB",
    "₴": "UAH",
    "₦": "NGN",
    "₱": "PHP",
}
DOLLAR_LETTERS = {
    "us": "USD",
    "a": "AUD",
    "au": "AUD",
    "c": "CAD",
    "ca": "CAD",
    "nz": "NZD",
    "s": "SGD",
    "sg": "SGD",
    "hk": "HKD",
    "mx": "MXN",
    "r": "BRL",
}
"""What stands before a dollar sign: US$, A$, R$."""

_ISO = (
    "USD EUR GBP JPY CNY INR AUD CAD CHF SEK NOK DKK ISK PLN CZK HUF RON BGN UAH RUB ILS AED SAR "
    "QAR KWD EGP ZAR NGN KES GHS BRL ARS CLP COP PEN SGD HKD MYR THB IDR PHP VND KRW TWD PKR LKR "
    "BDT NZD NPR MAD TND"
).split()
CURRENCY_CODES = {code: code for code in _ISO} | {"TRY": "TRY", "MXN": "MXN"}
"""Read in capitals only, since some are words."""

CURRENCY_BEFORE = {
    "rs": RUPEES,
    "inr": RUPEES,
    "kr": KRONER,
    "usd": "USD",
    "eur": "EUR",
    "gbp": "GBP",
    "chf": "CHF",
    "sfr": "CHF",
    "fr": "CHF EUR",
    "dhs": "AED MAD",
    "aed": "AED",
    "rm": "MYR",
    "pln": "PLN",
}
CURRENCY_WORDS = {
    "dollar": DOLLARS,
    "buck": DOLLARS,
    "euro": "EUR",
    "pound": "GBP",
    "quid": "GBP",
    "yen": "JPY",
    "yuan": "CNY",
    "rmb": "CNY",
    "renminbi": "CNY",
    "rupee": RUPEES,
    "rs": RUPEES,
    "franc": "CHF EUR",
    "krona": KRONER,
    "kronor": KRONER,
    "krone": KRONER,
    "kroner": KRONER,
    "kr": KRONER,
    "zloty": "PLN",
    "zlotys": "PLN",
    "zlotych": "PLN",
    "zł": "PLN",
    "zl": "PLN",
    "koruna": "CZK",
    "kč": "CZK",
    "forint": "HUF",
    "leu": "RON",
    "lei": "RON",
    "lev": "BGN",
    "leva": "BGN",
    "hryvnia": "UAH",
    "ruble": "RUB",
    "rouble": "RUB",
    "руб": "RUB",
    "lira": "TRY",
    "shekel": "ILS",
    "dirham": "AED MAD",
    "dh": "AED MAD",
    "riyal": "SAR QAR",
    "rand": "ZAR",
    "naira": "NGN",
    "shilling": "KES",
    "cedi": "GHS",
    "reais": "BRL",
    "peso": "MXN PHP ARS CLP COP",
    "ringgit": "MYR",
    "baht": "THB",
    "rupiah": "IDR",
    "dong": "VND",
    "taka": "BDT",
    "dinar": "KWD TND",
}
"""Singulars; a plain s at the end is understood."""

HUNDREDTHS = {
    "cent": MINOR,
    "pence": "GBP",
    "penny": "GBP",
    "paise": RUPEES,
    "paisa": RUPEES,
    "grosz": "PLN",
    "groszy": "PLN",
    "øre": KRONER,
    "öre": KRONER,
    "kopeck": "RUB",
}

MINUTES = {
    "second": Decimal(1) / 60,
    "sec": Decimal(1) / 60,
    "minute": Decimal(1),
    "min": Decimal(1),
    "mins": Decimal(1),
    "hour": Decimal(60),
    "hr": Decimal(60),
    "h": Decimal(60),
    "day": Decimal(1440),
    "night": Decimal(1440),
    "week": Decimal(10080),
    "wk": Decimal(10080),
    "weekend": Decimal(10080),
    "fortnight": Decimal(20160),
}
"""Lengths of time that are always the same. Months and years stand for several lengths."""

DAYS_OF_LONG_UNITS: dict[str, tuple[Decimal, ...]] = {
    "month": (Decimal(30), Decimal(365) / 12, Decimal(28), Decimal(31)),
    "mth": (Decimal(30), Decimal(365) / 12, Decimal(28), Decimal(31)),
    "year": (Decimal(365), Decimal(366), Decimal(364), Decimal(360)),
    "yr": (Decimal(365), Decimal(366), Decimal(364), Decimal(360)),
    "decade": (Decimal(3650), Decimal(3652), Decimal(3653), Decimal(3600)),
}
WORKING_DAY_SHARE = Decimal(7) / 5
"""Five working days may be a week."""


class Unit(NamedTuple):
    """A unit of measure: its dimension and how many of the dimension's base units it holds."""

    dimension: str
    factor: Decimal


def _units(dimension: str, **factors: str) -> dict[str, Unit]:
    return {name: Unit(dimension, Decimal(factor)) for name, factor in factors.items()}


MEASURES: dict[str, Unit] = (
    _units("length", mm="0.001", millimetre="0.001", millimeter="0.001", cm="0.01")
    | _units("length", centimetre="0.01", centimeter="0.01", km="1000", kilometre="1000")
    | _units("length", kilometer="1000", metre="1", meter="1", inch="0.0254", inches="0.0254")
    | _units("length", foot="0.3048", feet="0.3048", ft="0.3048", yard="0.9144", mile="1609.344")
    | _units("mass", mg="0.001", milligram="0.001", gram="1", kg="1000", kilo="1000")
    | _units("mass", kilogram="1000", lb="453.592", lbs="453.592", pound="453.592", ounce="28.3495")
    | _units("mass", oz="28.3495", ton="907185", tonne="1000000")
    | _units("volume", ml="0.001", millilitre="0.001", milliliter="0.001", cl="0.01", litre="1")
    | _units("volume", liter="1", gallon="3.78541", gal="3.78541", pint="0.473")
    | _units("data", kb="0.001", mb="1", gb="1000", tb="1000000", megabyte="1", gigabyte="1000")
    | _units("data", terabyte="1000000", gig="1000", meg="1", kilobyte="0.001")
    | _units("rate", kbps="0.001", mbps="1", gbps="1000", mbit="1", gbit="1000")
    | _units("speed", mph="1.609344", kmh="1", kph="1")
    | _units("power", kw="1000", watt="1", kilowatt="1000", mw="1000000", megawatt="1000000")
    | _units("energy", kwh="1", mwh="1000")
    | _units("charge", mah="1")
    | _units("voltage", volt="1")
    | _units("frequency", hz="1", khz="1000", mhz="1000000", ghz="1000000000")
    | _units("pixels", px="1", pixel="1", megapixel="1000000", mp="1000000")
    | _units("area", acre="4046.86", hectare="10000", ha="10000", sqft="0.0929", sqm="1")
)
"""Singulars and abbreviations in lower case; a plain s at the end is understood."""

ATTACHED: dict[str, Unit] = (
    _units("length", m="1") | _units("mass", g="1") | _units("volume", l="1")
) | (_units("power", w="1") | _units("voltage", v="1"))
"""Read so only directly after a digit: 5m, 500g."""

ATTACHED_MINUTES = {
    "s": Decimal(1) / 60,
    "m": Decimal(1),
    "h": Decimal(60),
    "d": Decimal(1440),
    "w": Decimal(10080),
}
PASSED_OVER = frozenset(
    "business working calendar consecutive full whole more additional extra further other long "
    "short us american australian canadian singapore british indian euro hong kong new zealand "
    "swiss turkish mexican solid good straight".split()
)
"""Words that may stand between a number and its unit: five working days, 20 US dollars."""

WORKING = frozenset({"business", "working"})
