"""Are the rows that judge fed like those that trained? A verdict on broken rows says nothing of the nights to come.

Reads what ``stages/fed_as_trained.py`` saw; it measures nothing itself.
"""

from __future__ import annotations

from perennial.facts.decision import Decision
from perennial.facts.evaluation import Evaluation
from perennial.gates.base import Gate


class FedAsTrained(Gate):
    """Hold when the rows kept back look broken: another unit, swapped columns, codes, a column that is gone.

    By triage's signs of a broken feed, each on at least half of the nights, beside the newest nights that trained. A
    season that moves inputs shows none of them: in 300 made-up holdouts of 14 nights that wander, swing by the week and
    by the year none was held (``tests/stages/test_fed_as_trained.py``).

    >>> broken = Evaluation("log_loss", challenger="v4", feed_faults=("fare is 100 times what it was",))
    >>> FedAsTrained().decide(broken).reason
    'The rows kept back cannot judge v4, they look broken: fare is 100 times what it was. Correct the delivery or set \
its nights aside, and evaluate again.'
    """

    def decide(self, evaluation: Evaluation) -> Decision:
        """Hold on any sign."""
        if not evaluation.tallies:
            return Decision.held("There are no labelled holdout rows yet, so nothing can be judged.")
        if evaluation.feed_faults is None:
            return Decision.held(f"The rows kept back from {evaluation.challenger} have not been looked at.")
        if evaluation.feed_faults:
            return Decision.held(
                f"The rows kept back cannot judge {evaluation.challenger}, they look broken: "
                f"{'; '.join(evaluation.feed_faults)}. Correct the delivery or set its nights aside, and evaluate "
                "again.",
                faults=list(evaluation.feed_faults),
            )
        return Decision.passed(
            f"The rows that judge {evaluation.challenger} are fed like those that trained it."
        )
