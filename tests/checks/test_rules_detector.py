"""The rules flag what the conversation disproves, and nothing that follows from it."""

import json
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from items import REFUND

from arf_core.analysis.detectors import open_detector
from arf_core.analysis.detectors.rules import FEW, find
from arf_core.checks import CATEGORIES, proven_fix
from arf_core.errors import InputError
from arf_core.project import Project
from arf_core.project.taxonomy import Taxonomy, load_taxonomy
from arf_core.records import Conversation, Finding, Item, Scalar, Summary, Turn

TAXONOMY = load_taxonomy()
SPRING = datetime(2025, 5, 12, 9, 30, tzinfo=UTC)  # a Monday


def talk(
    *turns: str, at: datetime | None = None, attributes: dict[str, Scalar] | None = None
) -> Conversation:
    parsed = [turn.split(": ", 1) if ": " in turn else ["customer", turn] for turn in turns]
    return Conversation(
        id="c",
        external_id="case-1",
        source="test",
        fingerprint="c",
        turns=tuple(Turn(speaker=who, text=text, at=at) for who, text in parsed),
        split="train",
        attributes=attributes or {},
    )


def found(conversation: Conversation, summary: str) -> list[Finding]:
    findings = find(conversation, summary, TAXONOMY).findings
    for finding in findings:
        assert finding.quote == summary[finding.start : finding.end]
        assert all(0 <= turn < len(conversation.turns) for turn in finding.evidence)
    return list(findings)


def flagged(conversation: Conversation, summary: str) -> list[tuple[str, str | None]]:
    return [(f.category, f.quote) for f in found(conversation, summary)]


# -- figures that follow ------------------------------------------------------------------------

FOLLOWS = [
    # the same, said otherwise
    ("I paid 42.50 for the lamp.", "She paid $42.50."),
    ("I paid forty two dollars.", "The customer paid $42."),
    ("That was 1.200,50 euros.", "It cost €1,200.50."),
    ("That was 1200 euros.", "It cost €1.2k."),
    ("It takes two weeks.", "It takes 14 days."),
    ("It takes 48 hours.", "It takes two days."),
    ("I waited an hour and a half.", "The customer waited 90 minutes."),
    ("You need twelve hundred points.", "It needs 1,200 points."),
    ("See you at noon.", "They meet at 12 pm."),
    ("It was on 12/05/2025.", "It was on 12 May 2025."),
    ("It was on 12/05/2025.", "It was on December 5."),
    ("The flight is on the twelfth of May.", "The flight is on May 12th."),
    ("My order is AB-12 99X.", "The order AB1299X is late."),
    ("The number is 4000 1234 5678 9010.", "The number that ends 9010 is meant."),
    ("I run iOS 11.1.2 here.", "The phone runs iOS 11.1."),
    ("I have a 50 GB plan.", "The plan is for 50GB."),
    ("The shop is 10 miles away.", "The shop is 16 km away."),
    ("I got half of it back.", "50% was refunded."),
    ("Do you mean the 315pm flight?", "The customer asks about the 3:15 pm flight."),
    ("Delivery takes 3-5 working days.", "Delivery takes three to five working days."),
    ("The season 2016-20 is over.", "The 2016-2020 season is over."),
    ("The update comes within 2448 hours.", "The update comes within 24-48 hours."),
    ("I will text you before half five.", "The agent texts before 17:30."),
    ("It whistles since tues.", "It has whistled since Tuesday."),
    ("The limit is 20, 000 RMB.", "The limit is 20,000 RMB."),
    # rounded, and marked so, or rounded to what is said
    ("I waited 58 minutes!", "The customer waited about an hour, almost 60 minutes."),
    ("It cost 44.99.", "It cost around $45."),
    ("It cost 44.99.", "It cost $45."),
    ("They sold 181,674,817 of them.", "They sold 181.7 million."),
    ("There were 134 of us.", "There were over 100 of them."),
    # reckoned
    ("One was 20.50 and the other 30 dollars.", "Both cost $50.50 together."),
    ("I paid 50 dollars and it costs 42 dollars.", "The customer overpaid by $8."),
    ("It is 15 dollars a month for 12 months.", "It comes to $180."),
    ("There is 20% off the 50 dollars.", "The discount is $10, so it costs $40."),
    ("The shop is open from 9:00 to 17:00.", "The shop is open for 8 hours."),
    ("I stayed from 12 May to 15 May.", "The stay was for 3 nights."),
    ("It runs from 2018 for one year.", "It runs to 2019."),
    ("It was used at 17.10 here and at 17.52 there.", "It was used again 42 minutes later."),
]


