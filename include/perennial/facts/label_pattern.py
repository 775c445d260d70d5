"""Labels no longer follow from inputs: is the relation another one, or are the labels themselves wrong?

Labels that are flipped, coded or drawn wrongly forget the inputs: how often a row still comes true then depends
on nothing but how likely it was before (class-conditional noise, Natarajan et al. 2013). Triage asks once the relation
is known to have moved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perennial.facts.logistic import chances, expit, fit, logit
from perennial.facts.shared_ground import night_levels

Numbers = NDArray[np.float64]

FOLDS, RIDGE = 5, 5.0
WITHIN, LAPSE = (0.01, 0.99), 0.01
"""No story is surer than this, and each lets one label in a hundred be a coin's: else one such row decides."""
RATES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6)
"""Shares of a class that may have come as the other."""
LEAST_TRUTH = 0.9
"""Rates that sum to one leave labels without any truth; beyond, they are turned around, which is asked otherwise."""


@dataclass(frozen=True)
class Stories:
    """How well three stories tell labels, in summed log likelihood, each night's level being taken out of each."""

    level: float
    """All rows come true more, or less, often."""
    corrupted: float
    """Labels come as the other class at fixed rates, whatever the inputs."""
    changed: float
    """Inputs mean something else than they did; asked of nights it was not fitted on."""
    steady: float
    """By how many standard errors, nights being the unit of luck, ``corrupted`` is the better story."""
    to_true: float
    """Share of rows of class 0 that would have come labelled 1."""
    to_false: float
    """Share of rows of class 1 that would have come labelled 0."""


def stories(night: NDArray[np.int64], described: Numbers, expected: Numbers, labels: Numbers) -> Stories:
    """Tell the same labels three ways.

    Args:
        night: Which night each labelled row belongs to.
        described: Inputs and log odds of the score.
        expected: How often such rows came true before.
        labels: 0 or 1 a row.
    """
    sure = np.clip(expected, *WITHIN)

    _, place = np.unique(night, return_inverse=True)

    def told(chance: Numbers) -> Numbers:
        levels = night_levels(night, logit(chance), labels, np.ones(len(labels)))
        found = LAPSE / 2 + (1 - LAPSE) * expit(logit(chance) + levels)
        return np.asarray(np.bincount(place, np.log(np.where(labels == 1, found, 1 - found))), float)

    level, changed = told(sure), told(_changed(night, described, sure, labels))
    rates = [(one, other) for one in RATES for other in RATES if 0 < one + other < LEAST_TRUTH]
    best = max(rates, key=lambda pair: told(_corrupted(sure, *pair)).sum())
    corrupted = told(_corrupted(sure, *best))
    gains = corrupted - (level if level.sum() > changed.sum() else changed)
    return Stories(
        float(level.sum()), float(corrupted.sum()), float(changed.sum()), _over_spread(gains), *best
    )


def _over_spread(gains: Numbers) -> float:
    """Return the mean over its standard error; 0 where one number shows no spread."""
    spread = float(gains.std(ddof=1)) if len(gains) > 1 else 0.0
    return float(gains.mean()) / spread * len(gains) ** 0.5 if spread else 0.0


def _corrupted(chance: Numbers, to_true: float, to_false: float) -> Numbers:
    return to_true + (1 - to_true - to_false) * chance


def _changed(night: NDArray[np.int64], described: Numbers, sure: Numbers, labels: Numbers) -> Numbers:
    _, place = np.unique(night, return_inverse=True)
    bends = np.clip(described[:, :-1], -3, 3) ** 2 - 1
    inputs, found = np.column_stack([described[:, :-1], bends, logit(sure)]), np.zeros(len(labels))
    for fold in range(FOLDS):
        out = place % FOLDS == fold
        found[out] = chances(inputs[out], fit(inputs[~out], labels[~out], ridge=RIDGE))
    return np.clip(found, *WITHIN)
