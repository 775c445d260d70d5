"""Unit cost: what errors of a number cost, where too high and too low have prices of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from perennial.facts.evaluation import Task
from perennial.metrics.base import Metric, as_floats, mean

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from perennial.metrics.base import Numbers


class UnitCost(Metric):
    """Mean cost of a row, in the unit of what `training.value` declares for each unit too high or too low.

    >>> UnitCost(too_high=1.0, too_low=3.0).score([5.0, 5.0], [7.0, 4.0])
    2.5
    """

    tasks: ClassVar[frozenset[Task]] = frozenset({"regression"})
    higher_is_better: ClassVar[bool] = False
    loss_name: ClassVar[str] = "cost"

    def __init__(self, *, too_high: float = 1.0, too_low: float = 1.0) -> None:
        """Take what one unit too high, and one too low, costs.

        Raises:
            ValueError: a cost is not above zero.
        """
        for name, cost in (("too_high", too_high), ("too_low", too_low)):
            if not cost > 0:
                message = f"{name} is a cost and lies above zero, not {cost:g}"
                raise ValueError(message)
        self.too_high, self.too_low = too_high, too_low

    def row_loss(self, y: ArrayLike, prediction: ArrayLike) -> Numbers:
        """Return each row's cost."""
        import numpy as np

        error = as_floats(prediction) - as_floats(y)
        return np.where(error > 0, self.too_high * error, -self.too_low * error)

    def score(self, y: ArrayLike, prediction: ArrayLike) -> float:
        """Return the mean cost of a row."""
        return mean(self.row_loss(y, prediction))
