"""Root mean squared error, in the label's unit. The default for numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from perennial.facts.evaluation import Task
from perennial.metrics.base import Metric, as_floats, mean

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from perennial.metrics.base import Numbers


class Rmse(Metric):
    """Square root of the mean squared error; large errors weigh most.

    Gates compare squared errors, which add up over nights; the root is only shown.

    >>> round(Rmse().score([10.0, 12.0], [13.0, 8.0]), 4)
    3.5355
    """

    tasks: ClassVar[frozenset[Task]] = frozenset({"regression"})
    higher_is_better: ClassVar[bool] = False
    loss_name: ClassVar[str] = "squared error"

    def row_loss(self, y: ArrayLike, prediction: ArrayLike) -> Numbers:
        """Return each row's squared error, in the label's unit squared."""
        return (as_floats(y) - as_floats(prediction)) ** 2

    def score(self, y: ArrayLike, prediction: ArrayLike) -> float:
        """Return the root of the mean squared error, in the label's unit."""
        return math.sqrt(mean(self.row_loss(y, prediction)))
