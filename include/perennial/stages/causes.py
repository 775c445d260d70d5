"""What a page is likely due to: a broken feed, inputs that moved, or a relation that changed.

Asked only on a night that crossed a threshold; reads the profiles of that night and of those before it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from perennial.clock import Night, after, between
from perennial.facts.profile import Profile
from perennial.facts.reading import Reading
from perennial.policies.triage import Diagnosis, Triage, TriageFacts
from perennial.stages import datasets
from perennial.stages.performance import nights_until_final
from perennial.stages.profiling import edges_of_inputs, inputs_name
from perennial.workspace import Workspace

REFERENCE_NIGHTS = 56
"""Nights before the finding that are taken as ordinary: eight of each weekday."""
SLOW_NIGHTS = 14
"""Nights that a finding of the slow arm is about."""


def diagnose(
    workspace: Workspace, model: str, night: Night, plan_hash: str, readings: Mapping[str, Reading]
) -> Diagnosis:
    """Name the likely cause of tonight's finding."""
    relation = _relation(readings)
    nights = _nights_about(workspace, model, night, relation)
    begin = min(nights)
    # Else the second night of a broken feed would be compared with the first, and look like it.
    before = _profiles(workspace, model, plan_hash, after(begin, -REFERENCE_NIGHTS), after(begin, -1))
    facts = TriageFacts(
        night=night,
        edges=edges_of_inputs(workspace, model, plan_hash),
        reference={key: kept for key, kept in before.items() if not _strange(workspace, model, key)},
        recent={
            key: kept
            for key, kept in _profiles(workspace, model, plan_hash, begin, night).items()
            if key in nights
        },
        inputs=readings.get("night_shift"),
        residuals=relation,
    )
    return Triage().diagnose(facts)


def _relation(readings: Mapping[str, Reading]) -> Reading | None:
    """Return the reading of labels that is over its threshold, the slow arm's first; else the slow arm's."""
    slow, shape = readings.get("residual_drift"), readings.get("residual_shape")
    return next((one for one in (slow, shape) if one is not None and one.state == "over"), slow or shape)


def _nights_about(workspace: Workspace, model: str, night: Night, relation: Reading | None) -> list[Night]:
    """List the nights a finding is about, tonight among them: a feed may have broken on any."""
    if relation is None or relation.state != "over":
        return [night]
    if relation.arm == "residual_drift":
        return between(after(night, 1 - SLOW_NIGHTS), night)
    return [after(night, -nights_until_final(workspace.spec(model))), night]


def _profiles(
    workspace: Workspace, model: str, plan_hash: str, first: Night, last: Night
) -> dict[Night, Profile]:
    dataset = datasets.profiles(model, inputs_name(workspace, model, plan_hash))
    return {
        key: Profile.from_json(
            json.loads(workspace.store.read(dataset, key, ["profile"])["profile"][0].as_py())
        )
        for key in workspace.store.keys(dataset, first, last)
    }


def _strange(workspace: Workspace, model: str, key: Night) -> bool:
    """Whether the nightly watch crossed its threshold: a night like this is no measure of what is ordinary."""
    verdict = workspace.store.manifest(datasets.verdicts(model), key)
    crossings: Any = verdict.meta.get("crossings") if verdict else None
    crossing = (crossings or {}).get("night_shift")
    return crossing is not None and crossing["ratio"] > 1
