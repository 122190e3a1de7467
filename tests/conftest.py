"""Fixtures that several test files share."""

from pathlib import Path

import pytest

from arf_core.project import Project

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
