"""Decisions about training are foretold, paid for, and judged by what the nights after them said."""

from pathlib import Path

import pytest
from tests.doubles.projects import FIRST, MODEL, Project
from tests.stages.conftest import BIRTH

from perennial.clock import after, between
from perennial.facts.decision import Verdict
from perennial.ledger.base import NewEntry
from perennial.stages.judging import decisions, judge_past
from perennial.stages.past_trainings import attempts, cost
from perennial.stages.replay import load_history, pass_night, renew
from perennial.stages.retrain import asks_by_itself, retrain
from perennial.workspace import Workspace

ASKED, LATER = after(BIRTH, 10), after(BIRTH, 42)
LITTLE = "retraining: {cooldown_nights: 1000, on_new_recipe: false}\n"


@pytest.fixture(scope="module")
def lived(born: Project, registry_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Let a served model be trained again by hand on its tenth night, be told no once, and live on for a month."""
    project = born.copied_to(tmp_path_factory.mktemp("lived") / "project").deliver(after(BIRTH, 21), LATER)
    declared = project.folder / "model.yaml"
    declared.write_text(declared.read_text() + LITTLE)
    workspace = project.workspace(registry_database)
    for night in between(after(BIRTH), LATER):
        pass_night(workspace, MODEL, night)
        if night == ASKED:
            assert renew(workspace, MODEL, night).version == "2"
        if night == after(ASKED):
            assert retrain(workspace, MODEL, night, trigger="drift", cause="concept").verdict is Verdict.HOLD
    return project


@pytest.fixture
def past(lived: Project, registry_database: Path) -> Workspace:
    """Open what was lived; each test reads, or asks what it is safe to ask twice."""
    return lived.workspace(registry_database)


def test_a_challenger_is_known_with_whom_it_met_and_what_it_cost(past: Workspace) -> None:
    """The first model met nobody, so it is no attempt; the second one met it, asked for by hand."""
    (one,) = attempts(past, MODEL, LATER)
    assert (one.version.version, one.met, one.trigger) == ("2", "1", "manual")
    found = cost(past, MODEL, "2")
    assert found is not None
    assert found > 0
    kept = {line.stem for line in (past.home / "costs" / MODEL).glob(f"{ASKED}-*/*.json")}
    assert kept == {"assemble", "fit", "leaks", "evaluate"}


def test_a_training_and_a_no_are_judged_once_by_the_nights_after(past: Workspace) -> None:
    """Both are judged when 28 nights have settled, with an interval, and the same night again adds nothing."""
    judge_past(past, MODEL, LATER)
    kinds = ("training_judged", "waiting_judged")
    training, waiting = past.ledger.entries(MODEL, kinds=kinds)
    assert judge_past(past, MODEL, LATER) == []
    assert (training.evidence["version"], training.evidence["nights"]) == ("2", 28)
    assert training.evidence["low"] < training.evidence["gain"] < training.evidence["high"]
    assert abs(training.evidence["gain"]) < 0.1
    assert "beside version 1" in training.reason
    assert (waiting.evidence["decided"], waiting.evidence["nights"]) == (after(ASKED), 28)


def test_every_decision_is_told_with_what_came_of_it(past: Workspace) -> None:
    """Also a no; and a month earlier the same decisions were not judged yet."""
    judge_past(past, MODEL, LATER)
    birth, trained, waited = decisions(past, MODEL, LATER)
    assert (birth.version, trained.version, waited.version) == (None, "2", None)
    assert birth.came == "Nothing to judge: it met no champion."
    assert "on 28 nights" in trained.came
    assert "After the no" in waited.came
    assert trained.cpu_seconds
    assert trained.as_json()["expected"]["trainings"] == 0
    young = decisions(past, MODEL, after(ASKED, 2))
    assert "28 nights after it must have settled" in young[1].came


def test_what_is_foretold_rests_on_what_came(past: Workspace) -> None:
    """The next request by hand is foretold from the one training there was; what it says is in its evidence."""
    decision = retrain(past, MODEL, LATER, trigger="manual")
    assert decision.verdict is Verdict.PASS
    assert decision.evidence["expected"]["trainings"] == 1
    assert "1 earlier challengers" in decision.reason


def test_a_changed_folder_asks_once_for_a_training(lived: Project, registry_database: Path, tmp_path) -> None:
    """As it was, nobody asks; with another parameter the code asks; without a wish for it, nobody does."""
    project = lived.copied_to(tmp_path / "changed")
    file = project.folder / "model.yaml"
    kept = file.read_text().replace(LITTLE, "")
    file.write_text(kept)
    assert asks_by_itself(project.workspace(registry_database), MODEL, LATER) is None
    file.write_text(kept.replace("fold_nights: 14", "fold_nights: 15"))
    assert asks_by_itself(project.workspace(registry_database), MODEL, LATER) == "code"
    file.write_text(kept + "retraining: {grow_by: 0.5}\n")
    workspace = project.workspace(registry_database)
    assert asks_by_itself(workspace, MODEL, LATER) == "growth"
    retrain(workspace, MODEL, LATER, trigger="growth", under_way=True)
    assert asks_by_itself(workspace, MODEL, LATER) == "growth"
    assert asks_by_itself(workspace, MODEL, after(LATER)) is None


@pytest.mark.parametrize(
    ("declared", "asks"), [({"estimator": "constant"}, "age"), ({"more": "risk: high\n"}, None)]
)
def test_a_model_that_nothing_serves_is_trained_again_unless_a_person_is_awaited(
    declared: dict[str, str], asks: str | None, registry_database: Path, tmp_path: Path
) -> None:
    """Its gates refused the first candidate: four weeks later there is more to learn from, and nobody has to ask."""
    project = Project(tmp_path / "project").declare(**declared).deliver(FIRST, after(BIRTH, 30))
    workspace = project.workspace(registry_database)
    load_history(workspace, MODEL, FIRST, BIRTH)
    assert not renew(workspace, MODEL, BIRTH).promoted
    load_history(workspace, MODEL, after(BIRTH), after(BIRTH, 30))
    assert asks_by_itself(workspace, MODEL, after(BIRTH, 27)) is None
    assert asks_by_itself(workspace, MODEL, after(BIRTH, 28)) == asks
    if asks:
        decision = retrain(workspace, MODEL, after(BIRTH, 28), trigger="age")
        assert decision.verdict is Verdict.PASS
        assert "nothing serves since the gates refused" in decision.reason


def test_a_broken_feed_found_tonight_stands_against_a_request_by_hand(past: Workspace) -> None:
    """The cause that the watch recorded counts, also where whoever asks does not name it, until the night is free."""
    night = after(LATER, -1)
    found = NewEntry(MODEL, "finding", "f", night, "monitor", "It broke.", {"cause": "broken_feed"})
    past.ledger.append(found)
    assert retrain(past, MODEL, night, trigger="manual").verdict is Verdict.FAIL
    for kind in ("nights_set_aside", "nights_freed"):
        past.ledger.append(NewEntry(MODEL, kind, night, night, "monitor", "It is well.", {"nights": {}}))
    assert retrain(past, MODEL, night, trigger="manual").verdict is Verdict.PASS
