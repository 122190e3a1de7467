"""The frame around every page."""

import ast
from pathlib import Path

import pytest
from running_app import ROOT, settled, shown


def test_without_a_project_home_says_what_to_do(open_app) -> None:
    at = open_app()
    assert not at.exception
    assert "Find what a large model gets wrong" in shown(at)
    assert at.file_uploader(key="home-drop")


def test_without_a_project_a_page_shows_the_way_to_one(open_app) -> None:
    at = open_app(None, "pages/2_Analyze.py")
    assert not at.exception
    assert "No project is open" in shown(at)


def test_the_project_of_the_address_is_opened_and_remembered(open_app, sample: Path) -> None:
    at = open_app(sample)
    assert not at.exception
    assert "Support (sample)" in shown(at)
    again = open_app()
    assert "Support (sample)" in shown(again)


def test_the_project_that_the_variable_names_is_opened_before_the_remembered(
    open_app, sample: Path, empty_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_app(empty_project)
    monkeypatch.setenv("ARF_PROJECT", str(sample))
    at = open_app()
    assert not at.exception
    assert at.title[0].value == "Support \\(sample\\)"
    assert at.query_params["project"] == str(sample)
    assert open_app(empty_project).title[0].value == "Empty"  # the address says more
    monkeypatch.setenv("ARF_PROJECT", str(sample / "nowhere"))
    assert open_app().title[0].value == "Empty"


def test_a_folder_without_a_project_is_told_with_the_remedy(open_app, tmp_path: Path) -> None:
    at = open_app(tmp_path / "nowhere")
    assert not at.exception
    assert "holds no project" in at.error[0].value.replace("\\", "")
    assert "arf init" in at.error[0].value


@pytest.mark.browser
def test_a_deep_link_opens_the_project(server, sample: Path, page) -> None:
    page.goto(server.url(sample))
    page.get_by_text("Support (sample)").first.wait_for()


PAGES = sorted([ROOT / "app.py", *(ROOT / "pages").glob("*.py")])
MODULES = sorted((ROOT / "ui").rglob("*.py"))


def test_a_page_reads_calls_and_draws_in_at_most_80_lines() -> None:
    assert len(PAGES) > 1
    long = {p.name: n for p in PAGES if (n := len(p.read_text().splitlines())) > 80}
    assert not long


def test_the_first_call_of_every_page_is_the_frame() -> None:
    assert len(PAGES) > 1
    for path in PAGES:
        body = ast.parse(path.read_text()).body
        first = next(n for n in body if not isinstance(n, ast.Import | ast.ImportFrom | ast.Expr))
        assert isinstance(first, ast.Assign), path
        assert ast.unparse(first.value).startswith("frame."), path


def test_only_the_widgets_turn_text_into_html() -> None:
    """But for the frame's own style sheet."""
    assert any(path.parent.name == "widgets" for path in MODULES)
    for path in [*PAGES, *MODULES]:
        calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
        raw = [ast.unparse(c) for c in calls if ast.unparse(c.func) in ("st.html", "st.iframe")]
        if path.name == "frame.py":
            raw = [c for c in raw if c != "st.html(HERE / 'style.css')"]
        assert path.parent.name == "widgets" or not raw, path
        assert not [c for c in calls if "unsafe_allow_html" in [k.arg for k in c.keywords]], path


def test_no_function_of_the_app_is_a_wall() -> None:
    assert len(MODULES) > len(list((ROOT / "ui").glob("*.py")))
    long = [
        f"{path.name}:{node.lineno} {node.name}"
        for path in [*PAGES, *MODULES]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= 60
    ]
    assert not long


@pytest.mark.browser
def test_every_page_can_be_the_first_on_a_fresh_server(server, sample: Path, page) -> None:
    names = [p.stem.split("_", 1)[1] for p in PAGES if p.name != "app.py"]
    assert names
    for name in names:
        page.goto(server.url(sample, name))
        page.get_by_role("heading", name=name, exact=True, level=1).wait_for()
        assert not page.get_by_test_id("stException").count(), name


@pytest.mark.browser
def test_nothing_comes_from_another_machine(server, sample: Path, page) -> None:
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    page.goto(server.url(sample))
    page.get_by_role("heading", name="Systems").wait_for()
    page.wait_for_timeout(500)
    assert asked
    assert all(u.startswith((f"http://127.0.0.1:{server.port}/", "data:", "blob:")) for u in asked)


@pytest.mark.browser
def test_the_ways_to_other_pages_are_reached_by_keyboard(server, sample: Path, page) -> None:
    page.goto(server.url(sample))
    page.get_by_role("heading", name="Systems").wait_for()
    settled(page)
    reached = []
    while len(reached) < 40 and not {"Data", "Settings"} <= set(reached):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.innerText").strip().split("\n")[-1])
    assert {"Data", "Settings"} <= set(reached)
    page.get_by_role("link", name="Data").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Data", exact=True, level=1).wait_for()
