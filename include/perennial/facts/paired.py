"""Is one model better than another, when the rows of a night belong together?

Both models score the same rows, and a night is the unit of luck: its rows share weather, feeds
and holidays, and neighbouring nights resemble each other. Gates and rollouts ask here; the answer
depends on sums per night only, so neither the order of rows nor a seed can change it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import TYPE_CHECKING

from perennial.facts.evidence import Json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]

LARGEST_SERIAL = 0.8
"""Autocorrelation is believed up to here; above it, the interval would rest on one or two nights."""

POWER_QUANTILE = 0.8416
"""Normal quantile of the power, .80, that "about n more nights" is computed for."""


class Outcome(Enum):
    """What a paired comparison established."""

    BETTER = "better"
    """The gain is above the least gain asked for."""

    WORSE = "worse"
    """The gain is below zero."""

    EQUIVALENT = "equivalent"
    """Any loss is smaller than the margin."""

    UNDECIDED = "undecided"
    """The interval is too wide to say."""

    UNASSESSABLE = "unassessable"
    """Too few nights, or sums that are not numbers."""


@dataclass(frozen=True)
class Interval:
    """A mean per row with one-sided limits, each holding with probability 1 - alpha."""

    estimate: float
    """Pooled mean per row."""

    low: float
    """Lower limit."""

    high: float
    """Upper limit."""

    standard_error: float
    """Standard error of the estimate, clustered by night, inflated for autocorrelation."""

    degrees: float
    """Degrees of freedom of the t quantile."""

    serial: float
    """Autocorrelation of neighbouring nights that was allowed for, 0 to 0.8."""

    clusters: int
    """Nights (or buckets) with rows."""

    rows: int
    """Rows pooled."""

    def probability_above(self, value: float) -> float:
        """Return the one-sided p-value against a mean of at least ``value``: small means below it."""
        from scipy.special import stdtr

        if self.standard_error == 0.0:
            return 1.0 if self.estimate >= value else 0.0
        return float(stdtr(self.degrees, (self.estimate - value) / self.standard_error))

    def two_sided(self) -> float:
        """Return the two-sided p-value against a mean of zero."""
        lower = self.probability_above(0.0)
        return 2.0 * min(lower, 1.0 - lower) if self.standard_error else float(self.estimate == 0.0)

    def as_json(self) -> dict[str, Json]:
        """Write plain values, for evidence."""
        return asdict(self)


def pseudo_values(sums: ArrayLike, rows: ArrayLike) -> Numbers:
    """Return each night's jackknife pseudo-value of ``sum(sums) / sum(rows)``, nights on the last axis.

    Delete-one-night jackknife (Quenouille 1949, Tukey 1958). Every night must have a row.
    """
    import numpy as np

    gain, n = np.asarray(sums, float), np.asarray(rows, float)
    nights = gain.shape[-1]
    total, count = gain.sum(axis=-1, keepdims=True), n.sum(axis=-1, keepdims=True)
    without: Numbers = (total - gain) / (count - n)
    pseudo: Numbers = nights * (total / count) - (nights - 1) * without
    return pseudo


def limits(pseudo: Numbers, *, alpha: float, serial: bool = True) -> dict[str, Numbers]:
    """Return estimate, standard error, degrees of freedom, autocorrelation and one-sided limits.

    A t interval on pseudo-values whose variance is inflated by (1 + r) / (1 - r), with r the
    bias-corrected first autocorrelation, raised only, never lowered. Nights on the last axis, in
    order; leading axes are independent comparisons. Needs at least two nights.

    The declared error is not exact: it is exceeded with few nights that resemble each other strongly, and
    when rare nights are far worse than the rest (left skew). ``benchmarks/wrong_promotion.py`` prints by how much.
    """
    import numpy as np
    from scipy.special import stdtrit

    nights = pseudo.shape[-1]
    estimate = pseudo.mean(axis=-1)
    z = pseudo - estimate[..., None]
    squares = (z * z).sum(axis=-1)
    r = np.zeros_like(estimate)
    if serial:
        first = (z[..., :-1] * z[..., 1:]).sum(axis=-1) / np.where(squares > 0, squares, 1.0)
        r = np.clip(first + (1 + 3 * first) / nights, 0.0, LARGEST_SERIAL)
        r = np.where(squares > 0, r, 0.0)
    error = np.sqrt(squares / (nights - 1) / nights * (1 + r) / (1 - r))
    # Without autocorrelation these are the textbook G - 1 degrees.
    degrees = np.maximum(np.maximum(nights * (1 - r) / (1 + r), 3.0) - 1.0, 2.0) if serial else r + nights - 1
    reach = stdtrit(degrees, 1 - alpha) * error
    return {
        "estimate": estimate,
        "low": estimate - reach,
        "high": estimate + reach,
        "standard_error": error,
        "degrees": degrees,
        "serial": r,
    }


def mean_per_row(
    sums: Sequence[float], rows: Sequence[int], *, alpha: float = 0.05, serial: bool = True
) -> Interval | None:
    """Estimate a mean per row from sums per night; none with fewer than two nights or sums not finite.

    >>> found = mean_per_row([12.0, 8.0, 11.0], [1000, 1000, 1000])
    >>> round(found.estimate, 4), found.rows
    (0.0103, 3000)
    """
    import numpy as np

    seen = [(float(total), count) for total, count in zip(sums, rows, strict=True) if count > 0]
    if len(seen) < 2 or not all(math.isfinite(total) for total, _ in seen):  # noqa: PLR2004
        return None
    totals, counts = (np.array(column, float) for column in zip(*seen, strict=True))
    found = limits(pseudo_values(totals, counts), alpha=alpha, serial=serial)
    numbers = {name: float(value) for name, value in found.items()}
    # The jackknife mean is exact for a mean of equal nights; the pooled rows are what we report.
    shift = float(totals.sum() / counts.sum()) - numbers["estimate"]
    for name in ("estimate", "low", "high"):
        numbers[name] += shift
    return Interval(**numbers, clusters=len(seen), rows=int(counts.sum()))


@dataclass(frozen=True)
class Question:
    """What is asked of a gain, in the loss's own unit."""

    alpha: float = 0.05
    """One-sided error of each limit."""

    min_gain: float = 0.0
    """A gain counts as better above this."""

    margin: float = 0.0
    """A loss under this counts as none."""

    min_nights: int = 7
    """With fewer nights nothing is judged."""


