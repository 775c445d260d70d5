"""Nights in one process, through the very functions the DAGs call: for notebooks, tests and looking back.

The partitions, verdicts and evidence hashes are those of the scheduled runs; only run ids and wall times differ.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from perennial.clock import Night, between
from perennial.errors import HeldNightError, NoChampionError, SkippedNightError
from perennial.facts.decision import Decision, Verdict
from perennial.facts.evidence import Json
from perennial.facts.training_request import Trigger
from perennial.stages.build_features import build_features
from perennial.stages.deploy import stage, test
from perennial.stages.evaluate import ask, conclude, gates, measure
from perennial.stages.monitor import monitor
from perennial.stages.retrain import retrain
from perennial.stages.rollout import begin, look
from perennial.stages.score import Scored, score
from perennial.stages.selftest import test_gates_once
from perennial.stages.train import assemble, fit, generations, tune
from perennial.stages.validate import close_night, take_in_range
from perennial.stages.verdict import Watched
from perennial.workspace import Workspace


@dataclass(frozen=True)
class Renewal:
    """What became of a request for a new model."""

    asked: Decision
    """The retraining policy's answer."""
    version: str | None = None
    """The version that was trained."""
    gates: Decision | None = None
    """What the gates concluded."""
    promoted: bool = False
    instead: str | None = None
    """What deploying it came to, where it does not serve at once: a step that began, or what it waits for."""


@dataclass(frozen=True)
class Passed:
    """A night that has passed."""

    night: Night
    taken_in: dict[str, Json]
    scored: Scored | None
    watched: Watched
    renewal: Renewal | None

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        plain: dict[str, Json] = {
            "night": self.night,
            "taken_in": self.taken_in,
            "watched": self.watched.as_json(),
        }
        plain["scored"] = self.scored.as_json() if self.scored else None
        if self.renewal:
            asked, concluded = self.renewal.asked, self.renewal.gates
            plain["renewal"] = {
                **{
                    key: value
                    for key, value in asdict(self.renewal).items()
                    if key in ("version", "promoted")
                },
                "asked": asked.as_json(),
                "gates": concluded.as_json() if concluded else None,
            }
        return plain


def replay(workspace: Workspace, model: str, first: Night, last: Night) -> Iterator[Passed]:
    """Let the nights from ``first`` to ``last`` pass, one after the other; nobody is told of what is found."""
    looking_back = replace(workspace, quiet=True)
    try:
        for night in between(first, last):
            yield pass_night(looking_back, model, night)
            if night == first:
                # What the first night imported stays to the end: the collector need not walk through it every week.
                gc.freeze()
    finally:
        gc.unfreeze()  # else libraries that count their objects complain when the process ends


def load_history(workspace: Workspace, model: str, first: Night, last: Night) -> dict[str, Json]:
    """Bring in a range of nights in one pass, with the features that go with them."""
    spec = workspace.spec(model)
    for source in spec.sources:
        take_in_range(workspace, model, source, first, last)
    closed = close_night(workspace, model, last)
    build_features(workspace, model, last)
    return closed


def pass_night(workspace: Workspace, model: str, night: Night) -> Passed:
    """Take a night in, score it, judge it, and renew the model if that is asked for."""
    spec = workspace.spec(model)
    for source in spec.sources:
        take_in_range(workspace, model, source, night, night)
    taken_in = close_night(workspace, model, night)
    build_features(workspace, model, night)
    scored = _scored(workspace, model, night)
    watched = monitor(workspace, model, night)
    renewal = None
    if watched.asks is not None:
        trigger: Trigger = watched.asks  # type: ignore[assignment]  # one of them, kept as text in the verdict
        renewal = renew(
            workspace, model, night, trigger=trigger, cause=watched.cause, finding=watched.finding
        )
    look(workspace, model, night)
    return Passed(night, taken_in, scored, watched, renewal)


def renew(
    workspace: Workspace,
    model: str,
    night: Night,
    *,
    trigger: Trigger = "manual",
    cause: str | None = None,
    finding: str | None = None,
) -> Renewal:
    """Ask for a new model and, if the policy and then the gates agree, begin its way into production."""
    asked = retrain(workspace, model, night, trigger=trigger, cause=cause, finding=finding)
    if asked.verdict is not Verdict.PASS:
        return Renewal(asked)
    run = assemble(workspace, model, night)
    for generation, batches in enumerate(generations(workspace, model)):
        for batch in range(batches):
            tune(workspace, model, run, generation, batch)
    version = fit(workspace, model, run).version
    measure(workspace, model, version, night)
    for gate in gates(workspace, model):
        ask(workspace, model, version, night, gate)
    test_gates_once(workspace, model, version)
    concluded = conclude(workspace, model, version, night)
    if concluded.verdict is not Verdict.PASS:
        return Renewal(asked, version, concluded)
    test(workspace, model, version, night)
    stage(workspace, model, version, night)
    entry = begin(workspace, model, version, night)
    serves = entry.kind == "promoted"
    return Renewal(asked, version, concluded, promoted=serves, instead=None if serves else entry.reason)


def _scored(workspace: Workspace, model: str, night: Night) -> Scored | None:
    try:
        return score(workspace, model, night)
    except (NoChampionError, HeldNightError, SkippedNightError):
        return None
