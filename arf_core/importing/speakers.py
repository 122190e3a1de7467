"""Who speaks: the file's labels as customer, agent or bot; else sides inferred from the words.

Inference: the customer speaks first and the sides alternate, unless a cue says otherwise. Only the
customer addresses the company (a turn that begins with its handle or name); only the agent speaks
as "our team", asks for a message, or signs with initials.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import BaseModel, Field

Side = str
"""customer, agent, bot."""
_LABELS: dict[Side, str] = {
    "customer": "customer,user,usr,client,caller,human,consumer,buyer,guest,passenger,visitor,"
    "end user,enduser,cust,shopper,subscriber,cardholder,policyholder,requester,requestor,"
    "complainant,inbound,incoming,customer name,member,patron,from customer",
    "agent": "agent,rep,representative,advisor,adviser,support,operator,staff,csr,employee,"
    "customer service,customer support,customer care,support agent,service agent,human agent,"
    "support rep,sales rep,customer service rep,customer service representative,sales agent,"
    "service representative,customer representative,seller,salesperson,consultant,technician,"
    "helpdesk,help desk,service desk,clerk,receptionist,outbound,outgoing,wizard,live agent,"
    "call center agent,call centre agent,support engineer,support team,brand,company,business",
    "bot": "bot,chatbot,chat bot,virtual assistant,virtual agent,assistant,ivr,system,ai,"
    "ai assistant,ai agent,gpt,model,automated,auto,voicebot,voice bot,robot,digital assistant,"
    "machine,automated system,chatgpt,answerbot,llm",
}
_ROLE_OF = {label: role for role, labels in _LABELS.items() for label in labels.split(",")}
INSTRUCTIONS = frozenset(("system", "developer"))
"""In chat format these labels mark words to a model, no turn of the conversation."""
MOST_SHOWN = 30
"""Labels that are shown with their counts; a file may have a million authors."""
_TRUE = {"true", "t", "yes", "y", "1", "1.0"}
_FALSE = {"false", "f", "no", "n", "0", "0.0"}


def plain_label(label: str) -> str:
    """A label in its plainest form: `<Agent_2>` and `AGENT` are `agent`."""
    plain = re.sub(r"[\s_]+", " ", label.strip().strip("[]()<>*:").casefold()).strip()
    return re.sub(r"(?<=[a-z]{2}) ?\d{1,2}$", "", plain)


def role_of(plain: str) -> Side | None:
    """The role that a plain label names, or None."""
    return _ROLE_OF.get(plain) or _ROLE_OF.get(plain.replace("-", " "))


def side_role(name: str, value: object) -> Side | None:
    """The role that a column such as inbound, direction or is_agent says, or None."""
    plain = str(value).strip().casefold()
    chosen = True if plain in _TRUE else False if plain in _FALSE else None
    if chosen is None:
        return role_of(plain_label(plain)) or {"in": "customer", "out": "agent"}.get(plain)
    of_agent = re.search(
        r"agent|staff|support|outbound|outgoing|company|bot|employee", name.lower()
    )
    return "agent" if chosen == bool(of_agent) else "customer"


class Speakers(BaseModel):
    """How the two sides were found. Counts are of all turns that were read."""

    roles: Counter[str] = Field(default_factory=Counter)
    """Turns by role, among those whose side is known."""
    known: Counter[str] = Field(default_factory=Counter)
    """Turns by the file's own label, where it says the role."""
    kept: Counter[str] = Field(default_factory=Counter)
    """Turns by label, where it does not: stored unchanged."""
    kept_labels: int = 0
    """How many different labels were kept; the commonest are in `kept`."""
    inferred_conversations: int = 0
    inferred_turns: int = 0
    by_cue: int = 0
    """Inferred turns that a cue decided; the others follow by alternation."""


class Roles:
    """Turns labels into roles, and counts the turns by label.

    The same few sequences of labels make up most files, so each is looked at once.
    """

    def __init__(self, chosen: Mapping[str, str]) -> None:
        self._chosen = {plain_label(label): role for label, role in chosen.items()}
        self._exact = dict(chosen)
        self._patterns: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._talking: dict[tuple[str | None, ...], list[int] | None] = {}
        self._seen: Counter[tuple[str, ...]] = Counter()

    def role(self, label: str) -> Side | None:
        """The role of a label, by the user's word or by the usual names; else None."""
        plain = plain_label(label)
        return self._exact.get(label) or self._chosen.get(plain) or role_of(plain)

    def speakers(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        """The speakers to store: roles where known, else the labels as they are."""
        if labels not in self._patterns:
            roles = {label: self.role(label) or label for label in dict.fromkeys(labels)}
            self._patterns[labels] = tuple(roles[label] for label in labels)
        self._seen[labels] += 1
        return self._patterns[labels]

    def talking(self, labels: tuple[str | None, ...]) -> list[int] | None:
        """The places of turns, without those labelled `system` that instruct a model; None where
        all are turns. `system` is a side of its own unless a bot or an agent speaks besides it."""
        if labels not in self._talking:
            plain = [plain_label(label) if label else "" for label in labels]
            others = {self._chosen.get(p) or role_of(p) for p in plain if p not in INSTRUCTIONS}
            kept = [i for i, p in enumerate(plain) if p not in INSTRUCTIONS]
            instructed = len(kept) < len(plain) and others & {"agent", "bot"}
            self._talking[labels] = kept if instructed else None
        return self._talking[labels]

    def turns(self) -> Counter[str]:
        """How many turns each label had."""
        counts: Counter[str] = Counter()
        for labels, times in self._seen.items():
            for label in labels:
                counts[label] += times
        return counts


def count_speakers(report: Speakers, turns: Counter[str], chosen: Mapping[str, str]) -> list[str]:
    """Write into the report what the labels were taken for; returns those that the user mapped and
    the files do not have."""
    roles = Roles(chosen)
    for label, n in turns.most_common():
        role = roles.role(label)
        if role:
            report.known[label] += n
            report.roles[role] += n
        else:
            report.kept_labels += 1
            if len(report.kept) < MOST_SHOWN:
                report.kept[label] += n
    seen = {*turns, *map(plain_label, turns)}
    return [label for label in chosen if label not in seen and plain_label(label) not in seen]


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


class SideGuess(NamedTuple):
    role: str
    by_cue: bool


def sides(texts: Sequence[str]) -> list[SideGuess]:
    """A role for each turn, in order."""
    addressed = _addressed(texts)
    cues = [_cue(text, addressed) for text in texts]
    # Where the customer keeps addressing the company, a turn that does not is the agent's.
    habit = sum(c == "customer" for c in cues) >= 2
    found: list[SideGuess] = []
    for cue in cues:
        if cue:
            found.append(SideGuess(cue, True))
        elif found and (habit or found[-1].role == "customer"):
            found.append(SideGuess("agent", habit))
        else:
            found.append(SideGuess("customer", False))
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
