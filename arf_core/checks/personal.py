"""Personal data in a summary: what identifies or endangers a person, and the case does not need.

Each kind is recognised by its own proof: a check digit, a form that nothing else has, or the word
that names it. What the company's side gave out as its own contact is nobody's personal data.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from arf_core.checks.numbers import numbers
from arf_core.checks.transcript import Transcript

_I = re.IGNORECASE
_ROW = re.compile(r"\d(?:[ .()/+-]{0,2}\d)*")
_CARD = re.compile(r"(?<![\w-])[2-6](?:[ -]?\d){12,18}(?![\w-])")
_HIDDEN = re.compile(r"(?<!\w)(?:[xX*•#]{2,4}[ -]?){1,4}(\d{3,4})(?![\w-])")
_ENDING = re.compile(
    r"\b(?:card|account|visa|mastercard|amex|debit|credit|iban|phone|mobile)\b[^.!?\n]{0,40}?\b"
    r"(?:ending|ends|ended|last (?:four|4|three|3)(?: digits?)?|final (?:four|4)(?: digits?)?)"
    r"(?: number)?(?: of)?(?: are| is| in| with|:)*[ \"']*(?P<value>\d{3,4})(?![\w-])",
    _I,
)
_LAST_DIGITS = re.compile(
    r"\blast (?:four|4|three|3) digits?(?: of [^.!?\n]{0,40}?)?(?: are| is|:| \()* *"
    r"(?P<value>\d{3,4})(?![\w-])",
    _I,
)
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,3}\.[A-Za-z]{2,24}\b"
)
_PHONE = re.compile(
    r"(?<![\w.])(?<!\d[ -])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,5}(?:[ ./-]?\d{2,5}){1,5}"
    r"|\(\d{2,5}\)[ .-]?\d{2,5}[ .-]\d{3,5}"
    r"|\d{3}[ .-]\d{3}[ .-]\d{4}"
    r"|0\d{2,5}[ -]\d{3,8}(?:[ -]\d{3,4})?)(?![\w-])"
)
_BARE_PHONE = re.compile(
    r"\b(?:(?:tele)?phone|mobile|cell|whatsapp|call(?:ed)?(?: back)?|text(?:ed)?|sms|tel)\b"
    r"(?: number| no\.?)?(?: is| was|:| on| at| to| back)* *\(?(?P<value>\d{9,11})(?![\w-])",
    _I,
)
_STREET = re.compile(
    r"(?<![\w$€£.,-])\d{1,5}[A-Za-z]? (?:[A-Z][\w'’.-]{0,30} ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|"
    r"Lane|Ln|Drive|Boulevard|Blvd|Court|Terrace|Close|Crescent)\b"
    r"|(?<!\w)[A-ZÄÖÜ][\wäöüß-]{2,30}(?:straße|strasse|str\.|gasse) ?\d{1,4}[a-z]?(?!\w)"
)
_AT_HOME = re.compile(
    r"\b(?:address|lives?|living|resid\w+|home|house|deliver\w*|ship\w*|sent|send|mail\w*|moved?|"
    r"moving)\b",
    _I,
)
_BIRTH = re.compile(
    r"\b(?:date of birth|birth ?date|d\.?o\.?b\.?)(?: is| was| of| as|:|,)*[ (]*", _I
)
_YEAR_AFTER = re.compile(r",? ?\d{4}\b")
_SECRET = re.compile(
    r"\b(?:pass(?:word|code|phrase)|PIN(?: number)?|one[- ]time (?:code|password|passcode)|OTP|"
    r"(?:verification|security|access|authentication|confirmation) code|CVV2?|CVC)\b"
    r"(?: is| was| as| of| to|:|=|,|\()* *(?P<value>[\"“'‘]?[^\s\"”'’,;)]{3,40})",
    _I,
)
_SSN = re.compile(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
_NINO = re.compile(r"(?<!\w)[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)")
_NINO_NAMED = re.compile(r"\b(?:national insurance|nino|NI (?:number|no))\b", _I)
_CASE_WORD = re.compile(
    r"(?:order|tracking|parcel|shipment|reference|ref|case|ticket|booking|reservation|confirmation|"
    r"invoice|imei|serial|product|item|model|policy|claim|transaction|receipt|isbn|sku|id)\b"
    r"[^.!?\n]{0,20}\Z",
    _I,
)
_COMPANY_BOX = re.compile(
    r"(?:(?:customer|client|user)?[._-]?(?:support|help|helpdesk|info|service|services|care|contact|"
    r"sales|billing|feedback|noreply|no-reply|team|office|hello|enquiries|inquiries|returns|admin|"
    r"complaints|reservations|relations|claims|orders|press|security|privacy|legal|abuse|careers))"
    r"[\w.+-]*@",
    _I,
)
_TOLL_FREE = re.compile(
    r"(?:\+?1)?8(?:00|88|77|66|55|44|33)\d{7}|(?:0|\+?44)(?:800|808|3\d\d|845|870)\d+"
)
_YOURS = re.compile(r"\b(?:your|yours|on file|registered)\b[^.!?\n]{0,60}\Z", _I)


class Exposure(NamedTuple):
    """Personal data at [start, end) of the summary, and the turns that hold them."""

    start: int
    end: int
    name: str
    what: str
    """As a sentence names it."""
    turns: tuple[int, ...]


def exposures(transcript: Transcript, text: str) -> Iterator[Exposure]:
    """The personal data in a summary, without what is the company's own."""
    for kind, start, end in _found(text):
        turns = _turns_with(text[start:end], transcript)
        if not (kind.companys and _is_companys(text[start:end], transcript, turns)):
            yield Exposure(start, end, kind.name, kind.what, turns)


