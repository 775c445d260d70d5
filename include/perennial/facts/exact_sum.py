"""Sums of floating-point numbers that do not depend on the order of addition.

Profiles of parts must add up to the profile of the whole, to the last bit; ordinary sums do not.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

LARGEST, SMALLEST = 1e75, 1e-75
"""Magnitudes beyond these count as at the limit, or as zero, so that squares neither overflow nor vanish."""

_BITS = 24
"""Digits taken per pass; sums of as many as 2**28 such integers are exact in a double."""


def exact_sum(values: NDArray[np.float64]) -> Fraction:
    """Add finite numbers exactly: a fraction whose denominator is a power of two.

    Each pass cuts every number at a common bit and adds the upper parts, which are small integers
    and so add exactly (the splitting of Rump, Ogita and Oishi 2008); it ends when nothing is left.

    >>> exact_sum(np.array([1e16, 1.0, -1e16]))
    Fraction(1, 1)
    """
    rest = np.clip(values, -LARGEST, LARGEST)
    rest = np.where(np.abs(rest) < SMALLEST, 0.0, rest)
    return _add(rest)


def exact_squares(values: NDArray[np.float64]) -> Fraction:
    """Add the squares of finite numbers exactly, each square rounded once.

    >>> exact_squares(np.array([3.0, 4.0]))
    Fraction(25, 1)
    """
    within = np.clip(values, -LARGEST, LARGEST)
    within = np.where(np.abs(within) < SMALLEST, 0.0, within)
    return _add(within * within)


def _add(rest: NDArray[np.float64]) -> Fraction:
    total = Fraction(0)
    while len(rest) and (greatest := float(np.abs(rest).max())) > 0.0:
        unit = 2.0 ** (int(np.frexp(greatest)[1]) - _BITS)
        upper = np.rint(rest / unit)
        total += Fraction(float(upper.sum())) * Fraction(unit)
        rest = rest - upper * unit
    return total
