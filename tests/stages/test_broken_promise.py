"""A realised loss above what evaluation promised asks for a training, and not twice in a row for nothing."""

from pathlib import Path

import pytest
from tests.doubles.projects import MODEL, Project, World
from tests.stages.conftest import BIRTH

from perennial.clock import after
from perennial.facts.decision import Verdict
from perennial.ledger.base import NewEntry
from perennial.stages import datasets
from perennial.stages.broken_promise import answered_excess, excess_chance
from perennial.stages.build_features import build_features
from perennial.stages.performance import settle
from perennial.stages.retrain import asks_by_itself, retrain
from perennial.stages.score import score
from perennial.stages.set_aside import SET_ASIDE
from perennial.stages.validate import close_night, take_in_range
from perennial.workspace import Workspace

CALM, WORSE = 32, 16
"""Live nights as before, and those on which orders come back far more often than the model learned."""
LAST, DECLARED = after(BIRTH, CALM + WORSE), "retraining: {on_broken_promise: true, cooldown_nights: 14}\n"


@pytest.fixture(scope="module")
def worse(born: Project, registry_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Let a model live on for a month as far as losses need it, and then lose much more than was promised."""
    project = born.copied_to(tmp_path_factory.mktemp("worse") / "project").deliver(
        after(BIRTH, 21), after(BIRTH, CALM)
    )
    project.world = World(shift=3.0)
    project.deliver(after(BIRTH, CALM + 1), LAST)
    declared = project.folder / "model.yaml"
    declared.write_text(declared.read_text() + DECLARED)
    workspace = project.workspace(registry_database)
    for days in range(1, CALM + WORSE + 1):
        night = after(BIRTH, days)
        for source in workspace.spec(MODEL).sources:
            take_in_range(workspace, MODEL, source, night, night)
        close_night(workspace, MODEL, night)
        build_features(workspace, MODEL, night)
        score(workspace, MODEL, night)
        settle(workspace, MODEL, night)
    return project


@pytest.fixture
def workspace(worse: Project, registry_database: Path, tmp_path: Path) -> Workspace:
    """Open a copy of what was lived."""
    return worse.copied_to(tmp_path / "copy").workspace(registry_database)


def test_a_broken_promise_asks_where_that_is_declared(workspace: Workspace) -> None:
    """Before the loss rose nobody asks; after it, `performance` does, the same night again as well; undeclared, nobody."""
    assert asks_by_itself(workspace, MODEL, after(BIRTH, CALM)) is None
    assert [asks_by_itself(workspace, MODEL, LAST) for _ in range(2)] == ["performance"] * 2
    found = excess_chance(workspace, MODEL, LAST)
    assert found is not None
    assert found < 0.001
    file = workspace.project / "include" / "models" / MODEL / "model.yaml"
    file.write_text(file.read_text().replace(DECLARED, ""))
    assert asks_by_itself(Workspace.open(workspace.home, workspace.project), MODEL, LAST) is None


def test_the_request_is_answered_and_says_who_asked(workspace: Workspace) -> None:
    """The policy lets it pass with the chance in its evidence; wrong labels or a broken feed stand against it."""
    decision = retrain(workspace, MODEL, LAST, trigger="performance")
    assert decision.verdict is Verdict.PASS
    assert "asked for by performance" in decision.reason
    assert float(str(decision.evidence["excess_chance"])) < 0.001
    for cause in ("labels", "broken_feed"):
        assert retrain(workspace, MODEL, LAST, trigger="performance", cause=cause).verdict is Verdict.FAIL


def test_a_training_that_did_not_help_doubles_the_wait(workspace: Workspace) -> None:
    """The last training is 48 nights old: asked again after one of 14 nights' wait in vain, not after two."""
    for number, asks in ((0, "performance"), (1, "performance"), (2, None)):
        asked = after(BIRTH, 10 * number)  # the first is the version's own training
        said = {"trigger": "performance"}
        workspace.ledger.append(
            NewEntry(MODEL, "retrain", f"{number}", asked, "retrain", "It lost more.", said)
        )
        assert answered_excess(workspace, MODEL, LAST) == number
        assert asks_by_itself(workspace, MODEL, LAST) == asks


def test_nights_that_were_set_aside_break_no_promise(workspace: Workspace) -> None:
    """What a broken feed made a model lose says nothing of the model."""
    nights = [after(BIRTH, CALM + days) for days in range(WORSE + 1)]
    manifests = {night: workspace.store.manifest(datasets.table(MODEL, "orders"), night) for night in nights}
    evidence = {"nights": {night: {"orders": one.content} for night, one in manifests.items() if one}}
    workspace.ledger.append(NewEntry(MODEL, SET_ASIDE, "aside", LAST, "monitor", "The feed broke.", evidence))
    found = excess_chance(workspace, MODEL, LAST)
    assert found is None or found > 0.001
    assert asks_by_itself(workspace, MODEL, LAST) is None
