"""Every night against what the nights before it let one expect: the arithmetic of the nightly watch.

Walk-forward: a night's expectation, autocorrelation and scale use earlier nights only, by one rule for
tonight and for history, so that the past statistics are a fair sample of what tonight's would be if
nothing had changed. Vectorised over streams; needs numpy, so nothing read at parse time imports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

WEEK = 7
FEWEST_WEEKS = 4
"""Nights of the same weekday that make a baseline; with fewer, all of the last nights are pooled."""
FEWEST_POOLED_SHARE = 0.75
"""Share of the pooled nights that must exist."""
FEWEST_RESIDUALS = 14
"""Earlier residuals that make a scale."""
AR_PRIOR_NIGHTS = 20
"""The autocorrelation is shrunk as if this many nights had shown none."""
AR_LIMITS = (-0.5, 0.9)
STREAMS_AT_ONCE = 256
"""Streams are independent of each other: so many together take a few megabytes, however many there are."""
MAD_TO_SD = 1.4826
"""Median absolute deviation to standard deviation, for a normal distribution."""


@dataclass(frozen=True)
class Windows:
    """How far back each part looks."""

    weeks: int
    pooled_nights: int
    ar_nights: int
    clip: float


def z_scores(
    nights: Sequence[str],
    values: Numbers,
    sampling_sd: Numbers,
    ordinary: NDArray[np.bool_],
    windows: Windows,
) -> Numbers:
    """Return nights by streams in standard deviations; NaN where a night could not be compared.

    ``nights`` are consecutive; nights that are not ``ordinary`` (holidays), and values that
    are not finite, are held out of everything.
    """
    z = np.empty_like(values)
    for start in range(0, values.shape[1], STREAMS_AT_ONCE):
        block = np.s_[:, start : start + STREAMS_AT_ONCE]
        z[block] = _z_scores(nights, values[block], sampling_sd[block], ordinary, windows)
    return z


def _z_scores(
    nights: Sequence[str],
    values: Numbers,
    sampling_sd: Numbers,
    ordinary: NDArray[np.bool_],
    windows: Windows,
) -> Numbers:
    held = np.where(ordinary[:, None] & np.isfinite(values), values, np.nan)
    residual = held - baseline(held, windows)
    first = date.fromisoformat(nights[0]).toordinal()
    rough = trailing_scale(residual, windows.ar_nights, first)
    surprise = residual - _carried_over(residual, rough, windows)
    scale = trailing_scale(surprise, windows.ar_nights, first)
    floored = np.where(np.isnan(scale), np.nan, np.fmax(scale, sampling_sd))
    with np.errstate(invalid="ignore", divide="ignore"):
        z: Numbers = surprise / floored
    return z


def lasting(z: Numbers, nights: int, clip: float) -> Numbers:
    """Return each stream's surprises of the last ``nights`` as one, in standard deviations of their sum.

    Each is clipped, so that one bad night is not read again as a lasting move; NaN where a fourth of the
    nights or more has no surprise.
    """
    together = np.empty_like(z)
    for start in range(0, z.shape[1], STREAMS_AT_ONCE):
        block = np.s_[:, start : start + STREAMS_AT_ONCE]
        together[block] = _lasting(z[block], nights, clip)
    return together


def _lasting(z: Numbers, nights: int, clip: float) -> Numbers:
    known = ~np.isnan(z)
    count = _trailing_sum(known.astype(float), nights, through=True)
    total = _trailing_sum(np.where(known, np.clip(z, -clip, clip), 0.0), nights, through=True)
    enough = known & (count > FEWEST_POOLED_SHARE * nights)
    return np.where(enough, total / np.sqrt(np.maximum(count, 1.0)), np.nan)


def baseline(values: Numbers, windows: Windows) -> Numbers:
    """Return each night's expectation: the same weekday over the last weeks, or all of the last nights.

    The least and the greatest of the weekday's nights are left out: one bad night would otherwise
    be echoed as the opposite alarm on the same weekday for eight weeks.
    """
    weekday = np.stack([_shifted(values, WEEK * week) for week in range(1, windows.weeks + 1)])
    known = (~np.isnan(weekday)).sum(axis=0)
    ends = np.fmin.reduce(weekday, axis=0) + np.fmax.reduce(weekday, axis=0)
    enough = known >= FEWEST_WEEKS
    trimmed = (np.nansum(weekday, axis=0) - ends) / np.where(enough, known - 2, 1)
    pooled, count = trailing_mean(values, windows.pooled_nights)
    fallback = np.where(count >= FEWEST_POOLED_SHARE * windows.pooled_nights, pooled, np.nan)
    return np.where(enough, trimmed, fallback)


def trailing_mean(values: Numbers, window: int) -> tuple[Numbers, Numbers]:
    """Return mean and count over the ``window`` nights before each night."""
    known = ~np.isnan(values)
    count = _trailing_sum(known.astype(float), window)
    total = _trailing_sum(np.where(known, values, 0.0), window)
    return total / np.where(count > 0, count, 1.0), count


def trailing_scale(residual: Numbers, window: int, first_ordinal: int) -> Numbers:
    """Return a robust standard deviation over the ``window`` nights before each night's week.

    Computed once a week, on fixed weeks of the calendar: it moves slowly, and sorting is what costs.
    """
    starts = [
        start for start in range(-(first_ordinal % WEEK), len(residual), WEEK) if start >= FEWEST_RESIDUALS
    ]
    scale = np.full_like(residual, np.nan)
    if starts:
        unknown = np.full((residual.shape[1], window), np.nan)
        size = np.hstack([unknown, np.abs(residual.T)])  # a stream's nights side by side sort twice as fast
        before = sliding_window_view(size, window, axis=1)[:, starts]
        medians = _median_of_known(before.reshape(-1, window), FEWEST_RESIDUALS)
        weekly = np.repeat(medians.reshape(-1, len(starts)).T, WEEK, axis=0)
        scale[starts[0] :] = weekly[: len(scale) - starts[0]]
    return scale * MAD_TO_SD


def median_of_known(values: Numbers, fewest: int = 1) -> Numbers:
    """Return the median of each column without its NaN; NaN where fewer than ``fewest`` are known."""
    return _median_of_known(values.T, fewest)


def _median_of_known(values: Numbers, fewest: int) -> Numbers:
    """Return the median of each line."""
    ordered = np.sort(values, axis=1)  # NaN sort to the end
    known = (~np.isnan(ordered)).sum(axis=1)
    if not ordered.shape[1]:
        return np.full(len(ordered), np.nan)
    row = np.arange(len(ordered))
    low, high = np.maximum(known - 1, 0) // 2, np.minimum(known // 2, ordered.shape[1] - 1)
    return np.where(known >= fewest, (ordered[row, low] + ordered[row, high]) / 2, np.nan)


def _carried_over(residual: Numbers, rough: Numbers, windows: Windows) -> Numbers:
    """Return what last night's residual lets one expect of this night's: phi times it, clipped.

    Clipped, because the night after a holiday or a bad feed would otherwise be judged by its outlier.
    """
    limit = np.where(np.isnan(rough), np.inf, windows.clip * rough)
    now = np.clip(residual, -limit, limit)
    before = np.clip(_shifted(residual, 1), -limit, limit)
    pair = ~np.isnan(now) & ~np.isnan(before)
    cross = _trailing_sum(np.where(pair, now * before, 0.0), windows.ar_nights)
    power = _trailing_sum(np.where(pair, (now * now + before * before) / 2, 0.0), windows.ar_nights)
    pairs = _trailing_sum(pair.astype(float), windows.ar_nights)
    phi = cross / np.where(power > 0, power, 1.0) * pairs / (pairs + AR_PRIOR_NIGHTS)
    return np.clip(phi, *AR_LIMITS) * np.nan_to_num(before)


def _shifted(values: Numbers, nights: int) -> Numbers:
    moved = np.full_like(values, np.nan)
    moved[nights:] = values[: max(len(values) - nights, 0)]
    return moved


def _trailing_sum(values: Numbers, window: int, *, through: bool = False) -> Numbers:
    """Sum the ``window`` nights before each night, or those that end ``through`` it."""
    total = np.zeros((len(values) + 1, values.shape[1]))
    np.cumsum(values, axis=0, out=total[1:])
    end = np.arange(len(values)) + through
    return total[end] - total[np.maximum(end - window, 0)]
