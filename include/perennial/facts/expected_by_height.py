"""What loss to expect of a number that is predicted, by the height of the prediction: estimates for regressions.

Cut once from the nights a version had not seen when it was trained; scoring asks it every night. On the minutes of
arrival delay it is worth what a model of residuals on all features is (``benchmarks/estimate.py``), and is a table
that anybody can read. Needs numpy, so nothing read at parse time imports it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

RANGES = 16
"""Ranges of predictions at most, with as many unseen rows each."""
PRIOR_ROWS = 10
"""Rows of the overall mean that are added to each range."""


@dataclass(frozen=True)
class Heights:
    """Mean loss by range of prediction."""

    edges: tuple[float, ...]
    """Inner edges; a prediction that equals one belongs above it."""
    means: tuple[float, ...]
    """Mean loss of each range, lowest predictions first."""

    @classmethod
    def of(cls, predictions: Numbers, losses: Numbers) -> Heights:
        """Cut unseen predictions into ranges of as many rows each; rows without a loss are left out.

        >>> Heights.of(np.array([1.0, 1.0, 9.0, 9.0] * 500), np.array([1.0, 1.0, 4.0, 4.0] * 500)).expected(
        ...     np.array([0.0, 10.0])
        ... ).round(1).tolist()
        [1.0, 4.0]
        """
        known = np.isfinite(losses) & np.isfinite(predictions)
        told, came = predictions[known], losses[known]
        if not len(told):
            return cls((), (float("nan"),))
        cuts = np.quantile(told, np.arange(1, RANGES) / RANGES)
        edges = np.unique(cuts[cuts > told.min()])
        place = np.searchsorted(edges, told, side="right")
        rows = np.bincount(place, minlength=len(edges) + 1)
        sums = np.bincount(place, weights=came, minlength=len(edges) + 1)
        means = (sums + PRIOR_ROWS * came.mean()) / (rows + PRIOR_ROWS)
        return cls(tuple(edges.tolist()), tuple(means.tolist()))

    def expected(self, predictions: Numbers) -> Numbers:
        """Return the loss to expect of each prediction; not a number for one that is none."""
        found = np.asarray(self.means)[np.searchsorted(self.edges, predictions, side="right")]
        return np.where(np.isfinite(predictions), found, np.nan)
