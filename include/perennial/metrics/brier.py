"""Brier score: the squared distance of probabilities from what came true."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from perennial.facts.evaluation import Task
from perennial.metrics.base import Metric, as_floats, mean

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from perennial.metrics.base import Numbers


class Brier(Metric):
    """Mean squared error of probabilities (Brier 1950); 0 is perfect.

    Proper like log loss, and milder with sure errors. For more than two classes the squares of all
    classes are added, so the worst is 2.

    >>> round(Brier().score([1, 0, 1], [0.9, 0.2, 0.6]), 4)
    0.07
    """

    tasks: ClassVar[frozenset[Task]] = frozenset({"binary", "multiclass"})
    higher_is_better: ClassVar[bool] = False
    loss_name: ClassVar[str] = "squared error of the probability"
    estimated_as: ClassVar[str] = "brier"

    def row_loss(self, y: ArrayLike, prediction: ArrayLike) -> Numbers:
        """Return each row's squared distance."""
        import numpy as np

        truth, p = as_floats(y), as_floats(prediction)
        if p.ndim == 1:
            return (truth - p) ** 2
        came_true = (truth[:, None] == np.arange(p.shape[1])).astype(float)
        squares: Numbers = ((came_true - p) ** 2).sum(axis=1)
        return squares

    def score(self, y: ArrayLike, prediction: ArrayLike) -> float:
        """Return the mean squared distance."""
        return mean(self.row_loss(y, prediction))
