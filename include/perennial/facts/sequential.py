"""Is one version better than another, asked again every night? Rollouts and the rollback trigger ask here.

A test that is looked at nightly errs far more often than it declares. An e-value may be looked at every night
(Lindon, Ham, Tingley & Bojinov 2022; Lai 1976); nights that resemble each other count as fewer, and rare nights
that are far worse than the rest are allowed for. That allowance is not a theorem: ``benchmarks/rollout.py`` simulates it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]

LARGEST_SERIAL = 0.8
SERIAL_RESERVE = 0.3
"""Added to the autocorrelation found, over the root of the nights that showed it: few nights hardly show any."""
LARGEST_SKEW = 3.0
MIXING = 1.0
"""Precision of the mixture over effects, in nights: how large an effect the e-value is quick to see."""


@dataclass(frozen=True)
class Peeks:
    """What a look after each night shows; nights on the last axis, the first of them a look at one night."""

    mean: Numbers
    """Mean gain of a night so far."""
    error: Numbers
    """Its standard error, for nights that resemble each other."""
    t: Numbers
    """Mean over error, drawn to zero where the skew of the nights speaks against it."""
    worth: Numbers
    """Nights, as independent ones: neighbours that resemble each other tell less."""
    degrees: Numbers
    """Degrees of freedom of ``t``."""
    serial: Numbers
    """Autocorrelation that was allowed for, 0 to 0.8."""
    skew: Numbers
    """Sample skewness of the nights so far."""


@dataclass(frozen=True)
class _Sums:
    """Central sums of the nights so far: squares, cubes, and products of neighbours."""

    nights: Numbers
    mean: Numbers
    squares: Numbers
    cubes: Numbers
    neighbours: Numbers


def peeks(gains: ArrayLike, reference: ArrayLike | None = None) -> Peeks:
    """Look after every night at the gains so far.

    ``reference`` are earlier nights of the same two versions: they tell how much nights vary and resemble each other,
    never what the gain is. Where nights vary more now than then, it is what they do now that counts.

    >>> found = peeks([0.4, 0.1, 0.3, 0.2, 0.5, 0.2, 0.4])
    >>> round(float(found.mean[-1]), 2), round(float(found.t[-1]), 2)
    (0.3, 5.01)
    """
    import numpy as np

    live = _sums(np.asarray(gains, float))
    before = _last(_sums(np.asarray(reference, float))) if reference is not None else None
    total, squares, cubes, neighbours, parts = _pooled(live, before)
    first = neighbours / np.where(squares > 0, squares, 1.0)
    serial = np.clip(first + parts * (1 + 3 * first) / total, 0.0, LARGEST_SERIAL)
    serial = np.clip(serial + SERIAL_RESERVE / np.sqrt(total), 0.0, LARGEST_SERIAL)
    share = (1 - serial) / (1 + serial)
    variance = squares / np.maximum(total - parts, 1)
    variance = np.maximum(variance, live.squares / np.maximum(live.nights - 1, 1))
    error = np.sqrt(variance / live.nights / share)
    t = live.mean / np.where(error > 0, error, np.inf)
    skew = cubes / total / np.where(squares > 0, squares / total, np.inf) ** 1.5
    worth = np.maximum(live.nights * share, 2.0)
    return Peeks(
        mean=live.mean,
        error=error,
        t=_skewed(t, skew, total, worth),
        worth=worth,
        degrees=np.maximum(total * share - parts, 1.0),
        serial=serial,
        skew=skew,
    )


def e_value(t: ArrayLike, worth: ArrayLike) -> Numbers:
    """Return the evidence against a mean gain of zero, which may be looked at after every night.

    Of equal versions at most one in 20 ever reaches 20, however often one looks. Mixture of t ratios in closed
    form (Lai 1976; Lindon et al. 2022).

    >>> [round(float(e_value(t, nights)), 1) for nights, t in ((5, 11.107), (7, 4.967), (14, 3.707), (28, 3.45))]
    [25.0, 25.0, 25.0, 25.0]
    """
    import numpy as np

    ratio, nights = np.asarray(t, float), np.asarray(worth, float)
    degrees = np.maximum(nights - 1, 1)
    share = MIXING / (MIXING + nights)
    squared = ratio * ratio / degrees
    found: Numbers = np.sqrt(share) * ((1 + share * squared) / (1 + squared)) ** (-(degrees + 1) / 2)
    return found


def critical_t(worth: float, alpha: float) -> float:
    """Return the ``t`` at which the e-value decides at so many nights, one-sided.

    >>> [round(critical_t(nights, 0.02), 3) for nights in (5, 7, 14, 21, 28)]
    [11.107, 4.967, 3.707, 3.517, 3.45]
    """
    needed, degrees, share = 1 / (2 * alpha), max(worth - 1, 1.0), MIXING / (MIXING + worth)
    # (1 + share x) / (1 + x) = bound, solved for x = t^2 / degrees; with few nights no t is enough.
    bound = (needed / share**0.5) ** (-2 / (degrees + 1))
    if bound <= share:
        return float("inf")
    return float((degrees * (1 - bound) / (bound - share)) ** 0.5)


def standard_scores(seen: Peeks) -> Numbers:
    """Return each look as the score of a normal variable that is as unlikely: looks of few and many nights alike.

    >>> [round(float(score), 2) for score in standard_scores(peeks([0.4, 0.1, 0.3, 0.2, 0.5, 0.2, 0.4]))[-2:]]
    [2.4, 2.79]
    """
    import numpy as np
    from scipy.special import ndtri, stdtr

    size = -ndtri(np.clip(stdtr(seen.degrees, -np.abs(seen.t)), 1e-300, 0.5))
    scores: Numbers = np.copysign(size, seen.t)
    return scores


def final_t(degrees: float, alpha: float) -> float:
    """Return the ``t`` that decides in one look, one-sided."""
    from scipy.special import stdtrit

    return float(stdtrit(max(degrees, 2.0), 1 - alpha))


def _sums(gains: Numbers) -> _Sums:
    import numpy as np

    nights, origin = np.arange(1, gains.shape[-1] + 1, dtype=float), gains[..., :1]
    gains = gains - origin  # central sums are the same from anywhere, and exact from nearby
    mean = gains.cumsum(axis=-1) / nights
    second, third = (gains**2).cumsum(axis=-1), (gains**3).cumsum(axis=-1)
    together = np.zeros_like(gains)
    together[..., 1:] = (gains[..., :-1] * gains[..., 1:]).cumsum(axis=-1)
    ends = gains[..., :1] + gains
    return _Sums(
        nights,
        mean + origin,
        np.maximum(second - nights * mean**2, 0.0),
        third - 3 * mean * second + 2 * nights * mean**3,
        together - mean * (2 * nights * mean - ends) + (nights - 1) * mean**2,
    )


def _last(sums: _Sums) -> _Sums:
    return _Sums(*(value[..., -1:] for value in vars(sums).values()))


def _pooled(live: _Sums, before: _Sums | None) -> tuple[Numbers, Numbers, Numbers, Numbers, int]:
    if before is None:
        return live.nights, live.squares, live.cubes, live.neighbours, 1
    return (
        live.nights + before.nights,
        live.squares + before.squares,
        live.cubes + before.cubes,
        live.neighbours + before.neighbours,
        2,
    )


def _skewed(t: Numbers, skew: Numbers, total: Numbers, worth: Numbers) -> Numbers:
    """Draw ``t`` towards zero where the long tail lies on the side of zero (Hall 1992), never away from it."""
    import numpy as np

    unbiased = skew * np.sqrt(total * np.maximum(total - 1, 0)) / np.maximum(total - 2, 1)
    bend = np.clip(unbiased, -LARGEST_SKEW, LARGEST_SKEW) / (3 * np.sqrt(worth))
    shift = bend / 2 + bend * t**2 + bend**2 * t**3 / 3
    upper = np.maximum(t + np.minimum(shift, 0.0), 0.0)
    lower = np.minimum(t + np.maximum(shift, 0.0), 0.0)
    drawn: Numbers = np.where(t > 0, upper, lower)
    return drawn
