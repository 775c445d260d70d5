"""Mean absolute error, in the label's unit: for numbers with a few wild values."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from perennial.facts.evaluation import Task
from perennial.metrics.base import Metric, as_floats, mean

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from perennial.metrics.base import Numbers


class Mae(Metric):
    """Mean distance between prediction and truth; it is smallest for the median, not the mean.

    >>> Mae().score([10.0, 12.0], [13.0, 8.0])
    3.5
    """

    tasks: ClassVar[frozenset[Task]] = frozenset({"regression"})
    higher_is_better: ClassVar[bool] = False
    loss_name: ClassVar[str] = "absolute error"

    def row_loss(self, y: ArrayLike, prediction: ArrayLike) -> Numbers:
        """Return each row's absolute error, in the label's unit."""
        return abs(as_floats(y) - as_floats(prediction))

    def score(self, y: ArrayLike, prediction: ArrayLike) -> float:
        """Return the mean absolute error, in the label's unit."""
        return mean(self.row_loss(y, prediction))