@pytest.mark.parametrize(("said", "summary"), FOLLOWS)
def test_a_figure_that_follows_from_the_conversation_is_no_finding(said: str, summary: str) -> None:
    conversation = talk(said, "agent: I see, thank you for the details, I will look into it.")
    assert [f for f in flagged(conversation, summary) if f[0] != "personal_data"] == []


@pytest.mark.parametrize(
    "summary",
    [
        "It comes on 13 May.",
        "It comes on Tuesday, 13 May 2025.",
        "The customer wrote on 12 May 2025.",
        "The technician comes on Friday.",
        "The technician comes on 16 May.",
        "The refund arrives by 22 May.",
        "The customer wrote at 9:30.",
        "The customer wrote at 11:30.",
        "In 2025 the customer wrote.",
    ],
)
def test_dates_are_reckoned_from_when_the_conversation_took_place(summary: str) -> None:
    conversation = talk(
        "Where is it? I need the technician too.",
        "agent: It comes tomorrow, the technician on Friday, and the refund in ten days.",
        at=SPRING,
    )
    assert flagged(conversation, summary) == []


def test_a_date_that_nothing_leads_to_is_flagged_where_the_day_is_known() -> None:
    conversation = talk("Where is it?", "agent: It comes tomorrow.", at=SPRING)
    assert flagged(conversation, "It comes on 20 May.") == [("invented_detail", "20 May")]


def test_where_the_day_is_not_known_dates_for_tomorrow_are_left_alone() -> None:
    conversation = talk("Where is it?", "agent: It comes tomorrow, I am sure of that.")
    assert flagged(conversation, "It comes on 20 May.") == []
    conversation = talk("Where is it?", "agent: It was handed to the neighbour, I am told.")
    assert flagged(conversation, "It came on 20 May.") == [("invented_detail", "20 May")]


def test_attributes_and_the_file_s_own_id_count_as_said() -> None:
    conversation = talk("It broke again.", attributes={"order": "88-1201", "date": "2025-05-12"})
    summary = "Order 88-1201 of 12 May 2025, case-1, broke again."
    assert flagged(conversation, summary) == []


# -- figures that do not ------------------------------------------------------------------------

WRONG = [
    ("I will refund 42.50 to you.", "A refund of $45.20 was promised.", "$45.20"),
    ("I will refund $42.50 to you.", "A refund of €42.50 was promised.", "€42.50"),
    ("It takes 5 working days for the refund.", "The refund takes 5 weeks.", "5 weeks"),
    ("It takes five days for the refund.", "The refund takes three days.", "three days"),
    ("You get 15% off the next order.", "The customer gets 25% off.", "25%"),
    ("The flight is on 12 May.", "The flight is on 14 May.", "14 May"),
    ("The flight is on 12 May and back on 14 June.", "It is on 14 May.", "14 May"),
    ("He comes on Friday at the latest.", "The technician comes on Thursday.", "Thursday"),
    ("He comes at 5 pm.", "The technician comes at 7 pm.", "7 pm"),
    ("My order is 88-1201.", "The order is 88-1210.", "88-1210"),
    ("My order is AB1299X.", "The order AB1298X is late.", "AB1298X"),
    ("I run iOS 11.1.2 here.", "The phone runs iOS 11.2.1.", "11.2.1"),
    ("I have a 50 GB plan.", "The plan is for 15 GB.", "15 GB"),
    ("It takes two or three days.", "It takes five days.", "five days"),
    ("There were 134 of us.", "There were about 143 of them.", "143"),
    ("There were 134 people in the queue.", "There were 143 people in the queue.", "143"),
    ("I bought it in 2019.", "The customer bought it in 2016.", "2016"),
    ("I waited 40 minutes!", "The customer waited more than an hour, 70 minutes.", "70 minutes"),
]


