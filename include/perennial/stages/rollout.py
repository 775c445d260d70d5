"""Between staging and production, night by night: begin the declared steps, judge what stands, go on, stop, roll back.

``deploy`` begins a rollout; after that each night's ``look`` reads where it stands, counts the nights that have
matured, asks the policy and carries its answer out. Nothing waits in between: the state is the ledger's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from perennial.clock import Night, after
from perennial.facts.decision import Decision, Verdict
from perennial.facts.evidence import Evidence, Json, as_text
from perennial.ledger.base import Entry, NewEntry
from perennial.policies import rollback
from perennial.policies.rollout import Rolling as Known
from perennial.stages import datasets
from perennial.stages.candidates import candidate
from perennial.stages.deploy import must_have_passed, promote
from perennial.stages.freezing import frozen_reason
from perennial.stages.paired_nights import Pair, PairedNights, with_matured
from perennial.stages.recording import record
from perennial.stages.roll_back import left_by_rollback, roll_back
from perennial.stages.rollout_state import (
    Rolling,
    Watch,
    end_step,
    end_watch,
    standing,
    start_step,
)
from perennial.workspace import Workspace

ACTOR = "rollout"


@dataclass(frozen=True)
class Looked:
    """What a night's look came to."""

    step: str
    """``shadow``, ``canary`` or ``watch``."""
    version: str
    against: str
    decision: Decision

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        return {**vars(self), "decision": self.decision.as_json()}


def begin(workspace: Workspace, model: str, version: str, night: Night, *, actor: str = "deploy") -> Entry:
    """Start the first declared step, or put the version into production at once where there is none.

    A version that was rolled back from, or one that predicts as it did, is not begun again: two models must not swap
    places for ever. The first champion has nothing to be compared with.

    Raises:
        NotPassedError: the gates of that night did not pass this version.
    """
    must_have_passed(workspace, model, version, night)
    rolled_back = _as_one_left(workspace, model, version)
    if rolled_back is not None:
        return _refused(workspace, model, version, night, rolled_back)
    steps, now = workspace.spec(model).rollout.steps, workspace.ledger.champion(model, night)
    if not steps or now is None or now.version == version:
        return promote(workspace, model, version, night, actor=actor)
    earlier = standing(workspace, model, after(night)).rolling
    if earlier is not None and earlier.version != version:
        reason = f"Version {earlier.version} of {model} is stopped: version {version} takes its place."
        end_step(workspace, model, earlier, night, reason, {"outcome": "overtaken"})
    change = candidate(workspace, model, version).change
    first = after(night)
    step = Rolling(steps[0], version, now.version, change, night, first, first, 0.0, "")
    return _start(workspace, model, step, night)


def stands(workspace: Workspace, model: str, night: Night) -> list[str]:
    """Name what is to be looked at on a night: a step, a watch, both or nothing."""
    now = standing(workspace, model, night)
    return [*([now.rolling.step] if now.rolling else []), *(["watch"] if now.watch else [])]


def look(workspace: Workspace, model: str, night: Night, *, only: str | None = None) -> list[Looked]:
    """Judge what stands on a night, all or ``only`` one of it, and carry out what follows; again is harmless."""
    now, found = standing(workspace, model, night), []
    if now.rolling and only in (None, now.rolling.step):
        found.append(_look_at_step(workspace, model, now.rolling, night))
    if now.watch and only in (None, "watch"):
        found.append(_look_at_watch(workspace, model, now.watch, night))
    return found


def _look_at_step(workspace: Workspace, model: str, step: Rolling, night: Night) -> Looked:
    decision = _overtaken(workspace, model, step, night) or _judge_step(workspace, model, step, night)
    outcome = str(decision.evidence.get("outcome", ""))
    about: Evidence = {"outcome": outcome, "evidence": decision.evidence}
    if decision.verdict is Verdict.PASS:
        following = workspace.spec(model).rollout.next_step(step.step)
        if following is None:
            promote(workspace, model, step.version, step.judged, actor=ACTOR, since=night)
        else:
            _start(workspace, model, replace(step, step=following), night)
    if decision.verdict is not Verdict.HOLD:
        end_step(workspace, model, step, night, decision.reason, about)
    return Looked(step.step, step.version, step.champion, decision)