def places(text: str) -> Iterator[tuple[str, int, int]]:
    """The kind, start and end of all personal data in any text, whosever they are."""
    return ((kind.name, start, end) for kind, start, end in _found(text))


def _found(text: str) -> Iterator[tuple["PersonalDataKind", int, int]]:
    """None overlaps another; cards and accounts come first."""
    taken: list[Extent] = []
    low = text.lower()
    digits = max((sum(c.isdigit() for c in row) for row in _ROW.findall(text)), default=0)
    for kind in _KINDS:
        if digits < kind.digits or not (not kind.words or any(word in low for word in kind.words)):
            continue
        for start, end in kind.find(text):
            if not any(start < e and s < end for s, e in taken):
                taken.append((start, end))
                yield kind, start, end


Extent = tuple[int, int]


def _cards(text: str) -> Iterator[Extent]:
    for match in _CARD.finditer(text):
        if luhn(match.group()) and not _is_case_number(text, match.start()):
            yield match.span()


def luhn(number: str) -> bool:
    """Does the check digit of a card number fit? Anything but digits is passed over."""
    digits = [int(c) for c in number if c.isdigit()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) < 2:
        return False
    doubled = (sum(divmod(2 * d, 10)) for d in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _last_digits(text: str) -> Iterator[Extent]:
    for match in _HIDDEN.finditer(text):
        yield match.span()
    for pattern in (_ENDING, _LAST_DIGITS):
        for match in pattern.finditer(text):
            yield match.span("value")


def _ibans(text: str) -> Iterator[Extent]:
    for match in _IBAN.finditer(text):
        if mod97(match.group()):
            yield match.span()


def mod97(number: str) -> bool:
    """Do the check digits of an IBAN fit? Spaces are passed over."""
    plain = number.replace(" ", "")
    if not 15 <= len(plain) <= 34 or not plain.isascii():
        return False
    moved = plain[4:] + plain[:4]
    return int("".join(str(int(c, 36)) for c in moved)) % 97 == 1


def _emails(text: str) -> Iterator[Extent]:
    for match in _EMAIL.finditer(text):
        if not _COMPANY_BOX.match(match.group()):
            yield match.span()


def _phones(text: str) -> Iterator[Extent]:
    found = [m.span() for m in _PHONE.finditer(text)]
    found += [m.span("value") for m in _BARE_PHONE.finditer(text)]
    for start, end in found:
        digits = re.sub(r"\D", "", text[start:end])
        if not 9 <= len(digits) <= 15 or _TOLL_FREE.fullmatch(digits):
            continue
        if not _is_case_number(text, start):
            yield start, end


def _streets(text: str) -> Iterator[Extent]:
    for match in _STREET.finditer(text):
        if _AT_HOME.search(text, max(0, match.start() - 60), match.end() + 30):
            yield match.span()


def _births(text: str) -> Iterator[Extent]:
    for match in _BIRTH.finditer(text):
        for number in numbers(text[match.end() : match.end() + 40])[:1]:
            if number.start <= 1 and number.kind == "date":
                end = match.end() + number.end
                year = _YEAR_AFTER.match(text, end)
                yield match.end() + number.start, year.end() if year else end


def _secrets(text: str) -> Iterator[Extent]:
    for match in _SECRET.finditer(text):
        value = match.group("value")
        quoted = value[0] in "\"“'‘"
        if (quoted or any(c.isdigit() for c in value)) and not _is_pin_code(match.group()):
            trimmed = value.lstrip("\"“'‘").rstrip(".:!?")
            start = match.start("value") + len(value) - len(value.lstrip("\"“'‘"))
            yield start, start + len(trimmed)


def _is_pin_code(transcript: str) -> bool:
    """Six digits after "pin" are an Indian postal code."""
    return transcript.lower().startswith("pin") and len(re.findall(r"\d", transcript)) == 6


def _identity_numbers(text: str) -> Iterator[Extent]:
    for match in _SSN.finditer(text):
        if not _is_case_number(text, match.start()):
            yield match.span()
    if _NINO_NAMED.search(text):
        for match in _NINO.finditer(text):
            yield match.span()


def _is_case_number(text: str, start: int) -> bool:
    """Does the word before it name it as the number of an order, a case, a device?"""
    return _CASE_WORD.search(text, max(0, start - 40), start) is not None


class PersonalDataKind(NamedTuple):
    """A kind of personal data, and what a text must hold for it to be worth a closer look."""

    name: str
    what: str
    find: Callable[[str], Iterator[Extent]]
    digits: int = 0
    """In a row, with nothing but marks between them."""
    words: tuple[str, ...] = ()
    companys: bool = False
    """Has a company such data of its own to give out?"""


_STREETS = (
    "street", " st", " ave", " road", " rd", " lane", " ln", " drive", " boul", " blvd", " court",
    " terr", " close", " cresc", "stra", "gasse", "str.",
)  # fmt: skip
_KINDS = (
    PersonalDataKind("card number", "a card number", _cards, digits=13),
    PersonalDataKind("account number", "an account number (IBAN)", _ibans, digits=10),
    PersonalDataKind(
        "last digits",
        "the last digits of a card, account or phone",
        _last_digits,
        digits=3,
        words=("end", "last", "final", "xx", "**", "••", "##"),
    ),
    PersonalDataKind("e-mail address", "an e-mail address", _emails, words=("@",), companys=True),
    PersonalDataKind("identity number", "an identity number", _identity_numbers, digits=6),
    PersonalDataKind(
        "code", "a password or code", _secrets, words=("pass", "pin", "otp", "code", "cv", "one")
    ),
    PersonalDataKind(
        "date of birth", "a date of birth", _births, digits=1, words=("birth", "dob", "d.o.b")
    ),
    PersonalDataKind("phone number", "a phone number", _phones, digits=9, companys=True),
    PersonalDataKind(
        "address", "a postal address", _streets, digits=1, words=_STREETS, companys=True
    ),
)


def _turns_with(value: str, transcript: Transcript) -> tuple[int, ...]:
    """The turns that hold the data, whatever the spaces and hyphens."""
    digits = re.sub(r"\D", "", value)
    if len(digits) >= 3 and not any(c.isalpha() for c in value):
        pattern = re.compile(r"[\W_]{0,3}".join(digits))
    else:
        pattern = re.compile(re.escape(value), _I)
    return transcript.turns_with(pattern)


def _is_companys(value: str, transcript: Transcript, turns: tuple[int, ...]) -> bool:
    """Did only the company's side say it, and not as the customer's ("your number …")?"""
    if not turns or not all(transcript.by_agent(turn) for turn in turns):
        return False
    return not any(_calls_it_yours(value, transcript.lines[turn].text) for turn in turns)


def _calls_it_yours(value: str, turn: str) -> bool:
    at = turn.casefold().find(value.casefold())
    return at >= 0 and _YOURS.search(turn, max(0, at - 80), at) is not None
