"""Inputs whose values, within their usual range, were never seen before: a sign of a feed in another unit or code.

Prices come in cents, distances in whole miles, weekdays in seven numbers: ordinary nights show the same values again
and again, whatever the world does. Asked of a finding's scored rows by ``facts/plain_causes.py``, because a profile
does not keep the values of a column that has many.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perennial.facts.shared_ground import Ground, Rows

Numbers = NDArray[np.float64]

NEARLY_ALL = 0.9
"""Share of a night's values that must be new for the night to be a strange one."""
BY_CHANCE = 0.001
"""So many strange nights are no fault where ordinary nights would show as many more often than this."""
MISSING = 0.0
"""What ``facts/scaled_inputs.py`` puts in place of a missing value."""


def inputs_of_new_values(ground: Ground) -> list[tuple[str, int, int]]:
    """List inputs with nothing but new values on half of the nights or more, with those nights and all that can tell.

    Only values inside the usual range count: a month that begins, or a dearer year, brings new ones by nature. A
    quantity that is measured so finely that ordinary nights bring new values as well shows nothing here.
    """
    found = []
    for j, name in enumerate(ground.reference.columns[:-1]):
        usual, now = ground.reference.inputs[:, j], ground.recent.inputs[:, j]
        low, high = float(usual.min()), float(usual.max())
        before = _strange(
            _inside(ground.reference, usual, low, high), new=_of_one_night(ground.reference, usual)
        )
        after = _strange(_inside(ground.recent, now, low, high), new=~np.isin(now, usual))
        if (
            len(before)
            and len(after)
            and 2 * after.sum() >= len(after)
            and _chance(before, after) < BY_CHANCE
        ):
            found.append((name, int(after.sum()), len(after)))
    return found


def _inside(rows: Rows, values: Numbers, low: float, high: float) -> NDArray[np.int64]:
    """Return each row's night, -1 where its value lies at an end of the usual range, beyond, or is missing."""
    return np.where((values > low) & (values < high) & (values != MISSING), rows.night, -1)


def _of_one_night(rows: Rows, values: Numbers) -> NDArray[np.bool_]:
    """Whether no other night has a row's value."""
    _, value = np.unique(values, return_inverse=True)
    nights = np.unique(np.column_stack([value, rows.night]), axis=0)
    return np.asarray(np.bincount(nights[:, 0])[value] == 1)


def _strange(night: NDArray[np.int64], new: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say of each night that has values inside the range whether nearly all of them are new."""
    inside = night >= 0
    _, place = np.unique(night[inside], return_inverse=True)
    shares = np.bincount(place, new[inside]) / np.maximum(np.bincount(place), 1)
    return np.asarray(shares > NEARLY_ALL)


def _chance(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> float:
    """Return how likely so many strange nights are where nights are strange as often as ordinary ones were.

    As often as one more of them would be (Laplace), for sixty nights without one do not show that there is none.
    """
    from scipy.special import bdtrc

    usual = (before.sum() + 1) / (len(before) + 2)
    return float(bdtrc(after.sum() - 1, len(after), usual))
