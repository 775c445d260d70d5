"""A change of a model's policies is one line, with what changed, before anything is promoted by it."""

from pathlib import Path

from tests.doubles.projects import MODEL, Project
from tests.stages.conftest import BIRTH

from perennial.clock import after
from perennial.stages.policy_changes import KIND, record_policies

NIGHT = after(BIRTH)


def test_the_first_promotion_was_by_recorded_policies(workspace) -> None:
    """The line is older than the verdict of the gates, and the same policies again are no line."""
    (first,) = workspace.ledger.entries(MODEL, {KIND})
    assert first.seq < workspace.ledger.last(MODEL, "passed").seq
    assert record_policies(workspace, MODEL, NIGHT) is None


def test_a_changed_gate_is_told_with_both_values(served: Project, registry_database: Path) -> None:
    """Who loosens a gate is found by asking the ledger; the change back is a line as well."""
    served.declare(more="gates:\n  - minimum_quality\n  - against_champion: {min_nights: 3}\n")
    changed = record_policies(served.workspace(registry_database), MODEL, NIGHT)
    assert changed is not None
    assert "gates.against_champion.min_nights was" in changed.reason
    assert "gates.slices was" in changed.reason
    served.declare()
    assert record_policies(served.workspace(registry_database), MODEL, NIGHT) is not None
    assert len(served.workspace(registry_database).ledger.entries(MODEL, {KIND})) == 3


def test_what_decides_nothing_is_no_policy(served: Project, registry_database: Path) -> None:
    """A new owner or description leaves the ledger as it is."""
    served.declare(extra="owner: shop@example.org")
    assert record_policies(served.workspace(registry_database), MODEL, NIGHT) is None
