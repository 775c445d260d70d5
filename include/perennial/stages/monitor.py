"""Judge a night: did it come, does it look like the nights before it, did what was predicted come true?

Runs on its own clock, so that a night whose data never came is itself a finding. It reads profiles and settled
labels, asks each detector, lets the page budget decide, and says what follows; it never retrains by itself.
"""

from __future__ import annotations

from dataclasses import replace

from perennial.clock import Night, after, nights_apart
from perennial.facts.finding import Followed
from perennial.policies.triage import NOT_LEARNED_FROM, Diagnosis
from perennial.stages import datasets
from perennial.stages.arms import BESIDE, arms_beside, judge
from perennial.stages.candidates import Candidate, serving
from perennial.stages.crossings import crossings_before
from perennial.stages.findings import follow, named, record_findings, signs_of
from perennial.stages.judging import judge_past
from perennial.stages.learning import still_learning
from perennial.stages.performance import settle
from perennial.stages.realised import performance_of
from perennial.stages.retrain import asks_by_itself
from perennial.stages.set_aside import judge_nights
from perennial.stages.steering import skipped
from perennial.stages.verdict import GRAVITY, Arm, State, Watched, publish_verdict
from perennial.workspace import Workspace

SHOWN_TWICE = 2
"""Nights on which the watch by score must be over its threshold before it asks for a training."""


def monitor(workspace: Workspace, model: str, night: Night) -> Watched:
    """Judge a night, publish the verdict, and record it; the same night again says the same."""
    from perennial.stages.explained import with_guards

    settle(workspace, model, night)
    judge_past(workspace, model, night)
    version = serving(workspace, model, night)
    performance = performance_of(workspace, model, night, version)
    silent = silent_sources(workspace, model, night)
    word = skipped(workspace, model, night) if silent else None
    earlier = crossings_before(workspace, model, night)
    arms = [] if silent else judge(workspace, model, night, version, earlier)
    if arms:
        arms += arms_beside(workspace, model, night, version, performance, earlier)
    if word is None:
        watched = conclude(workspace, model, night, arms, silent, version)
    else:
        asks = asks_by_itself(workspace, model, night)
        watched = Watched(night, "skipped", word.reason, None, None, asks, None, {})
    watched = with_guards(workspace, model, watched, version.plan if version else workspace.plan(model).hash)
    signs = signs_of(workspace, model, watched, arms, version.version if version else None)
    followed = follow(workspace, model, night, signs)
    watched = replace(
        _explained(workspace, model, named(watched, followed), followed, arms, version),
        performance=performance.as_json(),
    )
    publish_verdict(workspace, model, watched, arms, signs)
    record_findings(workspace, model, watched, followed, arms, signs)
    return watched


def triaged(workspace: Workspace, model: str, night: Night) -> tuple[list[Arm], Diagnosis | None]:
    """Ask each detector and, where one is over its threshold, what that is due to; nothing is concluded yet."""
    if silent_sources(workspace, model, night):
        return [], None
    version = serving(workspace, model, night)
    arms = judge(workspace, model, night, version, crossings_before(workspace, model, night))
    return arms, _diagnosis(workspace, model, night, arms, version)


def _explained(
    workspace: Workspace,
    model: str,
    watched: Watched,
    followed: Followed,
    arms: list[Arm],
    version: Candidate | None,
) -> Watched:
    """Say what a page comes from on the night that it opens or gets graver; the nights between go on about it.

    Of what is only recorded, ``perennial explain`` says it when asked.
    """
    lives = {one.life(watched.night) for one in followed.findings}
    if watched.state != "page" or not lives & {"opened", "graver"}:
        return watched
    from perennial.stages.attribute import attribute

    asked = {arm.name: arm.reading for arm in arms if arm.name not in BESIDE}
    made = attribute(workspace, model, watched.night, version, asked)
    return replace(watched, reason=f"{watched.reason} {made.headline}") if made else watched


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
    action = diagnosis.action if diagnosis else _what_to_do(arms)
    if diagnosis and state == "page":
        reason = f"{reason} {diagnosis.reason}" if diagnosis.cause in NOT_LEARNED_FROM else reason
    if state == "silent":
        cause, action = (
            "silent_source",
            "Ask whoever delivers it; when it has come, run the night's validate.",
        )
    asks = _asks(workspace, model, night, arms, diagnosis) or asks_by_itself(workspace, model, night)
    plain = {arm.name: {"outcome": arm.outcome, **arm.decision.as_json()} for arm in arms}
    triage = diagnosis.as_json() if diagnosis else {}
    return Watched(night, state, reason, cause, action, asks, None, plain, triage=triage)


def _what_to_do(arms: list[Arm]) -> str | None:
    loud = [arm.name for arm in arms if arm.name in BESIDE and arm.outcome in ("notice", "page")]
    return " ".join(BESIDE[name] for name in loud) or None


def _diagnosis(
    workspace: Workspace, model: str, night: Night, arms: list[Arm], version: Candidate | None
) -> Diagnosis | None:
    """Name the cause of what stands over its threshold, and keep nights out that it found broken."""
    diagnosis = None
    asked = {arm.name: arm.reading for arm in arms if arm.name not in BESIDE}
    if any(reading.state == "over" for reading in asked.values()):
        from perennial.stages.causes import diagnose

        diagnosis = diagnose(workspace, model, night, version, asked)
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
    # That labels come and rows agree does not make a night quiet on which no detector could tell.
    told = [arm for arm in arms if arm.name not in BESIDE or arm.outcome != "quiet"] or arms
    worst = max(told, key=lambda arm: GRAVITY.index(arm.outcome))
    return worst.outcome, " ".join(arm.decision.reason for arm in told if arm.outcome == worst.outcome)
