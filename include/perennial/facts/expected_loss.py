"""What mean loss scores lead one to expect, once labels have taught what the scores are worth.

Scoring asks here every night, with the labels that were known by then; what it computes is kept with the
predictions as the ``expected`` of a ``facts/estimated_loss.py`` window. Needs numpy and scipy, so nothing read
at parse time imports it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Loss: TypeAlias = "str | Callable[..., Numbers]"
"""`log_loss`, `brier` or `accuracy`; of any other loss what returns it from labels and scores."""

HALF_LIVES = (4, 14, 45)
"""Nights after which a label counts half: relations move, and which memory fits is for the audit to find."""
ISOTONIC_HALF_LIFE = 28
LEAST_LABELS = 100
"""With fewer labels, or one class, scores are taken at their word."""
LIMIT = 1e-3
"""Scores are taken to lie this far from 0 and 1 at least; the realised loss must be computed with the same."""
BINS = 128
"""Ranges of scores, alike on the logit, in which labels are counted: fixed, so that nights add up."""
LEVEL_PRIOR, SLOPE_PRIOR = 1.0, 10.0
"""Precision with which a level of 0 and a slope of 1 are believed before any label."""
STEPS, LONGEST_STEP, CLOSE = 25, 1.0, 1e-8
PRIOR_ROWS = 30
"""Rows for which expected residuals are believed before any label, in the ratio that rescales them."""


@dataclass(frozen=True)
class Matured:
    """Earlier nights whose labels are known, as one version scored them: nights by ranges of scores."""

    rows: Numbers
    came_true: Numbers
    nights_ago: Numbers
    """One number a night."""


def tally(scores: Numbers, labels: Numbers) -> tuple[Numbers, Numbers]:
    """Count a night's labelled rows, and those that came true, by range of scores."""
    known = np.isfinite(labels)
    edge = math.log1p(-LIMIT) - math.log(LIMIT)
    places = ((_logit(clipped(scores[known])) / edge + 1) / 2 * BINS).astype(int).clip(0, BINS - 1)
    rows = np.bincount(places, minlength=BINS).astype(float)
    return rows, np.asarray(np.bincount(places, weights=labels[known], minlength=BINS), dtype=np.float64)


def losses(scores: Numbers, labels: Numbers, loss: Loss = "log_loss") -> Numbers:
    """Return each row's loss.

    >>> losses(np.array([0.5, 0.9]), np.array([1.0, 1.0]), "brier").round(2).tolist()
    [0.25, 0.01]
    """
    if callable(loss):
        return loss(labels, scores)
    told = clipped(scores)
    if loss == "brier":
        return np.asarray((told - labels) ** 2)
    if loss == "accuracy":
        return np.asarray(((scores >= 1 / 2) != (labels > 0)).astype(float))
    return np.asarray(-np.where(labels > 0, np.log(told), np.log1p(-told)))


def expected_loss(scores: Numbers, chances: Numbers, loss: Loss = "log_loss") -> float:
    """Return the mean loss of scores where the class comes true with these chances (CBPE; NannyML)."""
    come_true, not_true = (
        losses(scores, np.ones_like(scores), loss),
        losses(scores, np.zeros_like(scores), loss),
    )
    return float((chances * come_true + (1 - chances) * not_true).mean()) if len(scores) else math.nan


def expected_losses(scores: Numbers, matured: Matured, loss: Loss = "log_loss") -> dict[str, float]:
    """Return what each calibration expects: scores at their word, Platt's with three memories, isotonic with two."""
    chances = calibrated(scores, matured)
    return {name: expected_loss(scores, one, loss) for name, one in chances.items()}


def calibrated(scores: Numbers, matured: Matured) -> Mapping[str, Numbers]:
    """Return the chances that each calibration gives to tonight's scores."""
    names = ("raw", *(f"platt {half}" for half in HALF_LIVES), "isotonic", f"isotonic {ISOTONIC_HALF_LIFE}")
    labelled, came_true = matured.rows.sum(), matured.came_true.sum()
    if labelled < LEAST_LABELS or came_true in (0, labelled):
        return dict.fromkeys(names, clipped(scores))
    chances, tonight = [clipped(scores)], _logit(clipped(scores))
    for half in HALF_LIVES:
        level, slope = platt(*_faded(matured, half))
        chances.append(1 / (1 + np.exp(-(level + slope * tonight))))
    chances += [_isotonic(*_faded(matured, half), tonight) for half in (math.inf, ISOTONIC_HALF_LIFE)]
    return dict(zip(names, chances, strict=True))


