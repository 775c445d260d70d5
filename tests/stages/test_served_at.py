"""Whoever asks who served is answered for any moment, with the canary, the word behind it, and a verified ledger."""

import sqlite3
from pathlib import Path

import pytest
from tests.doubles.projects import MODEL, Project
from tests.stages.conftest import BIRTH
from tests.stages.test_roll_back import promoted

from perennial.clock import after, between, wall_clock
from perennial.errors import NotAMomentError, NothingServedError
from perennial.facts.canary import in_canary
from perennial.ledger.base import NewEntry
from perennial.stages.forcing import force
from perennial.stages.replay import pass_night
from perennial.stages.roll_back import roll_back
from perennial.stages.served_at import ServedAt, served_at
from perennial.workspace import Workspace

FIRST_NIGHT = after(BIRTH)
SHARE, SALT = 0.25, "orders_model-2"
ENTITIES = [f"order-{number}" for number in range(400)]


def canary(workspace: Workspace, kind: str, night: str, version: str = "2") -> None:
    """Record that a canary begins or ends on a night, as the rollout does."""
    now = workspace.ledger.champion(MODEL, night)
    about = {"champion": now.version if now else None, "share": SHARE, "salt": SALT}
    evidence = {"version": version, **(about if kind == "canary_started" else {"outcome": "stopped"})}
    workspace.ledger.append(
        NewEntry(MODEL, kind, f"{night}-{version}", night, "rollout", f"{kind}.", evidence)
    )


def asked(workspace: Workspace, at: str, entity: str | None = None) -> ServedAt:
    """Ask about a moment."""
    return served_at(workspace, MODEL, at, entity)


def test_every_night_is_answered_as_it_was(workspace: Workspace) -> None:
    """Three versions, a rollback and a return: night by night the version whose reign it was."""
    promoted(workspace, "2", "3")
    roll_back(workspace, MODEL, after(BIRTH, 9), reason="worse", actor="ann")
    told = [asked(workspace, night).version for night in between(FIRST_NIGHT, after(BIRTH, 12))]
    assert told == [*"111222333222"]
    with pytest.raises(NothingServedError):
        asked(workspace, BIRTH)


def test_a_time_is_the_night_it_lies_in_by_the_models_clock(served: Project, registry_database: Path) -> None:
    """Without a zone it is the model's own; with one it is brought there."""
    served.declare(extra="timezone: America/New_York")
    workspace = promoted(served.workspace(registry_database), "2")
    switch = after(BIRTH, 4)
    assert asked(workspace, f"{switch}T00:00").version == "2"
    assert asked(workspace, f"{switch}T04:59Z").version == "1"
    assert asked(workspace, f"{switch}T05:00Z").version == "2"
    with pytest.raises(NotAMomentError, match="2013-05-12T14:30"):
        asked(workspace, "half past two")


def test_a_decision_of_this_very_day_holds_from_its_moment(workspace: Workspace) -> None:
    """Before a rollback of today the version that went still served, a minute after it no longer."""
    promoted(workspace, "2")
    now = wall_clock()
    today = now.date().isoformat()
    done = roll_back(workspace, MODEL, after(today, -1), reason="worse", actor="ann")
    assert done.night == today
    assert asked(workspace, f"{today}T00:00:00Z").version == "2"
    assert asked(workspace, f"{today}T23:59:59Z").version == "1"
    assert asked(workspace, today).version == "1"


def test_each_entity_is_told_which_version_answered_it(workspace: Workspace) -> None:
    """While a canary stands the hash decides, outside of it the champion answered everybody."""
    promoted(workspace, "2")
    canary(workspace, "canary_started", after(BIRTH, 6), "3")
    canary(workspace, "canary_ended", after(BIRTH, 9), "3")
    during = {entity: asked(workspace, after(BIRTH, 7), entity) for entity in ENTITIES[:40]}
    assert {one.canary.share for one in during.values() if one.canary} == {SHARE}
    for entity, told in during.items():
        assert told.version == ("3" if in_canary(entity, SALT, SHARE) else "2")
    assert {told.version for told in during.values()} == {"2", "3"}
    for night in (after(BIRTH, 5), after(BIRTH, 9)):
        told = asked(workspace, night, next(one for one in ENTITIES if in_canary(one, SALT, SHARE)))
        assert (told.canary, told.version) == (None, "2")


def test_a_rollback_or_promotion_ends_a_canary(workspace: Workspace) -> None:
    """Also where nobody wrote that it ended: two versions never answer beside a third."""
    promoted(workspace, "2")
    canary(workspace, "canary_started", after(BIRTH, 6), "3")
    assert asked(workspace, after(BIRTH, 8)).canary is not None
    roll_back(workspace, MODEL, after(BIRTH, 8), reason="worse", actor="ann")
    assert asked(workspace, after(BIRTH, 9)).canary is None
    assert asked(workspace, after(BIRTH, 8)).canary is not None


def test_the_word_that_let_it_through_is_told(served: Project, registry_database: Path) -> None:
    """Gates for the first, force for the second, for ever; a rollback shows itself and the gates of its version."""
    served.declare(more="force_by: [ann]\n")
    workspace = promoted(served.workspace(registry_database), "2")
    assert [one.kind for one in asked(workspace, FIRST_NIGHT).let_through] == ["passed"]
    roll_back(workspace, MODEL, after(BIRTH, 4), reason="worse", actor="ann")
    assert [one.kind for one in asked(workspace, after(BIRTH, 5)).let_through] == ["passed", "rolled_back"]
    force(workspace, MODEL, "2", after(BIRTH, 6), reason="Emergency.", actor="ann")
    late = asked(workspace, "2031-01-01").as_json()
    assert (late["forced"], late["version"], "Emergency." in late["reason"]) == (True, "2", True)


def test_what_was_published_for_the_night_is_told_beside_it(workspace: Workspace) -> None:
    """The version in the store's manifest is the one that the ledger names."""
    pass_night(workspace, MODEL, FIRST_NIGHT)
    assert asked(workspace, FIRST_NIGHT).scored == {"version": "1", "rows": 60}
    assert asked(workspace, after(FIRST_NIGHT)).scored is None


def test_an_altered_ledger_says_so_in_the_answer(workspace: Workspace) -> None:
    """The answer comes with the lines that are not as they were written."""
    assert asked(workspace, FIRST_NIGHT).problems == ()
    with sqlite3.connect(workspace.home / "ledger.db") as connection:
        connection.execute("DROP TRIGGER entries_are_not_changed")
        connection.execute("UPDATE entries SET reason = 'Nothing happened.' WHERE seq = 2")
    told = asked(workspace, FIRST_NIGHT).as_json()
    assert told["ledger"]["whole"] is False
    assert any("Line 2" in problem for problem in told["ledger"]["problems"])
