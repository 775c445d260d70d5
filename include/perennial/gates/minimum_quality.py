"""Is the model worth serving at all? It must beat what costs nothing, and not be worse than what is simple.

The first model has nothing else to beat; later ones are asked again, because a champion can decay
to the level of a constant and a refresh that matches it would still go ahead.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from perennial.facts.decision import Decision
from perennial.facts.evaluation import Evaluation
from perennial.facts.evidence import Json
from perennial.facts.paired import Comparison, Outcome
from perennial.gates.base import (
    PairedGate,
    between,
    evidence,
    not_worth_it,
    scope,
    unassessable,
    unfair,
    waiting,
)

Beside = tuple[str, Comparison, float]
"""A baseline's name, the comparison with it, and the margin beside it."""


class MinimumQuality(PairedGate):
    """Require a surely positive gain over the naive baselines, and refuse what a simple model is shown to beat.

    A constant must be beaten. A model no better than it passes in .03 to .05 of evaluations where nights are
    independent, in .06 where neighbouring nights resemble each other by .3, and by .6 in .06 with 28 nights,
    .08 with 14 and .11 with 7. All naive baselines must be beaten, so testing several needs no correction
    (intersection-union, Berger 1982); the nearest is reported.

    A linear model is a model: being as good as it is no disgrace, and one that is passes in .95 or more (.91
    with 7 nights that resemble each other by .6). A worse one is refused when it is shown to be worse and its
    loss is the margin or more: a true loss of just the margin passes in half of evaluations or more, one of
    the margin and four standard errors in under .05 (14 independent nights or more). What is not ruled out
    stands in the sentence. Without time the rates are about those of independent nights: .05 to .06 beside
    the constant, with 10 to 200 entities. ``benchmarks/wrong_promotion.py`` prints them all.

    >>> from perennial.facts.evaluation import Tally
    >>> nights = tuple(
    ...     Tally(f"2013-05-{d:02}", 100, challenger=48.0 + d % 3, baselines={"constant": 60.0 + d % 2})
    ...     for d in range(1, 15)
    ... )
    >>> first = Evaluation("log_loss", "first", challenger="v1", tallies=nights, challenger_cutoff="2013-04-30")
    >>> MinimumQuality().decide(first).reason
    'v1 beats the constant baseline: log_loss gain 0.1143 a row, one-sided 95% limits 0.1095 and 0.1191 \
(14 nights, 1400 rows).'
    """

    not_worse_than: tuple[str, ...] = Field(
        ("linear",), description="Simple models that it must not be shown to be worse than."
    )
    beat: tuple[str, ...] = Field(
        (), description="Baselines that must be beaten; by default every one not listed in `not_worse_than`."
    )
    min_gain: float = Field(0.0, ge=0, description="Least gain over each baseline, in the loss's own unit.")

    def decide(self, evaluation: Evaluation) -> Decision:
        """Judge beside the baseline that is nearest to the challenger."""
        reason = unfair(evaluation, champion=False)
        if reason:
            return Decision.held(reason)
        known = {name for tally in evaluation.tallies for name in tally.baselines}
        names = self.beat or tuple(sorted(known - set(self.not_worse_than)))
        asked = (*names, *(known & set(self.not_worse_than)))
        missing = [name for name in asked if any(name not in tally.baselines for tally in evaluation.tallies)]
        if missing or not names:
            return Decision.held(
                f"The baseline {', '.join(missing) or 'to beat'} has not scored every holdout night."
            )
        name, compared, margin = self._nearest(evaluation, names)
        if compared.outcome is Outcome.UNASSESSABLE:
            return unassessable(self, compared, evaluation)
        simpler = self._beside(evaluation, tuple(each for each in self.not_worse_than if each in known))
        return self._beaten_by(evaluation, simpler) or self._answer(
            evaluation, (name, compared, margin), simpler
        )

    def _beaten_by(self, evaluation: Evaluation, simpler: Sequence[Beside]) -> Decision | None:
        """Refuse a model that a simpler one is shown to beat, by more than counts as none."""
        for name, compared, margin in simpler:
            if compared.interval is None:
                return unassessable(self, compared, evaluation)
            if compared.outcome is Outcome.WORSE and -compared.interval.estimate >= margin:
                return Decision.failed(
                    f"{evaluation.challenger} is worse than the {name} baseline: {evaluation.loss_name} loss "
                    f"{-compared.interval.estimate:.4g} a row, {between(compared.interval, self.alpha)} "
                    f"({scope(evaluation, compared)}); serve the simpler model.",
                    **evidence(compared, baseline=name, margin=margin),
                )
        return None

    def _beside(self, evaluation: Evaluation, names: Sequence[str]) -> list[Beside]:
        found = []
        for name in names:
            other = [tally.baselines[name] for tally in evaluation.tallies]
            found.append((name, *self.against(evaluation, other, min_gain=self.min_gain)))
        return found

    def _nearest(self, evaluation: Evaluation, names: Sequence[str]) -> Beside:
        # A baseline that cannot be assessed comes first: it must not hide behind one that is beaten.
        return min(
            self._beside(evaluation, names),
            key=lambda each: each[1].interval.low if each[1].interval else float("-inf"),
        )

    def _answer(self, evaluation: Evaluation, nearest: Beside, simpler: Sequence[Beside]) -> Decision:
        name, compared, margin = nearest
        shown: dict[str, Json] = {
            each: beside.interval.as_json() for each, beside, _ in simpler if beside.interval is not None
        }
        numbers = evidence(compared, baseline=name, margin=margin, beside=shown)
        interval = compared.interval
        found = (
            ""
            if interval is None
            else (
                f"the {name} baseline: {evaluation.loss_name} gain {interval.estimate:.4g} a row, "
                f"{between(interval, self.alpha)} ({scope(evaluation, compared)})"
            )
        )
        if compared.outcome is Outcome.BETTER:
            also = "".join(_not_worse(each, beside) for each, beside, _ in simpler)
            return Decision.passed(f"{evaluation.challenger} beats {found}{also}.", **numbers)
        if not_worth_it(compared, max(margin, self.min_gain)):
            return Decision.failed(f"{evaluation.challenger} does not beat {found}.", **numbers)
        return Decision.held(
            f"{evaluation.challenger} may or may not beat {found}: {waiting(compared, evaluation)}.",
            **numbers,
        )


def _not_worse(name: str, beside: Comparison) -> str:
    """Say what is known beside a simple model, the worst that is not ruled out included."""
    interval = beside.interval
    if interval is None:
        return ""
    return (
        f"; beside the {name} baseline it gains {interval.estimate:.4g}, limits {interval.low:.4g} "
        f"and {interval.high:.4g}"
    )
