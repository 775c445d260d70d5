"""By a person's word an earlier version serves again, at once, and only one that has served well."""

from pathlib import Path

import pytest
from tests.doubles.projects import MODEL
from tests.stages.conftest import BIRTH

from perennial.clock import after
from perennial.errors import (
    NeverServedError,
    NothingToRollBackToError,
    RefusedArtefactError,
    UnknownVersionError,
)
from perennial.ledger.base import Entry, NewEntry
from perennial.stages.roll_back import roll_back
from perennial.workspace import Workspace

VERSION = {"2": 3, "3": 6, "4": 9}
"""Nights after the first champion's birth on which further versions are promoted in these tests."""


def promoted(workspace: Workspace, *versions: str) -> Workspace:
    """Put further versions into production, on later nights; their bytes are those of the first."""
    first = workspace.ledger.last(MODEL, "trained")
    assert first is not None
    bytes_of = workspace.registry.version(MODEL, "1")
    for version in versions:
        night = after(BIRTH, VERSION[version])
        client = workspace.registry._client
        made = client.get_model_version(MODEL, "1")
        tags = {**made.tags, "perennial.run_key": f"copy-{version}"}
        address = client.get_model_version_download_uri(MODEL, "1")
        client.create_model_version(MODEL, address, made.run_id, tags=tags)
        sha = {"version": version, "sha256": bytes_of.sha256}
        workspace.ledger.append(NewEntry(MODEL, "registered", version, night, "test", "Made.", sha))
        evidence = {**first.evidence, "version": version, "night": night}
        workspace.ledger.append(NewEntry(MODEL, "trained", version, night, "test", "Made.", evidence))
        serves = {"version": version}
        workspace.ledger.append(NewEntry(MODEL, "promoted", version, after(night), "test", "Serves.", serves))
    return workspace


def back(
    workspace: Workspace, days: int, reason: str = "too many returns", version: str | None = None
) -> Entry:
    """Roll back so many nights after the first champion's birth."""
    return roll_back(workspace, MODEL, after(BIRTH, days), reason=reason, actor="ann", version=version)


def serving(workspace: Workspace) -> str | None:
    """Name the version that serves from now on."""
    now = workspace.ledger.champion(MODEL)
    return now.version if now else None


def test_the_version_before_serves_again_from_the_next_night(workspace: Workspace) -> None:
    """Before, the second served; after, the first; the alias follows and the sentence says who and why."""
    promoted(workspace, "2")
    entry = back(workspace, 5)
    night = after(BIRTH, 5)
    before, then = (workspace.ledger.champion(MODEL, key) for key in (night, after(night)))
    assert before is not None
    assert then is not None
    assert (before.version, then.version) == ("2", "1")
    alias = workspace.registry.alias(MODEL, "champion")
    assert alias is not None
    assert alias.version == "1"
    assert entry.reason == f"ann returned {MODEL} from version 2 to version 1: too many returns"
    assert workspace.ledger.verify() == []


def test_the_same_request_repeated_does_not_swing_back(workspace: Workspace) -> None:
    """A task that is retried after its line was written must not return to the version just left."""
    promoted(workspace, "2")
    first = back(workspace, 5)
    assert back(workspace, 5) == first
    assert serving(workspace) == "1"


def test_asking_for_the_version_that_serves_changes_nothing(workspace: Workspace) -> None:
    """No line is written for a change that is none."""
    promoted(workspace, "2")
    lines = len(workspace.ledger.entries())
    assert back(workspace, 5, "by mistake", version="2").kind == "promoted"
    assert len(workspace.ledger.entries()) == lines


def test_going_back_twice_goes_further_back_not_forth(workspace: Workspace) -> None:
    """What was left as bad is not the version that last served well."""
    promoted(workspace, "2", "3")
    assert back(workspace, 8, "bad").evidence["version"] == "2"
    assert back(workspace, 9, "bad as well").evidence["version"] == "1"
    with pytest.raises(NothingToRollBackToError):
        back(workspace, 10, "worse")


def test_after_a_new_promotion_the_version_rolled_back_to_is_the_one_before(workspace: Workspace) -> None:
    """1, 2, back to 1, then 3: from 3 the way back is 1, not the 2 that was left."""
    promoted(workspace, "2")
    back(workspace, 4)
    promoted(workspace, "3")
    assert back(workspace, 8, "again").evidence["version"] == "1"


def test_a_rollback_asked_on_an_old_night_still_holds_at_once(workspace: Workspace) -> None:
    """The night of the form may lie before the promotion it undoes; who serves now is undone all the same."""
    promoted(workspace, "2")
    entry = back(workspace, 1)
    assert serving(workspace) == "1"
    assert entry.night == after(BIRTH, 4)


def test_two_rollbacks_of_one_night_for_different_reasons_are_both_on_record(workspace: Workspace) -> None:
    """Another reason is another request; nothing conflicts."""
    promoted(workspace, "2", "3")
    back(workspace, 8, "first look")
    back(workspace, 8, "second look")
    assert [e.evidence["version"] for e in workspace.ledger.entries(MODEL, {"rolled_back"})] == ["2", "1"]
    assert serving(workspace) == "1"


def test_the_first_champion_cannot_be_rolled_back(workspace: Workspace) -> None:
    """There is nothing to return to, and it is said so."""
    with pytest.raises(NothingToRollBackToError, match="version 1 is the only one"):
        back(workspace, 1)


def test_a_version_that_never_served_is_no_way_around_the_gates(workspace: Workspace) -> None:
    """Only the gates lead to production for the first time; an unknown version is unknown."""
    promoted(workspace, "2")
    with pytest.raises(NeverServedError, match="Versions that have served: 1, 2"):
        back(workspace, 5, version="9")
    serves = {"version": "3"}
    night = after(BIRTH, 5)
    workspace.ledger.append(NewEntry(MODEL, "promoted", "x", night, "test", "Serves.", serves))
    with pytest.raises(UnknownVersionError):
        back(promoted(workspace, "4"), 10, version="3")


def test_a_version_whose_bytes_were_changed_is_not_returned_to(workspace: Workspace, served) -> None:
    """The bytes are verified before anything changes; then nothing changes."""
    promoted(workspace, "2")
    tamper(served.root)
    with pytest.raises(RefusedArtefactError):
        back(workspace, 5)
    assert serving(workspace) == "2"


def tamper(root: Path) -> None:
    """Change the last byte of every artefact."""
    found = list(root.rglob("*.skops"))
    assert found
    for path in found:
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
