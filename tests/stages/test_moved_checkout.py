"""A whole checkout that was moved scores, trains and rolls back where it lies now."""

import shutil
from pathlib import Path

import pytest
from tests.doubles.projects import MODEL, Project
from tests.stages.conftest import BIRTH

from perennial.clock import after
from perennial.stages.replay import pass_night, renew
from perennial.stages.roll_back import roll_back
from perennial.workspace import Workspace


@pytest.fixture
def moved(served: Project, tmp_path: Path) -> Workspace:
    """Move the checkout of a model that serves."""
    shutil.move(served.root, tmp_path / "elsewhere")
    root = tmp_path / "elsewhere"
    return Workspace.open(root / "home", root)


def test_it_lives_on(moved: Workspace, served: Project) -> None:
    """The champion's bytes load, a new training is kept here, and nothing comes back where it was."""
    night = after(BIRTH)
    passed = pass_night(moved, MODEL, night)
    assert passed.scored is not None
    assert (passed.scored.version, passed.scored.rows) == ("1", 60)
    (moved.folder(MODEL) / "features.py").unlink()
    renewed = renew(Workspace.open(moved.home, moved.project), MODEL, night)
    assert renewed.version == "2"
    entry = roll_back(moved, MODEL, night, reason="It was moved.", actor="ann", version="1")
    assert entry.evidence["version"] == "1"
    assert not served.root.exists()
