"""Does a version lose more than its evaluation promised, beyond the luck of nights?

Asked every night of the newest settled ones, so the chance that is asked for is small: it is made for a whole year of
asking. Read by the retrain stage; ``facts/realised.py`` shows the same losses with their intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from perennial.facts.paired import limits, pseudo_values
from perennial.facts.realised import LEAST_NIGHTS, NightMean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

RECENT_NIGHTS, USUAL_NIGHTS, LEAST_USUAL = 14, 56, 28
"""Settled nights of the version, those before them that tell how nights differ, and the fewest of these."""
EXACT = 1e-9
"""Numbers are alike up to this part of them."""
BROKEN = 0.001
"""A promise counts as broken below this chance. Of versions that lose what was promised at most 5 in 100 are so called
in a year, whether nights are alike, have weeks, are rarely far worse, or resemble their neighbours by up to .6
(``benchmarks/broken_promise.py``)."""


def chance_of_excess(
    recent: Sequence[NightMean], promised: Sequence[NightMean], before: Sequence[NightMean]
) -> float | None:
    """Return how often luck alone would make the last nights lose so much more than was promised.

    Nothing where there are fewer than 7 nights of either, or 28 before, or a loss is no number.

    >>> usual = [NightMean(f"2013-{day:03}", 900, 400.0 + 9 * (day * 7 % 5)) for day in range(56)]
    >>> worse = [NightMean(one.night, 900, one.loss + 60) for one in usual[:14]]
    >>> chance_of_excess(usual[:14], usual[14:28], usual) > 0.3, chance_of_excess(worse, usual[:14], usual) < BROKEN
    (True, True)
    """
    import numpy as np

    sides = [[one for one in nights if one.rows] for nights in (recent, promised, before)]
    if any(
        len(side) < least
        for side, least in zip(sides, (LEAST_NIGHTS, LEAST_NIGHTS, LEAST_USUAL), strict=True)
    ):
        return None
    if not np.isfinite([one.loss for side in sides for one in side]).all():
        return None
    found = [pseudo_values([one.loss for one in side], [one.rows for one in side]) for side in sides]
    return float(chances_of_excess(*found))


def chances_of_excess(recent: Numbers, promised: Numbers, before: Numbers) -> Numbers:
    """Do so for many versions at once, nights on the last axis, from the pseudo-values of their means.

    The larger of two answers: by how the two sets of nights themselves differ (Welch 1947), which fourteen nights
    that resemble each other tell badly; and by how the nights before did, which a rare bad night tells badly.
    """
    import numpy as np
    from scipy.special import stdtr

    ours, theirs, long = (limits(side, alpha=0.05) for side in (recent, promised, before))
    excess = ours["estimate"] - theirs["estimate"]
    # Equal losses differ by how they were added up.
    least = EXACT * np.maximum(np.abs(theirs["estimate"]), EXACT)
    first, second = (np.maximum(one["standard_error"], least) ** 2 for one in (ours, theirs))
    degrees = (first + second) ** 2 / (first**2 / ours["degrees"] + second**2 / theirs["degrees"])
    scale = np.sqrt(before.shape[-1] * (1 / recent.shape[-1] + 1 / promised.shape[-1]))
    usual = np.maximum(long["standard_error"], least) * scale
    own = stdtr(degrees, -excess / np.sqrt(first + second))
    found: Numbers = np.maximum(own, stdtr(long["degrees"], -excess / usual))
    return found