def platt(odds: Numbers, rows: Numbers, came_true: Numbers) -> tuple[float, float]:
    """Fit level and slope on the logit (Platt 1999), shrunk towards 0 and 1, by Newton's steps.

    >>> level, slope = platt(np.array([-1.0, 1.0]), np.array([4e5, 4e5]), np.array([1e5, 3e5]))
    >>> round(level, 2), round(slope, 2)
    (0.0, 1.1)
    """
    found, prior = np.array([0.0, 1.0]), np.array([LEVEL_PRIOR, SLOPE_PRIOR])
    design = np.stack([np.ones_like(odds), odds])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-(found @ design)))
        pull = design @ (came_true - rows * chance) - prior * (found - [0.0, 1.0])
        bend = (design * (rows * chance * (1 - chance))) @ design.T + np.diag(prior)
        step = np.clip(np.linalg.solve(bend, pull), -LONGEST_STEP, LONGEST_STEP)
        found = found + step
        if np.abs(step).max() < CLOSE:
            break
    return float(found[0]), float(found[1])


def expected_residuals(
    told: float, earlier: Numbers, realised: Numbers, rows: Numbers, nights_ago: Numbers
) -> dict[str, float]:
    """Return the mean loss that a model of residuals expects: at its word, and rescaled by three memories.

    Args:
        told: mean loss that the model of residuals expects tonight (direct loss estimation; NannyML).
        earlier: what it expected of each matured night, on average over its labelled rows.
        realised: the mean losses that these nights then had.
        rows: labelled rows of each.
        nights_ago: nights since each.
    """
    found = {"raw": told}
    for half in HALF_LIVES:
        weights = rows * 0.5 ** (nights_ago / half)
        share = (float(weights @ realised) + PRIOR_ROWS * told) / (
            float(weights @ earlier) + PRIOR_ROWS * told
        )
        found[f"rescaled {half}"] = told * share
    return found


def residual_model(features: Numbers, residuals: Numbers, categorical: tuple[int, ...] = ()) -> Any:
    """Fit what loss to expect of a row, on losses of rows that the scoring model had not seen.

    Args:
        features: what is known of a row before its label, its score among it.
        residuals: absolute or squared residuals of forward folds and matured nights; never of rows it was fitted on.
        categorical: places of the columns that hold codes of categories.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    settings: dict[str, Any] = {
        "max_iter": 80,
        "learning_rate": 0.06,
        "max_leaf_nodes": 12,
        "random_state": 0,
    }
    settings |= {"min_samples_leaf": 40, "l2_regularization": 1.0, "early_stopping": False}
    model = HistGradientBoostingRegressor(categorical_features=list(categorical) or None, **settings)
    return model.fit(features, residuals)


def clipped(scores: Numbers) -> Numbers:
    """Keep scores away from 0 and 1, where one row's loss would be boundless."""
    return np.clip(scores, LIMIT, 1 - LIMIT)


def _logit(chances: Numbers) -> Numbers:
    return np.asarray(np.log(chances) - np.log1p(-chances))


def _faded(matured: Matured, half_life: float) -> tuple[Numbers, Numbers, Numbers]:
    """Add the nights up, old ones counting less: the middle of each range on the logit, rows, and those true."""
    weights = 0.5 ** (matured.nights_ago / half_life)
    edge = math.log1p(-LIMIT) - math.log(LIMIT)
    middles = ((np.arange(BINS) + 0.5) / BINS * 2 - 1) * edge
    return middles, weights @ matured.rows, weights @ matured.came_true


def _isotonic(odds: Numbers, rows: Numbers, came_true: Numbers, tonight: Numbers) -> Numbers:
    """Fit rising chances by pooling adjacent violators, with straight lines between the ranges that have rows."""
    from scipy.optimize import isotonic_regression

    known = rows > 0
    fitted = isotonic_regression(came_true[known] / rows[known], weights=rows[known]).x
    return np.asarray(np.interp(tonight, odds[known], np.clip(fitted, LIMIT, 1 - LIMIT)), dtype=np.float64)
