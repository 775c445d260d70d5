"""Average precision: how clean the top of the ranking is, where positives are rare."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from perennial.facts.left_out import by_score
from perennial.metrics.base import Joint, Rows

if TYPE_CHECKING:
    from perennial.metrics.base import Numbers


class AveragePrecision(Joint):
    """Mean precision over the positives as the threshold falls, the area under precision and recall by steps.

    The share of positives is what chance gives, so numbers of nights with different shares do not compare: gates
    compare two models on the very same rows. Judged by what it would be without each night, taken to vary by one night's
    part more: it leans on the few rows at the top, and luck was taken for a gain in .064 of holdouts instead of .05.

    >>> round(AveragePrecision().score([1, 0, 1, 0], [0.9, 0.2, 0.6, 0.7]), 4)
    0.8333
    """

    loss_name: ClassVar[str] = "lost average precision"
    caution: ClassVar[float] = 1.0

    def counts(self, rows: Rows, most: int) -> tuple[Numbers, ...]:
        """Count true and false rows by night and score, the highest first."""
        return by_score(rows.scores, rows.truth, rows.nights, rows.count, most)

    @staticmethod
    def of_counts(*counts: Numbers) -> Numbers:
        """Return the steps' area, as scikit-learn defines it; not a number without positives."""
        import numpy as np

        true, false = counts
        hits, called = np.cumsum(true, axis=-1), np.cumsum(true + false, axis=-1)
        positives = true.sum(axis=-1)
        precision = hits / np.where(called > 0, called, 1.0)
        area = (true * precision).sum(axis=-1)
        both = (positives > 0) & (false.sum(axis=-1) > 0)
        return np.where(both, area / np.where(positives > 0, positives, 1.0), np.nan)
