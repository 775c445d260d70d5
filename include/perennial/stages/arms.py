"""Each detector asked about a night, each on a page budget of its own: the arms of the watch.

Stands between what nights published (profiles, settled labels) and the monitor, which puts the arms together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from perennial.clock import Night, after
from perennial.facts.decision import Decision
from perennial.facts.performance import Performance
from perennial.facts.reading import Reading
from perennial.facts.skew import Skew
from perennial.policies.paging import Crossing, PageBudget
from perennial.policies.triage import NOT_LEARNED_FROM
from perennial.stages import datasets
from perennial.stages.candidates import Candidate
from perennial.stages.importance import ignored_columns
from perennial.stages.verdict import Arm, State
from perennial.stages.weighing import weighed
from perennial.workspace import Workspace

LABELS, SKEW, ROLLBACK = "labels", "skew", "rollback"
BESIDE: Mapping[str, str] = {
    LABELS: "Ask whoever delivers the labels what is missing or late; until they come, what the model loses can only "
    "be estimated.",
    SKEW: "What the model was given is not what it learns from: run `perennial skew` on the night that is named, with "
    "`--all`.",
    ROLLBACK: "The version before it serves again. Find out what was wrong before the next promotion: `perennial "
    "explain` on the night that is named.",
}
"""Arms that triage is not asked about, since they name their cause themselves, and what to do."""
TOLD_NIGHTS = 7
"""Nights for which a rollback by the trigger is asked after: so its finding has an end."""
LEARNED_NIGHTS = 56
"""Nights after which the watch by score compares with nothing but nights since a change."""


Earlier: TypeAlias = Mapping[Night, Mapping[str, Any]]
"""How each arm ended the nights before: read once a night (``stages/crossings.py``), for all arms."""


def judge(
    workspace: Workspace, model: str, night: Night, version: Candidate | None, earlier: Earlier
) -> list[Arm]:
    """Ask each detector, each on a page budget of its own."""
    from perennial.stages.explained import with_reference
    from perennial.stages.label_profiles import keep_label_profiles
    from perennial.stages.profiling import watch

    watching = workspace.spec(model).monitoring
    plan_hash = version.plan if version else workspace.plan(model).hash
    arms = []
    seen = watch(workspace, model, night, plan_hash, version)
    if seen is not None:
        reading = with_reference(workspace, model, seen, watching.night_shift.read(seen))
        arms.append(_arm("night_shift", reading, watching.budget, earlier))
    keep_label_profiles(workspace, model, night)
    if version is not None:
        own = {key: ended for key, ended in earlier.items() if key >= version.night}
        arms += _arms_of_labels(workspace, model, night, version, own)
    if seen is not None and arms[0].outcome == "page":
        past = [Crossing(**ended["night_shift"]) for ended in earlier.values() if "night_shift" in ended]
        arms[0] = weighed(arms[0], arms[1:], seen, watching, ignored_columns(workspace, version), past)
    return arms


def arms_beside(
    workspace: Workspace,
    model: str,
    night: Night,
    version: Candidate | None,
    performance: Performance,
    earlier: Earlier,
) -> list[Arm]:
    """Ask what no model can answer for: do labels come as they did, and was the night scored on what is trained on?"""
    from perennial.stages.label_flow import BUDGET
    from perennial.stages.skew import watch_skew

    reading = performance.labels.reading
    found = []
    if reading.state != "learning":
        found.append(_arm(LABELS, reading, BUDGET, earlier))
    skew = watch_skew(workspace, model, night, version) if version else None
    if skew is not None and skew.verdict != "not assessable":
        found.append(arm_of_skew(night, skew))
    return found + _arm_of_rollback(workspace, model, night)


def _arm_of_rollback(workspace: Workspace, model: str, night: Night) -> list[Arm]:
    """Say on the night from which the trigger's rollback holds that there was one; on those after it, that it is past."""
    first = after(night, -TOLD_NIGHTS)
    back = workspace.ledger.entries(model, {"rolled_back"}, first_night=first, last_night=night)
    own = [entry for entry in back if entry.actor == "rollout"]
    if not own:
        return []
    tonight = own[-1].night == night
    said = own[-1].reason if tonight else f"The rollback on {own[-1].night} is past."
    reading = Reading(night, ROLLBACK, "over" if tonight else "quiet", said)
    conclude = Decision.failed if tonight else Decision.passed
    outcome: State = "page" if tonight else "quiet"
    return [Arm(ROLLBACK, outcome, reading, conclude(said, outcome=outcome), None)]


def arm_of_skew(night: Night, skew: Skew) -> Arm:
    """Say of a comparison what a detector says of a night: chance has no part in it, and no budget either."""
    outcomes: dict[str, State] = {"quiet": "quiet", "notice": "notice", "finding": "page"}
    outcome = outcomes[skew.outcome]
    reading = Reading(night, SKEW, "over" if outcome == "page" else "quiet", skew.reason)
    conclude = Decision.passed if outcome == "quiet" else Decision.failed
    return Arm(SKEW, outcome, reading, conclude(skew.reason, outcome=outcome, skew=skew.as_json()), None)


def _arms_of_labels(
    workspace: Workspace,
    model: str,
    night: Night,
    version: Candidate,
    earlier: Earlier,
) -> list[Arm]:
    """Ask what labels say of a version: of all its predictions together, and of low and high ones apart."""
    from perennial.stages.residual_nights import residuals
    from perennial.stages.residual_shape import score_residuals

    watching, arms = workspace.spec(model).monitoring, []
    found = residuals(workspace, model, night, version)
    if found is not None:
        slow = watching.residual_drift
        budget = PageBudget(false_pages=slow.false_pages, per_nights=slow.per_nights)
        arms.append(_arm("residual_drift", slow.read(found), budget, earlier))
    by_score = score_residuals(workspace, model, night, version)
    if by_score is not None:
        shape = watching.residual_shape
        crossed = {key: ended for key, ended in earlier.items() if _of_relation(workspace, model, key, ended)}
        budget = PageBudget(false_pages=shape.false_pages, per_nights=shape.per_nights)
        arms.append(_arm("residual_shape", _tonights(shape.read(by_score), night, crossed), budget, earlier))
    return arms


def _of_relation(workspace: Workspace, model: str, night: Night, ended: Mapping[str, Any]) -> bool:
    """Whether a night crossed by score, and triage did not lay it to the feed, the model or wrong labels."""
    if ended.get("residual_shape", {}).get("ratio", 0) <= 1:
        return False
    text = workspace.store.read(datasets.verdicts(model), night, ["verdict"])["verdict"][0].as_py()
    return json.loads(text).get("cause") not in NOT_LEARNED_FROM


def _tonights(reading: Reading, night: Night, earlier: Earlier) -> Reading:
    """Take what is read of the newest final labels as tonight's, beside how often it was over lately."""
    crossed = [
        key
        for key, ended in earlier.items()
        if key >= after(night, -LEARNED_NIGHTS) and ended.get(reading.arm, {}).get("ratio", 0) > 1
    ]
    return replace(reading, night=night, evidence={**reading.evidence, "crossed_before": len(crossed)})


def _arm(name: str, reading: Reading, budget: PageBudget, earlier: Earlier) -> Arm:
    decision = budget.decide(
        reading, [Crossing(**ended[name]) for ended in earlier.values() if name in ended]
    )
    outcome: Any = decision.evidence["outcome"]
    return Arm(name, outcome, reading, decision, PageBudget.remember(reading, decision))
