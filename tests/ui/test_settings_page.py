"""The page Settings: models, roles, privacy, spending, categories, the project itself."""

import socket
from pathlib import Path

import pytest
from running_app import shown
from scripted_server import Scripted, ScriptedServer
from streamlit.testing.v1 import AppTest

from arf_core.project import Project

PAGE = "pages/7_Settings.py"
HELLO = Scripted('{"hello": "world"}')


def said(at: AppTest) -> str:
    """What the page shows, without the signs that keep Markdown from reading it."""
    return shown(at).replace("\\", "")


def errors(at: AppTest) -> str:
    return " ".join(e.value for e in at.error).replace("\\", "").replace("\u2060", "")


def settings_of(path: Path):
    with Project.open(path) as project:
        return project.settings


@pytest.mark.parametrize(
    "section", ["Models", "Roles", "Privacy", "Spending", "Categories", "Project"]
)
@pytest.mark.parametrize("kind", ["sample", "empty_project"])
def test_every_part_opens_by_its_address(open_app, request, section: str, kind: str) -> None:
    at = open_app(request.getfixturevalue(kind), PAGE, section=section)
    assert not at.exception
    assert not at.error
    assert len(said(at)) > 100


def test_an_empty_project_is_told_what_to_do(open_app, empty_project: Path) -> None:
    assert "No model is connected yet" in said(open_app(empty_project, PAGE))
    assert "Connect one under Models first" in said(open_app(empty_project, PAGE, section="Roles"))
    spending = said(open_app(empty_project, PAGE, section="Spending"))
    assert "No model has been called yet" in spending
    assert "Nothing has been sent yet" in spending


def fill(at: AppTest, name: str, url: str, model: str = "m", key_env: str = "") -> AppTest:
    at.text_input(key="add-name").input(name)
    at.text_input(key="add-url").input(url)
    at.text_input(key="add-model").input(model)
    at.text_input(key="add-key-env").input(key_env)
    return at.button(key="add-model-now").click().run()


def test_a_model_is_added_tried_removed_and_brought_back(open_app, empty_project: Path) -> None:
    with ScriptedServer(lambda body, n: HELLO) as server:
        server.extra["/v1/models"] = {"data": [{"id": "m", "max_model_len": 4096}]}
        at = fill(open_app(empty_project, PAGE), "local", server.url)
        assert "Added local" in said(at)
        assert f"arf models add {empty_project} local --base-url {server.url}" in at.code[0].value
        assert at.text_input(key="add-name").value == ""
        at.button(key="try-local").click().run()
        assert "Answered in" in at.success[0].value
        assert "4,096-token context" in at.success[0].value.replace("\\", "")
        assert "replies follow a JSON schema" in said(at)
        assert "schema_means" not in said(at)
    assert settings_of(empty_project).models["local"]["context_tokens"] == 4096
    at.button(key="remove-local").click().run()
    assert settings_of(empty_project).models == {}
    at.button(key="undo").click().run()
    assert "local" in settings_of(empty_project).models
    assert at.button(key="try-local")


def test_limits_of_a_model_are_set_and_left_at_their_defaults(
    open_app, empty_project: Path
) -> None:
    at = fill(open_app(empty_project, PAGE), "gpt-4.1", "http://127.0.0.1:1/v1")
    assert at.number_input(key="limit-max_concurrency-gpt-4.1").placeholder == "16"
    at.number_input(key="limit-max_concurrency-gpt-4.1").set_value(4).run()
    at.number_input(key="limit-requests_per_minute-gpt-4.1").set_value(60).run()
    assert settings_of(empty_project).models["gpt-4.1"]["requests_per_minute"] == 60
    assert f"arf set {empty_project} models.gpt-4.1.requests_per_minute=60" in at.code[0].value
    at.number_input(key="limit-max_concurrency-gpt-4.1").set_value(None).run()
    assert "max_concurrency" not in settings_of(empty_project).models["gpt-4.1"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (("", "http://x/v1"), "has no name"),
        (("a", "nowhere"), "base_url"),
        (("a", "http://x/v1", ""), "model"),
        (("a", "http://x/v1", "m", "sk-proj-secret-1"), "name of an environment variable"),
    ],
)
def test_what_cannot_be_added_is_told_and_nothing_is_written(
    open_app, empty_project: Path, values: tuple[str, ...], told: str
) -> None:
    before = (empty_project / "arf.toml").read_text()
    at = fill(open_app(empty_project, PAGE), *values)
    assert told in errors(at)
    assert (empty_project / "arf.toml").read_text() == before
    assert "sk-proj-secret-1" not in errors(at) + said(at) + " ".join(c.value for c in at.code)


