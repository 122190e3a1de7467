"""Fixtures that several test files share."""

import sys
from pathlib import Path

import hypothesis
import pytest
from items import Result

from arf_core.cli import main
from arf_core.project import Project

# how long one example takes says more about the machine than about the code
hypothesis.settings.register_profile("arf", deadline=None)
hypothesis.settings.load_profile("arf")

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
"""Real data that is not part of the project; tests that read it skip where it is absent."""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project."""
    return Project.create(tmp_path / "project", "A project")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets, where there is one."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real data at {SHARED_DATA.name}: it is not part of the project")
    return SHARED_DATA


@pytest.fixture
def arf(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """Run the command line in this process; what it prints is caught."""

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["arf", *map(str, arguments)])
        capfd.readouterr()
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        return Result(code, *capfd.readouterr())

    return run
