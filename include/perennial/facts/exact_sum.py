"""Sums of floating-point numbers that do not depend on the order of addition.

Profiles of parts must add up to the profile of the whole, to the last bit; ordinary sums do not.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

LARGEST, SMALLEST = 1e75, 1e-75
"""Magnitudes beyond these count as at the limit, or as zero, so that squares neither overflow nor vanish."""

_BITS = 44
"""Digits taken per pass; as whole numbers of 64 bits, 2**18 of them add up exactly."""

_AT_ONCE = 8192
"""Values per block: they stay in the processor's nearest memory."""


def exact_sum(values: NDArray[np.float64]) -> Fraction:
    """Add finite numbers exactly: a fraction whose denominator is a power of two.

    Each pass cuts every number at a common bit and adds the upper parts, which are whole numbers
    and so add exactly (the splitting of Rump, Ogita and Oishi 2008); it ends when nothing is left.

    >>> exact_sum(np.array([1e16, 1.0, -1e16]))
    Fraction(1, 1)
    """
    return _add(values, squared=False)


def exact_squares(values: NDArray[np.float64]) -> Fraction:
    """Add the squares of finite numbers exactly, each square rounded once.

    >>> exact_squares(np.array([3.0, 4.0]))
    Fraction(25, 1)
    """
    return _add(values, squared=True)


def _add(values: NDArray[np.float64], *, squared: bool) -> Fraction:
    if not len(values):
        return Fraction(0)
    greatest = min(max(float(values.max()), -float(values.min())), LARGEST)
    power = _BITS - int(np.frexp(greatest**2 if squared else greatest)[1])
    by_pass: list[int] = []
    for start in range(0, len(values), _AT_ONCE):
        held = _within(values[start : start + _AT_ONCE])
        _add_block(held * held if squared else held, power, by_pass)
    wholes = ((whole, power + _BITS * number) for number, whole in enumerate(by_pass))
    return sum((Fraction(whole) / Fraction(2) ** at for whole, at in wholes), Fraction(0))


def _within(values: NDArray[np.float64]) -> NDArray[np.float64]:
    held = np.clip(values, -LARGEST, LARGEST)
    held[np.abs(held) < SMALLEST] = 0.0
    return held


def _add_block(values: NDArray[np.float64], power: int, by_pass: list[int]) -> None:
    """Add a block's digits to the whole number of each pass: those of the first pass count 2**-power."""
    rest, number = np.ldexp(values, power), 0
    while len(rest):
        upper = np.rint(rest)
        if number == len(by_pass):
            by_pass.append(0)
        by_pass[number] += int(upper.astype(np.int64).sum())
        rest -= upper
        rest = rest[rest != 0.0] * 2.0**_BITS
        number += 1
