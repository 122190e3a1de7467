"""Which side speaks, where a file does not say.

The customer speaks first and the sides alternate, unless a cue says otherwise: only the customer
addresses the company (its handle or name begins the turn), only the agent speaks as "our team",
asks to be written to, or signs with initials.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

_HANDLE = re.compile(r"@?([A-Za-z]\w+):?(?:\s|$)")
_COMPANY = re.compile(r"\w{2}(support|help|cares?|service|hq|team|official)$")
_ORDINARY = frozenset(
    (
        "the and but not you your yes yeah yep yup nope okay hey hello thanks thank thankyou sorry "
        "what when where why who how which that this these those there they them then also just "
        "its was were are did does can could will would should have has had been our please well "
        "sure great good nice any for from with all now one still may might let glad happy hmm "
        "apologies maybe actually never only same wow lol omg ive ill were weve dear here his her "
        "she since unfortunately because after before while some got get nothing perfect awesome "
        "done cool right haha cheers tried nah welcome really very most more once even looks "
        "seems hi no so my it is if in im me ok oh we he do to of on at as an am or up go be by "
        "ah ya us lets wed youll theyll hiya kindly whats thats heres theres id every their "
        "morning afternoon evening understood correct yesterday today tomorrow out see tell"
    ).split()
)
"""Words that begin a turn without naming anybody."""
_AGENT = re.compile(
    r"""(?ix)
    \b(?:our|the)\ (?:\w+\ )?
      (?:team|support|specialists?|agents?|colleagues?|engineers?|records)\b
    | \bwe(?:'|’)?(?:re|ll|ve|d)?\ (?:are\ |will\ |can\ |would\ |have\ |do\ )?
      (?:sorry|apolog\w+|love\ to|like\ to\ help|happy\ to|glad\ to|look(?:ing)?\ into|here\ to
      |understand|appreciate|assist|investigat\w+|recommend|check|reach\ out|be\ happy|need\ you)
    | \b(?:send|shoot|drop)\ (?:us|me)\ an?\ (?:quick\ )?(?:dm|private|direct|message|note|email)
    | \b(?:please|kindly|pls)\ (?:dm|send\ us|contact\ us|let\ us\ know|provide|confirm)
    | \b(?:dm|message|contact|email)\ us\b | \blet\ us\ know\b | \bfollow\ us\b
    | \bplease\ reach\ out
    | \b(?:happy|glad|here)\ to\ (?:help|assist) | \bhow\ (?:can|may)\ (?:i|we)\ (?:help|assist)
    | \b(?:thanks?|thank\ you)\ for\ (?:reaching|contacting|getting\ in\ touch|letting\ us
      |your\ patience|bringing|the\ feedback|your\ feedback|calling)
    | \bapologi[sz]e\ for\ (?:the|any|this|your)
    | \bsorry\ (?:to\ hear|for\ the|about\ (?:the|that|this)) | \bmay\ i\ have\ your
    | [\^*-][A-Z]{2}\s*$
    | (?-i:\s(?!US|UK|TV|PC|OK|AM|PM|EU|ID|DM|PS|IT|NY)[A-Z]{2}\s*(?:\d/\d)?\s*$)
    """
)
"""What only the side of the company says; the last two are initials as a signature."""


class Guess(NamedTuple):
    role: str
    by_cue: bool


def sides(texts: Sequence[str]) -> list[Guess]:
    """A role for each turn, in order."""
    addressed = _addressed(texts)
    cues = [_cue(text, addressed) for text in texts]
    # Where the customer keeps addressing the company, a turn that does not is the agent's.
    habit = sum(c == "customer" for c in cues) >= 2
    found: list[Guess] = []
    for cue in cues:
        if cue:
            found.append(Guess(cue, True))
        elif found and (habit or found[-1].role == "customer"):
            found.append(Guess("agent", habit))
        else:
            found.append(Guess("customer", False))
    return found


def _cue(text: str, addressed: frozenset[str]) -> str | None:
    handle = _HANDLE.match(text.lstrip())
    if handle and handle[1].casefold() in addressed:
        return "customer"
    return "agent" if _AGENT.search(text) else None


def _addressed(texts: Sequence[str]) -> frozenset[str]:
    """The company's names at the beginning of turns: what looks like a support handle, or a word
    that begins several turns and is no ordinary beginning."""
    first = Counter(m[1].casefold() for t in texts if (m := _HANDLE.match(t.lstrip())))
    return frozenset(
        word
        for word, n in first.items()
        if _COMPANY.search(word) or (n > 1 and word not in _ORDINARY)
    )