def _overtaken(workspace: Workspace, model: str, step: Rolling, night: Night) -> Decision | None:
    """Say that a step has lost its sense: another champion serves, or the declaration has no such step any more."""
    now = workspace.ledger.champion(model, night)
    serves = now.version if now else None
    if serves != step.champion:
        what = f"version {serves} serves now, and it was compared with version {step.champion}"
    elif step.step not in workspace.spec(model).rollout.steps:
        what = f"{step.step} is no longer among the declared steps"
    else:
        return None
    return Decision.failed(f"Version {step.version} of {model} is stopped: {what}.", outcome="overtaken")


def _judge_step(workspace: Workspace, model: str, step: Rolling, night: Night) -> Decision:
    policy, dataset = workspace.spec(model).rollout, datasets.rollouts(model)
    pair = Pair(step.version, step.champion, step.begun, policy.min_rows)
    before = _before(workspace, dataset, pair, night)
    nights = with_matured(workspace, model, pair, _nights(before), night)
    reference = before["reference"] if before else _evaluated(workspace, model, pair, step.judged)
    known = Known(
        step=step.step,
        kind=step.change,
        challenger=f"version {step.version}",
        champion=f"version {step.champion}",
        gains=nights.gains,
        step_nights=sum(one.night >= step.since for one in nights.nights),
        reference=reference,
        waiting=nights.waiting,
        broken=_broken(workspace, model, step.version, night, since=step.since),
        frozen_reason=frozen_reason(workspace, model, night),
    )
    decision = policy.decide(known)
    _publish(workspace, dataset, night, pair, nights, reference, decision)
    return decision


def _look_at_watch(workspace: Workspace, model: str, watch: Watch, night: Night) -> Looked:
    now = workspace.ledger.champion(model, night)
    if now is None or now.version != watch.version:
        reason = f"The watch over version {watch.version} of {model} ends: it serves no longer."
        decision = Decision.passed(reason, outcome="overtaken")
    else:
        decision = _judge_watch(workspace, model, watch, night)
    if decision.verdict is Verdict.FAIL:
        roll_back(workspace, model, night, reason=decision.reason, actor=ACTOR, version=watch.against)
    if decision.verdict is not Verdict.HOLD:
        outcome = {Verdict.FAIL: "rolled back", Verdict.PASS: decision.evidence.get("outcome", "kept")}
        about: Evidence = {"outcome": outcome[decision.verdict], "evidence": decision.evidence}
        end_watch(workspace, model, watch, night, decision.reason, about)
    return Looked("watch", watch.version, watch.against, decision)


def _judge_watch(workspace: Workspace, model: str, watch: Watch, night: Night) -> Decision:
    dataset = datasets.watches(model)
    pair = Pair(watch.version, watch.against, watch.begun, workspace.spec(model).rollout.min_rows)
    before = _before(workspace, dataset, pair, night)
    nights = with_matured(workspace, model, pair, _nights(before), night)
    reference = before["reference"] if before else _earlier_gains(workspace, model, pair)
    known = rollback.Watching(
        f"version {watch.version}",
        f"version {watch.against}",
        nights.gains,
        reference,
        watch.nights,
        broken=_broken(workspace, model, watch.version, night, since=watch.begun),
    )
    decision = rollback.decide(known)
    _publish(workspace, dataset, night, pair, nights, reference, decision)
    return decision


def _start(workspace: Workspace, model: str, step: Rolling, night: Night) -> Entry:
    policy, who = workspace.spec(model).rollout, f"version {step.version} of {model}"
    if step.step == "canary":
        step = replace(step, share=policy.canary_share, salt=f"{model}-{step.version}-{step.judged}")
        how = f"answers {100 * step.share:g} % of the entities, chosen by hash (salt {step.salt})"
    else:
        how = f"scores the same nights as version {step.champion}, and is not used"
    begun = replace(step, since=after(night))
    return start_step(workspace, model, begun, night, f"From {after(night)} on {who} {how}.")


