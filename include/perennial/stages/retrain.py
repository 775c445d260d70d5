"""Decide whether a new candidate is worth training tonight, and say why or why not.

Triggered by a finding, age, growth, a changed recipe, the nightly layer or a person; starts ``train`` and nothing
else. What earlier decisions brought is judged first, so that tonight's is foretold from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from perennial.clock import Night, after, nights_apart
from perennial.facts.decision import Decision, Verdict
from perennial.facts.training_request import BUDGET_NIGHTS, RetrainingFacts, Trigger
from perennial.ledger.base import NewEntry
from perennial.stages import datasets
from perennial.stages.broken_promise import answered_excess, excess_chance
from perennial.stages.candidates import Candidate, trainings
from perennial.stages.freezing import frozen_reason
from perennial.stages.judging import judge_past
from perennial.stages.labels import labels_known
from perennial.stages.past_trainings import cost, foretold
from perennial.stages.recording import record_again
from perennial.stages.restarting import shown
from perennial.stages.rollout_state import standing
from perennial.stages.set_aside import SET_ASIDE, set_aside
from perennial.stages.training_run import recipe_of
from perennial.workspace import Workspace

ASKED_AGAIN_NIGHTS = 7
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
    judge_past(workspace, model, night)
    facts = gather(workspace, model, night, trigger=trigger, cause=cause, under_way=under_way)
    decision = workspace.spec(model).retraining.decide(_weighed(workspace, model, facts))
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


def asks_by_itself(workspace: Workspace, model: str, night: Night) -> Trigger | None:
    """Say who asks for a training on a night on which nothing was found: layer, recipe, loss, growth, age, or nobody.

    Asked every night, so rows are counted from what settled nights say of themselves, and none is read. After a no
    a week passes before the same is asked again.
    """
    trained = [one for one in trainings(workspace, model, night) if one.night < night]
    unserved = workspace.ledger.champion(model, night) is None
    if not trained or (unserved and _awaits_approval(workspace, model, trained[-1])):
        return None
    policy, last = workspace.spec(model).retraining, trained[-1]
    cooled = nights_apart(last.night, night) >= policy.cooldown_nights
    asked, layered = policy.on_broken_promise and cooled, workspace.spec(model).adapt == "nightly"
    counted = layered if policy.grow_by is None else policy.grow_by
    facts = RetrainingFacts(
        night=night,
        trigger="age",
        last_training_night=last.night,
        new_labelled_rows=_settled_rows(workspace, model, after(last.night), night) if counted else 0,
        rows_at_last_training=last.rows,
        recipe_untried=policy.on_new_recipe and _untried(workspace, model, trained),
        excess_chance=excess_chance(workspace, model, night) if asked else None,
        answered_excess=answered_excess(workspace, model, night) if asked else 0,
        layered=layered,
        learn_from=_restart_from(workspace, model, night),
        unserved=unserved,
    )
    trigger = policy.asks_by_itself(facts)
    return None if trigger and _lately_answered(workspace, model, night, trigger) else trigger


def _restart_from(workspace: Workspace, model: str, night: Night) -> Night | None:
    """Return the first night that a restart would learn from; nothing where tonight's layer asks for none."""
    asked = shown(workspace, model, night)
    return str(asked.evidence["learn_from"]) if asked else None


def _awaits_approval(workspace: Workspace, model: str, last: Candidate) -> bool:
    """Whether the last candidate passed and waits for a person: another would only wait beside it."""
    return bool(workspace.ledger.entries(model, kinds={"awaits_approval"}, first_night=last.night))


def _lately_answered(workspace: Workspace, model: str, night: Night, trigger: Trigger) -> bool:
    """Whether the same was asked in the nights before, tonight not counted."""
    first, last = after(night, -ASKED_AGAIN_NIGHTS), after(night, -1)
    said = workspace.ledger.entries(model, kinds=tuple(KIND.values()), first_night=first, last_night=last)
    return any(entry.evidence["trigger"] == trigger for entry in said)


def _settled_rows(workspace: Workspace, model: str, first: Night, last: Night) -> int:
    dataset = datasets.performance(model)
    found = (workspace.store.manifest(dataset, key) for key in workspace.store.keys(dataset, first, last))
    return sum(one.rows for one in found if one)


def gather(
    workspace: Workspace,
    model: str,
    night: Night,
    *,
    trigger: Trigger,
    cause: str | None = None,
    under_way: bool = False,
) -> RetrainingFacts:
    """Collect what the policy asks for, but what has to be measured on rows."""
    trained = [one for one in trainings(workspace, model, night) if one.night < night]
    last = trained[-1] if trained else None
    rows, nights = _new_labels(workspace, model, night, last)
    return RetrainingFacts(
        night=night,
        trigger=trigger,
        cause=cause or _found(workspace, model, night),
        last_training_night=last.night if last else None,
        new_labelled_rows=rows,
        new_labelled_nights=nights,
        rows_at_last_training=last.rows if last else 0,
        under_way=under_way or standing(workspace, model, night).rolling is not None,
        trainings_last_28_nights=sum(one.night > after(night, -BUDGET_NIGHTS) for one in trained),
        frozen_reason=frozen_reason(workspace, model, night),
        recipe_untried=_untried(workspace, model, trained),
        excess_chance=excess_chance(workspace, model, night) if trigger == "performance" else None,
        layered=workspace.spec(model).adapt == "nightly",
        learn_from=_restart_from(workspace, model, night) if trigger == "restart" else None,
        unserved=workspace.ledger.champion(model, night) is None,
    )


def _weighed(workspace: Workspace, model: str, facts: RetrainingFacts) -> RetrainingFacts:
    """Add what a training may gain and, where seconds are declared to decide, what trainings have cost."""
    if facts.last_training_night is None or workspace.ledger.champion(model, facts.night) is None:
        return facts
    spent = None
    if workspace.spec(model).retraining.cpu_seconds_per_28_nights is not None:
        last = after(facts.night, -BUDGET_NIGHTS)
        made = [one for one in trainings(workspace, model, facts.night) if last < one.night < facts.night]
        spent = sum(cost(workspace, model, one.version) or 0.0 for one in made)
    expected = foretold(workspace, model, facts.night, facts.trigger)
    return replace(facts, expected=expected, cpu_seconds_last_28_nights=spent)


def _found(workspace: Workspace, model: str, night: Night) -> str | None:
    """Return the cause that tonight's watch found, if any: whoever asks, a broken feed must not be learned.

    A night that was delivered anew or released since is broken no longer, whatever was said of it then.
    """
    if night in set_aside(workspace, model, by=night):
        return "broken_feed"
    once = workspace.ledger.entries(model, kinds={SET_ASIDE}, first_night=night, last_night=night)
    said = workspace.ledger.entries(model, kinds={"finding", "watched"}, first_night=night, last_night=night)
    cause = said[-1].evidence.get("cause") if said else None
    return str(cause) if cause and not (once and cause == "broken_feed") else None


def _untried(workspace: Workspace, model: str, trained: Sequence[Candidate]) -> bool:
    """Whether no version was made as the folder now says; a model that was adopted is left as it is."""
    recipes = {one.recipe for one in trained if one.estimator != "adopted"}
    return bool(recipes) and recipe_of(workspace, model) not in recipes


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
