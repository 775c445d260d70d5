"""Accuracy: the share of rows whose likeliest class came true."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from perennial.facts.evaluation import Task
from perennial.metrics.base import Metric, as_floats, mean

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from perennial.metrics.base import Numbers

HALF = 0.5
"""A positive class at least this likely is predicted."""


class Accuracy(Metric):
    """Share of rows that are right when the likeliest class is taken; 1 is perfect.

    It forgets how sure the model was, and a constant looks good where one class is rare: prefer log
    loss for gates.

    >>> round(Accuracy().score([1, 0, 1], [0.9, 0.2, 0.4]), 4)
    0.6667
    """

    tasks: ClassVar[frozenset[Task]] = frozenset({"binary", "multiclass"})
    higher_is_better: ClassVar[bool] = True
    loss_name: ClassVar[str] = "share of wrong classes"
    estimated_as: ClassVar[str] = "accuracy"

    def row_loss(self, y: ArrayLike, prediction: ArrayLike) -> Numbers:
        """Return 1 for each wrong row, 0 for each right one."""
        import numpy as np

        truth, p = as_floats(y), as_floats(prediction)
        columns = p if p.ndim > 1 else p[:, None]
        chosen = p >= HALF if p.ndim == 1 else p.argmax(axis=1)
        return np.where(np.isfinite(columns).all(axis=1), (chosen != truth).astype(float), np.nan)

    def score(self, y: ArrayLike, prediction: ArrayLike) -> float:
        """Return the share of right rows."""
        return 1 - mean(self.row_loss(y, prediction))
