"""Changing settings and the taxonomy, by the same functions that the app and `arf` use."""

import shlex
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from items import DELIVERY, REFUND, add_items, with_model

from arf_core.analysis.analyze import analyze
from arf_core.checks import CATEGORIES
from arf_core.errors import ArfError, ConfigError, InputError
from arf_core.models import open_model
from arf_core.models.registry import add_model
from arf_core.project import Project
from arf_core.project.configure import (
    Value,
    as_argument,
    change,
    restore,
    settings_files,
    value_of,
)
from arf_core.project.taxonomy import DEFAULT
from arf_core.project.taxonomy_edit import (
    preview,
    save_taxonomy,
    taxonomy_text,
    use_shipped,
)
from arf_core.records import Analysis


def test_settings_are_changed_all_or_none(project: Project) -> None:
    file = project.path / "arf.toml"
    project = with_model(project, "gpt", "http://127.0.0.1:1/v1")
    project = change(
        project,
        {
            "privacy.offline": True,
            "privacy.allow": ["api.example.com"],
            "limits.budget": 2.5,
            "roles.detector": "gpt",
            "models.gpt.price.prompt": 0.15,
            "models.gpt.price.completion": 0.6,
            "name": "Renamed",
        },
        open_model,
    )
    settings = project.settings
    assert (settings.name, settings.roles["detector"]) == ("Renamed", "gpt")
    assert (settings.privacy.offline, settings.privacy.allow) == (True, ("api.example.com",))
    assert settings.limits.budget == 2.5
    assert settings.models["gpt"]["price"] == {"prompt": 0.15, "completion": 0.6}
    assert "Never write an API key here" in file.read_text()
    before = file.read_text()
    with pytest.raises(ConfigError, match="budget"):
        change(project, {"privacy.offline": False, "limits.budget": -1}, open_model)
    assert file.read_text() == before
    project = change(
        project, {"limits.budget": None, "roles.detector": None, "roles.judge": None}, open_model
    )
    assert (project.settings.limits.budget, project.settings.roles) == (None, {})


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("privacy.ofline", True, "ofline"),
        ("colour", "red", "no setting 'colour'"),
        ("privacy", True, "no setting 'privacy'"),
        ("roles.detector", "nobody", "no model 'nobody'"),
        ("roles.boss", None, "no role 'boss'"),
        ("models.nobody.max_concurrency", 3, "no model 'nobody'"),
        ("models.gpt.max_concurrency", 0, "max_concurrency"),
        ("models.gpt.colour", "red", "colour"),
        ("split.train", 0.9, "add up to 1"),
        ("name", None, "name"),
    ],
)
def test_what_is_no_setting_is_refused(
    project: Project, name: str, value: Value, told: str
) -> None:
    project = with_model(project, "gpt", "http://127.0.0.1:1/v1")
    before = (project.path / "arf.toml").read_text()
    with pytest.raises(ArfError, match=told):
        change(project, {name: value}, open_model)
    assert (project.path / "arf.toml").read_text() == before


@given(
    st.one_of(
        st.booleans(),
        st.integers(-(2**53), 2**53),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(min_size=1, max_size=40).filter(lambda t: "\r" not in t and "\0" not in t),
        st.lists(st.from_regex(r"[a-z.]{1,20}", fullmatch=True), max_size=3),
    )
)
def test_the_word_for_the_terminal_says_the_same_value(value: Value) -> None:
    name, _, text = as_argument("privacy.allow", value).partition("=")
    assert name == "privacy.allow"
    assert value_of(text) == value


def test_arf_set_does_the_same(arf, project: Project) -> None:
    p = project.path
    done = arf("set", p, "privacy.offline=true", 'privacy.allow=["a.example"]', "--json")
    assert done.json == {"set": {"privacy.offline": True, "privacy.allow": ["a.example"]}}
    assert Project.open(p).settings.privacy.offline
    assert arf("set", p, "privacy.allow=").code == 0
    assert Project.open(p).settings.privacy.allow is None
    assert "has no value" in arf("set", p, "privacy.offline").err


def test_a_models_name_may_hold_dots(project: Project) -> None:
    at = {"provider": "openai_api", "base_url": "http://127.0.0.1:1/v1"}
    project = add_model(project, "qwen2.5-3b", at | {"model": "m"})
    project = add_model(project, "qwen2", at | {"model": "m"})
    project = change(
        project,
        {"models.qwen2.5-3b.price.prompt": 1.0, "models.qwen2.5-3b.price.completion": 2.0},
        open_model,
    )
    assert project.settings.models["qwen2.5-3b"]["price"] == {"prompt": 1.0, "completion": 2.0}
    project = change(
        project, {"models.qwen2.5-3b.price": None, "models.qwen2.model": "n"}, open_model
    )
    assert project.settings.models == {
        "qwen2.5-3b": at | {"model": "m"},
        "qwen2": at | {"model": "n"},
    }


