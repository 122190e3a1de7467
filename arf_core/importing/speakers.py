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
MOST_SHOWN = 30
"""Labels that are shown with their counts; a file may have a million authors."""
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
    """Turns labels into roles, and counts the turns by label.

    The same few sequences of labels make up most files, so each is looked at once.
    """

    def __init__(self, said: Mapping[str, str]) -> None:
        self._said = {plain_label(label): role for label, role in said.items()}
        self._exact = dict(said)
        self._patterns: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._talking: dict[tuple[str | None, ...], list[int] | None] = {}
        self._seen: Counter[tuple[str, ...]] = Counter()

    def role(self, label: str) -> Role | None:
        """The role of a label, by the user's word or by the usual names; else None."""
        plain = plain_label(label)
        return self._exact.get(label) or self._said.get(plain) or role_of(plain)

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
            others = {self._said.get(p) or role_of(p) for p in plain if p not in INSTRUCTIONS}
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


def tell_speakers(report: Speakers, turns: Counter[str], said: Mapping[str, str]) -> list[str]:
    """Write into the report what the labels were taken for; returns those that the user mapped and
    the files do not have."""
    roles = Roles(said)
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
    return [label for label in said if label not in seen and plain_label(label) not in seen]
