"""Value: what decisions by the model are worth, by the gain or cost that the owner declares for each outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from perennial.facts.evaluation import Task
from perennial.metrics.base import Metric, as_floats, mean

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from perennial.metrics.base import Numbers


class Value(Metric):
    """Mean worth of a row, in the unit of what `training.value` declares; higher is better.

    A row is called positive where that is worth more than not to, by the model's own probability, so a model that
    is not calibrated pays for it. The loss of a row is what the best decision would have been worth beyond the
    model's.

    >>> worth = Value(true_positive=10.0, false_positive=-1.0)
    >>> round(worth.threshold, 4), worth.score([1, 0, 0], [0.4, 0.2, 0.01])
    (0.0909, 3.0)
    """

    tasks: ClassVar[frozenset[Task]] = frozenset({"binary"})
    higher_is_better: ClassVar[bool] = True
    loss_name: ClassVar[str] = "value missed"

    def __init__(
        self,
        *,
        true_positive: float = 1.0,
        false_positive: float = -1.0,
        true_negative: float = 0.0,
        false_negative: float = 0.0,
    ) -> None:
        """Take what each outcome is worth: gains above zero, costs below.

        Raises:
            ValueError: being right is worth no more than being wrong.
        """
        for right, wrong, names in (
            (true_positive, false_negative, "true_positive and false_negative"),
            (true_negative, false_positive, "true_negative and false_positive"),
        ):
            if not right > wrong:
                message = (
                    f"of {names}, being right ({right:g}) must be worth more than being wrong ({wrong:g})"
                )
                raise ValueError(message)
        self.when_true = (false_negative, true_positive)
        self.when_false = (true_negative, false_positive)

    @property
    def threshold(self) -> float:
        """Return the probability from which calling a row positive is worth more."""
        gained = self.when_true[1] - self.when_true[0]
        paid = self.when_false[0] - self.when_false[1]
        return paid / (paid + gained)

    def row_loss(self, y: ArrayLike, prediction: ArrayLike) -> Numbers:
        """Return what each row's decision fell short of the best one."""
        import numpy as np

        truth, told = (as_floats(y) == 1).astype(int), as_floats(prediction)
        outcomes = np.array([self.when_false, self.when_true])
        missed = outcomes.max(axis=1)[truth] - outcomes[truth, (told >= self.threshold).astype(int)]
        return np.where(np.isfinite(told), missed, np.nan)

    def score(self, y: ArrayLike, prediction: ArrayLike) -> float:
        """Return the mean worth of a row."""
        import numpy as np

        truth = (as_floats(y) == 1).astype(int)
        best = np.array([max(self.when_false), max(self.when_true)])[truth]
        return mean(best - self.row_loss(y, prediction))
