"""How strange is tonight's number among those of earlier nights? Thresholds calibrated on a past, not a formula.

The nightly watch asks for one history at a time, its simulations for hundreds at once: every function
takes nights by histories. Needs numpy, so nothing read at parse time imports it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from perennial.facts.walk_forward import median_of_known

Numbers = NDArray[np.float64]

TAIL_SHARE = 0.2
"""Share of past nights that show how the tail falls."""
LEAST = 2.0
"""Fewer standard deviations than this are never strange, however calm the past: constants have no spread."""
CEILING = 2.0
"""How far upheavals in the past may raise the threshold above that of its ordinary nights."""
EPISODE, EPISODE_NIGHTS, EPISODE_WEEK = 3.0, 5, 7
"""So many times the median on so many nights of a week is no ordinary week, whatever came of it."""


def limit(past: Numbers, rate: float, rank_nights: int) -> Numbers:
    """Return, for each history, what at most ``rate`` of ordinary nights exceed.

    A rank among the past once there are ``rank_nights`` of it and the rank exists (conformal), before that
    an exponential tail. Never above twice the threshold of the ordinary nights: a past that holds a
    real upheaval must not make the watch blind to the next.
    """
    rank = rank_for(len(past), rate, rank_nights)
    if rank:
        found = np.partition(past, len(past) - rank, axis=0)[len(past) - rank]
    else:
        start, m, mean = _tail(past)
        found = start + m * mean * ((TAIL_SHARE / rate) ** (1 / m) - 1)
    believed: Numbers = np.maximum(np.minimum(found, CEILING * _ordinary_tail(past, rate)), LEAST)
    return believed


def episodes(sizes: Numbers, scored: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the nights of weeks on most of which something else was going on: they say nothing of ordinary nights.

    Nights by histories. The ceiling above ignores upheavals of less than a fifth of the past only, and two markets
    that are joined stay strange for ten weeks. Nights in control never make an episode
    (``tests/facts/test_own_past.py``), so that the budget is what it is without this.
    """
    middle = median_of_known(np.where(scored, sizes, np.nan))
    large = scored & (sizes > EPISODE * np.maximum(middle, LEAST))
    week = np.lib.stride_tricks.sliding_window_view
    if len(large) < EPISODE_WEEK:
        return np.zeros_like(large)
    full = week(large, EPISODE_WEEK, axis=0).sum(axis=-1) >= EPISODE_NIGHTS
    room = np.zeros((EPISODE_WEEK - 1, *full.shape[1:]), bool)
    return np.asarray(week(np.concatenate([room, full, room]), EPISODE_WEEK, axis=0).any(axis=-1))


def strangeness(past: Numbers, tonight: Numbers, rate: float, rank_nights: int) -> Numbers:
    """Return, for each history, the share of ordinary nights that are at least as strange as tonight."""
    if rank_for(len(past), rate, rank_nights):
        ranked: Numbers = (1 + (past >= tonight).sum(axis=0)) / (len(past) + 1)
        return ranked
    start, m, mean = _tail(past)
    beyond = TAIL_SHARE * (1 + np.maximum(tonight - start, 0.0) / (m * mean)) ** -m
    share: Numbers = np.where(tonight <= start, (past >= tonight).mean(axis=0), beyond)
    return share


def tail_index(past: Numbers) -> Numbers:
    """Return, for each history, how heavy its tail is: the mean logarithm of the greatest fifth over its start.

    So many times as large is a number that ordinary nights exceed e times more rarely (Hill 1975).
    """
    start = np.maximum(np.quantile(past, 1 - TAIL_SHARE, axis=0), 1e-12)
    beyond = past > start
    logs = np.log(np.where(beyond, past / start, 1.0)).sum(axis=0)
    index: Numbers = logs / np.maximum(beyond.sum(axis=0), 1)
    return index


def rank_for(nights: int, rate: float, rank_nights: int) -> int:
    """Return which of the greatest past numbers is the threshold; 0 where the past is too short for a rank."""
    return math.floor(rate * (nights + 1)) if nights >= rank_nights else 0


def _tail(past: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Return where the tail starts, how many nights lie in it, and their mean excess.

    The excess over the 80 % point is taken as exponential; its mean is known from m nights only, for which
    the predictive tail is (1 + x / (m * mean)) ** -m rather than exp(-x / mean): honest where m is small.
    """
    start = np.quantile(past, 1 - TAIL_SHARE, axis=0)
    beyond = past > start
    m = np.maximum(beyond.sum(axis=0), 1)
    mean = np.where(beyond, past - start, 0.0).sum(axis=0) / m
    return start, m, np.maximum(mean, 1e-12)


def _ordinary_tail(past: Numbers, rate: float) -> Numbers:
    """Return the threshold that the past would give without its upheavals: by medians, which ignore them."""
    middle, start = np.quantile(past, (0.5, 1 - TAIL_SHARE), axis=0)
    fall = (start - middle) / math.log(0.5 / TAIL_SHARE)
    found: Numbers = start + fall * math.log(max(TAIL_SHARE / rate, 1.0))
    return found