@pytest.mark.parametrize(("said", "summary", "quote"), WRONG)
def test_a_figure_that_differs_is_a_wrong_figure(said: str, summary: str, quote: str) -> None:
    conversation = talk("What about it, please?", f"agent: I see. {said} Is that all right?")
    assert flagged(conversation, summary) == [("wrong_figure", quote)]
    assert found(conversation, summary)[0].evidence == (1,)


@pytest.mark.parametrize(
    ("summary", "quote"),
    [
        ("The customer wants $30 back.", "$30"),
        ("The customer was promised it within 14 days.", "14 days"),
        ("The customer called at 5:15 pm.", "5:15 pm"),
        ("The customer asks about order 4471-889.", "4471-889"),
        ("A discount of 20% was given.", "20%"),
    ],
)
def test_a_figure_of_a_kind_that_nobody_spoke_of_is_invented(summary: str, quote: str) -> None:
    conversation = talk("It broke and I would like to have another one.", "agent: I am sorry.")
    assert flagged(conversation, summary) == [("invented_detail", quote)]


def test_the_explanation_names_the_figure_that_must_be_meant() -> None:
    finding = found(REFUND.conversation, REFUND.summary.text)[0]
    assert finding.explanation == "The summary says 45.20; the conversation has 42.50 (turn 0)."
    assert finding.evidence == (0, 1)
    assert finding.confidence is None


def test_where_many_may_be_meant_they_are_shown_but_none_is_chosen() -> None:
    conversation = talk("I was charged $10 and $25 and $47 by you.")
    finding = found(conversation, "The customer was charged $99.")[0]
    assert all(said in finding.explanation for said in ("$10", "$25", "$47"))
    assert proven_fix(conversation, "The customer was charged $99.", finding) is None


@pytest.mark.parametrize(
    "summary",
    [
        "The agent gave 3 options and 2 links.",
        "Support is there 24/7 and 100% sure.",
        "They stayed near Eighty Mile Beach.",
        "The customer asks for the second time.",
        "The customer pays once a month and calls again within a day.",
        "1. It broke.\n2. It was mended.",
        "It may work; the customer will march on.",
    ],
)
def test_small_counts_idioms_and_names_are_no_claims(summary: str) -> None:
    assert flagged(talk("It broke, and nobody helps me with it."), summary) == []


def test_numbers_in_the_words_of_another_language_are_not_missed() -> None:
    conversation = talk("Bhai mera bees rupaye ka refund nahi aaya hai, kya karu?")
    assert flagged(conversation, "The customer's refund of 20 rupees is missing.") == []
    assert flagged(conversation, "The refund of 21.50 rupees for A1-4471 is missing.") != []


# -- persons ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "summary"),
    [
        ("agent: Hi, this is Michael.", "Mike, the agent, helped."),
        ("customer: I am Katharine.", "Catherine asks for help."),
        ("customer: It is for josé garcia", "José Garcia asks for help."),
        ("customer: mail me at sarah.lee@example.com", "Sarah asks for help."),
        ("agent: Thanks @ThomasCook fan", "Thomas asks for help."),
        ("customer: I am Priyanka", "The customer, Priyanka's friend, asks."),
        ("agent: Will you wait?", "The Mary Street shop is closed."),
    ],
)
def test_a_name_that_resembles_one_in_the_conversation_is_known(said: str, summary: str) -> None:
    assert flagged(talk(said, "agent: All right then."), summary) == []


