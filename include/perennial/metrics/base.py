"""What every metric is: a loss for each row, and the number people know it by.

Losses are always lower-is-better, whatever the metric's own direction; gates compare losses, pages
show scores. Nothing here imports numpy until rows arrive.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from perennial.errors import NotAMeanError
from perennial.facts.evaluation import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]


class Metric(ABC):
    """A number with a direction.

    Labels are 0 or 1 (binary), the place of the true class (multiclass, see ``places``; -1 is a class the
    model has never seen), or numbers. Predictions are the probability of the positive class, one column
    a class, or numbers. A prediction that is not a number has a loss that is not a number: it is never
    dropped, and no gate passes it.
    """

    tasks: ClassVar[frozenset[Task]]
    """What it can judge."""

    higher_is_better: ClassVar[bool]
    """Direction of the displayed score."""

    loss_name: ClassVar[str]
    """What the loss of one row is called in sentences."""

    additive: ClassVar[bool] = True
    """Whether it is a mean over rows, and so may be the primary metric."""

    def row_loss(self, y: ArrayLike, prediction: ArrayLike) -> Numbers:
        """Return the loss of each row, lower is better.

        Raises:
            NotAMeanError: the metric is no mean over rows.
        """
        del y, prediction
        raise NotAMeanError(type(self).__name__.lower())

    @abstractmethod
    def score(self, y: ArrayLike, prediction: ArrayLike) -> float:
        """Return the displayed number; not a number when there are no rows or it is not defined."""


def places(labels: Sequence[object], classes: Sequence[str]) -> Numbers:
    """Return the place of each label among the classes; -1 for one that is none of them.

    >>> places(["b", "a", "new"], ["a", "b"]).tolist()
    [1.0, 0.0, -1.0]
    """
    import numpy as np

    known = {name: place for place, name in enumerate(classes)}
    return np.array([known.get(str(label), -1) for label in labels], dtype=float)


def as_floats(values: ArrayLike) -> Numbers:
    """Read labels or predictions as floats."""
    import numpy as np

    return np.asarray(values, dtype=float)


def mean(losses: Numbers) -> float:
    """Return the mean; not a number without rows."""
    return float(losses.mean()) if losses.size else float("nan")


def of_true_class(y: ArrayLike, prediction: ArrayLike) -> Numbers:
    """Return the probability given to what came true; 0 for a class the model has never seen.

    >>> of_true_class([1, 0], [0.75, 0.25]).tolist(), of_true_class([2, -1], [[0, 0, 1.0], [1, 0, 0]]).tolist()
    ([0.75, 0.75], [1.0, 0.0])
    """
    import numpy as np

    truth, p = as_floats(y), as_floats(prediction)
    if p.ndim == 1:
        return np.where(truth == 1, p, 1 - p)
    place = truth.astype(int)
    chosen = np.where(place >= 0, p[np.arange(len(p)), np.maximum(place, 0)], 0.0)
    # A NaN anywhere in the row must not pass as a clean zero.
    return np.where(np.isfinite(p).all(axis=1), chosen, np.nan)
