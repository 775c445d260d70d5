"""Which labels are probably wrong? Rows in the order of doubt, and how many of them chance does not explain.

``stages/suspect_labels.py`` brings predictions of rows that the model had not seen; people look at what comes first.
Needs numpy, so nothing read at parse time imports it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.clock import Night
from perennial.facts.logistic import chances, fit, logit

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]

LEAST_ROWS = 50
"""With fewer labelled rows nothing is ranked."""
TAILS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Shares of all probabilities up to which a label counts as unlikely; each is tried."""
ONE_OF_TAILS = 2.54
"""Normal quantile of one side at .05, shared by the nine tails."""
MAD_TO_SD = 1.4826
RIDGE = 1e-3
TAIL_FROM, TAIL_TO = 0.75, 0.95
"""Quantiles of the doubts between which the tail of ordinary residuals is read."""


@dataclass(frozen=True)
class Suspect:
    """A label, and how little the model believes it."""

    place: int
    """Position of the row."""
    likely: int | float
    """The class (its place) that the model takes for likelier, or the number it expected."""
    given_probability: float | None
    """Probability of the label as given; none for numbers."""
    likely_probability: float | None
    doubt: float
    """Probability of the likelier class less that of the label; for numbers, robust standard deviations."""
    confident: bool
    """Whether the rule of confident learning counts it among the errors; for numbers, whether chance is ruled out."""


@dataclass(frozen=True)
class Ranking:
    """Suspect labels, and what can be said of their number."""

    rows: int
    suspects: tuple[Suspect, ...]
    """Most doubtful first."""
    claimed: int
    """At least so many labels are beyond what chance explains, wherever they are; 0 where none can be shown.

    Of classes: on the newer half of the nights, beside the older.
    """
    confident: int
    """Rows that the rule of confident learning counts as errors; for numbers, those beyond chance."""
    by_chance: float
    """Labels as unlikely as those listed that chance alone would give, were all labels right."""


def rank_classes(labels: Places, probabilities: Numbers, nights: Sequence[Night], most: int) -> Ranking:
    """Rank by how much likelier another class is, and count what is beyond chance.

    A label is confidently doubted when another class reaches the mean probability that rows so labelled give that
    class, and is the likeliest of those that do (confident learning; Northcutt, Jiang and Chuang 2021). On real
    tables that rule counts rare events as errors: so what is claimed is instead the surplus of unlikely labels, on
    the newer half of the nights, over what the probabilities let one expect once they are calibrated on the older half
    (Platt 1999), in the tail that shows most, less what nights vary by. Errors that are as old as the rows are ranked
    like all others, and cannot be counted: nothing tells them from rare events.

    >>> chances = np.tile([0.99, 0.01], (100, 1))
    >>> found = rank_classes(np.array([1] + [0] * 99), chances, ["2013-05-01"] * 100, most=1)
    >>> found.suspects[0].place, round(found.suspects[0].doubt, 2), found.claimed
    (0, 0.98, 0)
    """
    given = probabilities[np.arange(len(labels)), labels]
    others = probabilities.copy()
    others[np.arange(len(labels)), labels] = -1.0
    likely, doubt = others.argmax(axis=1), others.max(axis=1) - given
    confident = _confident(labels, probabilities)
    order = np.argsort(-doubt, kind="stable")[:most]
    order = order[doubt[order] > 0]
    suspects = tuple(
        Suspect(
            int(at),
            int(likely[at]),
            float(given[at]),
            float(others[at, likely[at]]),
            float(doubt[at]),
            bool(confident[at]),
        )
        for at in order
    )
    worst = float(given[order].max()) if len(order) else 0.0
    newer = _newer(nights)
    calibrated = _calibrated(labels, probabilities, ~newer)
    chance = float((calibrated * (probabilities <= worst)).sum())
    claimed = _surplus(given[newer], probabilities[newer], calibrated[newer], np.asarray(nights)[newer])
    return Ranking(len(labels), suspects, claimed, int(confident.sum()), chance)


def rank_numbers(labels: Numbers, predictions: Numbers, most: int) -> Ranking:
    """Rank by the distance from the prediction, in robust standard deviations of such predictions.

    The scale is the median absolute deviation of the rows with predictions as high (tenths). Claimed are only labels
    beyond the distance at which the tail of ordinary rows, read between its quantiles .75 and .95 as a power law,
    would leave less than one row in all: gross errors, since a residual may be large without any.
    """
    residual = labels - predictions
    doubt = np.abs(residual - np.median(residual)) / _scales(residual, predictions)
    limit = _limit(doubt)
    order = np.argsort(-doubt, kind="stable")[:most]
    suspects = tuple(
        Suspect(int(at), float(predictions[at]), None, None, float(doubt[at]), bool(doubt[at] > limit))
        for at in order
    )
    claimed = int((doubt > limit).sum())
    chance = max(len(order) - claimed, 0)
    return Ranking(len(labels), suspects, claimed, claimed, float(chance))


