"""What a report says in plain words."""

from arf_core.importing.options import Mapping
from arf_core.importing.report import Tally
from arf_core.importing.speakers import tell_speakers

_SENTENCES = {
    "times not read": "{n} times could not be read, so these messages have none.",
    "some times missing": "{n} conversations keep the order of the file, since some of their "
    "messages have no time.",
    "messages twice": "{n} messages stood in the file twice and were taken once.",
    "empty turns": "{n} turns have no text; they were kept, so that the others keep their places.",
    "instructions": "{n} system messages were left out: they instruct a model and are no part of "
    "the conversation.",
    "more references": "{n} further references stand in lists behind the first; only the first "
    "was taken.",
    "other split": "{n} conversations have a split that is none of train, dev and test; it is kept "
    "as the attribute split_label, and their split was decided here.",
}


def add_notes(tally: Tally, speakers: dict[str, str]) -> None:
    """Put what was remarked into sentences, and into the numbers of the report. `speakers` are the
    user's."""
    report, remarks = tally.report, tally.remarks
    report.empty = remarks.counts["empty"]
    report.without_summary = remarks.counts["without summary"]
    for what, sentence in _SENTENCES.items():
        if n := remarks.counts[what]:
            tally.note(sentence.format(n=f"{n:,}"))
    for name, n in remarks.varying.items():
        tally.note(
            f"{name!r} was left out of {n:,} conversations whose rows have different values for it."
        )
    if report.leaks:
        tally.note(
            f"Leak: {report.leaks:,} conversations are (nearly) the same as one on the other side "
            "of train and test. The file's own split was kept; figures on its test split flatter."
        )
    _about_speakers(tally, speakers)


def _about_speakers(tally: Tally, speakers: dict[str, str]) -> None:
    found, remarks = tally.report.speakers, tally.remarks
    found.inferred_conversations = remarks.counts["inferred"]
    found.inferred_turns = remarks.roles.total()
    found.by_cue = remarks.counts["by cue"]
    found.roles.update(remarks.roles)
    unused = tell_speakers(found, remarks.labels, speakers)
    if found.inferred_conversations:
        tally.note(
            f"The file does not say who speaks: the sides of {found.inferred_conversations:,} "
            f"conversations were inferred ({found.inferred_turns:,} turns, {found.by_cue:,} by a "
            "cue such as a company's handle or 'our team', the others by alternation from the "
            "customer's first turn)."
        )
    if found.kept_labels:
        some = ", ".join(repr(label) for label in list(found.kept)[:5])
        tally.note(
            f"{found.kept_labels:,} speakers are kept as they are called ({some}"
            f"{', …' if found.kept_labels > 5 else ''}). To say who is who: "
            "--speaker LABEL=customer, =agent or =bot."
        )
    for label in unused:
        tally.note(f"No speaker is called {label!r}.")


def about_mapping(mapping: Mapping) -> list[str]:
    """What should be said about how a table is read, beyond the reasons."""
    notes = list(mapping.notes)
    if mapping.shape == "document":
        notes.append(
            f"{mapping.files[0]} holds texts, no dialogues: each is a conversation of one turn, "
            "by the speaker 'document'."
        )
    if mapping.left_out:
        listed = "; ".join(f"{name}: {why}" for name, why in mapping.left_out.items())
        notes.append(f"Columns that are not kept as attributes: {listed}.")
    return notes
