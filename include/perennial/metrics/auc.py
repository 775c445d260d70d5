"""Area under the ROC curve: how often a positive row is ranked above a negative one. Shown only."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from perennial.facts.evaluation import Task
from perennial.metrics.base import Metric, as_floats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class Auc(Metric):
    """Probability that a positive row scores above a negative one, ties counting half; .5 is chance.

    It is a mean over pairs, not rows: it does not add up over nights, so no gate judges by it. It says
    nothing about calibration.

    >>> Auc().score([1, 0, 1, 0], [0.9, 0.2, 0.6, 0.7])
    0.75
    """

    tasks: ClassVar[frozenset[Task]] = frozenset({"binary"})
    higher_is_better: ClassVar[bool] = True
    loss_name: ClassVar[str] = "rank"
    additive: ClassVar[bool] = False

    def score(self, y: ArrayLike, prediction: ArrayLike) -> float:
        """Return the area from ranks (Mann and Whitney 1947); not a number with one class only."""
        from scipy.stats import rankdata

        truth = as_floats(y) == 1
        positives, negatives = int(truth.sum()), int((~truth).sum())
        if not positives or not negatives:
            return float("nan")
        ranks = rankdata(as_floats(prediction))[truth].sum()
        return float((ranks - positives * (positives + 1) / 2) / (positives * negatives))
