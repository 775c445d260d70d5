"""The statistics that peers judge a night by, written anew on the same binned profiles.

They are statistics, not the packages: Evidently 0.7 (Wasserstein distance in standard deviations for
numbers, Jensen-Shannon for categories), NannyML 0.13 (Jensen-Shannon, in standard deviations of the
reference's nights), frouros and the like (Kolmogorov-Smirnov and chi-squared). Each is the greatest of
all columns; each compares with the first 28 nights.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.simulated_nights import CATEGORIES, Column
from perennial.facts.edges import REFERENCE_NIGHTS

Numbers = NDArray[np.float64]
PEERS = ("evidently", "nannyml", "ks_chi2")
COARSE = 4
"""Bins put together for Jensen-Shannon distances, which are mostly noise on 64."""


def statistics(column: Column) -> dict[str, Numbers]:
    """Return each peer's statistic of one column, nights by histories."""
    counts = column.counts.astype(float)
    reference = counts[:REFERENCE_NIGHTS].sum(axis=0)
    categorical = counts.shape[2] == CATEGORIES
    apart = jensen_shannon(counts, reference, 1 if categorical else COARSE)
    usual = apart[:REFERENCE_NIGHTS]
    tested = chi_squared(counts, reference) if categorical else kolmogorov_smirnov(counts, reference)
    return {
        "evidently": apart if categorical else wasserstein(counts, reference),
        "nannyml": np.abs(apart - usual.mean(axis=0)) / usual.std(axis=0),
        "ks_chi2": tested,
    }


def jensen_shannon(counts: Numbers, reference: Numbers, together: int) -> Numbers:
    """Return the distance (base 2) of each night from the reference."""
    p, q = (_shares(_merged(grid, together)) for grid in (counts, np.broadcast_to(reference, counts.shape)))
    middle = (p + q) / 2
    divergence = (_entropy(middle) - (_entropy(p) + _entropy(q)) / 2) / np.log(2)
    distance: Numbers = np.sqrt(np.maximum(divergence, 0.0))
    return distance


def wasserstein(counts: Numbers, reference: Numbers) -> Numbers:
    """Return the area between the two distribution functions, over bins that are normal quantiles."""
    bins = counts.shape[2] - 2
    middles = stats.norm.ppf((np.arange(bins) + 0.5) / bins)
    places = np.concatenate([[-3.8], middles, [3.8]])
    apart = np.abs(_shares(counts).cumsum(axis=2) - _shares(reference).cumsum(axis=1))
    distance: Numbers = (apart[..., :-1] * np.diff(places)).sum(axis=2)
    return distance


def kolmogorov_smirnov(counts: Numbers, reference: Numbers) -> Numbers:
    """Return minus the logarithm of the asymptotic p-value, which does not underflow."""
    apart = np.abs(_shares(counts).cumsum(axis=2) - _shares(reference).cumsum(axis=1)).max(axis=2)
    n, m = counts.sum(axis=2), reference.sum(axis=1)
    found: Numbers = 2 * apart**2 * n * m / (n + m) - np.log(2)
    return found


def chi_squared(counts: Numbers, reference: Numbers) -> Numbers:
    """Return minus the logarithm of the p-value of a two-sample test."""
    n, m = counts.sum(axis=2, keepdims=True), reference.sum(axis=1)[:, None]
    pooled = counts + reference
    terms = (counts * np.sqrt(m / n) - reference * np.sqrt(n / m)) ** 2 / np.maximum(pooled, 1)
    statistic = terms.sum(axis=2)
    logarithm = stats.chi2.logsf(statistic, counts.shape[2] - 1)
    found: Numbers = -np.where(np.isfinite(logarithm), logarithm, -statistic / 2)
    return found


def _merged(counts: Numbers, together: int) -> Numbers:
    if together == 1:
        return counts
    inner = counts[..., 1:-1]
    merged = inner.reshape(*inner.shape[:2], -1, together).sum(axis=3)
    return np.concatenate([counts[..., :1], merged, counts[..., -1:]], axis=2)


def _shares(counts: Numbers) -> Numbers:
    shares: Numbers = counts / counts.sum(axis=-1, keepdims=True)
    return shares


def _entropy(shares: Numbers) -> Numbers:
    found: Numbers = -(shares * np.log(np.where(shares > 0, shares, 1.0))).sum(axis=2)
    return found
