"""Who speaks: the file's labels as customer, agent or bot, where they say so."""

import re
from collections import Counter
from collections.abc import Mapping

from arf_core.importing.report import Speakers

Role = str
"""customer, agent, bot."""
_LABELS: dict[Role, str] = {
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
MOST_LABELS = 2_000
"""Labels counted one by one; a file may have a million authors."""
_TRUE = {"true", "t", "yes", "y", "1", "1.0"}
_FALSE = {"false", "f", "no", "n", "0", "0.0"}


def plain_label(label: str) -> str:
    """A label in its plainest form: `<Agent_2>` and `AGENT` are `agent`."""
    plain = re.sub(r"[\s_]+", " ", label.strip().strip("[]()<>*:").casefold()).strip()
    return re.sub(r"(?<=[a-z]{2}) ?\d{1,2}$", "", plain)


def role_of(plain: str) -> Role | None:
    """The role that a plain label names, or None."""
    return _ROLE_OF.get(plain) or _ROLE_OF.get(plain.replace("-", " "))


def side_role(name: str, value: object) -> Role | None:
    """The role that a column such as inbound, direction or is_agent says, or None."""
    plain = str(value).strip().casefold()
    said = True if plain in _TRUE else False if plain in _FALSE else None
    if said is None:
        return role_of(plain_label(plain)) or {"in": "customer", "out": "agent"}.get(plain)
    of_agent = re.search(
        r"agent|staff|support|outbound|outgoing|company|bot|employee", name.lower()
    )
    return "agent" if said == bool(of_agent) else "customer"


class Roles:
    """Turns labels into roles, and counts them for the report.

    The same few sequences of labels make up most files, so each is looked at once.
    """

    def __init__(self, said: Mapping[str, str]) -> None:
        self._said = {plain_label(label): role for label, role in said.items()}
        self._exact = dict(said)
        self._known: dict[str, str | None] = {}
        self._patterns: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._seen: Counter[tuple[str, ...]] = Counter()
        self._talking: dict[tuple[str | None, ...], list[int] | None] = {}
        self._turns: Counter[str] = Counter()
        self._more = 0

    def role(self, label: str) -> Role | None:
        """The role of a label, by the user's word or by the usual names; else None."""
        if label not in self._known:
            if len(self._known) >= MOST_LABELS:
                self._known.clear()
            plain = plain_label(label)
            self._known[label] = self._exact.get(label) or self._said.get(plain) or role_of(plain)
        return self._known[label]

    def speakers(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        """The speakers to store: roles where known, else the labels as they are."""
        if labels not in self._patterns:
            if len(self._patterns) >= MOST_LABELS:
                self._count()
                self._patterns.clear()
            self._patterns[labels] = tuple(self.role(label) or label for label in labels)
        self._seen[labels] += 1
        return self._patterns[labels]

    def talking(self, labels: tuple[str | None, ...]) -> list[int] | None:
        """The places of turns, without those labelled `system` that instruct a model; None where
        all are turns. `system` is a side of its own unless a bot or an agent speaks besides it."""
        if labels not in self._talking:
            if len(self._talking) >= MOST_LABELS:
                self._talking.clear()
            plain = [plain_label(label) if label else "" for label in labels]
            others = {self._said.get(p) or role_of(p) for p in plain if p not in INSTRUCTIONS}
            kept = [i for i, p in enumerate(plain) if p not in INSTRUCTIONS]
            instructed = len(kept) < len(plain) and others & {"agent", "bot"}
            self._talking[labels] = kept if instructed else None
        return self._talking[labels]

    def _count(self) -> None:
        """Count turns by label, from the sequences seen since the last time."""
        for labels, times in self._seen.items():
            for label in labels:
                if label in self._turns or len(self._turns) < MOST_LABELS:
                    self._turns[label] += times
                else:
                    self._more += times
        self._seen.clear()

    def unused(self) -> list[str]:
        """Labels that the user mapped and the file does not have."""
        self._count()
        seen = set(self._turns) | {plain_label(x) for x in self._turns}
        return [] if self._more else [x for x in self._exact if x not in seen]

    def fill(self, report: Speakers) -> None:
        """Write what was found into the report."""
        self._count()
        for label, turns in self._turns.most_common():
            role = self.role(label)
            if role:
                report.known[label] += turns
                report.roles[role] += turns
            else:
                report.kept_labels += 1
                if len(report.kept) < 30:
                    report.kept[label] += turns