@dataclass(frozen=True)
class Comparison:
    """The outcome of one question, its interval, and how much more evidence an answer would take."""

    outcome: Outcome
    """What was established."""

    interval: Interval | None
    """The gain per row; none when not assessable."""

    nights: int
    """Nights that had rows."""

    more_nights: tuple[int, int, int] | None = None
    """About how many more nights would decide, with the range the guess has; never a promise."""


def compare(
    gains: Sequence[float], rows: Sequence[int], question: Question, *, serial: bool = True
) -> Comparison:
    """Judge a gain (the other model's loss minus this one's, summed per night).

    Sums that are not finite are not assessable: a model that predicts NaN must never look harmless.

    >>> compare([12.0, 8.0, 11.0, 9.0, 10.0, 12.0, 9.0], [1000] * 7, Question()).outcome.value
    'better'
    """
    nights = sum(1 for count in rows if count > 0)
    found = mean_per_row(gains, rows, alpha=question.alpha, serial=serial)
    if found is None or nights < max(question.min_nights, 2):
        return Comparison(Outcome.UNASSESSABLE, None, nights)
    outcome = _outcome(found, question)
    more = _more_nights(found, question) if outcome is not Outcome.BETTER else None
    return Comparison(outcome, found, nights, more)


def _outcome(found: Interval, question: Question) -> Outcome:
    if found.low > question.min_gain:
        return Outcome.BETTER
    if found.high < 0:
        return Outcome.WORSE
    return Outcome.EQUIVALENT if found.low > -question.margin else Outcome.UNDECIDED


def _more_nights(found: Interval, question: Question) -> tuple[int, int, int] | None:
    """Forecast nights for power .80 at the largest of margin, asked gain and gain seen; the range is 80 % in the error."""
    from scipy.special import chdtri, stdtrit

    target = max(question.margin, question.min_gain, abs(found.estimate))
    if target <= 0:
        return None
    reach = float(stdtrit(found.degrees, 1 - question.alpha)) + POWER_QUANTILE

    def needed(variance_ratio: float) -> int:
        total = found.clusters * (reach * found.standard_error / target) ** 2 * variance_ratio
        return max(1, math.ceil(total) - found.clusters)

    spread = [found.degrees / float(chdtri(found.degrees, tail)) for tail in (0.1, 0.9)]
    return needed(1.0), needed(spread[0]), needed(spread[1])
