"""An option is written once: the same record is a verb's argument, a command line, a job's row and
what the run stored."""

import shlex
from typing import Any, Literal, get_args, get_origin

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from items import DELIVERY, REFUND, add_items

from arf_core.analysis.analyze import AnalyzeSettings, analyze
from arf_core.cli.options import from_settings
from arf_core.errors import InputError
from arf_core.jobs import queue
from arf_core.jobs.command_line import Option, command_line, nested, options_of
from arf_core.jobs.kinds import KINDS, name_of, stored_settings
from arf_core.project import Project
from arf_core.revision.revise import ReviseSettings
from arf_core.revision.verify import VerifySettings, revise_and_verify
from arf_core.run import VerbSettings
from arf_core.store import schema
from arf_core.training.export import ExportSettings
from arf_core.training.generate import GenerateSettings
from arf_core.training.settings import FinetuneSettings

RECORDS = (
    *(AnalyzeSettings, ReviseSettings, VerifySettings),
    *(ExportSettings, FinetuneSettings, GenerateSettings),
)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1)


def values_of(option: Option) -> st.SearchStrategy[Any]:
    if get_origin(option.type) is Literal:
        one: st.SearchStrategy[Any] = st.sampled_from(get_args(option.type))
    elif option.type is bool:
        one = st.booleans()
    elif option.type is int:
        one = st.integers(32, 10**6)
    elif option.type is float:
        one = st.floats(1e-6, 1e6)
    else:
        one = WORDS.filter(lambda word: not word.startswith("-"))
    return st.lists(one, min_size=1, max_size=3).map(tuple) if option.many else one


@st.composite
def settings(draw: st.DrawFn, record: type[VerbSettings]) -> VerbSettings:
    left_out = draw(st.sampled_from(["trial", "steps"]))  # one or the other
    required = {name for name, field in record.model_fields.items() if field.is_required()}
    options = [
        option
        for option in options_of(record)
        if option.name in required or (draw(st.booleans()) and option.name != left_out)
    ]
    return record.of(None, nested({o.path: draw(values_of(o)) for o in options}))


def parsed(record: type[VerbSettings], line: str) -> VerbSettings:
    """The record that the command line makes of a command."""
    found: list[VerbSettings] = []
    app = typer.Typer()

    @app.command()
    @from_settings(record)
    def verb(settings: VerbSettings, folder: str = typer.Argument(...)) -> None:
        found.append(settings)

    app(shlex.split(line)[2:], standalone_mode=False)
    return found[0]


@pytest.mark.parametrize("record", RECORDS)
@given(data=st.data())
def test_a_command_line_gives_the_record_that_it_was_made_from(
    record: type[VerbSettings], data: st.DataObject
) -> None:
    made = data.draw(settings(record))
    assert parsed(record, command_line(made, "project")) == made


@pytest.mark.parametrize("record", RECORDS)
@given(data=st.data())
def test_a_jobs_row_gives_the_record_that_it_was_made_from(
    record: type[VerbSettings], data: st.DataObject
) -> None:
    made = data.draw(settings(record))
    assert stored_settings(name_of(made), made.model_dump_json()) == made


def stored(project: Project, record: type[VerbSettings]) -> list[VerbSettings]:
    v = schema.version
    with project.store.read() as conn:
        rows = conn.execute(v.select().where(v.c.kind == record.verb)).all()
    return [record.model_validate_json(row.content) for row in rows]


def test_a_run_stores_the_settings_it_was_asked_with(project: Project) -> None:
    add_items(project, [REFUND, DELIVERY])
    asked = AnalyzeSettings(system="teacher", splits=("train",))
    analyze(project, asked)
    analyze(project, system="teacher", splits=["train"])  # the same call
    assert stored(project, AnalyzeSettings) == [asked]
    rounds = ReviseSettings(into="r1", editor="rules", detectors=("rules",))
    revise_and_verify(project, rounds)
    assert stored(project, ReviseSettings) == [rounds]


def test_a_job_keeps_the_record_and_shows_its_command(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "_spawn", lambda *_: None)
    asked = AnalyzeSettings(system="teacher", limit=3)
    job = queue.start(project, asked)
    assert stored_settings(job.kind, job.arguments) == asked
    assert parsed(AnalyzeSettings, job.command) == asked


def test_what_does_not_fit_is_refused_all_at_once(project: Project) -> None:
    with pytest.raises(InputError) as refused:
        analyze(project, system="teacher", limit=0, sistem="x")
    assert "limit" in refused.value.message
    assert "sistem" in refused.value.message
    assert "splits" in refused.value.hint


@pytest.mark.parametrize("name", KINDS)
def test_every_option_of_every_kind_of_job_says_what_it_is(name: str) -> None:
    silent = [o.flag.name for o in options_of(KINDS[name].settings) if not o.help]
    assert not silent
