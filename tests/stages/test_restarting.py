"""After an abrupt change the layer of a model leaves the past out of the next training, and says so in the ledger."""

from pathlib import Path

import numpy as np
import pytest
from tests.doubles.projects import MODEL, Project, World
from tests.stages.conftest import BIRTH

from perennial.clock import after, between
from perennial.facts.decision import Verdict
from perennial.ledger.base import Entry
from perennial.stages import datasets
from perennial.stages.candidates import candidate
from perennial.stages.layer_states import before
from perennial.stages.replay import pass_night
from perennial.stages.restarting import learned_from
from perennial.stages.retrain import asks_by_itself, retrain
from perennial.stages.score import score
from perennial.stages.train import assemble
from perennial.stages.training_run import about_run
from perennial.stages.usage import run_of
from perennial.workspace import Workspace

CHANGED, LAST = after(BIRTH, 18), after(BIRTH, 50)
"""From the first on, large orders are kept and small ones come back: all that was learned is the wrong way round."""
LAYERED = "retraining: {cooldown_nights: 1000, grow_by: 0}\nadapt: nightly\n"
"""Neither growth nor a finding may ask: what trains is the restart alone."""


@pytest.fixture(scope="module")
def turned(born: Project, registry_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Let a model with a layer live through the change and for a month after it; never to be written to."""
    project = born.copied_to(tmp_path_factory.mktemp("turned") / "project")
    file = project.folder / "model.yaml"
    file.write_text(file.read_text() + LAYERED)
    project.world = World(steep=-0.7)
    project.deliver(CHANGED, LAST)
    workspace = project.workspace(registry_database)
    for night in between(after(BIRTH), LAST):
        pass_night(workspace, MODEL, night)
    return project


@pytest.fixture
def lived(turned: Project, registry_database: Path, tmp_path: Path) -> Workspace:
    """Open a copy of what was lived."""
    return turned.copied_to(tmp_path / "copy").workspace(registry_database)


def restarts(workspace: Workspace) -> list[Entry]:
    """Return the lines about restarts that went ahead."""
    asked = workspace.ledger.entries(MODEL, {"retrain"})
    return [one for one in asked if one.evidence["trigger"] == "restart"]


def test_the_layer_says_why_there_is_no_restart_and_when_there_is_one(lived: Workspace) -> None:
    """Every night's line holds the answer; the one that asks has it in its sentence, and dates the change."""
    told = {one.night: one for one in lived.ledger.entries(MODEL, {"layer"})}
    assert told[CHANGED].evidence["restart"]["verdict"] == "hold"
    (asked,) = restarts(lived)
    assert "Restart from the latest " in told[asked.night].reason
    learn_from = told[asked.night].evidence["restart"]["evidence"]["learn_from"]
    assert after(CHANGED, -2) <= learn_from <= after(CHANGED, 4)
    assert asked.evidence["learn_from"] == learn_from
    assert f"since {learn_from} a model of the latest nights alone beats what remembers more" in asked.reason


def test_the_challenger_learns_only_what_came_after_the_change_and_takes_over(lived: Workspace) -> None:
    """Within three weeks of the change; what is served then loses far less than the layer over the old champion."""
    (asked,) = restarts(lived)
    assert asked.night <= after(CHANGED, 21)
    assert [one.evidence["version"] for one in lived.ledger.entries(MODEL, {"promoted"})] == ["1", "2"]
    made = candidate(lived, MODEL, "2")
    training = lived.store.read(datasets.training(MODEL), run_of(lived, MODEL, "2") or "")
    assert min(training["night"].to_pylist()) == asked.evidence["learn_from"]
    assert made.night == asked.night
    losses = before(lived, MODEL, after(LAST)).latest.losses  # type: ignore[union-attr]  # it has lived
    old, new = (
        [one.served for one in losses if (one.night > asked.night) == late and one.night >= CHANGED]
        for late in (False, True)
    )
    assert np.mean(new) < np.mean(old) - 0.1


def test_later_trainings_leave_out_what_came_before_as_well(lived: Workspace) -> None:
    """Growth counts from the change, once its challenger was promoted; a restart that was refused is forgotten."""
    (asked,) = restarts(lived)
    assert learned_from(lived, MODEL, after(asked.night, -1)) is None
    assert learned_from(lived, MODEL, LAST) == asked.evidence["learn_from"]
    run = assemble(lived, MODEL, LAST)
    assert about_run(lived, MODEL, run)["learn_from"] == asked.evidence["learn_from"]


def test_the_same_night_again_asks_the_same(lived: Workspace) -> None:
    """Scored and asked once more, layer and policy give the bytes and the answer that they gave."""
    (asked,) = restarts(lived)
    layer = lived.store.manifest(datasets.adapted(MODEL), asked.night)
    score(lived, MODEL, asked.night)
    assert lived.store.manifest(datasets.adapted(MODEL), asked.night) == layer
    assert retrain(lived, MODEL, asked.night, trigger="restart").verdict is Verdict.PASS
    assert len(restarts(lived)) == 1


def test_nobody_restarts_where_it_is_not_declared_or_not_shown(lived: Workspace) -> None:
    """By hand on a quiet night the answer is no; switched off, nothing is asked, fitted or kept."""
    answer = retrain(lived, MODEL, LAST, trigger="restart")
    assert answer.verdict is Verdict.HOLD
    assert "shows no change after which the past misleads" in answer.reason
    (asked,) = restarts(lived)
    file = lived.folder(MODEL) / "model.yaml"
    file.write_text(file.read_text().replace("grow_by: 0}", "grow_by: 0, on_restart: false}"))
    off = Workspace.open(lived.home, lived.project)
    assert asks_by_itself(off, MODEL, asked.night) is None
    score(off, MODEL, after(CHANGED))
    assert "m:latest" not in off.store.read(datasets.adapted(MODEL), after(CHANGED)).column_names
