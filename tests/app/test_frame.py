"""The frame around every page."""

from pathlib import Path

import pytest

from app.conftest import shown


def test_without_a_project_home_says_what_to_do(open_app) -> None:
    at = open_app()
    assert not at.exception
    assert "No project" in shown(at)


def test_the_project_of_the_address_is_opened_and_remembered(open_app, sample: Path) -> None:
    at = open_app(sample)
    assert not at.exception
    assert "Support (sample)" in shown(at)
    again = open_app()
    assert "Support (sample)" in shown(again)


def test_a_folder_without_a_project_is_told_with_the_remedy(open_app, tmp_path: Path) -> None:
    at = open_app(tmp_path / "nowhere")
    assert not at.exception
    assert "holds no project" in at.error[0].value.replace("\\", "")
    assert "arf init" in at.error[0].value


@pytest.mark.browser
def test_a_deep_link_opens_the_project(server, sample: Path, page) -> None:
    page.goto(server.url(sample))
    page.get_by_text("Support (sample)").first.wait_for()
