"""Logistic regression with a ridge, for the few places that need one inside a verdict.

Triage recalibrates scores, weighs shared ground and fits alternatives with it (``facts/shared_ground.py``,
``facts/label_pattern.py``); the same rows give the same numbers, without a seed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

STEPS, LONGEST_STEP, DONE = 40, 2.0, 1e-6
LIMIT = 1e-6
"""Probabilities are taken to lie this far from 0 and 1 at least."""


def logit(chances: Numbers) -> Numbers:
    """Return log odds; 0 and 1 are taken to lie a little inside."""
    sure = np.clip(chances, LIMIT, 1 - LIMIT)
    found: Numbers = np.log(sure / (1 - sure))
    return found


def expit(odds: Numbers) -> Numbers:
    """Return the probability of log odds."""
    found: Numbers = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
    return found


def fit(inputs: Numbers, came_true: Numbers, *, ridge: float = 1.0) -> Numbers:
    """Return weights, the constant first, by Newton's steps; the constant bears no ridge.

    Args:
        inputs: Rows by inputs, each of about unit scale.
        came_true: 0 or 1 a row, or a share.
        ridge: Penalty on the squares of the weights.
    """
    rows = np.column_stack([np.ones(len(inputs)), inputs])
    penalty = np.full(rows.shape[1], ridge)
    penalty[0] = LIMIT
    weights = np.zeros(rows.shape[1])
    for _ in range(STEPS):
        told = expit(rows @ weights)
        slope = rows.T @ (came_true - told) - penalty * weights
        curve = (rows * (told * (1 - told))[:, None]).T @ rows + np.diag(penalty + LIMIT)
        step = np.clip(np.linalg.solve(curve, slope), -LONGEST_STEP, LONGEST_STEP)
        weights = weights + step
        if np.abs(step).max() < DONE:
            break
    return weights


def chances(inputs: Numbers, weights: Numbers) -> Numbers:
    """Return what ``fit`` says of rows."""
    return expit(weights[0] + inputs @ weights[1:])


def told_by_others(
    inputs: Numbers, came_true: Numbers, group: NDArray[np.int64], weights: Numbers, *, ridge: float
) -> Numbers:
    """Return what a fit without its own group says of each row, by one Newton's step away from the fit of all.

    An approximate cross-validation (Rad and Maleki 2020) that costs one step of the fit, however many the groups.
    """
    rows = np.column_stack([np.ones(len(inputs)), inputs])
    told = expit(rows @ weights)
    apart, sure = came_true - told, told * (1 - told)
    whole = (rows * sure[:, None]).T @ rows + np.diag([LIMIT, *[ridge] * inputs.shape[1]])
    found = np.empty(len(rows))
    for key in np.unique(group):
        own = group == key
        curve = whole - (rows[own] * sure[own, None]).T @ rows[own]
        found[own] = expit(rows[own] @ (weights - np.linalg.solve(curve, rows[own].T @ apart[own])))
    return found