def _as_one_left(workspace: Workspace, model: str, version: str) -> str | None:
    """Name a version that was rolled back from and is this one, or predicts as this one does."""
    own = candidate(workspace, model, version)
    for name in left_by_rollback(workspace.ledger.timeline(model)):
        if name == version or candidate(workspace, model, name).behaviour == own.behaviour:
            return name
    return None


def _refused(workspace: Workspace, model: str, version: str, night: Night, left: str) -> Entry:
    same = "it" if left == version else f"version {left}, which predicts the same,"
    reason = (
        f"Version {version} of {model} is not put into production: {same} was rolled back from. "
        "Train another one, or return to it by hand with `perennial rollback`."
    )
    evidence: Evidence = {"version": version, "left": left}
    return record(
        workspace, NewEntry(model, "rollout_refused", f"{night}-{version}", night, ACTOR, reason, evidence)
    )


def _broken(workspace: Workspace, model: str, version: str, night: Night, *, since: Night) -> str | None:
    """Say what is plainly wrong with a version's newest answers."""
    nights = workspace.store.keys(datasets.shadow(model), since, night)
    manifest = workspace.store.manifest(datasets.shadow(model), nights[-1]) if nights else None
    told: Mapping[str, Any] = manifest.meta["broken"] if manifest else {}  # type: ignore[assignment]
    return told.get(version)


def _before(workspace: Workspace, dataset: str, pair: Pair, night: Night) -> Mapping[str, Any] | None:
    """Return the running verdict of the night before, if it is about this pair."""
    nights = workspace.store.keys(dataset, pair.first, after(night, -1))
    if not nights:
        return None
    (row,) = workspace.store.read(dataset, nights[-1]).to_pylist()
    same = (row["version"], row["against"], row["first"]) == (pair.version, pair.against, pair.first)
    return {"nights": row["nights"], "reference": tuple(row["reference"])} if same else None


def _nights(before: Mapping[str, Any] | None) -> PairedNights:
    return PairedNights.from_text(before["nights"]) if before else PairedNights()


def _evaluated(workspace: Workspace, model: str, pair: Pair, judged: Night) -> tuple[float, ...]:
    """Return the gains on the nights of the gates' holdout, where they were over the same version."""
    from perennial.stages.realised import promised

    promise = promised(workspace, model, judged, candidate(workspace, model, pair.version))
    if promise is None or promise.no_time or promise.champion != f"version {pair.against}":
        return ()
    return tuple(
        (one.champion - one.challenger) / one.rows
        for one in promise.tallies
        if one.champion is not None and one.rows >= pair.min_rows
    )


def _earlier_gains(workspace: Workspace, model: str, pair: Pair) -> tuple[float, ...]:
    """Return the gains of the same two before the promotion: on the gates' holdout, then in the rollout's steps."""
    evaluated = _evaluated(workspace, model, pair, pair.first)
    dataset = datasets.rollouts(model)
    nights = workspace.store.keys(dataset, last=after(pair.first, -1))
    if not nights:
        return evaluated
    (row,) = workspace.store.read(dataset, nights[-1]).to_pylist()
    if (row["version"], row["against"]) != (pair.version, pair.against):
        return evaluated
    return (*evaluated, *PairedNights.from_text(row["nights"]).gains)


def _publish(
    workspace: Workspace,
    dataset: str,
    night: Night,
    pair: Pair,
    nights: PairedNights,
    reference: tuple[float, ...],
    decision: Decision,
) -> None:
    """Publish the running verdict of a night, with all it rests on."""
    import pyarrow as pa

    row = {
        "version": pair.version,
        "against": pair.against,
        "first": pair.first,
        "nights": nights.as_text(),
        "reference": list(reference),
        "decision": as_text(decision.as_json()),
    }
    kinds = pa.schema(
        [(name, pa.list_(pa.float64()) if name == "reference" else pa.string()) for name in row]
    )
    meta: dict[str, Json] = {"verdict": decision.verdict.value, "reason": decision.reason}
    workspace.store.publish(dataset, night, pa.Table.from_pylist([row], kinds), meta=meta)
