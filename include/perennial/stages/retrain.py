"""Decide whether a new candidate is worth training tonight, and say why or why not.

Triggered by a finding, by age, by a changed recipe or by a person; starts ``train`` and nothing else.
"""

from __future__ import annotations

from perennial.clock import Night, after
from perennial.facts.decision import Decision, Verdict
from perennial.ledger.base import NewEntry
from perennial.policies.retraining import BUDGET_NIGHTS, RetrainingFacts, Trigger
from perennial.stages import datasets
from perennial.stages.candidates import Candidate, trainings
from perennial.stages.labels import labels_known
from perennial.stages.recording import record_again
from perennial.workspace import Workspace

KIND = {Verdict.PASS: "retrain", Verdict.HOLD: "retrain_waits", Verdict.FAIL: "retrain_refused"}


def retrain(
    workspace: Workspace,
    model: str,
    night: Night,
    *,
    trigger: Trigger,
    cause: str | None = None,
    finding: str | None = None,
    actor: str = "retrain",
    under_way: bool = False,
) -> Decision:
    """Judge the request by the model's retraining policy, in night time, and record the answer."""
    facts = gather(workspace, model, night, trigger=trigger, cause=cause, under_way=under_way)
    decision = workspace.spec(model).retraining.decide(facts)
    record_again(
        workspace,
        NewEntry(
            model=model,
            kind=KIND[decision.verdict],
            key=f"{night}-{trigger}",
            night=night,
            actor=actor,
            reason=decision.reason,
            evidence={**decision.evidence, "finding": finding},
        ),
        among=tuple(KIND.values()),
    )
    return decision


def gather(
    workspace: Workspace, model: str, night: Night, *, trigger: Trigger, cause: str | None, under_way: bool
) -> RetrainingFacts:
    """Collect what the policy asks for."""
    trained = [one for one in trainings(workspace, model, night) if one.night < night]
    last = trained[-1] if trained else None
    rows, nights = _new_labels(workspace, model, night, last)
    return RetrainingFacts(
        night=night,
        trigger=trigger,
        cause=cause,
        last_training_night=last.night if last else None,
        new_labelled_rows=rows,
        new_labelled_nights=nights,
        rows_at_last_training=last.rows if last else 0,
        under_way=under_way,
        trainings_last_28_nights=sum(one.night > after(night, -BUDGET_NIGHTS) for one in trained),
    )


def _new_labels(
    workspace: Workspace, model: str, night: Night, last: Candidate | None
) -> tuple[int, int | None]:
    """Count labelled rows, and their nights, that were not known when the last version was trained."""
    source = workspace.spec(model).label.source
    first = after(last.night) if last else None
    nights = workspace.store.keys(datasets.table(model, source), first, night)
    if not nights:
        return 0, 0
    labels = labels_known(workspace, model, by=night, first=nights[0])
    rows = labels.num_rows - labels["label"].null_count
    return rows, len(nights) if workspace.spec(model).scored.event_time else None
