"""Log loss: how surprised the model is by what came true. The default for classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from perennial.facts.evaluation import Task
from perennial.metrics.base import Metric, mean, of_true_class

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from perennial.metrics.base import Numbers


class LogLoss(Metric):
    """Mean of minus the logarithm of the probability given to what came true; 0 is perfect.

    A proper score: only honest probabilities minimise it. One sure and wrong prediction costs 36, as
    probabilities are kept a float's precision away from 0 and 1.

    >>> round(LogLoss().score([1, 0, 1], [0.9, 0.2, 0.6]), 4)
    0.2798
    """

    tasks: ClassVar[frozenset[Task]] = frozenset({"binary", "multiclass"})
    higher_is_better: ClassVar[bool] = False
    loss_name: ClassVar[str] = "log loss"
    estimated_as: ClassVar[str] = "log_loss"

    def row_loss(self, y: ArrayLike, prediction: ArrayLike) -> Numbers:
        """Return each row's surprise, in nats."""
        import numpy as np

        tiny = float(np.finfo(float).eps)
        surprise: Numbers = -np.log(np.clip(of_true_class(y, prediction), tiny, 1 - tiny))
        return surprise

    def score(self, y: ArrayLike, prediction: ArrayLike) -> float:
        """Return the mean surprise, in nats."""
        return mean(self.row_loss(y, prediction))
