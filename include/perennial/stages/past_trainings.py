"""Every challenger of a model: which champion it met, who asked for it, what became of it, what it cost and gained.

Read from the ledger. What the retraining policy foretells rests on it, and ``perennial decisions`` shows it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from perennial.clock import Night
from perennial.facts.evaluation import Evaluation
from perennial.facts.expected_gain import ExpectedGain, PastTraining, expected_gain
from perennial.facts.training_request import Trigger
from perennial.ledger.base import Entry
from perennial.stages import datasets
from perennial.stages.candidates import Candidate, trainings
from perennial.stages.hindsight import beside
from perennial.stages.usage import cpu_seconds, run_of
from perennial.workspace import Workspace

CONCLUDED = ("passed", "refused", "held")
JUDGED = "training_judged"
ALIKE: tuple[frozenset[str], ...] = (
    frozenset({"age", "growth"}),
    frozenset({"drift", "performance", "restart"}),
)
"""Who asks for like reasons: what came of the calendar's trainings tells little of one after a finding."""


@dataclass(frozen=True)
class Attempt:
    """A challenger and what became of it."""

    version: Candidate
    met: str
    """Version of the champion that it was to replace."""
    asked: Entry | None
    """The request for it; none where somebody trained without one."""
    promoted: bool
    judged: Entry | None
    """What the nights after it said; none before 28 have settled."""

    @property
    def trigger(self) -> str:
        """Who asked for it."""
        return str(self.asked.evidence["trigger"]) if self.asked else "manual"


def attempts(workspace: Workspace, model: str, before: Night) -> list[Attempt]:
    """List the challengers trained before a night whose gates have answered, in their order; never the first model."""
    ledger = workspace.ledger
    kinds = {"retrain", "promoted", JUDGED, *CONCLUDED}
    said = ledger.entries(model, kinds=kinds)
    found = []
    for version in trainings(workspace, model, before):
        met = ledger.champion(model, version.night)
        own = [one for one in said if version.version in _about(one)]
        if version.night >= before or met is None or met.version == version.version:
            continue
        if not any(one.kind in CONCLUDED for one in own):
            continue
        asked = [one for one in said if one.kind == "retrain" and one.night == version.night]
        judged = [one for one in own if one.kind == JUDGED and one.night <= before]
        promoted = any(one.kind == "promoted" for one in own)
        found.append(Attempt(version, met.version, _last(asked), promoted, _last(judged)))
    return found


def foretold(workspace: Workspace, model: str, night: Night, trigger: Trigger) -> ExpectedGain:
    """Learn what a training may gain tonight from earlier ones that were asked for by the like."""
    alike = next((group for group in ALIKE if trigger in group), None)
    known = attempts(workspace, model, night)
    past = [_past(workspace, one, night) for one in known if alike is None or one.trigger in alike]
    return expected_gain(past, night)


def cost(workspace: Workspace, model: str, version: str) -> float | None:
    """Return the CPU seconds that a version's training took, all steps; none where nothing was recorded."""
    run = run_of(workspace, model, version)
    return cpu_seconds(workspace, model, run) if run else None


def gain(workspace: Workspace, one: Attempt, night: Night) -> float | None:
    """Return the share of the loss that a challenger gained on nights after it, or else on its holdout."""
    if one.judged is not None:
        return float(str(one.judged.evidence["gain"]))
    known = {each.version: each for each in trainings(workspace, one.version.model)}
    change = beside(workspace, one.version, known[one.met], night)
    return change.gain if change else _on_holdout(workspace, one.version)


def _past(workspace: Workspace, one: Attempt, night: Night) -> PastTraining:
    gained = gain(workspace, one, night) if one.promoted else None
    spent = cost(workspace, one.version.model, one.version.version)
    return PastTraining(one.version.night, one.promoted, gained, spent)


def _on_holdout(workspace: Workspace, version: Candidate) -> float | None:
    """Return what the gates saw of it: the same share, on nights kept back from its training."""
    dataset, key = datasets.evaluations(version.model), f"{version.version}-{version.night}"
    if not workspace.store.version(dataset, key):
        return None
    told = workspace.store.read(dataset, key)["evaluation"][0].as_py()
    tallies = Evaluation.from_json(json.loads(told)).tallies
    met = sum(float(one.champion or 0.0) for one in tallies)
    return (met - sum(one.challenger for one in tallies)) / met if met > 0 else None


def _about(entry: Entry) -> tuple[Any, ...]:
    return entry.evidence.get("version"), entry.evidence.get("candidate")


def _last(entries: Sequence[Entry]) -> Entry | None:
    return entries[-1] if entries else None
