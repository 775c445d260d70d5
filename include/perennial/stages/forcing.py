"""Force a version into production past its gates: for emergencies, by a right that the model's folder gives.

The ledger keeps who forced it, why and what its gates had said; whoever asks who serves or served is told so, for as
long as there is a ledger.
"""

from __future__ import annotations

from perennial.clock import Night, after
from perennial.errors import NoRightToForceError, NotFitToServeError
from perennial.facts.evidence import Json
from perennial.ledger.base import Entry, NewEntry
from perennial.stages.candidates import Predictor, candidate, mirror_champion
from perennial.stages.evaluate import OUTCOME
from perennial.stages.recording import record
from perennial.stages.roll_back import proven_live
from perennial.stages.rollout_state import start_watch
from perennial.workspace import Workspace

FORCED = "forced"


def force(workspace: Workspace, model: str, version: str, night: Night, *, reason: str, actor: str) -> Entry:
    """Let a version serve from the night after ``night``, whatever its gates said and whatever is frozen.

    Its bytes must still be those that were trained and behave as they did: nobody can force what cannot serve.

    Raises:
        NoRightToForceError: the model's folder does not name this person in ``force_by``.
        NotFitToServeError: it behaves otherwise than when it was trained.
    """
    spec = workspace.spec(model)
    if actor not in spec.force_by:
        raise NoRightToForceError(model, actor, list(spec.force_by))
    forced = candidate(workspace, model, version)
    if not Predictor(workspace, forced).behaves():
        raise NotFitToServeError(
            model, version, "its predictions on the fixed rows are not those of its training"
        )
    standing = workspace.ledger.champion(model)
    if standing is not None and standing.version == version:
        serves = workspace.ledger.get(standing.entry_id)
        if serves is not None:
            return serves
    since = max(after(night), standing.first_night) if standing else after(night)
    return _forced(workspace, model, version, since, standing.version if standing else None, reason, actor)


def _forced(
    workspace: Workspace,
    model: str,
    version: str,
    since: Night,
    replaced: str | None,
    reason: str,
    actor: str,
) -> Entry:
    """Record the force and the promotion in one transaction, so that neither is ever without the other."""
    judged, forced = _judged(workspace, model, version), candidate(workspace, model, version)
    sentence = (
        f"{actor} forced version {version} of {model} into production: {reason} Its gates had said: {judged}"
    )
    serves = f"Version {version} of {model} serves by force of {actor}, not by its gates: {reason}"
    said: dict[str, Json] = {"version": version, "replaces": replaced}
    with workspace.ledger.database.writing():
        key = f"{since}-{version}-forced-{len(workspace.ledger.entries(model, {FORCED})) + 1}"
        about = {**said, "said": reason, "gates": judged}
        word = record(workspace, NewEntry(model, FORCED, key, since, actor, sentence, about))
        evidence = {**said, "behaviour": forced.behaviour, "plan": forced.plan, "forced": word.id}
        entry = record(workspace, NewEntry(model, "promoted", key, since, actor, serves, evidence))
        start_watch(workspace, entry, proven_live(workspace.ledger.timeline(model), version))
    mirror_champion(workspace, model)
    return entry


def _judged(workspace: Workspace, model: str, version: str) -> str:
    """Repeat what the gates concluded about a version last."""
    concluded = workspace.ledger.entries(model, tuple(OUTCOME.values()))
    about = [one for one in concluded if one.evidence.get("candidate") == version]
    return about[-1].reason if about else "No gate was ever asked about it."
