"""How far has a nightly mean moved, and how far would it move by luck alone?

Nights are the unit of luck, and neighbouring nights resemble each other: both enter the standard
error and the resamples. The slow arm of the monitor asks here; the benchmark asks the same functions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

LIVE_STRETCH = 90
"""Live nights over which luck is judged, with a look every night through every window."""

LARGEST_SERIAL = 0.95
"""Autocorrelation of neighbouring nights is believed up to here."""

WANDER_SERIAL = 0.95
"""Autocorrelation of a level that wanders from month to month: half of it is left after two weeks."""

SETTLING_NIGHTS = 20
"""Resampled nights thrown away before the reference begins, so that it has forgotten its start."""

NO_SPREAD = 1e-9
"""Stands for the variance of a reference whose nights are all equal."""


@dataclass(frozen=True)
class Shift:
    """The mean of the last live nights beside the mean of the reference."""

    window: int
    """Live nights it is the mean of."""
    reference: float
    live: float
    error: float
    """Standard error of the difference, for correlated nights."""
    serial: float
    """Autocorrelation of neighbouring reference nights, 0 to 0.95."""

    @property
    def by(self) -> float:
        """Return the shift: live minus reference."""
        return self.live - self.reference

    @property
    def ratio(self) -> float:
        """Return the shift in standard errors."""
        return self.by / self.error


@dataclass(frozen=True)
class Spread:
    """Mean, variance of a night and autocorrelation of many references at once, one a row."""

    mean: Numbers
    variance: Numbers
    serial: Numbers

    @classmethod
    def of(cls, nights: Numbers) -> Spread:
        """Estimate them; the autocorrelation corrected for its bias and never negative (methods S1)."""
        import numpy as np

        count, mean = nights.shape[1], nights.mean(axis=1)
        z = nights - mean[:, None]
        squares = np.maximum((z * z).sum(axis=1), NO_SPREAD * count)
        first = (z[:, :-1] * z[:, 1:]).sum(axis=1) / squares
        serial = np.clip(first + (1 + 3 * first) / count, 0.0, LARGEST_SERIAL)
        # Correlated nights scatter less around their own mean than around the true one.
        lost = np.minimum(variance_of_mean(serial, count), 0.5)
        return cls(mean, squares / count / (1 - lost), serial)


def variance_of_mean(serial: Numbers, nights: int) -> Numbers:
    """Return the variance of a mean of AR(1) nights, over that of one night (exact).

    >>> import numpy as np
    >>> variance_of_mean(np.array([0.0, 0.5]), 4).tolist()
    [0.25, 0.515625]
    """
    r = serial
    factor: Numbers = ((1 + r) / (1 - r) - 2 * r * (1 - r**nights) / (nights * (1 - r) ** 2)) / nights
    return factor


def shifts(reference: Sequence[float], live: Sequence[float], windows: Sequence[int]) -> list[Shift]:
    """Return the shift of the last nights in every window that the live nights fill."""
    import numpy as np

    known, last = np.array([reference]), np.array([live])
    spread = Spread.of(known)
    return [
        Shift(
            window,
            float(spread.mean[0]),
            float(last[0, -window:].mean()),
            float(
                _errors(spread, known.shape[1], last[:, -window:].var(axis=1, ddof=1)[:, None], window)[0, 0]
            ),
            float(spread.serial[0]),
        )
        for window in windows
        if window <= len(live)
    ]


def ratios(reference: Numbers, live: Numbers, windows: Sequence[int]) -> Numbers:
    """Return, for many histories at once, the largest ratio in size over all windows on each live night.

    Args:
        reference: One history a row, its nights in order.
        live: The nights that follow, of the same histories.
        windows: Live nights a mean is taken over; zero stands until the first is full.
    """
    import numpy as np

    spread = Spread.of(reference)
    largest = np.zeros(live.shape)
    for window in windows:
        mean, variance = _moving(live - spread.mean[:, None], window)
        ratio = mean / _errors(spread, reference.shape[1], variance, window)
        so_far = largest[:, window - 1 :]
        np.copyto(so_far, ratio, where=np.abs(ratio) > np.abs(so_far))
    return largest


@lru_cache(maxsize=8)
def largest_by_chance(
    reference: tuple[float, ...], windows: tuple[int, ...], resamples: int, seed: int, wander: float = 0.0
) -> tuple[float, ...]:
    """Return the largest ratio of a stretch of 90 live nights in each resampled history, in order.

    A resampled history is an AR(1) process with the reference's autocorrelation and shocks drawn from
    the reference's own; its reference part, as long as the real one, is estimated anew, so what a
    short reference does not know is counted. Skew and heavy tails of single nights are kept. Beside it the
    level may ``wander``: by so many standard deviations of a night, slowly. Ninety nights cannot tell
    whether it does (the autocovariances that would show it are smaller than their error), so it is assumed.
    """
    import numpy as np

    known = np.array([reference])
    spread = Spread.of(known)
    r, z = float(spread.serial[0]), known[0] - spread.mean[0]
    shocks = z[1:] - r * z[:-1]
    shape = (SETTLING_NIGHTS + len(reference) + LIVE_STRETCH, resamples)
    draw = np.random.default_rng(seed)
    drawn = _carried_on(draw.choice(shocks - shocks.mean(), shape), r)
    if wander:
        slow = draw.standard_normal(shape) * np.sqrt(1 - WANDER_SERIAL**2)
        drawn += wander * float(np.sqrt(spread.variance[0])) * _carried_on(slow, WANDER_SERIAL)
    histories = np.ascontiguousarray(drawn[SETTLING_NIGHTS:].T)
    split = len(reference)
    largest = np.abs(ratios(histories[:, :split], histories[:, split:], windows)).max(axis=1)
    return tuple(np.sort(largest).tolist())


def _carried_on(shocks: Numbers, serial: float) -> Numbers:
    """Let every night keep ``serial`` of the night before, from a stationary start."""
    shocks[0] /= math.sqrt(1 - serial * serial)
    for night in range(1, len(shocks)):
        shocks[night] += serial * shocks[night - 1]
    return shocks


def _errors(spread: Spread, nights: int, live_variance: Numbers, window: int) -> Numbers:
    """Return standard errors of the difference; live nights that vary more than the reference count as such."""
    import numpy as np

    variance = spread.variance[:, None]
    own = variance * variance_of_mean(spread.serial, nights)[:, None]
    lately = np.maximum(variance, live_variance) * variance_of_mean(spread.serial, window)[:, None]
    errors: Numbers = np.sqrt(own + lately)
    return errors


def _moving(nights: Numbers, window: int) -> tuple[Numbers, Numbers]:
    """Return mean and variance of the last ``window`` nights, from the first night that has as many."""
    import numpy as np

    nothing = np.zeros((len(nights), 1))
    totals = np.concatenate([nothing, nights.cumsum(axis=1)], axis=1)
    squares = np.concatenate([nothing, (nights**2).cumsum(axis=1)], axis=1)
    mean = (totals[:, window:] - totals[:, :-window]) / window
    mean_square = (squares[:, window:] - squares[:, :-window]) / window
    return mean, np.maximum(mean_square - mean**2, 0.0) * window / (window - 1)
