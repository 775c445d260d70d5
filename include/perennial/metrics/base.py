"""What every metric is: a loss for each row, and the number people know it by.

Losses are always lower-is-better, whatever the metric's own direction; gates compare losses, pages
show scores. Nothing here imports numpy until rows arrive.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from perennial.errors import NotAMeanError
from perennial.facts.evaluation import Task
from perennial.facts.left_out import BINS, each_left_out, night_sums

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
    """Whether it is a mean over rows, so that one night can be judged by itself."""

    estimated_as: ClassVar[str] = ""
    """The loss that ``facts/expected_loss.py`` knows by this name; by default the row losses are taken."""

    watched_as: ClassVar[str] = ""
    """The mean over rows by which single nights are followed where this one is none."""

    def row_loss(self, y: ArrayLike, prediction: ArrayLike) -> Numbers:
        """Return the loss of each row, lower is better.

        Raises:
            NotAMeanError: the metric is no mean over rows.
        """
        del y, prediction
        raise NotAMeanError(type(self).__name__.lower())

    def night_losses(
        self, y: ArrayLike, prediction: ArrayLike, nights: NDArray[np.intp], count: int
    ) -> Numbers:
        """Return a sum for each of ``count`` nights, lower is better, from each row's place among them.

        Their ratio to the rows is the loss of all rows together and, with any one night left out, that of all
        others; so gates judge every metric by the same arithmetic.
        """
        import numpy as np

        return np.bincount(nights, self.row_loss(y, prediction), count).astype(float)

    @property
    def loss_to_estimate(self) -> str | Callable[..., Numbers]:
        """Return what estimates of this loss are made with."""
        return self.estimated_as or self.row_loss

    @abstractmethod
    def score(self, y: ArrayLike, prediction: ArrayLike) -> float:
        """Return the displayed number; not a number when there are no rows or it is not defined."""


class Joint(Metric):
    """A metric of yes-or-no rows taken together: no mean over rows, and nothing that a single night has for itself.

    It is computed from counts that add up over nights, so what it would be without any one night costs no row.
    """

    tasks: ClassVar[frozenset[Task]] = frozenset({"binary"})
    higher_is_better: ClassVar[bool] = True
    additive: ClassVar[bool] = False
    watched_as: ClassVar[str] = "brier"

    caution: ClassVar[float] = 0.0
    """How much further than the jackknife says its nights are taken to vary, over their number."""

    @abstractmethod
    def counts(self, rows: Rows, most: int) -> tuple[Numbers, ...]:
        """Count rows by night; scores are told apart up to ``most`` values."""

    @staticmethod
    @abstractmethod
    def of_counts(*counts: Numbers) -> Numbers:
        """Return the score from counts, summed over nights; what they are counted by is the last axis."""

    def score(self, y: ArrayLike, prediction: ArrayLike) -> float:
        """Return the score of all rows; not a number where it is not defined."""
        import numpy as np

        rows = Rows.of(y, prediction, np.zeros(len(as_floats(y)), np.intp), 1)
        if not rows.assessable:
            return float("nan")
        return float(self.of_counts(*(each[0] for each in self.counts(rows, len(rows.scores)))))

    def night_losses(
        self, y: ArrayLike, prediction: ArrayLike, nights: NDArray[np.intp], count: int
    ) -> Numbers:
        """Return sums per night whose ratio to the rows is one minus the score, also without any one night."""
        import numpy as np

        rows = Rows.of(y, prediction, nights, count)
        if not rows.assessable:
            return np.full(count, np.nan)
        whole, without = each_left_out(self.of_counts, *self.counts(rows, BINS))
        without = whole + (1 + self.caution / count) * (without - whole)
        sizes = np.bincount(nights, minlength=count).astype(float)
        return night_sums(1 - whole, 1 - without, sizes) if count > 1 else (1 - whole) * sizes


@dataclass(frozen=True, eq=False)
class Rows:
    """Yes-or-no rows of some nights, each with its score."""

    truth: NDArray[np.bool_]
    scores: Numbers
    nights: NDArray[np.intp]
    """Each row's place among the nights."""
    count: int
    """Nights."""

    @classmethod
    def of(cls, y: ArrayLike, prediction: ArrayLike, nights: NDArray[np.intp], count: int) -> Rows:
        """Read labels and predictions."""
        return cls(as_floats(y) == 1, as_floats(prediction), nights, count)

    @property
    def assessable(self) -> bool:
        """Whether there are rows, each with a score that is a number."""
        import numpy as np

        return bool(self.scores.size and np.isfinite(self.scores).all())


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
