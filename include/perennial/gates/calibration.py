"""Do predicted probabilities still mean what they say? A score of .7 should come true seven times in ten.

Expected calibration error is no gate: it depends on bins, and calls a calibrated model of 500 rows
wrong more often than not. Two averages per night are asked for instead: bias, and over-confidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from perennial.facts.decision import Decision
from perennial.facts.evaluation import Evaluation, Residuals
from perennial.facts.evidence import Json
from perennial.facts.paired import Interval, mean_per_row
from perennial.gates.base import Gate, between, of_same_nights, scope, unfair

TESTS = {"residual": "are biased by", "slope": "are over- or under-confident by"}


class Calibration(Gate):
    """Fail when probabilities are off by more than a floor, surely, and more than the champion's were.

    The mean of label minus probability and its mean product with the standardised logit are both zero
    for a calibrated model (score tests, Cox 1958), and are tested by night with Holm's correction for
    two. A sure but tiny error does not matter, so each has a floor; and a challenger is not blamed for
    what the champion does as well. For numbers and many classes it does not apply, and says so.
    Without any floor a calibrated model is refused in .03 of evaluations where nights are independent, in .05
    where neighbouring nights resemble each other by .3, and by .6 in .06 with 28 nights, .07 with 14 and .10
    with 7; the floors only lower that (``benchmarks/wrong_promotion.py``).

    >>> from perennial.facts.evaluation import Tally
    >>> def night(day, bias):
    ...     off = Residuals(residual=bias + day % 3, slope=day % 2)
    ...     return Tally(f"2013-05-{day:02}", 100, 48.0, challenger_residuals=off)
    >>> nights = tuple(night(day, 8.0) for day in range(1, 15))
    >>> first = Evaluation("log_loss", "first", challenger="v1", tallies=nights, challenger_cutoff="2013-04-30")
    >>> Calibration().decide(first).reason
    'The probabilities of v1 are biased by 0.09071 a row, floor 0.03, one-sided 95% limits 0.08679 \
and 0.09464 (14 nights, 1400 rows).'
    """

    alpha: float = Field(0.05, gt=0, lt=0.5, description="Error of the two tests together, and of limits.")
    min_nights: int = Field(7, ge=3, description="With fewer labelled nights nothing is judged.")
    floor_residual: float = Field(
        0.03, ge=0, lt=1, description="A mean of label minus probability under this does not matter."
    )
    floor_slope: float = Field(
        0.02,
        ge=0,
        lt=1,
        description="A mean product of residual and standardised logit under this does not matter.",
    )
    relative_to_champion: bool = Field(
        True, description="Block only what is worse than the champion's by the same floor."
    )

    def decide(self, evaluation: Evaluation) -> Decision:
        """Judge bias and slope by night."""
        champion = evaluation.champion is not None and self.relative_to_champion
        reason = unfair(evaluation, champion=champion and evaluation.task == "binary")
        if reason:
            return Decision.held(reason)
        found = self._means(evaluation, "challenger")
        if evaluation.task != "binary":
            return self._does_not_apply(evaluation, found)
        if found is None:
            return Decision.held(
                f"The calibration of {evaluation.challenger} cannot be judged: {self.min_nights} nights with "
                f"residuals are needed ({scope(evaluation)})."
            )
        before = self._means(evaluation, "champion") if champion else None
        if champion and before is None:
            return Decision.held(
                f"The residuals of {evaluation.champion} are not known on every holdout night."
            )
        return self._answer(evaluation, found, before)

    def _means(self, evaluation: Evaluation, model: str) -> dict[str, Interval] | None:
        nights: list[Residuals | None] = [
            getattr(tally, f"{model}_residuals") for tally in evaluation.tallies
        ]
        rows = [tally.rows for tally in evaluation.tallies]
        known = [night for night in nights if night is not None]
        if len(known) < len(nights) or sum(1 for count in rows if count) < self.min_nights:
            return None
        found = {name: self._mean(known, name, rows, evaluation) for name in TESTS}
        sure = {name: interval for name, interval in found.items() if interval is not None}
        return of_same_nights(sure, self.alpha) if len(sure) == len(TESTS) else None

    def _mean(
        self, known: Sequence[Residuals], name: str, rows: list[int], evaluation: Evaluation
    ) -> Interval | None:
        sums = [float(getattr(night, name)) for night in known]
        return mean_per_row(sums, rows, alpha=self.alpha, serial=not evaluation.no_time)

    def _answer(
        self, evaluation: Evaluation, found: Mapping[str, Interval], before: Mapping[str, Interval] | None
    ) -> Decision:
        floors = {"residual": self.floor_residual, "slope": self.floor_slope}
        numbers = _numbers(found, before)
        # Holm for two tests: the smaller p-value decides whether anything is established at all.
        established = 2 * min(interval.two_sided() for interval in found.values()) < self.alpha
        for name, interval in found.items():
            off = abs(interval.estimate)
            excused = off - abs(before[name].estimate) <= floors[name] if before else False
            sure = established and interval.two_sided() < self.alpha
            if sure and off > floors[name] and not excused:
                return Decision.failed(
                    f"The probabilities of {evaluation.challenger} {TESTS[name]} {interval.estimate:.4g} a row, "
                    f"floor {floors[name]:g}, {between(interval, self.alpha)} "
                    f"({scope(evaluation)}).",
                    **numbers,
                )
        return Decision.passed(
            f"The probabilities of {evaluation.challenger} are {self._enough(evaluation, found, before)}: bias "
            f"{found['residual'].estimate:.4g}, slope {found['slope'].estimate:.4g} a row, floors "
            f"{self.floor_residual:g} and {self.floor_slope:g} ({scope(evaluation)}).",
            **numbers,
        )

    def _enough(
        self, evaluation: Evaluation, found: Mapping[str, Interval], before: Mapping[str, Interval] | None
    ) -> str:
        """Say which kind of well enough it is: near, no worse than before, or off by what luck may be."""
        if (
            abs(found["residual"].estimate) <= self.floor_residual
            and abs(found["slope"].estimate) <= self.floor_slope
        ):
            return "calibrated well enough"
        if before is not None:
            return f"no worse calibrated than {evaluation.champion}'s, or not shown to be"
        return "not shown to be off by more than these nights' luck"

    def _does_not_apply(self, evaluation: Evaluation, found: Mapping[str, Interval] | None) -> Decision:
        said = f"Does not apply: {evaluation.task} predicts no probability of one class"
        if found is None or evaluation.task == "multiclass":
            return Decision.passed(f"{said}.")
        bias = found["residual"]
        return Decision.passed(
            f"{said}; the mean residual is {bias.estimate:.4g}, p = {bias.two_sided():.1g} against zero, "
            f"{between(bias, self.alpha)} ({scope(evaluation)}).",
            **_numbers(found, None),
        )


def _numbers(found: Mapping[str, Interval], before: Mapping[str, Interval] | None) -> dict[str, Json]:
    return {
        "challenger": {name: interval.as_json() for name, interval in found.items()},
        "champion": None if before is None else {n: interval.as_json() for n, interval in before.items()},
    }
