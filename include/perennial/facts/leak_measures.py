"""What the leak rules measure about one column, or about the rows themselves: numbers, without a verdict.

Skill is 2 AUC - 1 for two classes, its mean over classes for several, and R squared for numbers: 0 is nothing,
1 is everything. A column's own skill is measured on rows that did not teach it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

BINS = 20
"""Quantiles into which a column of numbers is cut: coarse enough for a few hundred rows."""
HARDLY_ANY = 0.02
"""A value that marks one kind of label is in at most this share of the others."""
FEWEST_MARKED = 20
"""Fewer rows of a value say nothing about it."""
HALF, FEWEST_RANKED = 0.5, 3
PRIOR_ROWS = 5.0
"""Rows of the overall mean that every bin begins with: a bin of one row says little."""


def indicators(labels: Array, task: str) -> Array:
    """Return labels as numbers, one column a class where there are several."""
    if task in {"binary", "regression", "quantile"}:
        return labels.astype(float)[:, None]
    names = sorted({str(label) for label in labels})
    return np.asarray([[str(label) == name for name in names] for label in labels], dtype=float)


def skill(truth: Array, scores: Array, *, classes: bool) -> float:
    """Return the mean skill of scores over the columns of ``truth``."""
    return float(np.mean([_skill(truth[:, i], scores[:, i], classes=classes) for i in range(truth.shape[1])]))


def own_skill(column: Array, truth: Array, halves: Array, *, classes: bool) -> float:
    """Measure what a column predicts by itself: means by bin, learned on one half and asked of the other.

    ``column`` holds codes or numbers; what is missing is a bin of its own.
    """
    scores = np.zeros_like(truth)
    for half in (False, True):
        taught, asked = halves == half, halves != half
        if not taught.any() or not asked.any():
            return 0.0
        bins = _bins(column, column[taught])
        for i in range(truth.shape[1]):
            mean = truth[taught, i].mean()
            count = np.bincount(bins[taught], minlength=bins.max() + 1)
            total = np.bincount(bins[taught], weights=truth[taught, i], minlength=bins.max() + 1)
            scores[asked, i] = ((total + PRIOR_ROWS * mean) / (count + PRIOR_ROWS))[bins[asked]]
    return skill(truth, scores, classes=classes)


def missing_skill(missing: Array, truth: Array, *, classes: bool) -> float:
    """Measure what a column tells by being missing: the difference of its shares, the most of any class.

    Numbers are parted at their median.
    """
    if missing.all() or not missing.any():
        return 0.0
    return max(
        (abs(float(missing[one].mean() - missing[~one].mean())) for one in _kinds(truth, classes=classes)),
        default=0.0,
    )


def giveaway(codes: Array, truth: Array, *, classes: bool) -> tuple[float, float]:
    """Return the most of one kind of label that one value marks while it is in hardly any other, and that value."""
    best = (0.0, 0.0)
    for code in np.unique(codes[np.isfinite(codes)]):
        marked = codes == code
        if marked.sum() < FEWEST_MARKED:
            continue
        for one in _kinds(truth, classes=classes):
            for kind in (one, ~one):
                if marked[~kind].mean() <= HARDLY_ANY:
                    best = max(best, (float(marked[kind].mean()), float(code)))
    return best


def unique_share(values: Array) -> float:
    """Return how many of the known values are different, as a share of them."""
    return len(set(values.tolist())) / len(values) if len(values) else 0.0


def order_correlation(column: Array, place: Array) -> float:
    """Correlate the ranks of a column with the rows' place in their delivery (Spearman), without its sign."""
    known = np.isfinite(column)
    if known.sum() < FEWEST_RANKED or not np.ptp(column[known]) or not np.ptp(place[known]):
        return 0.0
    return abs(float(np.corrcoef(_ranks(column[known]), _ranks(place[known]))[0, 1]))


def twins(hashes: Array, held: Array) -> tuple[float, float]:
    """Return the share of held rows with a twin among the others, and of the others with a twin among themselves."""
    values, inverse = np.unique(hashes, return_inverse=True)
    trained = np.bincount(inverse[~held], minlength=len(values))
    across = float((trained[inverse[held]] > 0).mean()) if held.any() else 0.0
    within = float((trained[inverse[~held]] > 1).mean()) if (~held).any() else 0.0
    return across, within


def _kinds(truth: Array, *, classes: bool) -> list[Array]:
    """Part the rows by class, or at the median of numbers; a kind that nobody or everybody is of is left out."""
    parted = truth > (HALF if classes else np.median(truth, axis=0))
    return [parted[:, i] for i in range(truth.shape[1]) if parted[:, i].any() and not parted[:, i].all()]


def _skill(truth: Array, scores: Array, *, classes: bool) -> float:
    if not classes:
        spread = float(((truth - truth.mean()) ** 2).sum())
        return 1 - float(((truth - scores) ** 2).sum()) / spread if spread else 0.0
    positive = truth > HALF
    several = int(positive.sum()), int((~positive).sum())
    if not all(several):
        return 0.0
    area = (_ranks(scores)[positive].sum() - several[0] * (several[0] + 1) / 2) / (several[0] * several[1])
    return 2 * float(area) - 1


def _bins(column: Array, taught: Array) -> Array:
    known = taught[np.isfinite(taught)]
    distinct = np.unique(known)
    if len(distinct) > BINS:
        distinct = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
    places = np.searchsorted(distinct, column, side="right")
    return np.where(np.isfinite(column), places, len(distinct) + 1)


def _ranks(values: Array) -> Array:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values))
