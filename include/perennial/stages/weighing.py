"""Weigh a page of the inputs by its consequences: read the night again without what matters to nobody.

Runs only on a night that pages; every other night costs nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from perennial.facts.decision import Decision, Verdict
from perennial.facts.reading import Reading
from perennial.facts.streams import Watch
from perennial.facts.tolerance import Why, narrowed, set_aside
from perennial.policies.paging import Crossing, PageBudget
from perennial.policies.severity import PREDICTIONS_RATE, Consequences, weigh
from perennial.spec.watching import MonitoringSpec
from perennial.stages.verdict import Arm

SAID: dict[Why, str] = {
    "ignored": "the model hardly looks at it",
    "harmless": "moved in a direction declared harmless",
    "tolerated": "moved by no more than is tolerated",
}


def weighed(
    arm: Arm,
    others: Iterable[Arm],
    seen: Watch,
    watching: MonitoringSpec,
    ignored: Collection[str],
    earlier: Sequence[Crossing],
) -> Arm:
    """Lower a page of the inputs to a notice where it has no consequences; any other arm is returned as it is.

    What was lowered is no page for the budget's governor either: it raises no bar for those that follow.
    """
    if arm.decision.verdict is not Verdict.FAIL:
        return arm
    nights = arm.reading.evidence.get("nights")
    declared = {column: one.as_fact() for column, one in watching.features.items()}
    aside = set_aside(seen, nights if isinstance(nights, int) else 1, declared, ignored)
    if not aside:
        return arm
    known = {place: why for place, why in aside.items() if why != "ignored"}
    found = Consequences(
        declared=_without(known, seen, watching, earlier),
        used=_without(aside, seen, watching, earlier) if len(known) < len(aside) else None,
        predictions=_predictions(seen, watching),
        loss_moved=any(other.reading.state == "over" for other in others),
        harmless=_named(arm.reading, seen, aside),
    )
    decision = weigh(arm.decision, found)
    if decision.verdict is Verdict.FAIL:
        return arm
    return replace(
        arm, outcome="notice", decision=decision, crossing=PageBudget.remember(arm.reading, decision)
    )


def _without(
    aside: Collection[int], seen: Watch, watching: MonitoringSpec, earlier: Sequence[Crossing]
) -> Decision | None:
    """Decide on the night without some streams; with none left, nothing is over a threshold."""
    rest = [place for place in range(len(seen.streams)) if place not in aside]
    if not aside or not rest:
        return None
    return watching.budget.decide(watching.night_shift.read(narrowed(seen, rest)), earlier)


def _predictions(seen: Watch, watching: MonitoringSpec) -> Reading | None:
    own = [place for place, stream in enumerate(seen.streams) if stream.group == "predictions"]
    return watching.night_shift.read(narrowed(seen, own, PREDICTIONS_RATE)) if own else None


def _named(reading: Reading, seen: Watch, aside: dict[int, Why]) -> dict[str, str]:
    """Say why each column was set aside, those that moved most first."""
    why = {seen.streams[place].column: SAID[reason] for place, reason in aside.items()}
    moved = [one.column for one in reading.columns if one.column in why]
    return {column: why[column] for column in dict.fromkeys(moved or why)}
