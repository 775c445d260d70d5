"""Is the challenger good enough beside the champion? The kind of change decides what that means.

A refresh (same recipe, newer data) goes ahead unless it is worse: demanding a proven gain of it
keeps old models in place and costs loss. A new recipe must be better; a simplification must not
lose more than the margin, nor add up with earlier ones.
"""

from __future__ import annotations

from pydantic import Field

from perennial.facts.decision import Decision
from perennial.facts.evaluation import Evaluation
from perennial.facts.paired import Comparison, Outcome
from perennial.gates.base import (
    PairedGate,
    between,
    evidence,
    losses,
    not_worth_it,
    scope,
    unassessable,
    unfair,
    waiting,
)

ANCHOR_MARGINS = 2.0
"""How many margins below the best version ever a chain of simplifications may come."""


class AgainstChampion(PairedGate):
    """Compare challenger and champion on nights that trained neither.

    The interval is a delete-one-night jackknife with autocorrelation allowed for, so rows of one
    night do not count as independent. It speaks for the holdout's nights: a season that turns
    later is the business of the nightly watch.

    A recipe that is no better passes, and a refresh that is no worse is refused, in .03 to .05 of evaluations
    where nights are independent, in .06 where neighbouring nights resemble each other by .3, and in up to .11
    by .6 with 7 nights, or where rare nights are far worse than the rest. A simplification that loses just the
    margin passes in up to .03, .06 and .07. With a night's luck of a margin, one that is three margins behind
    the best version ever is refused; two are a matter of luck. ``benchmarks/wrong_promotion.py`` prints all.

    >>> from perennial.facts.evaluation import Tally
    >>> nights = tuple(
    ...     Tally(f"2013-05-{d:02}", 100, challenger=48.0 + d % 3, champion=52.0 + d % 2)
    ...     for d in range(1, 15)
    ... )
    >>> decision = AgainstChampion().decide(
    ...     Evaluation(
    ...         "log_loss", challenger="v4", champion="v3", tallies=nights,
    ...         challenger_cutoff="2013-04-30", champion_cutoff="2013-04-02",
    ...     )
    ... )
    >>> decision.reason
    'v4 is better than v3: log_loss gain 0.03429 a row, one-sided 95% limits 0.02948 and 0.0391 \
(14 nights, 1400 rows).'
    """

    min_gain: float = Field(
        0.0, ge=0, description="A new recipe counts as better above this gain, in the loss's own unit."
    )

    def decide(self, evaluation: Evaluation) -> Decision:
        """Ask the question that belongs to the kind of change."""
        if not evaluation.tallies:
            return Decision.held("There are no labelled holdout rows yet, so nothing can be judged.")
        if evaluation.champion is None:
            return _without_champion(evaluation)
        reason = unfair(evaluation, champion=True)
        if reason:
            return Decision.held(reason)
        champion = losses(evaluation.tallies, "champion")
        if champion is None:
            trouble = evaluation.champion_trouble
            return Decision.held(
                f"{evaluation.champion} has not scored every holdout night{f': {trouble}' if trouble else '.'}"
            )
        compared, margin = self.against(evaluation, champion, min_gain=self.min_gain)
        if compared.outcome is Outcome.UNASSESSABLE:
            return unassessable(self, compared, evaluation)
        return self._answer(evaluation, compared, margin)

    def _answer(self, evaluation: Evaluation, compared: Comparison, margin: float) -> Decision:
        numbers = evidence(compared, kind=evaluation.kind, margin=margin)
        said = self._sentence(evaluation, compared)
        if compared.outcome is Outcome.WORSE:
            return Decision.failed(f"{said}.", **numbers)
        if evaluation.kind == "simplify":
            return self._simplification(evaluation, compared, margin)
        if compared.outcome is Outcome.BETTER:
            return Decision.passed(f"{said}.", **numbers)
        if evaluation.kind == "refresh":
            return Decision.passed(f"{said}; a refresh goes ahead unless it is worse.", **numbers)
        if not_worth_it(compared, max(margin, self.min_gain)):
            return Decision.failed(
                f"{said}; a new recipe must be better, and any gain is under "
                f"{max(margin, self.min_gain):.4g}.",
                **numbers,
            )
        return Decision.held(
            f"{said}; a new recipe must be better: {waiting(compared, evaluation)}.", **numbers
        )

    def _simplification(self, evaluation: Evaluation, compared: Comparison, margin: float) -> Decision:
        numbers = evidence(compared, kind=evaluation.kind, margin=margin)
        said = self._sentence(evaluation, compared)
        interval = compared.interval
        if interval is None or interval.low <= -margin:
            return Decision.held(
                f"{said}; a loss of {margin:.4g} or more is not ruled out: {waiting(compared, evaluation)}.",
                **numbers,
            )
        if evaluation.anchor is None:
            return Decision.passed(f"{said}; any loss is under the margin of {margin:.4g}.", **numbers)
        return self._beside_anchor(evaluation, said, margin)

    def _beside_anchor(self, evaluation: Evaluation, said: str, margin: float) -> Decision:
        """Stop many small allowed losses from adding up (biocreep)."""
        anchor = losses(evaluation.tallies, "anchor")
        if anchor is None:
            return Decision.held(
                f"{said}; but {evaluation.anchor}, the best version so far, has not scored every night."
            )
        compared, _ = self.against(evaluation, anchor)
        if compared.interval is None:
            return unassessable(self, compared, evaluation)
        beside, numbers = compared.interval, evidence(compared, kind=evaluation.kind, margin=margin)
        if beside.high >= 0 or beside.estimate >= -ANCHOR_MARGINS * margin:
            return Decision.passed(
                f"{said}; any loss is under the margin of {margin:.4g}, and beside {evaluation.anchor}, the "
                f"best so far, it is {-beside.estimate:.4g}.",
                **numbers,
            )
        return Decision.failed(
            f"{said}; but it has lost {-beside.estimate:.4g} beside {evaluation.anchor}, the best so far, "
            f"more than {ANCHOR_MARGINS:g} margins of {margin:.4g}: cumulative loss.",
            **numbers,
        )

    def _sentence(self, evaluation: Evaluation, compared: Comparison) -> str:
        found = {
            Outcome.BETTER: "is better than",
            Outcome.WORSE: "is worse than",
            Outcome.EQUIVALENT: "is as good as",
            Outcome.UNDECIDED: "is neither better nor worse than",
            Outcome.UNASSESSABLE: "cannot be compared with",
        }[compared.outcome]
        said = f"{evaluation.challenger} {found} {evaluation.champion}"
        if compared.interval is None:
            return said
        return (
            f"{said}: {evaluation.loss_name} gain {compared.interval.estimate:.4g} a row, "
            f"{between(compared.interval, self.alpha)} ({scope(evaluation, compared)})"
        )


def _without_champion(evaluation: Evaluation) -> Decision:
    if evaluation.kind == "first":
        return Decision.passed(
            f"There is no champion to compare {evaluation.challenger} with: it is the first model.",
            kind=evaluation.kind,
        )
    return Decision.held(f"No champion was scored, although this is a {evaluation.kind}, not a first model.")
