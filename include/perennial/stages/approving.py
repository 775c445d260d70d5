"""Approve a version that passed its gates and waits for a person: from then on it serves, by name and reason."""

from __future__ import annotations

from perennial.clock import Night
from perennial.errors import NothingToApproveError
from perennial.ledger.base import Entry, NewEntry
from perennial.stages.approvals import APPROVED, waiting
from perennial.stages.deploy import promote
from perennial.stages.freezing import refuse_while_frozen
from perennial.stages.recording import record
from perennial.workspace import Workspace


def approve(workspace: Workspace, model: str, night: Night, *, reason: str, actor: str) -> Entry:
    """Let the version that waits serve from the night after ``night``, by a person's word on top of its gates.

    Raises:
        NothingToApproveError: no version waits.
        FrozenModelError: promotions are frozen.
    """
    asked = waiting(workspace, model)
    if asked is None:
        raise NothingToApproveError(model)
    refuse_while_frozen(workspace, model, night)
    version = str(asked.evidence["version"])
    sentence = f"{actor} approves version {version} of {model}: {reason}"
    said = {"version": version, "judged": asked.night, "asked": asked.id, "said": reason}
    record(
        workspace,
        NewEntry(model, APPROVED, asked.key, max(night, asked.night), actor, sentence, said),
    )
    return promote(workspace, model, version, asked.night, actor=actor)