@pytest.mark.parametrize(
    ("summary", "names"),
    [
        ("The agent, Jessica, apologised.", ["Jessica"]),
        ("A customer named Zbigniew complained.", ["Zbigniew"]),
        ("Dana Novak apologised.", ["Novak"]),
        ("Mr. Oyelaran called.", ["Oyelaran"]),
    ],
)
def test_a_person_whom_nobody_named_is_invented(summary: str, names: list[str]) -> None:
    conversation = talk("customer: It broke.", "agent: I am Dana, I am sorry to hear that.")
    assert flagged(conversation, summary) == [("invented_detail", name) for name in names]


def test_a_speaker_s_own_name_is_known() -> None:
    assert flagged(talk("Jessica: It broke.", "Tom: Oh no."), "Jessica told Tom.") == []


def test_names_in_another_script_may_be_spelt_anyhow() -> None:
    conversation = talk("मेरा नाम प्रिया है और मेरा ऑर्डर नहीं आया")
    assert flagged(conversation, "Priya asks for the order.") == []


# -- sentences told twice -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "again",
    [
        "The customer's lamp flickers at night.",
        "The Customer's lamp flickers at night!",
        "The customer's lamp was flickering at night.",
    ],
)
def test_a_sentence_told_twice_is_flagged(again: str) -> None:
    conversation = talk("My lamp flickers at night.")
    summary = f"The customer's lamp flickers at night. A new one is sent. {again}"
    assert flagged(conversation, summary) == [("irrelevant_or_repeated", again)]


@pytest.mark.parametrize(
    "summary",
    [
        "He agreed. She paid. He agreed.",
        "The customer called the agent twice today. The agent called the customer twice today.",
        "The lamp works in the small kitchen. The lamp works not in the small kitchen.",
        "The red lamp costs more than others. The blue lamp costs more than others.",
        "The agent called the customer back on Friday. The agent will call the customer back on "
        "Friday.",
    ],
)
def test_sentences_that_say_different_things_are_no_repetition(summary: str) -> None:
    assert flagged(talk(summary), summary) == []


# -- personal data ------------------------------------------------------------------------------

EXPOSED = [
    ("The card 4000 1234 5678 9010 was charged.", None),  # the check digit is wrong
    ("The card 4111 1111 1111 1111 was charged.", "4111 1111 1111 1111"),
    ("The card 4111111111111111 was charged.", "4111111111111111"),
    ("Order 4111111111111111 is late.", None),
    ("The card ending in 4471 was charged.", "4471"),
    ("The card with the last four digits 4471 was charged.", "4471"),
    ("The card **** 4471 was charged.", "**** 4471"),
    ("The IBAN is DE89 3704 0044 0532 0130 00.", "DE89 3704 0044 0532 0130 00"),
    ("The IBAN is DE88 3704 0044 0532 0130 00.", None),
    ("The mail goes to ana@example.com.", "ana@example.com"),
    ("The mail goes to support@example.com.", None),
    ("The customer's number is +44 20 7946 0958.", "+44 20 7946 0958"),
    ("Call back at (408) 247-8880.", "(408) 247-8880"),
    ("Call back on 07700 900123.", "07700 900123"),
    ("The hotline is 1-800-555-0199.", None),
    ("Order 408-247-8880 is late.", None),
    ("It is sent to 12 Baker Street.", "12 Baker Street"),
    ("The shop at 12 Baker Street is closed.", None),
    ("The date of birth is 12 May 1980.", "12 May 1980"),
    ("The password is hunter2.", "hunter2"),
    ("The password is wrong.", None),
    ("The PIN 4471 was refused.", "4471"),
    ("The one-time code 663120 did not come.", "663120"),
    ("The error code 663 came up.", None),
    ("The SSN is 219-09-9999.", "219-09-9999"),
    ("The national insurance number is AB 12 34 56 C.", "AB 12 34 56 C"),
]


