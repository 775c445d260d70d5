"""Which version waits for a person's approval, and which has it: read from the ledger.

A model of high risk stops after staging; ``deploy`` asks here whether somebody has let it go on.
"""

from __future__ import annotations

from perennial.clock import Night
from perennial.ledger.base import Entry
from perennial.stages.evaluate import OUTCOME
from perennial.workspace import Workspace

APPROVED, WAITS = "approved", "awaits_approval"


def waiting(workspace: Workspace, model: str) -> Entry | None:
    """Return the line of the version that waits for approval; none where what waited has been answered since."""
    said = workspace.ledger.entries(model, {WAITS, APPROVED, "promoted", *OUTCOME.values()})
    last = next((one for one in reversed(said) if one.kind == WAITS), None)
    if last is None or any(one.seq > last.seq for one in said):
        return None
    return last


def approved(workspace: Workspace, model: str, version: str, night: Night) -> Entry | None:
    """Return the line in which a person approves the version as it was judged on that night."""
    said = workspace.ledger.entries(model, {APPROVED}, first_night=night)
    about = [one for one in said if (one.evidence["version"], one.evidence["judged"]) == (version, night)]
    return about[-1] if about else None
