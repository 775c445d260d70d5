"""Does the training set know what a prediction could not? A model that learned the answer is good on paper only.

Reads the signs that ``stages/leaks.py`` found before anything was compared; it measures nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from perennial.facts.decision import Decision
from perennial.facts.evaluation import Evaluation
from perennial.facts.leaks import LeakSign
from perennial.gates.base import Gate


class Leaks(Gate):
    """Refuse what was known too late or is on both sides of the holdout; hold columns that look like the answer.

    A column that knows too much waits until `training.leaks.acknowledged` in model.yaml says why it is known in time.
    Of 32 leaks seeded into four tables that did not choose the thresholds the rules found 27, and suspected 2 of
    59 honest columns; ``benchmarks/leaks.py`` prints them all.

    >>> sign = LeakSign("skill", ("fare",), 0.93, "fare alone predicts the label with a skill of 0.93 of 1")
    >>> Leaks().decide(Evaluation("log_loss", challenger="v4", leaks=(sign,))).reason
    'v4 may have learned from a leak: fare alone predicts the label with a skill of 0.93 of 1. If it is known when \
predictions are made, write in model.yaml: training: {leaks: {acknowledged: {fare: "why"}}}; if not, leave it out.'
    """

    def decide(self, evaluation: Evaluation) -> Decision:
        """Fail on a fact about times and rows, hold on a column that nobody has answered for."""
        if evaluation.leaks is None:
            return Decision.held(f"{evaluation.challenger} has not been examined for leaks yet.")
        blocking = [sign for sign in evaluation.leaks if sign.blocks]
        if blocking:
            return Decision.failed(
                f"{evaluation.challenger} learned from a leak: {_said(blocking)}.", **_measured(blocking)
            )
        waiting = [sign for sign in evaluation.leaks if sign.holds]
        if waiting:
            return Decision.held(
                f"{evaluation.challenger} may have learned from a leak: {_said(waiting)}. If it is known when "
                f"predictions are made, write in model.yaml: training: {{leaks: {{acknowledged: "
                f"{{{_written(waiting)}}}}}}}; if not, leave it out.",
                **_measured(waiting),
            )
        if evaluation.leaks:
            reasons = "; ".join(f"{_about(sign)} ({sign.acknowledged})" for sign in evaluation.leaks)
            return Decision.passed(
                f"{evaluation.challenger} shows signs of a leak that were answered for: {reasons}.",
                **_measured(evaluation.leaks),
            )
        return Decision.passed(f"{evaluation.challenger} shows no sign of a leak.")


def _said(signs: Sequence[LeakSign]) -> str:
    return "; ".join(sign.found for sign in signs)


def _about(sign: LeakSign) -> str:
    return " and ".join(sign.columns) or sign.rule


def _written(signs: Sequence[LeakSign]) -> str:
    names = dict.fromkeys(name for sign in signs for name in sign.columns or (sign.rule,))
    return ", ".join(f'{name}: "why"' for name in names)


def _measured(signs: Sequence[LeakSign]) -> dict[str, dict[str, float]]:
    return {"signs": {f"{sign.rule}:{_about(sign)}": sign.measured for sign in signs}}