def test_a_change_is_undone_to_the_letter_unless_something_else_changed(project: Project) -> None:
    before = settings_files(project)
    project = save_taxonomy(
        change(project, {"privacy.mask": True}, open_model), edited(name="Mine")
    )
    after = settings_files(project)
    assert restore(project, before, after).settings.privacy.mask is False
    assert settings_files(project) == before
    with pytest.raises(InputError, match="have changed since"):
        restore(project, before, after)
    assert settings_files(restore(project, after, before)) == after


def test_every_line_of_the_docs_sets_what_it_says(arf, project: Project) -> None:
    for name in ("big", "second"):
        project = with_model(project, name, "http://127.0.0.1:1/v1")
    text = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
    lines = [shlex.split(x, comments=True) for x in text.splitlines() if x.startswith("arf set")]
    assert len(lines) >= 6
    for _, verb, _, *settings in lines:
        result = arf(verb, project.path, *settings)
        assert result.code == 0, result.err
    settings = Project.open(project.path).settings
    assert settings.privacy.allow == ("api.openai.com",)
    assert settings.models["big"]["price"] == {"prompt": 0.15, "completion": 0.6}
    assert (settings.limits.budget, settings.limits.currency) == (None, "EUR")


def edited(**changes: object) -> str:
    """The shipped taxonomy, with its second category changed; None takes a category away."""
    data = yaml.safe_load(DEFAULT.read_text())
    data["categories"][1] |= changes
    return yaml.safe_dump(data, sort_keys=False)


def test_a_preview_says_what_a_new_taxonomy_changes(project: Project) -> None:
    add_items(project, [REFUND, DELIVERY])
    analyze(project, system="teacher", detector="rules")
    assert preview(project, taxonomy_text(project), CATEGORIES).changes_nothing
    seen = preview(project, edited(correct="Replace the figure."), CATEGORIES)
    assert [(c.id, c.kind, c.fields) for c in seen.categories] == [
        ("wrong_figure", "changed", ("correct",))
    ]
    assert [p.task for p in seen.prompts] == ["edit"]
    assert "Replace the figure." in seen.prompts[0].after
    assert [(o.system, o.detector, o.summaries) for o in seen.outdated] == [("teacher", "rules", 2)]
    assert seen.orphaned == ()
    renamed = preview(project, edited(id="bad_number"), CATEGORIES)
    assert {(c.id, c.kind) for c in renamed.categories} == {
        ("bad_number", "added"),
        ("wrong_figure", "removed"),
    }
    assert [p.task for p in renamed.prompts] == ["detect", "edit", "verify"]
    assert renamed.orphaned == (("wrong_figure", 1),)
    assert "wrong_figure" in renamed.unruled


def test_older_analyses_keep_their_version(project: Project) -> None:
    add_items(project, [REFUND])
    analyze(project, system="teacher", detector="rules")
    (old,) = project.store.all(Analysis)
    project = save_taxonomy(project, edited(name="Bad number"))
    assert project.taxonomy["wrong_figure"].name == "Bad number"
    assert project.store.all(Analysis) == [old]
    analyze(project, system="teacher", detector="rules")
    assert [a.taxonomy_hash for a in project.store.all(Analysis)] == [
        old.taxonomy_hash,
        project.taxonomy.hash,
    ]
    shipped = use_shipped(project)
    assert shipped.taxonomy.hash == old.taxonomy_hash
    with pytest.raises(InputError, match="already"):
        use_shipped(shipped)


def test_a_faulty_taxonomy_is_not_saved_and_every_fault_is_told(project: Project) -> None:
    save_taxonomy(project, edited(name="Mine"))
    with pytest.raises(ConfigError) as caught:
        save_taxonomy(project, edited(severity=9, id="Has Spaces"))
    assert "severity" in caught.value.message
    assert "id" in caught.value.message
    for text in ("", "{", "categories: []", "- a\n- b"):
        with pytest.raises(ConfigError):
            preview(project, text, CATEGORIES)
    assert Project.open(project.path).taxonomy["wrong_figure"].name == "Mine"
    assert not list(project.path.glob("*.new"))


def test_a_taxonomy_saved_from_its_own_text_is_the_same(project: Project) -> None:
    taxonomy = project.taxonomy
    assert save_taxonomy(project, taxonomy_text(project)).taxonomy.hash == taxonomy.hash


def test_arf_taxonomy_checks_uses_and_returns(arf, project: Project, tmp_path: Path) -> None:
    p, file = project.path, tmp_path / "mine.yaml"
    file.write_text(edited(name="Bad number"))
    checked = arf("taxonomy", p, "--check", file)
    assert "changed wrong_figure: name" in checked.out
    assert not (p / "taxonomy.yaml").exists()
    assert "Saved" in arf("taxonomy", p, "--use", file).out
    assert "Bad number" in arf("taxonomy", p).out
    assert "shipped" in arf("taxonomy", p, "--shipped").out
    assert "Bad number" not in arf("taxonomy", p).out
    file.write_text("categories: 3")
    assert arf("taxonomy", p, "--use", file).code == 2
    assert arf("taxonomy", p, "--use", tmp_path / "gone").code == 2
