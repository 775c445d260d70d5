"""A person's word about a night: hold it back, let it go again, or do without what never came.

Scoring asks whether a night is held, taking in and monitoring whether it is skipped. Each word is a line of the
ledger with its actor and reason; of several the last one counts.
"""

from __future__ import annotations

from perennial.clock import Night
from perennial.errors import HeldNightError, NotHeldError, SkippedNightError, UnknownEntryError
from perennial.ledger.base import Entry, NewEntry
from perennial.stages.recording import record
from perennial.stages.set_aside import RELEASED, set_aside
from perennial.workspace import Workspace

HELD, SKIPPED, RERUN = "night_held", "night_skipped", "night_rerun"


def hold(workspace: Workspace, model: str, night: Night, *, reason: str, actor: str) -> Entry:
    """Let nothing be scored for a night until it is released; holding a held night changes nothing."""
    standing = held(workspace, model, night)
    if standing is not None:
        return standing
    sentence = f"{actor} holds {model} on {night}: {reason} Nothing is scored until it is released."
    return say(workspace, model, night, HELD, sentence, actor=actor, said=reason)


def release(workspace: Workspace, model: str, night: Night, *, actor: str, reason: str = "") -> Entry:
    """Let a held night be scored, or one that was set aside because its feed looked broken be learned from again.

    Raises:
        NotHeldError: nobody holds it, and it was not set aside.
    """
    standing = held(workspace, model, night)
    if standing is None and night not in set_aside(workspace, model):
        raise NotHeldError(model, night)
    why = f": {reason}" if reason else "."
    what = f"which {standing.actor} held" if standing else "whose feed had looked broken"
    sentence = f"{actor} releases {model} on {night}, {what}{why}"
    return say(workspace, model, night, RELEASED, sentence, actor=actor, said=reason)


def skip(workspace: Workspace, model: str, night: Night, *, reason: str, actor: str) -> Entry:
    """Close a night without the deliveries that never came; what did come counts as on any night."""
    standing = skipped(workspace, model, night)
    if standing is not None:
        return standing
    sentence = f"{actor} skips what is missing of {model} on {night}: {reason}"
    return say(workspace, model, night, SKIPPED, sentence, actor=actor, said=reason)


def held(workspace: Workspace, model: str, night: Night) -> Entry | None:
    """Return the line that holds a night, if one does."""
    said = workspace.ledger.entries(model, {HELD, RELEASED}, first_night=night, last_night=night)
    return said[-1] if said and said[-1].kind == HELD else None


def skipped(workspace: Workspace, model: str, night: Night) -> Entry | None:
    """Return the line that skips a night, if one does."""
    said = workspace.ledger.entries(model, {SKIPPED}, first_night=night, last_night=night)
    return said[-1] if said else None


def refuse_unless_free(workspace: Workspace, model: str, night: Night) -> None:
    """Refuse to score a night that a person holds.

    Raises:
        HeldNightError: with the person's reason and the way to release it.
    """
    standing = held(workspace, model, night)
    if standing is not None:
        raise HeldNightError(model, night, standing.reason)


def refuse_without_rows(workspace: Workspace, model: str, night: Night) -> None:
    """Refuse to score a skipped night whose rows never came; on any other night nothing is said.

    Raises:
        SkippedNightError: with the person's reason.
    """
    standing = skipped(workspace, model, night)
    if standing is not None:
        raise SkippedNightError(model, night, standing.reason)


def say(
    workspace: Workspace, model: str, night: Night, kind: str, sentence: str, *, actor: str, said: str
) -> Entry:
    """Record a person's word; the same kind may be said of a night again, once something came between."""
    before = workspace.ledger.entries(model, {kind}, first_night=night, last_night=night)
    key = f"{night}-{len(before) + 1}"
    return record(workspace, NewEntry(model, kind, key, night, actor, sentence, {"said": said}))


NIGHTLY = ("validate", "features", "score", "monitor")
"""Stages of a night, in order; each needs the one before."""


def rerun_from(
    workspace: Workspace, model: str, night: Night, stage: str, *, actor: str, reason: str = ""
) -> tuple[str, ...]:
    """Record that a night is done again from a stage on, and return the stages to run, in order.

    Raises:
        UnknownEntryError: no night has such a stage.
    """
    if stage not in NIGHTLY:
        raise UnknownEntryError(noun="stage of a night", name=stage, meant=None, known=list(NIGHTLY))
    stages = NIGHTLY[NIGHTLY.index(stage) :]
    why = f": {reason}" if reason else "."
    sentence = f"{actor} runs {model} on {night} again from {stage} on{why}"
    say(workspace, model, night, RERUN, sentence, actor=actor, said=reason)
    return stages
