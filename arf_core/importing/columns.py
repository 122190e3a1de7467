"""What the header and the first rows of a table show about its columns."""

import re
from collections.abc import Sequence
from functools import cached_property
from itertools import chain, islice
from statistics import median

import arf_core.importing.times as times
from arf_core.importing.rows import Cell, Table
from arf_core.importing.speakers import plain_label, role_of, side_role
from arf_core.importing.turns import as_list, delimiter_in, label_at_start, labelled
from arf_core.text import shortened

NAMES: dict[str, str] = {
    "turns": "turns dialogue dialog messages conversation conversations utterances transcript "
    "chat log chat_log chat_history history dialogue_turns conversation_turns original "
    "inputs input value",
    "conversation_id": "conversation_id conversationid conv_id convo_id convoid dialogue_id "
    "dialog_id dial_id dialogid dialogueid chat_id chatid thread_id threadid session_id "
    "sessionid ticket_id ticketid ticket_number case_id caseid case_number call_id callid "
    "interaction_id contact_id transcript_id transcriptid doc_id example_id conversation "
    "dialogue thread session ticket chat",
    "row_id": "id uid guid uuid key fname sample_id record_id index_id idx",
    "message_id": "message_id messageid msg_id tweet_id utterance_id utteranceid post_id "
    "comment_id reply_id turn_id event_id mid",
    "parent_id": "parent_id parentid parent in_reply_to in_reply_to_id in_reply_to_status_id "
    "reply_to reply_to_id replied_to in_response_to in_response_to_tweet_id "
    "in_response_to_id parent_message_id parent_comment_id responds_to",
    "speaker": "speaker role sender author from who speaker_role sender_role author_role "
    "sender_type author_type speaker_type user_type participant_role participant "
    "agent_or_customer interlocutor actor party speaker_id author_id sender_id user_id "
    "username user_name user name sender_name author_name from_name",
    "side": "inbound is_inbound direction is_agent is_customer from_customer from_agent "
    "is_staff is_user is_bot incoming outgoing outbound side message_direction",
    "text": "text message content body utterance message_text messagetext msg message_body "
    "message_content tweet turn_text utterance_text utterance_content sentence transcript "
    "comment reply post words value",
    "whole": "dialogue dialog conversation transcript chat chat_log chat_history "
    "conversation_text dialogue_text full_text inputs input text content body "
    "issue_conversation history messages message log source source_text src context value",
    "document": "document article passage source_text source_document doc story report news "
    "context email body text content description input inputs source src message",
    "time": "created_at timestamp sent_at time date_time datetime created date sent "
    "message_time createdat sent_time posted_at event_time start_time start ts",
    "index": "turn_index turn_number turn_no turn_idx turn utterance_index utterance_idx "
    "message_index message_number msg_index position seq sequence sequence_number order "
    "number index step line_number turn_id utterance_id message_id",
    "summary": "summary summaries generated_summary model_summary teacher_summary summary_text "
    "predicted_summary system_summary abstract tldr tl_dr highlights",
    "reference_summary": "reference_summary reference gold_summary gold human_summary "
    "reference_summaries ground_truth target_summary ref_summary references",
    "system": "summary_model summary_system summarizer summariser system_name model_name "
    "generator summary_by generated_by teacher_model system model",
    "split": "split partition subset fold data_split dataset_split set",
}
"""Field -> names, the surest first. `whole` is a conversation as text, `row_id` an id of the row,
whatever the row is."""

_TURN_NAMES = re.compile(r"turn|dialog|convers|messag|utteran|chat|transcript|input|log")
MOST_LOOKED_AT = 200
MOST_SAMPLED = 5_000
"""Rows of tables with the same columns that are looked at together."""


