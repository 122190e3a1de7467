"""Personal data become placeholders before a request leaves, and themselves again in the reply.

`ana@example.com` goes out as `[EMAIL_1]`. Equal values have equal placeholders, so figures can
still be compared; values that differ only in separators differ in a letter (`[ORDER_1]`,
`[ORDER_1b]`). What a reply says in placeholders is put back exactly, so a quote stays verbatim.

Masked are what has a form of its own: e-mail addresses, phone, card and account numbers, identity
numbers, postal addresses, named birth dates, passwords and codes, order and case numbers. Names of
persons are not, and nothing that has no such form: masking lowers the risk, it does not end it.
"""

import json
import re
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
_PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(LABELS.values())})_\d+[a-z]*\]")


def hidden(request: Request) -> Request:
    """The request with personal data masked. The same request is always masked in the same way."""
    mask = _mask_of(request)
    messages = tuple(m | {"content": mask.hide(m["content"])} for m in request.messages)
    fields = {name: getattr(request, name) for name in Request.model_fields}
    return Request(**fields | {"messages": messages})


def shown(reply: Reply, request: Request) -> Reply:
    """The reply with the request's data back in place of their placeholders.

    Where the reply is JSON they are escaped as JSON needs it. A reply by file comes long after the
    request went, so the placeholders are made anew from the request as it was before masking.
    """
    if not _PLACEHOLDER.search(reply.text):
        return reply
    mask = _mask_of(request)
    for message in request.messages:
        mask.hide(message["content"])
    text = mask.show(reply.text, in_json=request.schema_ is not None)
    return reply.model_copy(update={"text": text})


def _mask_of(request: Request) -> "Mask":
    return Mask({p for m in request.messages for p in _PLACEHOLDER.findall(m["content"])})


class Mask:
    """Placeholders and what they stand for."""

    def __init__(self, reserved: set[str]) -> None:
        """`reserved` placeholders stand in the texts themselves, and are left to them."""
        self._reserved = reserved
        self._values: dict[str, str] = {}
        """Placeholder -> value."""
        self._known: dict[tuple[str, str], str] = {}
        """(label, value) -> placeholder."""
        self._forms: dict[tuple[str, str], int] = {}
        """(label, value without separators) -> how many ways it has been written so far."""

    def hide(self, text: str) -> str:
        parts: list[str] = []
        at = 0
        for name, start, end in sorted(_found(text), key=lambda f: f[1:]):
            if start < at:
                continue
            parts += [text[at:start], self._placeholder(LABELS[name], text[start:end])]
            at = end
        return "".join([*parts, text[at:]])

    def show(self, text: str, in_json: bool = False) -> str:
        def value(match: re.Match[str]) -> str:
            found = self._values.get(match.group())
            if found is None:
                return match.group()
            return json.dumps(found, ensure_ascii=False)[1:-1] if in_json else found

        return _PLACEHOLDER.sub(value, text)

    def _placeholder(self, label: str, value: str) -> str:
        if (label, value) not in self._known:
            plain = (label, re.sub(r"[\W_]", "", value).casefold())
            form = self._forms.get(plain, 0)
            self._forms[plain] = form + 1
            number = [p for p in self._forms if p[0] == label].index(plain) + 1
            made = f"[{label}_{number}{_letters(form)}]"
            while made in self._reserved:
                number += 1000
                made = f"[{label}_{number}{_letters(form)}]"
            self._known[label, value] = made
            self._values[made] = value
        return self._known[label, value]


def _letters(form: int) -> str:
    """ "" for the first form of a value, then b, c, …"""
    return "" if form == 0 else ascii_lowercase[form % 26] * (1 + form // 26)


def _found(text: str) -> list[tuple[str, int, int]]:
    """Label, start and end of what is to be hidden."""
    personal = list(places(text))
    taken = [p[1:] for p in personal] + [m.span() for m in _PLACEHOLDER.finditer(text)]
    codes = [("order", f.start, f.end) for f in numbers(text) if f.kind == "code"]
    return personal + [c for c in codes if not any(s < c[2] and c[1] < e for s, e in taken)]
