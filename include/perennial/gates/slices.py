"""Is any declared group served worse than before? An overall gain can hide a loss for a few.

With twenty groups a plain threshold raises a false alarm in most evaluations, so groups are tested
together: Holm decides what blocks, Benjamini-Hochberg what is mentioned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import Field

from perennial.facts.decision import Decision
from perennial.facts.evaluation import Evaluation, Slice, Task
from perennial.facts.evidence import Json
from perennial.facts.paired import Interval, mean_per_row
from perennial.gates.base import PairedGate, losses, of_same_nights, scope, unfair


@dataclass(frozen=True)
class Harm:
    """One assessable slice: its gain, and how surprising the gain is if no harm was done."""

    gain: Interval
    p: float


class Slices(PairedGate):
    """Fail when a group loses more than the margin, all groups judged together.

    Each group's null hypothesis is a loss of at most the margin; a block keeps the family-wise error
    at ``alpha`` (Holm 1979), a mention the false discovery rate at ``mention_rate`` (Benjamini and
    Hochberg 1995). Groups share their nights, so each allows for at least the mean autocorrelation of all:
    3 to 20 groups that all lose just the margin are blocked in .01 to .05 of evaluations, and 3 of them in .07
    with 7 nights that resemble each other by .6 (``benchmarks/wrong_promotion.py``). A critical group is
    tested alone at ``alpha``, and not knowing holds. A group with too few rows is shown and counted, never
    passed. The margin costs power: harm near it is missed.

    Groups that nobody declared are searched with a shallow tree on every other night and confirmed on the nights
    between: they are named in the sentence and never block. Without harm one is named in .02 to .05 of evaluations.

    >>> from perennial.facts.evaluation import Tally
    >>> def nights(challenger):
    ...     return tuple(
    ...         Tally(f"2013-05-{d:02}", 100, challenger=challenger + d % 3, champion=52.0 + d % 2)
    ...         for d in range(1, 15)
    ...     )
    >>> Slices().decide(
    ...     Evaluation(
    ...         "log_loss", challenger="v4", champion="v3", tallies=nights(48.0),
    ...         slices=(Slice("night", nights(60.0)), Slice("day", nights(40.0)), Slice("new")),
    ...         challenger_cutoff="2013-04-30", champion_cutoff="2013-04-02",
    ...     )
    ... ).reason
    'night: v4 loses 0.08571 a row (log_loss) beside v3, more than 0.0105, p = 3e-13 (14 nights, 1400 rows; \
2 of 3 slices judged, new not assessable).'
    """

    margin_share: float = Field(
        0.02,
        ge=0,
        lt=1,
        description="A group may lose this share of the champion's overall loss; ignored when margin "
        "is given.",
    )
    mention_rate: float = Field(
        0.10, gt=0, lt=0.5, description="False discovery rate of groups that are mentioned, not blocked."
    )
    min_rows: int = Field(200, ge=1, description="A group with fewer rows is not assessable.")
    min_class_rows: int = Field(
        30, ge=0, description="A group with fewer rows of its rarest class is not assessable."
    )
    critical: tuple[str, ...] = Field(
        (), description="Groups that stop a promotion by themselves, and when they cannot be assessed."
    )

    def decide(self, evaluation: Evaluation) -> Decision:
        """Judge every group against the champion's loss on the same rows."""
        if not evaluation.tallies:
            return Decision.held("There are no labelled holdout rows yet, so no slice can be judged.")
        if not evaluation.slices:
            weak = self.weak(evaluation)
            return Decision.passed(
                f"Does not apply: no slices are declared{_found(weak, evaluation)}.", **_as_evidence(weak)
            )
        if evaluation.champion is None and evaluation.kind == "first":
            return Decision.passed("Does not apply: there is no champion to serve a slice better or worse.")
        reason = unfair(evaluation, champion=True)
        if reason:
            return Decision.held(reason)
        overall = losses(evaluation.tallies, "champion")
        if overall is None:
            return Decision.held("The champion has not scored every holdout night.")
        margin = self.margin_beside(overall, [tally.rows for tally in evaluation.tallies])
        return self._answer(evaluation, self._harms(evaluation, margin), margin)

    def weak(self, evaluation: Evaluation) -> dict[str, Harm]:
        """Name the groups that the evaluation found and other nights confirm.

        They are asked in the order in which they were found, worst first, each at ``alpha``, until one is not
        confirmed: the family-wise error is that of the first (Maurer, Hothorn and Lehmacher 1995).
        """
        if unfair(evaluation, champion=True):
            return {}
        gains = {part.name: self._gain(part, evaluation) for part in evaluation.found}
        known = of_same_nights({name: gain for name, gain in gains.items() if gain is not None}, self.alpha)
        confirmed = {}
        for name, gain in known.items():
            harm = Harm(gain, gain.probability_above(0.0))
            if harm.p >= self.alpha:
                break
            confirmed[name] = harm
        return confirmed

    def _harms(self, evaluation: Evaluation, margin: float) -> dict[str, Harm | None]:
        gains = {part.name: self._gain(part, evaluation) for part in evaluation.slices}
        known = {name: gain for name, gain in gains.items() if gain is not None}
        found = of_same_nights(known, self.alpha)
        return {
            name: Harm(found[name], found[name].probability_above(-margin)) if name in found else None
            for name in gains
        }

    def _gain(self, part: Slice, evaluation: Evaluation) -> Interval | None:
        champion = losses(part.tallies, "champion")
        rows = [tally.rows for tally in part.tallies]
        if champion is None or not self._enough(part, rows, evaluation.task):
            return None
        gains = [theirs - tally.challenger for theirs, tally in zip(champion, part.tallies, strict=True)]
        return mean_per_row(gains, rows, alpha=self.alpha, serial=not evaluation.no_time)

    def _enough(self, part: Slice, rows: list[int], task: Task) -> bool:
        nights = sum(1 for count in rows if count > 0)
        rarest = part.rarest_class_rows
        classes = task == "regression" or rarest is None or rarest >= self.min_class_rows
        return part.rows >= self.min_rows and nights >= self.min_nights and classes

    def _answer(self, evaluation: Evaluation, judged: Mapping[str, Harm | None], margin: float) -> Decision:
        harms = {name: harm for name, harm in judged.items() if harm is not None}
        p_values = {name: harm.p for name, harm in harms.items()}
        unknown = [name for name in judged if name not in harms]
        critical = {*self.critical, *(part.name for part in evaluation.slices if part.critical)}
        blocked = {name for name in critical if p_values.get(name, 1.0) < self.alpha}
        blocked |= holm(p_values, self.alpha)
        weak = self.weak(evaluation)
        note = _note(evaluation, judged, unknown) + _found(weak, evaluation)
        numbers: dict[str, Json] = {
            **_as_evidence(weak),
            "margin": margin,
            "unassessable": unknown,
            "slices": {name: {"p": harm.p, **harm.gain.as_json()} for name, harm in harms.items()},
        }
        if blocked:
            said = "; ".join(_loss(name, harms[name], evaluation, margin) for name in sorted(blocked))
            return Decision.failed(f"{said} ({note}).", **numbers)
        unknown_critical = sorted(critical - set(harms))
        if unknown_critical or not harms:
            which = f"critical {', '.join(unknown_critical)}" if unknown_critical else "any slice"
            return Decision.held(f"There are too few rows to judge {which} ({note}).", **numbers)
        mentioned = sorted(benjamini_hochberg(p_values, self.mention_rate))
        warned = f"; worth a look: {', '.join(mentioned)}" if mentioned else ""
        return Decision.passed(
            f"No slice is shown to lose more than {margin:.4g} a row{warned} ({note}).",
            **numbers,
            mentioned=mentioned,
        )