def closed_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def test_a_server_that_refuses_is_told_with_the_remedy(open_app, empty_project: Path) -> None:
    at = fill(open_app(empty_project, PAGE), "off", f"http://127.0.0.1:{closed_port()}/v1")
    at.button(key="try-off").click().run(timeout=60)
    assert "cannot reach http://127.0.0.1" in errors(at)
    assert "Is the server running" in errors(at)


def test_a_host_without_a_name_or_a_way_to_it_is_told(open_app, empty_project: Path) -> None:
    at = fill(open_app(empty_project, PAGE), "nowhere", "http://no-such-host.invalid/v1")
    at.button(key="try-nowhere").click().run(timeout=60)
    assert "no-such-host.invalid" in errors(at)
    assert len(at.error[0].value.splitlines()) == 2  # what happened, and what to do
    at = fill(at, "unrouted", "http://255.255.255.255:9/v1")  # an address that no route leads to
    at.button(key="try-unrouted").click().run(timeout=60)
    assert "255.255.255.255" in errors(at)


def test_a_wrong_or_missing_key_is_told_and_never_shown(
    open_app, empty_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b'{"error": {"message": "Incorrect API key provided: sk-very-secret"}}'
    with ScriptedServer(lambda b, n: Scripted(status=401, body=body)) as server:
        at = fill(open_app(empty_project, PAGE), "paid", server.url, "m", "A2_TEST_KEY")
        assert "A2_TEST_KEY (not set" in said(at)
        at.button(key="try-paid").click().run(timeout=60)
        assert "A2_TEST_KEY is not set" in errors(at)
        monkeypatch.setenv("A2_TEST_KEY", "sk-very-secret")
        at.button(key="try-paid").click().run(timeout=60)
    assert "answered 401" in errors(at)
    assert "Check the key in A2_TEST_KEY" in errors(at)
    assert "sk-very-secret" not in errors(at) + said(at)


def test_a_gguf_file_that_is_not_there_is_told(open_app, empty_project: Path) -> None:
    at = open_app(empty_project, PAGE)
    at.segmented_control(key="add-kind").set_value("GGUF file").run()
    at.text_input(key="add-name").input("small")
    at.text_input(key="add-path").input("/nowhere/small.gguf")
    at.button(key="add-model-now").click().run()
    assert "there is no file" in errors(at)


def test_roles_are_given_by_menu_and_a_circular_verifier_is_warned_of(
    open_app, sample: Path
) -> None:
    at = open_app(sample, PAGE, section="Roles")
    assert at.selectbox(key="role-detector").value == "reader"
    at.selectbox(key="role-verifier").select("reader").run()
    assert settings_of(sample).roles["verifier"] == "reader"
    assert "judges its own work" in at.warning[0].value
    assert f"arf set {sample} roles.verifier=reader" in at.code[0].value
    at.button(key="undo").click().run()
    assert settings_of(sample).roles["verifier"] == "verifier"
    assert at.selectbox(key="role-verifier").value == "verifier"
    at.selectbox(key="role-editor").select(None).run()
    assert "editor" not in settings_of(sample).roles


def test_privacy_says_what_it_means_for_each_model(open_app, empty_project: Path) -> None:
    at = fill(open_app(empty_project, PAGE), "far", "https://models.example.com/v1")
    at = open_app(empty_project, PAGE, section="Privacy")
    assert list(at.dataframe[0].value["Allowed"]) == ["yes"]
    at.toggle(key="privacy-offline").set_value(True).run()
    assert settings_of(empty_project).privacy.offline
    assert "this project is offline" in at.dataframe[0].value["Allowed"][0]
    at.toggle(key="privacy-offline").set_value(False).run()
    at.toggle(key="privacy-listed").set_value(True).run()
    assert settings_of(empty_project).privacy.allow == ("models.example.com",)
    at.multiselect(key="privacy-hosts").set_value([]).run()
    assert settings_of(empty_project).privacy.allow == ()
    assert "no host" in at.dataframe[0].value["Allowed"][0]
    at.toggle(key="privacy-mask").set_value(True).run()
    assert settings_of(empty_project).privacy.mask
    assert "[EMAIL_1]" in said(at)
    assert "[ORDER_1]" in said(at)


def test_the_accounts_are_those_of_the_command_line(open_app, arf, sample: Path) -> None:
    rows = arf("cost", sample, "--json").json["rows"]
    entries = arf("ledger", sample, "--json").json["entries"]
    assert rows
    assert entries
    at = open_app(sample, PAGE, section="Spending")
    costs, ledger = at.dataframe[0].value, at.dataframe[1].value
    assert list(costs["Calls"]) == [r["calls"] for r in rows]
    assert list(ledger["Bytes"]) == [e["bytes"] for e in entries]


def test_a_budget_and_prices_are_set_and_taken_away(open_app, empty_project: Path) -> None:
    fill(open_app(empty_project, PAGE), "gpt", "https://models.example.com/v1")
    at = open_app(empty_project, PAGE, section="Spending")
    at.number_input(key="budget").set_value(12.5).run()
    assert settings_of(empty_project).limits.budget == 12.5
    at.number_input(key="budget").set_value(None).run()
    assert settings_of(empty_project).limits.budget is None
    at.text_input(key="currency").input("EUR").run()
    at.number_input(key="price-prompt-gpt").set_value(0.15).run()
    at.number_input(key="price-completion-gpt").set_value(0.6).run()
    assert settings_of(empty_project).limits.currency == "EUR"
    assert settings_of(empty_project).models["gpt"]["price"] == {"prompt": 0.15, "completion": 0.6}
    at.button(key="undo").click().run()
    assert settings_of(empty_project).models["gpt"]["price"] == {"prompt": 0.15, "completion": 0.0}


def test_categories_are_edited_as_a_draft_that_shows_what_it_changes(
    open_app, sample: Path
) -> None:
    at = open_app(sample, PAGE, section="Categories")
    at.selectbox(key="category").set_value(1).run()
    at.text_input(key="name-1-wrong_figure").input("Bad number")
    at.button(key="category-see-1").click().run()
    assert not at.exception
    assert not (sample / "taxonomy.yaml").exists()
    assert "Wrong figure: changed (name)" in said(at)
    assert "120 summaries by Teacher" in said(at)
    assert "Only the changed lines" in said(at)
    at.button(key="taxonomy-save").click().run()
    with Project.open(sample) as project:
        assert project.taxonomy["wrong_figure"].name == "Bad number"
    at.button(key="undo").click().run()
    assert not (sample / "taxonomy.yaml").exists()


def test_a_faulty_draft_cannot_be_saved_and_says_why(open_app, sample: Path) -> None:
    at = open_app(sample, PAGE, section="Categories")
    at.button(key="category-add").click().run()
    assert "definition" in errors(at)
    assert "taxonomy-save" not in [b.key for b in at.button]
    at.button(key="category-remove").click().run()
    assert "No category changes" in said(at)
    at.button(key="category-remove").click().run()
    assert "removed" in said(at)
    at.button(key="taxonomy-discard").click().run()
    assert "Changes in this draft" not in said(at)


def test_yaml_that_is_no_taxonomy_is_told(open_app, sample: Path) -> None:
    at = open_app(sample, PAGE, section="Categories")
    (source,) = [a for a in at.text_area if a.label == "taxonomy.yaml"]
    source.input("categories: {").run()
    assert "cannot be read" in errors(at)
    assert "not a list of categories" in at.info[0].value


def test_name_and_split_of_the_project(open_app, empty_project: Path) -> None:
    at = open_app(empty_project, PAGE, section="Project")
    at.text_input(key="project-name").input("Réclamations <b>").run()
    assert settings_of(empty_project).name == "Réclamations <b>"
    at.number_input(key="split-train").set_value(80)
    at.number_input(key="split-dev").set_value(5)
    at.number_input(key="split-test").set_value(15)
    at.button(key="split-now").click().run()
    assert settings_of(empty_project).split.train == pytest.approx(0.8)
    at.number_input(key="split-train").set_value(90)
    at.button(key="split-now").click().run()
    assert "add up to 1" in errors(at)
    assert settings_of(empty_project).split.train == pytest.approx(0.8)


def test_only_the_lines_of_a_prompt_that_change_are_shown() -> None:
    from ui.settings.draft_changes import changed_lines

    assert changed_lines("a\nb\nc\nd", "a\nB\nc\nd\ne") == [("b", "B"), ("", "e")]
    assert changed_lines("a\nb", "a\nb") == []


def test_what_the_system_refuses_is_told_with_the_remedy(open_app, empty_project: Path) -> None:
    (empty_project / "arf.toml.new").mkdir()  # where the new settings would be written
    at = open_app(empty_project, PAGE, section="Privacy")
    at.toggle(key="privacy-offline").set_value(True).run()
    assert not at.exception
    assert "arf.toml.new" in errors(at)
    assert not settings_of(empty_project).privacy.offline
    assert at.toggle(key="privacy-offline").value is False
