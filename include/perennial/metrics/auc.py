"""Area under the ROC curve: how often a positive row is ranked above a negative one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from perennial.facts.left_out import by_score
from perennial.metrics.base import Joint, Rows

if TYPE_CHECKING:
    from perennial.metrics.base import Numbers


class Auc(Joint):
    """Probability that a positive row scores above a negative one, ties counting half; .5 is chance.

    It is a mean over pairs, not rows: gates judge what it would be without each night (``facts/left_out.py``),
    and the nightly watch, which has one night at a time, follows the Brier score. It says nothing about calibration.
    From 2,048 different scores on, neighbours count as ties: that moves it by less than .0003.

    >>> Auc().score([1, 0, 1, 0], [0.9, 0.2, 0.6, 0.7])
    0.75
    """

    loss_name: ClassVar[str] = "share of pairs ranked wrongly"

    def counts(self, rows: Rows, most: int) -> tuple[Numbers, ...]:
        """Count true and false rows by night and score, the highest first."""
        return by_score(rows.scores, rows.truth, rows.nights, rows.count, most)

    @staticmethod
    def of_counts(*counts: Numbers) -> Numbers:
        """Return the area (Mann and Whitney 1947); not a number with one class only."""
        import numpy as np

        true, false = counts
        below = false.sum(axis=-1, keepdims=True) - np.cumsum(false, axis=-1)
        pairs = true.sum(axis=-1) * false.sum(axis=-1)
        won = (true * (below + false / 2)).sum(axis=-1)
        return np.where(pairs > 0, won / np.where(pairs > 0, pairs, 1.0), np.nan)
