"""Replaces personal data by placeholders before a request leaves, and puts them back in the reply.

`ana@example.com` goes out as `[EMAIL_1]`. Equal values get equal placeholders, so a model can still
compare them; values that differ only in separators differ by a letter (`[ORDER_1]`, `[ORDER_1b]`).
Placeholders in a reply become the exact values again, so a quote stays verbatim.

Masked is what has a recognisable form: e-mail addresses, phone, card and account numbers, identity
numbers, postal addresses, birth dates, passwords and codes, order and case numbers. Names of people
and anything without such a form are not: masking lowers the risk, it does not remove it.
"""

import json
import re
from collections import defaultdict
from string import ascii_lowercase

from arf_core.checks.numbers import numbers
from arf_core.checks.personal import places
from arf_core.models import Reply, Request

LABELS = {
    "card number": "CARD",
    "account number": "ACCOUNT",
    "last digits": "DIGITS",
    "e-mail address": "EMAIL",
    "identity number": "IDENTITY",
    "code": "SECRET",
    "date of birth": "BIRTH",
    "phone number": "PHONE",
    "address": "ADDRESS",
    "order": "ORDER",
}
_TOKEN = re.compile(r"[A-Za-z0-9]+(?:[-_/#.][A-Za-z0-9]+){0,8}")
_DIGIT_AFTER_LETTER = re.compile(r"[A-Za-z].*\d|\d{5}.*[A-Za-z]")
_HOURS = re.compile(r"(?<!\w)\d{1,3}[hd]\d{1,2}(?:m|min|mins|h)?(?!\w)", re.IGNORECASE)
_GROUPED = re.compile(r"(?<![\w.,])0\d{1,5}(?:[ -]\d{2,8}){1,4}(?!\d)")
"""A national phone number in groups of digits."""
_PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(LABELS.values())})_\d+[a-z]*\]")


def mask(request: Request) -> Request:
    """The request with personal data masked, which is deterministic."""
    return _masked(request)[1]


def unmask(reply: Reply, request: Request) -> Reply:
    """The reply to the masked request with the values back in it, escaped where it is JSON.

    A reply by file comes in another process, so the placeholders are made again from `request`,
    as it was before masking.
    """
    if not _PLACEHOLDER.search(reply.text):
        return reply
    text = _masked(request)[0].unmask(reply.text, in_json=request.schema_ is not None)
    return reply.model_copy(update={"text": text})


def _masked(request: Request) -> tuple["Mask", Request]:
    used = Mask({p for m in request.messages for p in _PLACEHOLDER.findall(m["content"])})
    messages = tuple(m | {"content": used.mask(m["content"])} for m in request.messages)
    return used, request.with_messages(messages, request.attempt)


class Mask:
    """Placeholders and their values."""

    def __init__(self, reserved: set[str]) -> None:
        """`reserved`: placeholders that occur in the texts themselves, and so mean no value."""
        self._reserved = reserved
        self._values: dict[str, str] = {}
        """Placeholder -> value."""
        self._forms: defaultdict[str, dict[str, list[str]]] = defaultdict(dict)
        """Label -> value without separators -> the forms in which it has occurred."""

    def mask(self, text: str) -> str:
        parts: list[str] = []
        at = 0
        for name, start, end in sorted(_found(text), key=lambda f: f[1:]):
            if start < at:
                continue
            parts += [text[at:start], self._placeholder(LABELS[name], text[start:end])]
            at = end
        return "".join([*parts, text[at:]])

    def unmask(self, text: str, in_json: bool = False) -> str:
        def value(match: re.Match[str]) -> str:
            found = self._values.get(match.group())
            if found is None:
                return match.group()
            return json.dumps(found, ensure_ascii=False)[1:-1] if in_json else found

        return _PLACEHOLDER.sub(value, text)

    def _placeholder(self, label: str, value: str) -> str:
        forms = self._forms[label].setdefault(re.sub(r"[\W_]", "", value).casefold(), [])
        if value not in forms:
            forms.append(value)
        number = 1 + list(self._forms[label].values()).index(forms)
        letters = _letters(forms.index(value))
        while f"[{label}_{number}{letters}]" in self._reserved:
            number += 1000
        made = f"[{label}_{number}{letters}]"
        self._values[made] = value
        return made


def _letters(form: int) -> str:
    """Nothing for the first form of a value, then b, c, …"""
    return "" if form == 0 else ascii_lowercase[form % 26] * (1 + form // 26)


def _found(text: str) -> list[tuple[str, int, int]]:
    """Kind, start and end of what is to be masked."""
    personal = list(places(text))
    taken = [p[1:] for p in personal] + [m.span() for m in _PLACEHOLDER.finditer(text)]
    read = numbers(text)
    taken += [(n.start, n.end) for n in read if n.kind in ("time", "date", "duration")]
    taken += [m.span() for m in _HOURS.finditer(text)]
    codes = [(n.start, n.end) for n in read if n.kind == "code"]
    # more than the checks call a code: what leaves by mistake cannot be taken back
    codes += [m.span() for m in _GROUPED.finditer(text)]
    codes += [m.span() for m in _TOKEN.finditer(text) if _is_code(m.group())]
    free = [c for c in codes if not any(s < c[1] and c[0] < e for s, e in taken)]
    return personal + [("order", *span) for span in _united(free)]


def _is_code(token: str) -> bool:
    """ft058972, kate1987, 12ab34, 1234567ab; not 100GB."""
    return bool(_DIGIT_AFTER_LETTER.search(token))


def _united(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans that overlap become one, so that no end of a code is left over."""
    united: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if united and start < united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((start, end))
    return united