@pytest.mark.parametrize(("summary", "quote"), EXPOSED)
def test_personal_data_are_exposed_whoever_said_them(summary: str, quote: str | None) -> None:
    conversation = talk(f"customer: Well. {summary}")
    expected = [] if quote is None else [("personal_data", quote)]
    assert flagged(conversation, summary) == expected
    assert all(f.evidence == (0,) for f in found(conversation, summary))
    assert all(f.quote not in f.explanation for f in found(conversation, summary) if f.quote)


def test_personal_data_are_exposed_though_nobody_said_them() -> None:
    assert flagged(talk("It broke."), "Write to ana@example.com.") == [
        ("personal_data", "ana@example.com")
    ]


def test_the_company_s_own_contact_is_nobody_s_personal_data() -> None:
    conversation = talk("How do I reach you?", "agent: At lamps@example.com or 408-247-8880.")
    assert flagged(conversation, "The agent named lamps@example.com and 408-247-8880.") == []


def test_the_customer_s_contact_read_out_by_the_agent_is_personal() -> None:
    conversation = talk("It broke.", "agent: Is your e-mail address still ana@example.com?")
    summary = "The agent confirmed ana@example.com."
    assert flagged(conversation, summary) == [("personal_data", "ana@example.com")]


# -- fixes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "summary", "fixed"),
    [
        (
            "I will refund $42.50 for the lamp.",
            "A refund of $45.20 for the lamp was promised.",
            "A refund of $42.50 for the lamp was promised.",
        ),
        (
            "I will refund 42.50 for the lamp.",
            "A refund of $45.20 for the lamp was promised.",
            "A refund of $42.50 for the lamp was promised.",
        ),
        (
            "The refund takes five working days.",
            "The refund takes 5 weeks.",
            "The refund takes five working days.",
        ),
        (
            "The lamp 88-1201 is broken.",
            "The lamp 88-1210 is broken.",
            "The lamp 88-1201 is broken.",
        ),
        (
            "Fowler sold 55,000 copies.",
            "The winner will receive £50,000.",
            None,
        ),
        (
            "It may take two or three days to show.",
            "It may take three to five days to show.",
            None,
        ),
        (
            "The lamp is sent on 12 May to you.",
            "The lamp is sent on 17 May.",
            "The lamp is sent on 12 May.",
        ),
    ],
)
def test_a_wrong_figure_is_exchanged_only_for_its_evident_counterpart(
    said: str, summary: str, fixed: str | None
) -> None:
    conversation = talk("What about it, please?", f"agent: {said}")
    finding = found(conversation, summary)[0]
    new = proven_fix(conversation, summary, finding)
    assert finding.start is not None
    assert (new and summary[: finding.start] + new + summary[finding.end :]) == fixed


def test_a_fix_keeps_the_other_words_of_a_wider_finding_by_another_detector() -> None:
    text = REFUND.summary.text
    quote = "A refund of 45.20 was made."
    start = text.index(quote)
    wide = Finding(
        category="wrong_figure", start=start, end=start + len(quote), explanation="It was 42.50."
    )
    assert proven_fix(REFUND.conversation, text, wide) == "A refund of 42.50 was made."
    right = Finding(category="wrong_figure", start=0, end=10, explanation="No.")
    assert proven_fix(REFUND.conversation, text, right) is None


def test_personal_data_and_repeated_sentences_can_be_taken_out() -> None:
    conversation = talk("customer: Write to ana@example.com about the broken lamp, please.")
    text = "Write to ana@example.com about the broken lamp. Write to Ana about the broken lamp."
    mail = found(conversation, text)[0]
    assert proven_fix(conversation, text, mail) == "[e-mail address removed]"
    text = "Ana asks about the broken lamp. Ana asks about the broken lamp."
    again = found(conversation, text)[0]
    assert proven_fix(conversation, text, again) == ""


