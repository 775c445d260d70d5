"""A champion's alias that was moved by hand, taken as a wish: its version may serve if its gates let it.

A version that has served is returned to, one that was trained here is judged anew, and one from elsewhere is first
read from reviewed types only and registered under its hash. No alias ever stands for a gate.
"""

from __future__ import annotations

from perennial.clock import Night
from perennial.errors import PerennialError
from perennial.facts.decision import Verdict
from perennial.stages.adopt import take_in
from perennial.stages.candidates import trainings
from perennial.stages.deploy import stage, test
from perennial.stages.evaluate import ask, conclude, gates, measure
from perennial.stages.roll_back import roll_back
from perennial.stages.rollout import begin
from perennial.workspace import Workspace

REASON = "somebody moved the registry's alias, and changes by hand are adopted here."


def adopt_alias(
    workspace: Workspace, model: str, number: str, version: str, night: Night, *, actor: str
) -> tuple[bool, str]:
    """Try to let the version that the alias points at serve; return whether it does now, and why or why not."""
    try:
        if version in {reign.version for reign in workspace.ledger.timeline(model)}:
            entry = roll_back(workspace, model, night, reason=REASON, actor=actor, version=version)
            return True, entry.reason
        if version not in {one.version for one in trainings(workspace, model)}:
            found = workspace.registry.artefact(model, number)
            version = take_in(workspace, model, found, night, actor=actor).version
        return _by_its_gates(workspace, model, version, night, actor=actor)
    except PerennialError as problem:
        return False, f"It was set back, since the version may not serve: {problem}"


def _by_its_gates(
    workspace: Workspace, model: str, version: str, night: Night, *, actor: str
) -> tuple[bool, str]:
    """Judge it as of that night and, if it passes, begin the declared steps into production."""
    measure(workspace, model, version, night)
    for gate in gates(workspace, model):
        ask(workspace, model, version, night, gate)
    concluded = conclude(workspace, model, version, night)
    if concluded.verdict is not Verdict.PASS:
        return False, f"It was set back, since its gates say: {concluded.reason}"
    test(workspace, model, version, night)
    stage(workspace, model, version, night)
    entry = begin(workspace, model, version, night, actor=actor)
    serves = entry.kind == "promoted"
    return serves, entry.reason if serves else f"It was set back for now: {entry.reason}"
