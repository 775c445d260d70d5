"""What ``perennial run`` does for each stage: the functions its DAG calls, and a sentence about the outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennial.clock import Night, between
from perennial.errors import NoVersionYetError
from perennial.facts.decision import Verdict
from perennial.facts.evidence import Json
from perennial.workspace import Workspace

if TYPE_CHECKING:
    from perennial.stages.replay import Renewal


@dataclass(frozen=True)
class Asked:
    """What a person asked a stage to do."""

    workspace: Workspace
    model: str
    first: Night
    """First night of a range; equal to ``night`` for one night."""
    night: Night
    version: str | None
    gate: str | None

    @property
    def newest_version(self) -> str:
        """The version that was named, or the one trained last."""
        from perennial.stages.candidates import trainings

        known = trainings(self.workspace, self.model)
        if not self.version and not known:
            raise NoVersionYetError(self.model)
        return self.version or known[-1].version


@dataclass(frozen=True)
class Done:
    """What a stage came to."""

    plain: Json
    sentence: str
    good: bool = True
    """Whether the answer is yes."""


def validate(asked: Asked) -> Done:
    """Take every source in, and close the night."""
    from perennial.stages.validate import close_night, take_in_range

    found = []
    for source in asked.workspace.spec(asked.model).sources:
        taken = take_in_range(asked.workspace, asked.model, source, asked.first, asked.night)
        found.append(taken.as_json())
    closed = close_night(asked.workspace, asked.model, asked.night)
    rows = ", ".join(f"{one['rows_in']} rows of {one['source']}" for one in found)
    sentence = f"{asked.night} is closed; taken in: {rows}; quarantined: {closed['quarantined']}."
    return Done({"sources": list(found), "closed": closed}, sentence)


def features(asked: Asked) -> Done:
    """Build what is missing of the feature repository."""
    from perennial.stages.build_features import build_features

    built = build_features(asked.workspace, asked.model, asked.night)
    return Done(built.as_json(), f"Built {built.rows} rows of {len(built.nights)} nights.")


def score(asked: Asked) -> Done:
    """Score each night of the range, and deliver it where a sink is declared."""
    from perennial.stages.score import deliver
    from perennial.stages.score import score as score_night

    sink = asked.workspace.spec(asked.model).sink
    scored = []
    for night in between(asked.first, asked.night):
        scored.append(score_night(asked.workspace, asked.model, night))
        if sink is not None:
            deliver(asked.workspace, asked.model, night)
    lines = (f"{one.night}: {one.rows} rows scored by version {one.version}." for one in scored)
    return Done([one.as_json() for one in scored], "\n".join(lines))


def monitor(asked: Asked) -> Done:
    """Judge each night of the range."""
    from perennial.stages.monitor import monitor as judge

    watched = [judge(asked.workspace, asked.model, night) for night in between(asked.first, asked.night)]
    lines = (f"{one.night} {one.state}: {one.reason}" for one in watched)
    return Done([one.as_json() for one in watched], "\n".join(lines))


def retrain(asked: Asked) -> Done:
    """Ask the policy, and let follow what follows."""
    from perennial.stages.replay import renew

    renewal = renew(asked.workspace, asked.model, asked.night, trigger="manual")
    plain: dict[str, Json] = {
        "asked": renewal.asked.as_json(),
        "version": renewal.version,
        "gates": renewal.gates.as_json() if renewal.gates else None,
        "promoted": renewal.promoted,
    }
    return Done(plain, renewal_told(renewal), good=renewal.promoted)


def renewal_told(renewal: Renewal) -> str:
    """Tell what became of a request for a new model."""
    said = [f"  retraining: {renewal.asked.reason}"]
    if renewal.version:
        said.append(f"  trained:    version {renewal.version}")
    if renewal.gates:
        said.append(f"  gates:      {renewal.gates.reason}")
        said.append(f"  promoted:   {'yes' if renewal.promoted else 'no'}")
    if renewal.instead:
        said.append(f"  instead:    {renewal.instead}")
    return "\n".join(said)


def train(asked: Asked) -> Done:
    """Train a candidate; nothing that serves changes."""
    from perennial.stages.train import assemble, fit, generations, tune

    workspace, model = asked.workspace, asked.model
    run = assemble(workspace, model, asked.night)
    for generation, batches in enumerate(generations(workspace, model)):
        for batch in range(batches):
            tune(workspace, model, run, generation, batch)
    made = fit(workspace, model, run)
    sentence = (
        f"Version {made.version} of {model} was trained on {made.rows} rows. "
        f"Next: perennial run {model} evaluate --version {made.version} --night {made.night}"
    )
    return Done(made.as_json(), sentence)


def evaluate(asked: Asked) -> Done:
    """Ask the gates, or one of them, about a version."""
    from perennial.catalogue import find
    from perennial.stages.evaluate import ask, conclude, gates, measure

    workspace, model, version, night = asked.workspace, asked.model, asked.newest_version, asked.night
    declared = gates(workspace, model)
    if asked.gate:
        find(asked.gate, {name: type(gate) for name, gate in declared.items()}, noun="gate of this model")
    measure(workspace, model, version, night)
    wanted = [asked.gate] if asked.gate else list(declared)
    answers = {name: ask(workspace, model, version, night, name) for name in wanted}
    lines = [f"{name}: {one.verdict.value}. {one.reason}" for name, one in answers.items()]
    plain: dict[str, Json] = {"version": version, "gates": {n: one.as_json() for n, one in answers.items()}}
    if asked.gate:
        return Done(plain, lines[0], good=answers[asked.gate].verdict is Verdict.PASS)
    decision = conclude(workspace, model, version, night)
    plain["conclusion"] = decision.as_json()
    return Done(plain, "\n".join([*lines, decision.reason]), good=decision.verdict is Verdict.PASS)


def deploy(asked: Asked) -> Done:
    """Take a version that passed to production: testing, staging, the switch or the first declared step."""
    from perennial.stages.deploy import stage, test
    from perennial.stages.rollout import begin
    from perennial.stages.rollout_state import STEP_OF

    workspace, model, version, night = asked.workspace, asked.model, asked.newest_version, asked.night
    test(workspace, model, version, night)
    stage(workspace, model, version, night)
    entry = begin(workspace, model, version, night)
    return Done(entry.as_json(), entry.reason, good=entry.kind in ("promoted", *STEP_OF))


def rollout(asked: Asked) -> Done:
    """Judge the shadow, the canary or the watch that stands on a night."""
    from perennial.stages.rollout import look

    looked = look(asked.workspace, asked.model, asked.night)
    said = [one.decision.reason for one in looked] or [f"Nothing is rolled out or watched on {asked.night}."]
    good = all(one.decision.verdict is not Verdict.FAIL for one in looked)
    return Done([one.as_json() for one in looked], "\n".join(said), good=good)


STAGES: Mapping[str, Callable[[Asked], Done]] = {
    each.__name__: each
    for each in (validate, features, score, monitor, retrain, train, evaluate, deploy, rollout)
}
"""Stages by name, in the order of a night."""
