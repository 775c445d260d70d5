"""A version trained again: the same from the same, how far apart where something changed, gone where data are gone."""

import shutil
from dataclasses import replace

import pytest
from tests.doubles.projects import MODEL, TIMED, Project
from tests.stages.conftest import BIRTH

from perennial.errors import CannotReproduceError
from perennial.stages import datasets
from perennial.stages.candidates import candidate
from perennial.stages.provenance import recorded_with
from perennial.stages.replay import load_history, renew
from perennial.stages.reproduce import champions_due, is_due, keep_reproduction, reproduce
from perennial.stages.usage import run_of
from perennial.workspace import Workspace


def test_a_version_made_again_predicts_the_same_and_nothing_is_registered(workspace: Workspace) -> None:
    """One line in the ledger, however often it is asked; partitions and versions are as before."""
    version = candidate(workspace, MODEL, "1")
    before = {key: workspace.store.keys(key) for key in (datasets.holdout(MODEL), datasets.training(MODEL))}
    found, again = keep_reproduction(workspace, version), keep_reproduction(workspace, version)
    assert (found.outcome, found.again, found.moved, found.changed) == ("same", version.behaviour, None, ())
    assert again == found
    (line,) = workspace.ledger.entries(MODEL, {"reproduced"})
    assert (line.reason, line.evidence["outcome"]) == (found.sentence(), "same")
    assert len(workspace.registry.versions(MODEL)) == 1
    assert before == {key: workspace.store.keys(key) for key in before}


def test_what_made_a_version_is_recorded_beside_its_bytes(workspace: Workspace) -> None:
    """Libraries, machine, code, data and settings; no moment and no path, so that it can be compared."""
    made = recorded_with(workspace, MODEL, "1")
    assert {"python", "machine", "scikit-learn", "numpy", "code", "commit", "lock", "data"} <= set(made)
    run = run_of(workspace, MODEL, "1")
    assert made["data"] == workspace.store.manifest(datasets.training(MODEL), run).content
    assert made["training"]["seed"] == candidate(workspace, MODEL, "1").seed


def test_a_changed_folder_does_not_change_what_is_made_again(served: Project, workspace: Workspace) -> None:
    """The settings are those of the training, whatever the folder declares now."""
    file = served.root / "include" / "models" / MODEL / "model.yaml"
    text = file.read_text()
    file.write_text(text.replace("fold_nights: 14", "fold_nights: 14\n  half_life_nights: 9\n  seed: 3"))
    assert file.read_text() != text
    later = Workspace(workspace.project, workspace.home)
    assert reproduce(later, candidate(later, MODEL, "1")).outcome == "same"


def test_a_version_that_comes_out_otherwise_says_by_how_much(workspace: Workspace) -> None:
    """Trained with another seed and other parameters: the distance on kept-back rows, and what is known to differ."""
    version = candidate(workspace, MODEL, "1")
    other = replace(version, parameters={"strength": 500.0})
    found = keep_reproduction(workspace, other)
    assert (found.outcome, found.good) == ("differs", False)
    assert found.moved is not None
    assert found.moved.rows > 100
    assert 0 < found.moved.mean <= found.moved.largest <= 1
    assert "predicts otherwise" in found.sentence()
    assert "nothing that is recorded has changed" in found.sentence()


def test_data_that_are_gone_are_a_verdict_of_their_own(workspace: Workspace) -> None:
    """Neither the same nor another: nothing is trained, and the sentence says what is missing."""
    version = candidate(workspace, MODEL, "1")
    run = run_of(workspace, MODEL, "1")
    shutil.rmtree(workspace.home / "store" / MODEL / "training" / run)
    found = keep_reproduction(Workspace(workspace.project, workspace.home), version)
    assert (found.outcome, found.again, found.good) == ("data gone", None, False)
    assert "is gone" in found.sentence()


def test_a_champion_is_due_once_and_again_when_what_makes_it_changes(workspace: Workspace) -> None:
    """New: due. Made again: not. An upgrade changes what was recorded to be here, and it is due again."""
    version = candidate(workspace, MODEL, "1")
    assert champions_due(workspace) == [{"model": MODEL, "version": "1"}]
    keep_reproduction(workspace, version)
    assert champions_due(workspace) == []
    assert not is_due(workspace, version)


def test_a_version_from_elsewhere_cannot_be_made_again(workspace: Workspace) -> None:
    """There is no run to repeat, and the error says so."""
    stranger = replace(candidate(workspace, MODEL, "1"), version="77")
    assert not is_due(workspace, stranger)
    with pytest.raises(CannotReproduceError, match="no run to repeat"):
        reproduce(workspace, stranger)


@pytest.mark.parametrize("task", ["regression", "multiclass"])
def test_every_task_can_be_made_again(task: str, tmp_path, registry_database) -> None:
    """With boosting, weights by age and fewer rows than there are."""
    made = Project(tmp_path / "project", task=task)
    template = TIMED.replace("fold_nights: 14", "fold_nights: 14\n  half_life_nights: 9\n  max_rows: 800")
    made.declare(template, estimator="gradient_boosting").deliver("2024-01-01", BIRTH)
    workspace = made.workspace(registry_database)
    load_history(workspace, MODEL, "2024-01-01", BIRTH)
    version = renew(workspace, MODEL, BIRTH).version
    found = reproduce(workspace, candidate(workspace, MODEL, version))
    assert (found.outcome, found.rows) == ("same", 800)
