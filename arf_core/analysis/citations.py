"""What a model cites must exist: words in the text that is judged, turns in the conversation."""

from collections.abc import Iterable

from arf_core.analysis.detectors import Found
from arf_core.errors import ReplyError
from arf_core.records import Conversation
from arf_core.text import locate


def cited(turns: Iterable[int], conversation: Conversation) -> tuple[int, ...]:
    """The turns in order, each once. Raises ReplyError for one that does not exist."""
    ordered = tuple(sorted(set(turns)))
    last = len(conversation.turns) - 1
    for turn in ordered:
        if not 0 <= turn <= last:
            raise ReplyError(f"turn {turn} does not exist; turns go from 0 to {last}.")
    return ordered


def at_quote(found: Found, quote: str, text: str) -> Found:
    """The finding with its span in `text`. Raises ReplyError where the quote is not there."""
    span = locate(text, quote)
    if span is None:
        raise ReplyError(f"the quote {quote!r} does not stand in the summary; copy it exactly.")
    return found.model_copy(update={"quote": span.of(text), "start": span.start, "end": span.end})