def holm(p_values: Mapping[str, float], alpha: float) -> set[str]:
    """Return the names rejected with family-wise error ``alpha`` (Holm 1979).

    >>> sorted(holm({"a": 0.01, "b": 0.02, "c": 0.04}, 0.05))
    ['a', 'b', 'c']
    >>> sorted(holm({"a": 0.01, "b": 0.03, "c": 0.04}, 0.05))
    ['a']
    """
    rejected: set[str] = set()
    for step, name in enumerate(sorted(p_values, key=lambda each: (p_values[each], each))):
        if p_values[name] > alpha / (len(p_values) - step):
            break
        rejected.add(name)
    return rejected


def benjamini_hochberg(p_values: Mapping[str, float], rate: float) -> set[str]:
    """Return the names rejected with false discovery rate ``rate`` (Benjamini and Hochberg 1995).

    >>> sorted(benjamini_hochberg({"a": 0.01, "b": 0.06, "c": 0.9}, 0.10))
    ['a', 'b']
    """
    ordered = sorted(p_values, key=lambda each: (p_values[each], each))
    passing = [i for i, name in enumerate(ordered, 1) if p_values[name] <= rate * i / len(ordered)]
    return set(ordered[: max(passing, default=0)])


def _loss(name: str, harm: Harm, evaluation: Evaluation, margin: float) -> str:
    return (
        f"{name}: {evaluation.challenger} loses {-harm.gain.estimate:.4g} a row ({evaluation.loss_name}) "
        f"beside {evaluation.champion}, more than {margin:.4g}, p = {harm.p:.1g}"
    )


def _note(evaluation: Evaluation, judged: Mapping[str, Harm | None], unknown: list[str]) -> str:
    count = f"{len(judged) - len(unknown)} of {len(judged)} slices judged"
    missing = f", {', '.join(unknown)} not assessable" if unknown else ""
    return f"{scope(evaluation)}; {count}{missing}"


def _found(weak: Mapping[str, Harm], evaluation: Evaluation) -> str:
    """Mention what was found by itself; it blocks nothing."""
    if not weak:
        return ""
    losses = ", ".join(f"{name} (loses {-harm.gain.estimate:.4g} a row)" for name, harm in weak.items())
    return f"; found by itself, shown only: {evaluation.challenger} serves worse where {losses}"


def _as_evidence(weak: Mapping[str, Harm]) -> dict[str, Json]:
    return {"weak": {name: {"p": harm.p, **harm.gain.as_json()} for name, harm in weak.items()}}
