"""The step ``performance``: what a version lost by its labels, probably loses since, and how labels come.

Stands between settled nights and the verdict; reads a few numbers a night and publishes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from perennial.clock import Night, after
from perennial.facts.evaluation import Evaluation, Tally
from perennial.facts.night_loss import ALL, GroupLoss
from perennial.facts.performance import Performance, SlicePerformance
from perennial.facts.realised import NightMean, Realised, realised
from perennial.stages import datasets
from perennial.stages.candidates import Candidate
from perennial.stages.estimate import estimated_of
from perennial.stages.label_flow import label_flow
from perennial.stages.night_losses import Known, losses_known
from perennial.stages.performance import nights_until_final
from perennial.workspace import Workspace

RECENT_NIGHTS, USUAL_NIGHTS = 14, 56
"""Settled nights of the version that are looked at, and those before them that they are put beside."""


def performance_of(workspace: Workspace, model: str, night: Night, version: Candidate | None) -> Performance:
    """Say how a version performs, as known at the end of ``night``; after ``settle`` has run for it."""
    spec = workspace.spec(model)
    known = losses_known(workspace, model, night)
    promise = promised(workspace, model, night, version) if version else None
    loss = spec.watched.loss_name
    last = after(night, -nights_until_final(spec))
    return Performance(
        night,
        version.version if version else None,
        loss,
        _realised(known, version, promise, ALL, loss),
        estimated_of(known, night, version),
        label_flow(known.losses, night, last),
        {
            name: SlicePerformance(
                _realised(known, version, promise, name, loss), estimated_of(known, night, version, name)
            )
            for name in spec.slices
        },
    )


def promised(workspace: Workspace, model: str, night: Night, version: Candidate) -> Evaluation | None:
    """Return the evaluation that let a version go on; none for one that was adopted."""
    dataset, name = datasets.evaluations(model), version.version
    keys = workspace.store.keys(dataset, f"{name}-", f"{name}-{night}")
    if not keys:
        return None
    return Evaluation.from_json(json.loads(workspace.store.read(dataset, keys[-1])["evaluation"][0].as_py()))


def _realised(
    known: Known, version: Candidate | None, promise: Evaluation | None, group: str, loss: str
) -> Realised:
    settled = [one for one in known.losses if one.matured and group in one.groups]
    own = [one for one in settled if version and one.version == version.version][-RECENT_NIGHTS:]
    before = [one for one in settled if own and one.night < own[0].night][-USUAL_NIGHTS:]
    recent, usual = ([_of(one.night, one.groups[group]) for one in each] for each in (own, before))
    who = f"version {version.version}" if version else "a version"
    return realised(who, recent, _tallies(promise, group), usual, loss)


def _of(night: Night, one: GroupLoss) -> NightMean:
    return NightMean(night, one.labelled, one.loss)


def _tallies(promise: Evaluation | None, group: str) -> list[NightMean]:
    """Return what evaluation found, on holdout nights; nothing where rows have no time to tell nights by."""
    if promise is None or promise.no_time:
        return []
    parts = {part.name: part.tallies for part in promise.slices}
    found: Sequence[Tally] = parts.get(group, ()) if group else promise.tallies
    return [NightMean(one.night, one.rows, one.challenger) for one in found]
