"""Approval and force: by a person's word a version serves, and the ledger says by whose, for ever."""

from pathlib import Path

import pytest
from tests.doubles.projects import MODEL, Project
from tests.stages.conftest import BIRTH
from tests.stages.test_roll_back import promoted

from perennial.clock import after
from perennial.errors import NoRightToForceError, NothingToApproveError, UnknownVersionError
from perennial.stages.approvals import waiting
from perennial.stages.approving import approve
from perennial.stages.deploy import promote
from perennial.stages.evaluate import conclude
from perennial.stages.forcing import force
from perennial.stages.freezing import freeze
from perennial.workspace import Workspace

NIGHT = after(BIRTH, 3)
WHY = {"reason": "Version 1 answers nonsense.", "actor": "ann"}


@pytest.fixture
def two(served: Project, registry_database: Path) -> Workspace:
    """Open a project whose second version serves, and in which Ann may force another."""
    served.declare(more="force_by: [ann]\n")
    return promoted(served.workspace(registry_database), "2")


def test_without_the_right_nothing_is_forced(two: Workspace) -> None:
    """The refusal names who may and where the right is given; the ledger has no line of it."""
    with pytest.raises(NoRightToForceError, match=r"Those who may: ann\..*force_by: \[ben\]"):
        force(two, MODEL, "1", NIGHT, reason="I want to.", actor="ben")
    assert two.ledger.last(MODEL, "forced") is None


def test_what_serves_already_is_not_forced_again(two: Workspace) -> None:
    """The line that lets it serve is the answer."""
    assert force(two, MODEL, "2", NIGHT, **WHY) == two.ledger.last(MODEL, "promoted")
    assert two.ledger.last(MODEL, "forced") is None


def test_an_unknown_version_is_not_forced(two: Workspace) -> None:
    """Only what was trained or adopted here has bytes that anybody vouches for."""
    with pytest.raises(UnknownVersionError):
        force(two, MODEL, "99", NIGHT, **WHY)


def test_high_risk_waits_until_somebody_approves(served: Project, registry_database: Path) -> None:
    """The version waits, a person lets it go on, by name and reason, and the nights that passed stay as they were."""
    served.declare(extra="risk: high")
    workspace = served.workspace(registry_database)
    conclude(workspace, MODEL, "1", BIRTH)
    assert promote(workspace, MODEL, "1", BIRTH).kind == "awaits_approval"
    assert waiting(workspace, MODEL).evidence["version"] == "1"
    entry = approve(workspace, MODEL, NIGHT, reason="Read the report.", actor="ann")
    assert (entry.kind, entry.night, entry.actor) == ("promoted", after(NIGHT), "ann")
    assert workspace.ledger.last(MODEL, "approved").evidence["said"] == "Read the report."
    assert waiting(workspace, MODEL) is None
    with pytest.raises(NothingToApproveError):
        approve(workspace, MODEL, NIGHT, reason="Again.", actor="ann")


def test_a_force_breaks_a_freeze_and_says_what_the_gates_had_said(two: Workspace) -> None:
    """Word and promotion are two lines of one transaction; the promotion names the word."""
    freeze(two, MODEL, after(BIRTH, 4), after(BIRTH, 30), reason="Audit.", actor="ben")
    entry = force(two, MODEL, "1", after(BIRTH, 5), **WHY)
    word = two.ledger.last(MODEL, "forced")
    assert entry.evidence["forced"] == word.id
    assert "by force of ann" in entry.reason
    assert "Its gates had said: version 1 may go on" in word.reason
    assert two.ledger.champion(MODEL).version == "1"
    assert two.registry.alias(MODEL, "champion").version == "1"
    assert two.ledger.verify() == []
