"""Sums per night for metrics that are no means over rows: what the metric is without each night, told as sums.

Gates judge by sums per night whose ratio is the metric. A rank metric has no such sums of its own; here each night
gets the one that makes leaving it out give exactly what the metric would be without its rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Places = NDArray[np.intp]

BINS = 2048
"""Scores are told apart up to so many values; beyond, neighbours count as ties."""


def night_sums(whole: float, without: Numbers, rows: Numbers) -> Numbers:
    """Return sums per night, ``whole`` times all rows together, whose delete-one ratios are those ``without`` each.

    The pseudo-values of ``facts/paired.py`` are then those of the metric itself (Quenouille 1949, Tukey 1958);
    what leaving out one after the other does not add up to (the jackknife's bias) is spread over the rows.

    >>> import numpy as np
    >>> sums = night_sums(0.5, np.array([0.5, 0.45, 0.55]), np.array([10.0, 10.0, 10.0]))
    >>> [round(float(one), 6) for one in sums], round(float(sums.sum() / 30), 6)
    ([5.0, 6.0, 4.0], 0.5)
    """
    total = rows.sum()
    sums = whole * total - without * (total - rows)
    spread: Numbers = sums + (whole * total - sums.sum()) * rows / total
    return spread


def by_score(
    scores: Numbers, truth: NDArray[np.bool_], nights: Places, count: int, most: int = BINS
) -> tuple[Numbers, Numbers]:
    """Count true and false rows, nights by values of the score from the highest to the lowest.

    Additive over nights, and a few kilobytes a night. More than ``most`` different scores are cut at their quantiles.
    """
    import numpy as np

    ordered = np.sort(scores)
    values = ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])] if ordered.size else ordered
    if values.size > most:
        values = np.unique(ordered[np.linspace(0, ordered.size - 1, most).astype(np.intp)])
    place = values.size - np.searchsorted(values, scores, side="right")
    cells = nights * max(values.size, 1) + place
    shape = (count, max(values.size, 1))
    found = [
        np.bincount(cells[which], minlength=shape[0] * shape[1]).reshape(shape).astype(float)
        for which in (truth, ~truth)
    ]
    return found[0], found[1]


def each_left_out(measure: Callable[..., Numbers], *counts: Numbers) -> tuple[float, Numbers]:
    """Return a metric of all nights' counts together, and of all but each one.

    ``measure`` takes counts with the values of the score on the last axis.
    """
    totals = [each.sum(axis=0) for each in counts]
    whole = float(measure(*totals))
    return whole, measure(*(total - each for total, each in zip(totals, counts, strict=True)))
