"""What every gate is: a question with its parameters and one ``decide``; and what paired gates share.

A gate touches nothing outside: it reads an ``Evaluation`` and answers with a ``Decision``.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field

from perennial.facts.decision import Decision
from perennial.facts.evaluation import Evaluation, Tally
from perennial.facts.evidence import Json
from perennial.facts.paired import Comparison, Interval, Outcome, Question, compare


class Gate(BaseModel, ABC):
    """A question a challenger must answer before it goes further."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @abstractmethod
    def decide(self, evaluation: Evaluation) -> Decision:
        """Answer from the evaluation alone; HOLD when it says too little."""


class PairedGate(Gate, ABC):
    """A gate that compares two losses of the same rows, night by night."""

    alpha: float = Field(0.05, gt=0, lt=0.5, description="One-sided error of each limit of the interval.")
    min_nights: int = Field(7, ge=3, description="With fewer labelled nights nothing is judged.")
    margin_share: float = Field(
        0.01,
        ge=0,
        lt=1,
        description="A loss under this share of the other model's loss counts as none; "
        "ignored when margin is given.",
    )
    margin: float | None = Field(
        None, ge=0, description="The same, in the loss's own unit (log loss, squared error, ...)."
    )

    def margin_beside(self, other: Sequence[float], rows: Sequence[int]) -> float:
        """Return the margin in the loss's own unit, beside the other model's summed losses."""
        if self.margin is not None:
            return self.margin
        return self.margin_share * abs(sum(other)) / max(sum(rows), 1)

    def against(
        self, evaluation: Evaluation, other: Sequence[float], *, min_gain: float = 0.0
    ) -> tuple[Comparison, float]:
        """Compare the challenger with another model's losses per night; return the margin as well."""
        tallies = evaluation.tallies
        rows = [tally.rows for tally in tallies]
        margin = self.margin_beside(other, rows)
        question = Question(self.alpha, min_gain, margin, self.min_nights)
        gains = [theirs - tally.challenger for theirs, tally in zip(other, tallies, strict=True)]
        return compare(gains, rows, question, serial=not evaluation.no_time), margin


def losses(tallies: Sequence[Tally], model: str) -> list[float] | None:
    """Return the sums of ``champion`` or ``anchor``; none when a night lacks them."""
    found = [getattr(tally, model) for tally in tallies]
    return None if None in found else found


def unfair(evaluation: Evaluation, *, champion: bool) -> str | None:
    """Say why these rows cannot judge the models, in one sentence; none when they can.

    A model is only judged on nights after the last labels that trained it: the champion as well,
    or it would look better than it is and no challenger could win.
    """
    if not evaluation.tallies:
        return "There are no labelled holdout rows yet, so nothing can be judged."
    if evaluation.training_overlap_rows:
        return f"{evaluation.training_overlap_rows} holdout rows were used in training, so nothing is judged."
    if evaluation.no_time:
        known = evaluation.training_overlap_rows is not None
        return None if known else "It is not known whether holdout rows were used in training."
    models = [(evaluation.challenger, evaluation.challenger_cutoff)]
    if champion:
        models.append((evaluation.champion or "the champion", evaluation.champion_cutoff))
    first = evaluation.holdout_first or ""
    for name, cutoff in models:
        if cutoff is None:
            return f"It is not known which nights trained {name}, so no holdout is fair to it."
        if first <= cutoff:
            return (
                f"No fair holdout: it begins on {first}, but {name} was trained on labels up to {cutoff}; "
                "wait for later nights."
            )
    return None


def scope(evaluation: Evaluation, compared: Comparison | None = None) -> str:
    """Say on how much evidence a sentence stands.

    >>> scope(Evaluation("log_loss", tallies=(Tally("2013-05-01", 900, 450.0),)))
    '1 night, 900 rows'
    """
    count = len(evaluation.tallies) if compared is None else compared.nights
    noun = "bucket" if evaluation.no_time else "night"
    text = f"{count} {noun}{'' if count == 1 else 's'}, {evaluation.rows} rows"
    return text + ("; no time: independence assumed" if evaluation.no_time else "")


def between(interval: Interval, alpha: float) -> str:
    """Write an interval's one-sided limits."""
    return f"one-sided {1 - alpha:.0%} limits {interval.low:.4g} and {interval.high:.4g}"


def waiting(compared: Comparison, evaluation: Evaluation) -> str:
    """Say about how many more nights an answer would take."""
    noun = "buckets" if evaluation.no_time else "nights"
    if compared.more_nights is None:
        return f"more {noun} are needed"
    about, low, high = compared.more_nights
    return f"if it stays so, about {about} more {noun} ({low} to {high}) would tell"


def unassessable(gate: PairedGate, compared: Comparison, evaluation: Evaluation) -> Decision:
    """Hold: too few nights, or losses that are not numbers."""
    numbers = evidence(compared)
    if compared.nights >= gate.min_nights:
        return Decision.held(f"Some losses are not numbers ({scope(evaluation, compared)}).", **numbers)
    return Decision.held(
        f"Only {scope(evaluation, compared)} have labels; {gate.min_nights} are needed before anything "
        "is judged.",
        **numbers,
    )


def evidence(compared: Comparison, **more: Json) -> dict[str, Json]:
    """Collect the numbers behind a comparison."""
    interval = compared.interval
    return {
        "outcome": compared.outcome.value,
        "nights": compared.nights,
        "gain": None if interval is None else interval.as_json(),
        "more_nights": compared.more_nights,
        **more,
    }


def of_same_nights(found: Mapping[str, Interval], alpha: float) -> dict[str, Interval]:
    """Widen intervals of the same nights that allow for less autocorrelation than all do on average.

    Of several, the one that looks surest is the one whose autocorrelation happens to be estimated lowest:
    without this, twenty groups of nights that resemble each other (.6) raise six times the declared alarms.
    """
    typical = sum(each.serial for each in found.values()) / max(len(found), 1)
    return {name: _as_serial(each, typical, alpha) for name, each in found.items()}


def _as_serial(found: Interval, serial: float, alpha: float) -> Interval:
    """Allow for at least this autocorrelation, by the formula of ``facts/paired.py``."""
    from scipy.special import stdtrit

    if serial <= found.serial:
        return found
    before, now = ((1 + r) / (1 - r) for r in (found.serial, serial))
    error = found.standard_error * math.sqrt(now / before)
    degrees = max(max(found.clusters / now, 3.0) - 1.0, 2.0)
    reach = float(stdtrit(degrees, 1 - alpha)) * error
    return replace(
        found,
        low=found.estimate - reach,
        high=found.estimate + reach,
        standard_error=error,
        degrees=degrees,
        serial=serial,
    )


def not_worth_it(compared: Comparison, worth: float) -> bool:
    """Whether it is established that there is no gain of at least ``worth``; waiting would not help."""
    if compared.outcome is Outcome.WORSE:
        return True
    return compared.interval is not None and compared.interval.high <= worth
