"""A person's word about a night counts until the next one, and is never forgotten."""

import pytest
from tests.doubles.projects import FIRST, MODEL

from perennial.clock import after
from perennial.errors import (
    HeldNightError,
    NightNotCompleteError,
    NotHeldError,
    SourceSilentError,
    UnknownEntryError,
)
from perennial.stages import datasets
from perennial.stages.build_features import build_features
from perennial.stages.monitor import monitor
from perennial.stages.replay import load_history, pass_night
from perennial.stages.score import score
from perennial.stages.steering import held, hold, release, rerun_from, skip
from perennial.stages.validate import close_night, take_in_range

NIGHT = after(FIRST, 49)
"""A night that the champion scores."""
WORD = {"reason": "The schedule is being corrected.", "actor": "ann"}


def taken_in(workspace, night: str) -> None:
    """Take a night's sources in, close it and build its features."""
    for source in workspace.spec(MODEL).sources:
        take_in_range(workspace, MODEL, source, night, night)
    close_night(workspace, MODEL, night)
    build_features(workspace, MODEL, night)


def test_a_held_night_is_scored_only_after_its_release(workspace) -> None:
    """The refusal repeats who holds it and why."""
    taken_in(workspace, NIGHT)
    hold(workspace, MODEL, NIGHT, **WORD)
    with pytest.raises(HeldNightError, match=r"ann holds .* The schedule is being corrected\."):
        score(workspace, MODEL, NIGHT)
    assert not workspace.store.version(datasets.predictions(MODEL), NIGHT)
    release(workspace, MODEL, NIGHT, actor="ben")
    assert score(workspace, MODEL, NIGHT).rows == 60


def test_other_nights_are_free_while_one_is_held(workspace) -> None:
    """Holding is about one night, and a passing night goes on without its scores."""
    hold(workspace, MODEL, NIGHT, **WORD)
    assert pass_night(workspace, MODEL, NIGHT).scored is None
    assert pass_night(workspace, MODEL, after(NIGHT)).scored.rows == 60


def test_a_night_can_be_held_again_after_its_release(workspace) -> None:
    """Each word is a line of its own; holding twice in a row is one word."""
    first = hold(workspace, MODEL, NIGHT, **WORD)
    assert hold(workspace, MODEL, NIGHT, reason="Again.", actor="ben") == first
    release(workspace, MODEL, NIGHT, actor="ann")
    second = hold(workspace, MODEL, NIGHT, **WORD)
    assert held(workspace, MODEL, NIGHT) == second
    assert second.id != first.id


def test_only_a_held_night_can_be_released(workspace) -> None:
    """A slip in the date is told."""
    with pytest.raises(NotHeldError, match=NIGHT):
        release(workspace, MODEL, NIGHT, actor="ann")


def test_a_skipped_night_closes_without_what_never_came(served, workspace) -> None:
    """Without the word it does not; what did come is scored."""
    (served.root / "data" / "outcomes" / f"{NIGHT}.csv").unlink()
    with pytest.raises(SourceSilentError):
        take_in_range(workspace, MODEL, "outcomes", NIGHT, NIGHT)
    take_in_range(workspace, MODEL, "orders", NIGHT, NIGHT)
    with pytest.raises(NightNotCompleteError, match="perennial skip orders_model"):
        close_night(workspace, MODEL, NIGHT)
    skip(workspace, MODEL, NIGHT, reason="The warehouse burnt.", actor="ann")
    passed = pass_night(workspace, MODEL, NIGHT)
    assert (passed.taken_in["rows"], passed.scored.rows) == (60, 60)


def test_monitoring_calls_a_skipped_night_skipped_not_silent(served, workspace) -> None:
    """Nobody is paged for what a person has settled; without the word it is a finding."""
    for source in ("orders", "outcomes"):
        (served.root / "data" / source / f"{NIGHT}.csv").unlink()
    assert monitor(workspace, MODEL, NIGHT).state == "silent"
    skip(workspace, MODEL, NIGHT, reason="The warehouse burnt.", actor="ann")
    passed = pass_night(workspace, MODEL, NIGHT)
    assert (passed.watched.state, passed.watched.finding, passed.scored) == ("skipped", None, None)
    assert "ann skips" in passed.watched.reason


def test_what_comes_after_all_counts_on_a_skipped_night(workspace) -> None:
    """Skipping does without what is missing, it does not throw away what is there."""
    skip(workspace, MODEL, NIGHT, reason="It will never come.", actor="ann")
    passed = pass_night(workspace, MODEL, NIGHT)
    assert passed.scored.rows == 60
    assert passed.watched.state != "skipped"


def test_a_word_about_a_night_names_its_actor_and_reason(workspace) -> None:
    """That is what the ledger is read for a year later."""
    entry = skip(workspace, MODEL, NIGHT, reason="The warehouse burnt.", actor="ann")
    assert (entry.actor, entry.evidence["said"], entry.night) == ("ann", "The warehouse burnt.", NIGHT)


def test_a_night_is_done_again_from_a_stage_on(workspace) -> None:
    """The stages after it follow, and each time is on record."""
    assert rerun_from(workspace, MODEL, NIGHT, "features", actor="ann") == ("features", "score", "monitor")
    rerun_from(workspace, MODEL, NIGHT, "features", actor="ann")
    assert len(workspace.ledger.entries(MODEL, {"night_rerun"})) == 2
    with pytest.raises(UnknownEntryError, match="stage of a night"):
        rerun_from(workspace, MODEL, NIGHT, "train", actor="ann")


def test_history_is_loaded_around_a_skipped_night(project, registry_database) -> None:
    """A hole in the past is no reason to stop."""
    project.declare().deliver(FIRST, after(FIRST, 9))
    (project.root / "data" / "orders" / f"{after(FIRST, 9)}.csv").unlink()
    workspace = project.workspace(registry_database)
    skip(workspace, MODEL, after(FIRST, 9), reason="Lost.", actor="ann")
    assert load_history(workspace, MODEL, FIRST, after(FIRST, 9))["rows"] == 0
