"""Judge a night: did it come, does it look like the nights before it, did what was predicted come true?

Runs on its own clock, so that a night whose data never came is itself a finding. It reads profiles and settled
labels, asks each detector, lets the page budget decide, and says what follows; it never retrains by itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from perennial.clock import Night, after, nights_apart
from perennial.errors import NoChampionError
from perennial.facts.reading import Reading
from perennial.policies.paging import Crossing, PageBudget
from perennial.policies.retraining import RetrainingFacts
from perennial.policies.triage import NOT_LEARNED_FROM, Diagnosis
from perennial.stages import datasets
from perennial.stages.candidates import Candidate, champion
from perennial.stages.crossings import crossings_before
from perennial.stages.findings import follow, named, record_findings, signs_of
from perennial.stages.importance import ignored_columns
from perennial.stages.learning import still_learning
from perennial.stages.performance import settle
from perennial.stages.set_aside import judge_nights
from perennial.stages.steering import skipped
from perennial.stages.verdict import GRAVITY, Arm, State, Watched, publish_verdict
from perennial.stages.weighing import weighed
from perennial.workspace import Workspace

LEARNED_NIGHTS = 56
"""Nights after which the watch by score compares with nothing but nights since a change."""
SHOWN_TWICE = 2
"""Nights on which the watch by score must be over its threshold before it asks for a training."""


def monitor(workspace: Workspace, model: str, night: Night) -> Watched:
    """Judge a night, publish the verdict, and record it; the same night again says the same."""
    settle(workspace, model, night)
    version = _serving(workspace, model, night)
    silent = silent_sources(workspace, model, night)
    word = skipped(workspace, model, night) if silent else None
    arms = [] if silent else judge(workspace, model, night, version)
    if word is None:
        watched = conclude(workspace, model, night, arms, silent, version)
    else:
        asks = _asks_by_age(workspace, model, night, version)
        watched = Watched(night, "skipped", word.reason, None, None, asks, None, {})
    signs = signs_of(workspace, model, watched, arms, version.version if version else None)
    followed = follow(workspace, model, night, signs)
    watched = named(watched, followed)
    publish_verdict(workspace, model, watched, arms, signs)
    record_findings(workspace, model, watched, followed, arms, signs)
    return watched


def silent_sources(workspace: Workspace, model: str, night: Night) -> list[str]:
    """Name the sources that should have delivered for the night and have not."""
    spec = workspace.spec(model)
    return [
        name
        for name, source in spec.sources.items()
        if not source.static
        and (source.by_night or source.event_time)
        and (source.available is None or source.available.holds(night))
        and not workspace.store.version(datasets.table(model, name), night)
    ]


def judge(workspace: Workspace, model: str, night: Night, version: Candidate | None) -> list[Arm]:
    """Ask each detector, each on a page budget of its own."""
    from perennial.stages.profiling import watch

    watching = workspace.spec(model).monitoring
    plan_hash = version.plan if version else workspace.plan(model).hash
    arms = []
    earlier = crossings_before(workspace, model, night)
    seen = watch(workspace, model, night, plan_hash, version)
    if seen is not None:
        arms.append(_arm("night_shift", watching.night_shift.read(seen), watching.budget, earlier))
    if version is not None:
        own = {key: ended for key, ended in earlier.items() if key >= version.night}
        arms += _arms_of_labels(workspace, model, night, version, own)
    if seen is not None and arms[0].outcome == "page":
        past = [Crossing(**ended["night_shift"]) for ended in earlier.values() if "night_shift" in ended]
        arms[0] = weighed(arms[0], arms[1:], seen, watching, ignored_columns(workspace, version), past)
    return arms


def _arms_of_labels(
    workspace: Workspace,
    model: str,
    night: Night,
    version: Candidate,
    earlier: Mapping[Night, Mapping[str, Any]],
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


def _tonights(reading: Reading, night: Night, earlier: Mapping[Night, Mapping[str, Any]]) -> Reading:
    """Take what is read of the newest final labels as tonight's, beside how often it was over lately."""
    crossed = [
        key
        for key, ended in earlier.items()
        if key >= after(night, -LEARNED_NIGHTS) and ended.get(reading.arm, {}).get("ratio", 0) > 1
    ]
    return replace(reading, night=night, evidence={**reading.evidence, "crossed_before": len(crossed)})


