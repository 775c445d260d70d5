"""F1: precision and recall of the positive class together, at even odds."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from perennial.metrics.accuracy import HALF
from perennial.metrics.base import Joint, Rows

if TYPE_CHECKING:
    from perennial.metrics.base import Numbers


class F1(Joint):
    """Harmonic mean of precision and recall where a row is called positive from a probability of .5; 1 is perfect.

    True negatives do not count. It rewards the threshold as much as the model: where errors have a price,
    declare it and judge by ``value``. Judged by what it would be without each night.

    >>> round(F1().score([1, 0, 1, 0], [0.9, 0.2, 0.4, 0.7]), 4)
    0.5
    """

    loss_name: ClassVar[str] = "lost F1"

    def counts(self, rows: Rows, most: int) -> tuple[Numbers, ...]:
        """Count by night the rows rightly called positive, and the wrong ones of both kinds."""
        import numpy as np

        del most
        called = rows.scores >= HALF
        kinds = (rows.truth & called, rows.truth ^ called)
        return tuple(
            np.bincount(rows.nights[which], minlength=rows.count).astype(float)[:, None] for which in kinds
        )

    @staticmethod
    def of_counts(*counts: Numbers) -> Numbers:
        """Return F1; not a number where nothing is positive, neither called nor true."""
        import numpy as np

        hits, wrong = (each.sum(axis=-1) for each in counts)
        whole = 2 * hits + wrong
        return np.where(whole > 0, 2 * hits / np.where(whole > 0, whole, 1.0), np.nan)
