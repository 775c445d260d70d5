"""Nights as they are told to a colleague: each test is a short story with an end."""

import shutil
from pathlib import Path

import pytest
from tests.doubles.projects import FIRST, MODEL, Project

from perennial.clock import after
from perennial.errors import BrokenModelError, NightNotCompleteError, SourceSilentError
from perennial.stages.monitor import monitor
from perennial.stages.replay import load_history, pass_night, renew
from perennial.workspace import Workspace

BIRTH = after(FIRST, 48)
TONIGHT = after(BIRTH)


@pytest.fixture(scope="module")
def shop(registry_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Open a shop seven weeks ago; its model serves from tonight."""
    project = Project(tmp_path_factory.mktemp("shop") / "project").declare().deliver(FIRST, after(BIRTH, 8))
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, BIRTH)
    assert renew(workspace, MODEL, BIRTH).promoted
    return project


@pytest.fixture
def tonight(shop: Project, tmp_path: Path) -> Project:
    """Stand at the beginning of tonight."""
    return shop.copied_to(tmp_path / "tonight")


def served_by(workspace: Workspace, night: str) -> str | None:
    """Name the version that served."""
    serving = workspace.ledger.champion(MODEL, night)
    return serving.version if serving else None


def test_an_ordinary_night(tonight: Project, registry_database: Path) -> None:
    """The orders of tomorrow come, are scored by the champion, and nobody is woken."""
    workspace = tonight.workspace(registry_database)
    night = pass_night(workspace, MODEL, TONIGHT)
    assert night.taken_in == {"night": TONIGHT, "rows": 60, "quarantined": 0}
    assert night.scored is not None
    assert (night.scored.version, night.scored.rows) == ("1", 60)
    assert night.watched.state in ("quiet", "learning")
    assert night.renewal is None


def test_a_file_that_comes_too_late(tonight: Project, registry_database: Path) -> None:
    """The night is silent and says so; when the file has come it is scored, and the finding is taken back."""
    workspace = tonight.workspace(registry_database)
    file = tonight.root / "data" / "orders" / f"{TONIGHT}.csv"
    held_up = file.rename(file.with_suffix(".late"))
    with pytest.raises((SourceSilentError, NightNotCompleteError)):
        pass_night(workspace, MODEL, TONIGHT)
    silent = monitor(workspace, MODEL, TONIGHT)
    assert (silent.state, silent.cause) == ("silent", "silent_source")
    held_up.rename(file)
    night = pass_night(workspace, MODEL, TONIGHT)
    assert night.scored is not None
    assert night.watched.state != "silent"
    about = workspace.ledger.entries(MODEL, {"finding", "watched"}, first_night=TONIGHT, last_night=TONIGHT)
    assert [entry.kind for entry in about] == ["finding", "watched"]


def test_a_challenger_that_is_no_better_is_refused(tonight: Project, registry_database: Path) -> None:
    """Somebody takes the best columns away and asks for a training; the champion serves on."""
    text = (tonight.folder / "model.yaml").read_text()
    poorer = text.replace("columns: [place, size, weight, clicks]", "columns: [weight, clicks]")
    (tonight.folder / "model.yaml").write_text(poorer)
    (tonight.folder / "features.py").unlink()
    workspace = tonight.workspace(registry_database)
    challenger = renew(workspace, MODEL, BIRTH)
    assert challenger.version == "2"
    assert challenger.gates is not None
    assert challenger.gates.verdict.value == "fail"
    assert "version 2 is refused by" in challenger.gates.reason
    assert served_by(workspace, TONIGHT) == "1"
    night = pass_night(workspace, MODEL, TONIGHT)
    assert night.scored is not None
    assert night.scored.version == "1"


def test_a_broken_folder_beside_a_healthy_one(tonight: Project, registry_database: Path) -> None:
    """One model's file has a mistake; it is named with its line, and the other model's night is like any other."""
    broken = tonight.folder.with_name("broken_model")
    shutil.copytree(tonight.folder, broken)
    text = (broken / "model.yaml").read_text()
    (broken / "model.yaml").write_text(text.replace("task: binary", "task: binery"))
    workspace = tonight.workspace(registry_database)
    with pytest.raises(BrokenModelError, match=r"model\.yaml:3"):
        pass_night(workspace, "broken_model", TONIGHT)
    night = pass_night(workspace, MODEL, TONIGHT)
    assert night.scored is not None
    assert night.scored.rows == 60


def test_a_week_is_asked_about_afterwards(tonight: Project, registry_database: Path) -> None:
    """Who served on each night, on whose word, is answered from the ledger, whose chain is whole."""
    workspace = tonight.workspace(registry_database)
    for days in range(5):
        pass_night(workspace, MODEL, after(TONIGHT, days))
    assert served_by(workspace, BIRTH) is None
    assert [served_by(workspace, after(TONIGHT, days)) for days in range(5)] == ["1"] * 5
    (reign,) = workspace.ledger.timeline(MODEL)
    assert "as the first champion: it passed its gates" in reign.reason
    assert workspace.ledger.verify() == []