def _arm(name: str, reading: Reading, budget: PageBudget, earlier: Mapping[Night, Mapping[str, Any]]) -> Arm:
    decision = budget.decide(
        reading, [Crossing(**ended[name]) for ended in earlier.values() if name in ended]
    )
    outcome: Any = decision.evidence["outcome"]
    return Arm(name, outcome, reading, decision, PageBudget.remember(reading, decision))


def conclude(
    workspace: Workspace,
    model: str,
    night: Night,
    arms: list[Arm],
    silent: list[str],
    version: Candidate | None,
) -> Watched:
    """Put the arms together: the gravest counts, and it is triaged before anybody is asked to act."""
    state, reason = _gravest(arms, silent, night)
    if state == "learning" and not arms:
        reason = still_learning(workspace, model, night)
    diagnosis = _diagnosis(workspace, model, night, arms, version)
    cause: str | None = diagnosis.cause if diagnosis else None
    action = diagnosis.action if diagnosis else None
    if diagnosis and state == "page":
        reason = f"{reason} {diagnosis.reason}" if diagnosis.cause in NOT_LEARNED_FROM else reason
    if state == "silent":
        cause, action = (
            "silent_source",
            "Ask whoever delivers it; when it has come, run the night's validate.",
        )
    asks = _asks(workspace, model, night, arms, diagnosis) or _asks_by_age(workspace, model, night, version)
    plain = {arm.name: {"outcome": arm.outcome, **arm.decision.as_json()} for arm in arms}
    triage = diagnosis.as_json() if diagnosis else {}
    return Watched(night, state, reason, cause, action, asks, None, plain, triage=triage)


def _diagnosis(
    workspace: Workspace, model: str, night: Night, arms: list[Arm], version: Candidate | None
) -> Diagnosis | None:
    """Name the cause of what stands over its threshold, and keep nights out that it found broken."""
    diagnosis = None
    if any(arm.reading.state == "over" for arm in arms):
        from perennial.stages.causes import diagnose

        diagnosis = diagnose(workspace, model, night, version, {arm.name: arm.reading for arm in arms})
    judge_nights(workspace, model, night, diagnosis)
    return diagnosis


def _asks(
    workspace: Workspace, model: str, night: Night, arms: list[Arm], diagnosis: Diagnosis | None
) -> str | None:
    """Let a drift ask for a new model on its page, or later when it lasts, and only where one is the answer.

    Other causes are told and recorded: a broken feed, or inputs that moved while labels follow or are not there.
    A watch that learns a changed relation as normal goes quiet while the version is still wrong: what it showed
    on two nights asks on until another version serves, or until it would be learned anyhow.
    """
    if diagnosis is None:
        before = [arm.reading.evidence.get("crossed_before") for arm in arms]
        shown = any(isinstance(count, int) and count >= SHOWN_TWICE for count in before)
        return "drift" if shown and _cooled_down(workspace, model, night) else None
    if not diagnosis.asks_for_training:
        return None
    paged = any(arm.outcome == "page" for arm in arms)
    return "drift" if paged or _cooled_down(workspace, model, night) else None


def _cooled_down(workspace: Workspace, model: str, night: Night) -> bool:
    """Whether the last request is long enough ago: a drift that lasts asks again, quietly.

    Tonight's own requests do not count, so that the same night watched again asks the same.
    """
    asked = workspace.ledger.entries(
        model, kinds={"retrain", "retrain_waits", "retrain_refused"}, last_night=after(night, -1)
    )
    if not asked:
        return True
    return nights_apart(asked[-1].night, night) >= workspace.spec(model).retraining.cooldown_nights


def _gravest(arms: list[Arm], silent: list[str], night: Night) -> tuple[State, str]:
    if silent:
        return "silent", (
            f"No delivery of {', '.join(silent)} has been published for {night}; "
            "nothing was judged, because absent data are not quiet data."
        )
    if not arms:
        return "learning", ""
    worst = max(arms, key=lambda arm: GRAVITY.index(arm.outcome))
    return worst.outcome, " ".join(arm.decision.reason for arm in arms if arm.outcome == worst.outcome)


def _asks_by_age(workspace: Workspace, model: str, night: Night, version: Candidate | None) -> str | None:
    if version is None:
        return None
    facts = RetrainingFacts(night=night, trigger="age", last_training_night=version.night)
    return "age" if workspace.spec(model).retraining.is_due(facts) else None


def _serving(workspace: Workspace, model: str, night: Night) -> Candidate | None:
    try:
        return champion(workspace, model, night)
    except NoChampionError:
        return None
