"""A person's word that a model stays as it is for a while: nothing is trained, nothing is promoted.

The retraining policy, the end of ``evaluate`` and ``deploy`` ask it. Scoring, watching and rolling back go on: a
freeze keeps what serves, it does not keep anybody from leaving it.
"""

from __future__ import annotations

from perennial.clock import Night
from perennial.errors import FrozenModelError, NotFrozenError, PastFreezeError
from perennial.ledger.base import Entry, NewEntry
from perennial.stages.recording import record
from perennial.workspace import Workspace

FROZEN, UNFROZEN = "frozen", "unfrozen"


def freeze(workspace: Workspace, model: str, night: Night, until: Night, *, reason: str, actor: str) -> Entry:
    """Train and promote nothing from ``night`` on, until the night ``until``, which is free again.

    The same word again changes nothing; another date or reason takes the place of the one that stands.

    Raises:
        PastFreezeError: ``until`` is not after the night.
    """
    if until <= night:
        raise PastFreezeError(model, night, until)
    standing = freeze_of(workspace, model, night)
    if standing is not None and (standing.evidence["until"], standing.evidence["reason"]) == (until, reason):
        return standing
    sentence = (
        f"{actor} freezes {model} until {until}: {reason} Nothing is trained or promoted before that night."
    )
    return _say(workspace, model, night, FROZEN, sentence, actor, {"until": until, "reason": reason})


def unfreeze(workspace: Workspace, model: str, night: Night, *, actor: str, reason: str = "") -> Entry:
    """End a freeze before its date.

    Raises:
        NotFrozenError: none stands on that night.
    """
    standing = freeze_of(workspace, model, night)
    if standing is None:
        raise NotFrozenError(model, night)
    until = str(standing.evidence["until"])
    why = f": {reason}" if reason else "."
    sentence = f"{actor} ends the freeze of {model}, which {standing.actor} had set until {until}{why}"
    return _say(workspace, model, night, UNFROZEN, sentence, actor, {"until": until, "reason": reason})


def freeze_of(workspace: Workspace, model: str, night: Night) -> Entry | None:
    """Return the line that freezes a model on a night, if one does."""
    said = workspace.ledger.entries(model, {FROZEN, UNFROZEN}, last_night=night)
    standing = said[-1] if said else None
    if standing is None or standing.kind == UNFROZEN or night >= str(standing.evidence["until"]):
        return None
    return standing


def frozen_reason(workspace: Workspace, model: str, night: Night) -> str | None:
    """Say until when, by whom and why a model is frozen on a night; nothing where it is not."""
    standing = freeze_of(workspace, model, night)
    if standing is None:
        return None
    return f"until {standing.evidence['until']}, by {standing.actor}: {standing.evidence['reason']}"


def refuse_while_frozen(workspace: Workspace, model: str, night: Night) -> None:
    """Refuse to train or promote while a freeze stands.

    Raises:
        FrozenModelError: with its reason and the way to end it.
    """
    reason = frozen_reason(workspace, model, night)
    if reason is not None:
        raise FrozenModelError(model, reason)


def _say(
    workspace: Workspace, model: str, night: Night, kind: str, sentence: str, actor: str, said: dict[str, str]
) -> Entry:
    before = workspace.ledger.entries(model, {kind}, first_night=night, last_night=night)
    return record(
        workspace, NewEntry(model, kind, f"{night}-{len(before) + 1}", night, actor, sentence, said)
    )
