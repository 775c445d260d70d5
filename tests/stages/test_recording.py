"""A decision taken again after a correction is recorded beside the first; the same decision is not repeated."""

import pytest
from tests.doubles.projects import MODEL
from tests.stages.conftest import BIRTH

from perennial.clock import after
from perennial.errors import NotPassedError
from perennial.facts.decision import Verdict
from perennial.ledger.base import NewEntry
from perennial.ledger.outbox import Outbox
from perennial.stages.deploy import promote
from perennial.stages.evaluate import OUTCOME, ask, conclude, gates, measure
from perennial.stages.recording import record_again
from perennial.stages.replay import pass_night
from perennial.stages.retrain import retrain
from perennial.workspace import Workspace

NIGHT = "2024-02-19"


def answer(kind: str, number: int) -> NewEntry:
    """Make an answer to one question."""
    return NewEntry(MODEL, kind, "7-question", NIGHT, "test", f"It was {number}.", {"number": number})


def keys(workspace: Workspace) -> list[str]:
    """List the keys of the answers."""
    return [entry.key for entry in workspace.ledger.entries(MODEL, {"yes", "no"}) if "question" in entry.key]


def test_the_same_answer_again_is_one_line(workspace: Workspace) -> None:
    """A task that is repeated says what it said, and nothing is told twice."""
    first = record_again(workspace, answer("yes", 1), among=("yes", "no"))
    assert record_again(workspace, answer("yes", 1), among=("yes", "no")) == first
    assert keys(workspace) == ["7-question"]


def test_a_decision_is_logged_as_its_sentence(workspace: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    """Who opens the log of a task reads what it decided."""
    caplog.set_level("INFO", "perennial")
    record_again(workspace, answer("yes", 1), among=("yes", "no"))
    assert caplog.messages == ["It was 1."]


def test_another_answer_gets_a_line_of_its_own_and_the_last_one_holds(workspace: Workspace) -> None:
    """Yes, no, and yes again for the first reason are three lines in that order."""
    for kind, number in (("yes", 1), ("no", 2), ("no", 2), ("yes", 1), ("yes", 1), ("yes", 3)):
        record_again(workspace, answer(kind, number), among=("yes", "no"))
    assert keys(workspace) == ["7-question", "7-question~2", "7-question~3", "7-question~4"]
    assert [e.kind for e in workspace.ledger.entries(MODEL, {"yes", "no"})] == ["yes", "no", "yes", "yes"]


def test_another_night_is_another_question(workspace: Workspace) -> None:
    """Answers are counted within one night and one key."""
    record_again(workspace, answer("yes", 1), among=("yes", "no"))
    other = NewEntry(MODEL, "yes", "8-question", after(NIGHT), "test", "It was 1.", {"number": 1})
    assert record_again(workspace, other, among=("yes", "no")).key == "8-question"


def test_a_request_for_training_may_be_answered_otherwise_later_that_night(workspace: Workspace) -> None:
    """First the cooldown holds it, then a broken feed refuses it; both answers are on record."""
    night = after(BIRTH, 5)
    waits = retrain(workspace, MODEL, night, trigger="drift", cause="concept")
    refused = retrain(workspace, MODEL, night, trigger="drift", cause="broken_feed")
    again = retrain(workspace, MODEL, night, trigger="drift", cause="concept")
    assert (waits.verdict, refused.verdict, again.verdict) == (Verdict.HOLD, Verdict.FAIL, Verdict.HOLD)
    kinds = {"retrain_waits", "retrain_refused"}
    assert [entry.kind for entry in workspace.ledger.entries(MODEL, kinds)] == [
        "retrain_waits",
        "retrain_refused",
        "retrain_waits",
    ]


def test_gates_asked_again_by_a_stricter_declaration_are_recorded_and_the_last_word_counts(
    served, registry_database
) -> None:
    """A version that passed and is judged again by another rule is refused, and can no longer be deployed."""
    folder = served.folder / "model.yaml"
    declared = folder.read_text()
    strict = declared + "gates:\n  - loads_and_predicts: {}\n  - minimum_quality: {min_gain: 5.0}\n"

    def judge() -> Verdict:
        workspace = served.workspace(registry_database)
        measure(workspace, MODEL, "1", BIRTH)
        for gate in gates(workspace, MODEL):
            ask(workspace, MODEL, "1", BIRTH, gate)
        return conclude(workspace, MODEL, "1", BIRTH).verdict

    assert judge() is Verdict.PASS
    folder.write_text(strict)
    assert judge() is Verdict.FAIL
    with pytest.raises(NotPassedError, match="Version 1"):
        promote(served.workspace(registry_database), MODEL, "1", BIRTH)
    folder.write_text(declared)
    assert judge() is Verdict.PASS
    ledger = served.workspace(registry_database).ledger
    assert [e.kind for e in ledger.entries(MODEL, tuple(OUTCOME.values()))] == ["passed", "refused", "passed"]
    assert promote(served.workspace(registry_database), MODEL, "1", BIRTH).kind == "promoted"
    assert ledger.verify() == []


def test_a_night_watched_again_says_the_same_and_tells_nobody_twice(workspace: Workspace) -> None:
    """The monitor may run as often as it likes."""
    first = pass_night(workspace, MODEL, after(BIRTH))
    lines, alerts = len(workspace.ledger.entries()), len(Outbox(workspace.ledger.database).unrouted())
    assert pass_night(workspace, MODEL, after(BIRTH)).watched == first.watched
    assert len(workspace.ledger.entries()) == lines
    assert len(Outbox(workspace.ledger.database).unrouted()) == alerts
