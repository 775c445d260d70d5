"""R²: the share of the labels' variance that the model explains."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from perennial.facts.evaluation import Task
from perennial.metrics.base import Metric, as_floats, mean

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from perennial.metrics.base import Numbers


class R2(Metric):
    """One minus the squared error over what the mean of these labels would make of them; 1 is perfect.

    On the same rows the better R² is the smaller squared error, so gates judge by that. Numbers of different
    rows do not compare: it falls where labels vary less.

    >>> R2().score([1.0, 2.0, 3.0], [1.0, 2.0, 2.0])
    0.5
    """

    tasks: ClassVar[frozenset[Task]] = frozenset({"regression"})
    higher_is_better: ClassVar[bool] = True
    loss_name: ClassVar[str] = "squared error"

    def row_loss(self, y: ArrayLike, prediction: ArrayLike) -> Numbers:
        """Return each row's squared error."""
        squared: Numbers = (as_floats(y) - as_floats(prediction)) ** 2
        return squared

    def score(self, y: ArrayLike, prediction: ArrayLike) -> float:
        """Return R²; not a number for labels that are all the same."""
        truth = as_floats(y)
        spread = float(truth.var()) if truth.size else 0.0
        return 1 - mean(self.row_loss(y, prediction)) / spread if spread else float("nan")
