"""What labels say of each range of scores once a night's own level is taken out: the arithmetic of a watch.

A night on which everything comes true more often moves all ranges alike, and the slow arm reads that; what is left
shows a relation that changed for some scores only. Needs numpy, so nothing read at parse time imports it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perennial.facts.streams import ADDED

Numbers = NDArray[np.float64]

LIMIT = 1e-6
"""Probabilities are taken to lie this far from 0 and 1 at least."""
STEPS, LONGEST_STEP = 20, 1.0
"""Newton's steps to a night's level, none longer than this on the logit: far more than the few it takes."""


class Shape(NamedTuple):
    """One number for each range of scores, on the last axis; NaN where a range has no rows."""

    values: Numbers
    """Twice the arcsine of the root of the share that came true, less that of the share expected."""
    sampling_sd: Numbers
    """What each value varies by from chance alone, whatever its share."""
    plain: Numbers
    """Mean of label minus prediction, the night's level taken out."""


def levelled(scores: Numbers, rows: Numbers, came_true: Numbers) -> Numbers:
    """Shift a night's scores on the logit until as many are expected to come true as did.

    The shift is shrunk as if it were known to be a standard normal number, so that a night on which all or
    nothing came true has one as well.

    Args:
        scores: Probabilities; the last axis is one night's.
        rows: How many rows have each score.
        came_true: How many rows of the night came true; without the last axis.
    """
    sure = np.clip(scores, LIMIT, 1 - LIMIT)
    logit, level = np.log(sure / (1 - sure)), np.zeros_like(came_true)
    for _ in range(STEPS):
        expected = 1 / (1 + np.exp(-(logit + level[..., None])))
        apart = came_true - (rows * expected).sum(axis=-1) - level
        slope = 1 + (rows * expected * (1 - expected)).sum(axis=-1)
        level = level + np.clip(apart / slope, -LONGEST_STEP, LONGEST_STEP)
    shifted: Numbers = 1 / (1 + np.exp(-(logit + level[..., None])))
    return shifted


def shape(rows: Numbers, came_true: Numbers, expected: Numbers) -> Shape:
    """Compare what came true with what was expected, range by range.

    On the scale of Anscombe (1948), as rare categories are watched: a range of scores near zero, where a night sees
    one event or none, would otherwise set the threshold for all others.
    """
    known = np.where(rows > 0, rows, np.nan)
    seen, told = (
        np.arcsin(np.sqrt((count + ADDED) / (known + 2 * ADDED))) for count in (came_true, expected)
    )
    return Shape(2 * (seen - told), 1 / np.sqrt(known), (came_true - expected) / known)