# -- the detector -------------------------------------------------------------------------------


def test_the_rules_use_no_model(project: Project) -> None:
    with pytest.raises(InputError, match="gpt"):
        open_detector(project, "rules", "gpt")


def test_only_categories_of_the_project_s_taxonomy_are_reported(project: Project) -> None:
    keep = tuple(c for c in TAXONOMY.categories if c.id != "wrong_figure")
    assert find(REFUND.conversation, REFUND.summary.text, Taxonomy(categories=keep)).findings == ()
    assert open_detector(project, "rules").notes() == []
    path = project.path / "taxonomy.yaml"
    path.write_text(json.dumps(Taxonomy(categories=keep).model_dump()), encoding="utf-8")
    notes = open_detector(Project.open(project.path), "rules").notes()
    assert len(notes) == 1
    assert "wrong_figure" in notes[0]


def test_every_category_of_the_rules_is_in_the_shipped_taxonomy() -> None:
    assert set(CATEGORIES) <= set(TAXONOMY.by_id)


def many(count: int) -> list[Item]:
    wrong = Summary.of(REFUND.conversation.id, "teacher", REFUND.summary.text)
    right = Summary.of(REFUND.conversation.id, "teacher", "A refund of 42.50 is promised.")
    return [
        Item(conversation=REFUND.conversation, summary=wrong if n % 3 == 0 else right)
        for n in range(count)
    ]


def test_many_summaries_are_read_in_other_processes_with_the_same_result(project: Project) -> None:
    detector = open_detector(project, "rules")
    few, lots = many(30), many(FEW + 700)
    here = [a.value for a in detector.read(few)]
    there = list(detector.read(lots))
    assert [a.item.summary for a in there] == [i.summary for i in lots]
    assert [a.value for a in there[:30]] == here
    assert sum(bool(a.value and a.value.findings) for a in there) == len(lots[::3])


def test_items_are_taken_as_they_are_needed(project: Project) -> None:
    taken = 0

    def endless() -> Iterator[Item]:
        nonlocal taken
        while True:
            taken += 1
            yield many(1)[0]

    answers = open_detector(project, "rules").read(endless())
    assert isinstance(answers, Generator)
    for _ in range(10):
        next(answers)
    assert taken < 2 * FEW + 4000
    answers.close()


WILD = st.text(max_size=150) | st.text("0123456789.,:/-$€%@ abcdeMay+()\nX*", max_size=100)


@settings(max_examples=150, deadline=None)
@given(st.lists(WILD, max_size=3), WILD)
def test_no_text_makes_the_rules_fail(turns: list[str], summary: str) -> None:
    found(talk(*[f"customer: {turn}" for turn in turns]), summary)


@settings(max_examples=100, deadline=None)
@given(WILD)
def test_what_was_said_word_for_word_has_no_wrong_figure(text: str) -> None:
    categories = {category for category, _ in flagged(talk(f"customer: {text}"), text)}
    assert not categories & {"wrong_figure", "invented_detail"}


def test_what_is_found_in_the_sample_project_is_wrong_indeed() -> None:
    folder = Path(__file__).parents[2] / "examples" / "support"
    gold = {row["id"]: row["findings"] for row in _lines(folder / "gold.jsonl")}
    right = wrong = 0
    for row in _lines(folder / "conversations.jsonl"):
        turns = [f"{turn['speaker']}: {turn['text']}" for turn in row["turns"]]
        text = row["summary"]
        for finding in found(talk(*turns, attributes={"date": row["date"]}), text):
            assert finding.quote
            known = [g["quote"] for g in gold[row["id"]] if g["quote"]]
            hit = any(finding.quote in quote or quote in finding.quote for quote in known)
            right, wrong = right + hit, wrong + (not hit)
    assert right >= 6
    assert wrong == 0


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