class Column:
    """A column's sample, and questions about it that are answered once."""

    def __init__(self, name: str, cells: Sequence[Cell]) -> None:
        self.name = name
        self.cells = cells
        self.filled = [c for c in cells if c not in (None, "", [], {})]

    @property
    def plain(self) -> str:
        """The name in lower case with underscores: `ConversationId` is `conversation_id`."""
        split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name)
        return re.sub(r"[^0-9a-z]+", "_", split.lower()).strip("_")

    @cached_property
    def texts(self) -> list[str]:
        """The filled cells as text; empty where one of them is no scalar."""
        if any(isinstance(c, list | dict | tuple) for c in self.filled):
            return []
        return [c if isinstance(c, str) else str(c) for c in self.filled]

    @property
    def is_scalar(self) -> bool:
        return bool(self.texts)

    @cached_property
    def distinct(self) -> int:
        return len(set(self.texts))

    @cached_property
    def median_length(self) -> float:
        return median(map(len, self.texts)) if self.texts else 0.0

    @cached_property
    def is_words(self) -> bool:
        """Text of more than single words, at least now and then."""
        strings = [c for c in self.filled if isinstance(c, str)]
        return len(strings) * 2 > len(self.filled) and any(" " in c.strip() for c in strings)

    @cached_property
    def is_label(self) -> bool:
        """Short values on one line, as ids, names and categories are."""
        return (
            self.is_scalar and self.median_length <= 80 and not any("\n" in t for t in self.texts)
        )

    @cached_property
    def lists(self) -> list[list[Cell]]:
        """The cells that are lists of turns, where most of the filled ones are."""
        found = [turns for c in self.filled[:MOST_LOOKED_AT] if (turns := as_list(c))]
        return found if len(found) * 2 > len(self.filled[:MOST_LOOKED_AT]) else []

    @cached_property
    def is_turns(self) -> bool:
        """Lists of objects with words, of pairs, or (by the column's name) of texts."""
        turns = [t for found in self.lists for t in found[:5]]
        return sum(self._is_turn(t) for t in turns) * 2 > len(turns)

    def _is_turn(self, turn: Cell) -> bool:
        if isinstance(turn, dict):
            named = self._is_named_for_turns or bool(
                {"text", "content"} & {k.lower() for k in turn}
            )
            return named and any(isinstance(v, str) and v for v in turn.values())
        return _is_pair(turn) or (isinstance(turn, str) and self._is_named_for_turns)

    @property
    def _is_named_for_turns(self) -> bool:
        return _TURN_NAMES.search(self.plain) is not None

    @cached_property
    def line_labels(self) -> list[list[str]]:
        """For each text, the labels at the start of its lines."""
        texts = self.texts[:MOST_LOOKED_AT]
        return [[x for line in t.splitlines() if (x := labelled(line))] for t in texts]

    @cached_property
    def has_labelled_lines(self) -> bool:
        """Is most of it text of "Speaker: words" lines?"""
        # one label may be a heading; two lines of which most begin with one are a dialogue
        talks = [
            len(labels) > 1 and len(labels) * 2 >= len([x for x in t.splitlines() if x.strip()])
            for labels, t in zip(self.line_labels, self.texts, strict=False)
        ]
        known = [any(role_of(x) for x in labels) for labels in self.line_labels]
        return bool(talks) and (
            sum(talks) >= 0.6 * len(talks)
            or (sum(known) >= 0.6 * len(known) and sum(talks) >= 0.3 * len(talks))
        )

    @cached_property
    def delimiter(self) -> str | None:
        return delimiter_in(self.texts[:MOST_LOOKED_AT])

    @cached_property
    def time_format(self) -> str | None:
        return times.time_format(self.filled[:MOST_LOOKED_AT])

    @cached_property
    def is_whole(self) -> bool:
        """Whole numbers, also written as 3.0."""
        return self.is_scalar and all(re.fullmatch(r"\d{1,15}(\.0)?", t) for t in self.texts)

    @cached_property
    def sides(self) -> set[str]:
        """The roles that its values say as a column for the side; empty unless all do."""
        found = {side_role(self.name, t) for t in set(self.texts)}
        return {s for s in found if s} if None not in found else set()

    @cached_property
    def known_labels(self) -> float:
        """The share of its values that are usual names of roles."""
        roles = [role_of(plain_label(t)) is not None for t in self.texts]
        return sum(roles) / len(roles) if roles else 0.0


def _is_pair(turn: Cell) -> bool:
    """[speaker, words]"""
    return (
        isinstance(turn, list | tuple)
        and len(turn) == 2
        and isinstance(turn[0], str)
        and (turn[1] is None or isinstance(turn[1], str))
    )


def columns_of(tables: Sequence[Table]) -> dict[str, Column]:
    """The columns of tables that have the same ones, with the samples of all."""
    names = tables[0].columns
    rows = [
        cells for _, cells in islice(chain.from_iterable(t.sample for t in tables), MOST_SAMPLED)
    ]
    return {name: Column(name, [r[i] for r in rows]) for i, name in enumerate(names)}


_KNOWN = frozenset(name for names in NAMES.values() for name in names.split())
_NUMBER = re.compile(r"[-+]?\d+([.,]\d+)*")
_DAY = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}( .*)?")
_SENTENCE = re.compile(r"\S+ \S+ .*[.!]", re.DOTALL)
_LONGEST_NAME = 100


def data_in(first: Sequence[str]) -> list[str]:
    """The cells of the first line that look like data: numbers, days, sentences, several lines,
    "Customer: words". Columns called 0, 1, 2, … are named so by pandas."""
    if [c.strip() for c in first] == [str(n) for n in range(len(first))]:
        return []
    return [c for c in map(str.strip, first) if _is_data(c)]


def is_header(first: Sequence[str]) -> bool:
    """Do at least as many cells bear names that the importer knows as look like data?"""
    known = sum(Column(cell, ()).plain in _KNOWN for cell in first)
    return known >= len(data_in(first))


def about_header(first: Sequence[str], taken: bool) -> str | None:
    """What is to be said where the first line could be read the other way; None where not."""
    found = data_in(first)
    if not found:
        return None
    seen = ", ".join(repr(shortened(cell, 40)) for cell in found[:3])
    if taken:
        return (
            f"The first line was read as the names of the columns, though it holds {seen}. If it "
            "is a row: --no-header."
        )
    return (
        f"There is no header: the first line holds {seen}, and was read as a row. The columns are "
        "called column 1, column 2, and so on. If the line names the columns: --header."
    )


def _is_data(cell: str) -> bool:
    return bool(
        "\n" in cell
        or len(cell) > _LONGEST_NAME
        or _NUMBER.fullmatch(cell)
        or _DAY.fullmatch(cell)
        or _SENTENCE.fullmatch(cell)
        or label_at_start(cell)
    )
