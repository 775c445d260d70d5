"""Projects for the tests of the stages: one with a champion is made once a session and copied."""

from pathlib import Path

import pytest
from tests.doubles.projects import FIRST, MODEL, Project

from perennial.clock import after
from perennial.stages.replay import load_history, renew
from perennial.workspace import Workspace

BIRTH = after(FIRST, 48)
"""The night on which the first champion is trained."""


@pytest.fixture(scope="session")
def born(registry_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Make a project of 49 nights whose first model serves from the fiftieth; never to be written to."""
    made = Project(tmp_path_factory.mktemp("born") / "project").declare().deliver(FIRST, after(BIRTH, 20))
    workspace = made.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, BIRTH)
    assert renew(workspace, MODEL, BIRTH).promoted
    return made


@pytest.fixture
def served(born: Project, tmp_path: Path) -> Project:
    """Copy the project with a champion, to do with it as a test likes."""
    return born.copied_to(tmp_path / "served")


@pytest.fixture
def workspace(served: Project, registry_database: Path) -> Workspace:
    """Open the project with a champion."""
    return served.workspace(registry_database)
