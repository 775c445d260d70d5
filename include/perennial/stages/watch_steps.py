"""What the monitor looks at before it judges, as steps that Airflow shows by name.

Each publishes what the verdict then finds ready and says in a sentence what it saw; the verdict would do the same by
itself, so that a replay in one process needs none of them, and a step that was killed costs nothing but its time.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from perennial.clock import Night
from perennial.facts.evidence import Json
from perennial.stages import datasets
from perennial.stages.candidates import serving
from perennial.stages.monitor import silent_sources, triaged
from perennial.stages.performance import settle
from perennial.stages.profiling import input_streams, prediction_streams
from perennial.stages.realised import performance_of
from perennial.workspace import Workspace


@dataclass(frozen=True)
class Step:
    """What a step saw."""

    night: Night
    reason: str

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        return asdict(self)


def look_at_data(workspace: Workspace, model: str, night: Night) -> Step:
    """Say what was delivered for the night, and profile the model's inputs."""
    silent = silent_sources(workspace, model, night)
    if silent:
        return Step(night, f"No delivery of {', '.join(silent)} has been published for {night}.")
    version = serving(workspace, model, night)
    plan_hash = version.plan if version else workspace.plan(model).hash
    nights = len(input_streams(workspace, model, night, plan_hash))
    return Step(night, f"{_delivered(workspace, model, night)}; {nights} nights of inputs to compare with.")


def look_at_predictions(workspace: Workspace, model: str, night: Night) -> Step:
    """Say what was scored, and profile the predictions."""
    version = serving(workspace, model, night)
    scored = workspace.store.manifest(datasets.predictions(model), night)
    if version is None:
        return Step(night, f"Nothing was scored on {night}: no version serves yet.")
    if scored is None:
        return Step(night, f"{night} has no predictions.")
    nights = len(prediction_streams(workspace, model, night, version))
    return Step(
        night,
        f"Version {version.version} predicted {scored.rows} rows on {night}; {nights} nights of its predictions to compare with.",
    )


def look_at_performance(workspace: Workspace, model: str, night: Night) -> Step:
    """Put labels beside predictions, and say what the version lost by them and probably loses since."""
    settle(workspace, model, night)
    return Step(night, performance_of(workspace, model, night, serving(workspace, model, night)).reason)


def look_for_cause(workspace: Workspace, model: str, night: Night) -> Step:
    """Ask each detector and, where one is over its threshold, what that is due to."""
    arms, diagnosis = triaged(workspace, model, night)
    if diagnosis is not None:
        return Step(night, diagnosis.reason)
    asked = ", ".join(arm.name for arm in arms) or "no detector: there is too little to judge by"
    return Step(night, f"Nothing is over its threshold on {night}; asked: {asked}.")


LOOKS = {
    "data": look_at_data,
    "predictions": look_at_predictions,
    "performance": look_at_performance,
    "triage": look_for_cause,
}
"""The steps by the names of their tasks, in order; the first three need nothing of each other."""


def _delivered(workspace: Workspace, model: str, night: Night) -> str:
    found: list[Any] = [
        (name, workspace.store.manifest(datasets.table(model, name), night))
        for name in workspace.spec(model).sources
    ]
    counts = ", ".join(f"{name} {manifest.rows} rows" for name, manifest in found if manifest)
    return f"Published for {night}: {counts or 'nothing'}"