def _confident(labels: Places, probabilities: Numbers) -> NDArray[np.bool_]:
    """Say which rows count off the diagonal of the confident joint."""
    classes = range(probabilities.shape[1])
    means = [
        probabilities[labels == one, one].mean() if (labels == one).any() else math.inf for one in classes
    ]
    above = probabilities >= np.array(means)
    likeliest = np.where(above, probabilities, -1.0).argmax(axis=1)
    counted: NDArray[np.bool_] = above.any(axis=1) & (likeliest != labels)
    return counted


def _newer(nights: Sequence[Night]) -> NDArray[np.bool_]:
    """Say which rows are of the newer half of the nights."""
    ordered = sorted(set(nights))
    newer: NDArray[np.bool_] = (
        np.asarray(nights) >= ordered[len(ordered) // 2] if ordered else np.zeros(0, bool)
    )
    return newer


def _calibrated(labels: Places, probabilities: Numbers, where: NDArray[np.bool_]) -> Numbers:
    """Return probabilities as often right as they say on some rows: each class's log odds stretched and moved."""
    columns = []
    for one in range(probabilities.shape[1]):
        odds, came = logit(probabilities[:, one])[:, None], (labels == one).astype(float)
        known = came[where].min(initial=1) < came[where].max(initial=0)
        columns.append(
            chances(odds, fit(odds[where], came[where], ridge=RIDGE)) if known else probabilities[:, one]
        )
    found = np.column_stack(columns)
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _surplus(given: Numbers, probabilities: Numbers, calibrated: Numbers, nights: NDArray[Any]) -> int:
    """Return how many more labels are unlikely than was to be expected, in the tail that shows most.

    Rows of one night share its luck, so the error is that of sums of nights.
    """
    _, night = np.unique(nights.astype(str), return_inverse=True)
    best = 0.0
    for tail in np.unique(np.quantile(probabilities, TAILS)) if len(given) else ():
        expected = (calibrated * (probabilities <= tail)).sum(axis=1)
        over = (given <= tail) - expected
        alone = float((expected * (1 - expected)).sum())
        error = math.sqrt(max(float((np.bincount(night, over) ** 2).sum()), alone))
        best = max(best, float(over.sum()) - ONE_OF_TAILS * error)
    return int(best)


def _scales(residual: Numbers, predictions: Numbers) -> Numbers:
    """Return each row's robust standard deviation: of its tenth of the predictions, or of all where that is none."""
    edges = np.unique(np.quantile(predictions, np.arange(1, 10) / 10))
    tenth = np.searchsorted(edges, predictions, side="right")
    overall = _mad(residual) or float(residual.std()) or 1.0
    found = np.full(len(residual), overall)
    for one in np.unique(tenth):
        inside = tenth == one
        if inside.sum() >= LEAST_ROWS:
            found[inside] = _mad(residual[inside]) or overall
    return found


def _mad(values: Numbers) -> float:
    return float(np.median(np.abs(values - np.median(values)))) * MAD_TO_SD


def _limit(doubt: Numbers) -> float:
    """Return the distance that less than one of so many ordinary rows would exceed."""
    low, high = np.quantile(doubt, (TAIL_FROM, TAIL_TO))
    if low <= 0:
        return math.inf
    steep = math.log(high / low) / math.log((1 - TAIL_FROM) / (1 - TAIL_TO))
    return float(high * max(len(doubt) * (1 - TAIL_TO), 1.0) ** steep)


def sentence(ranking: Ranking, listed: int, words: str) -> str:
    """Say what a ranking came to."""
    if ranking.rows < LEAST_ROWS:
        return f"Suspect labels cannot be told: {ranking.rows} labelled rows that {words} had not seen, and {LEAST_ROWS} are needed."
    beyond = (
        f"at least {ranking.claimed} labels are beyond what chance explains"
        if ranking.claimed
        else "no label is beyond what chance explains"
    )
    return (
        f"Of {ranking.rows} labels that {words} had not seen, {beyond}; the {listed} most doubtful are listed, and "
        f"about {ranking.by_chance:.0f} as doubtful would be there by chance."
    )


def as_plain(suspect: Suspect, names: Sequence[Any]) -> tuple[Any, str]:
    """Return the likelier label by its name, and why this one is doubted, in words."""
    if suspect.given_probability is None:
        why = (
            f"{suspect.doubt:.1f} robust standard deviations from the {suspect.likely:.4g} that was predicted"
        )
        return suspect.likely, why
    likely = names[int(suspect.likely)]
    why = f"the model gave this label {suspect.given_probability:.3f}, and {likely} {suspect.likely_probability:.3f}"
    return likely, why
