"""Is tonight like the nights before it? Inputs and predictions, one number a night, calibrated on its past.

Read by the monitor every night; what it crosses is judged by a page budget (``policies/paging.py``).
"""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field

from perennial.detectors.base import Detector
from perennial.facts.reading import Moved, Reading
from perennial.facts.streams import Watch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

ARM = "night_shift"
TAIL_SHARE = 0.2
"""Share of past nights that show how the tail falls."""
CEILING = 2.0
"""How far upheavals in the past may raise the threshold above that of its ordinary nights."""
COLUMNS_NAMED = 10


class Threshold(NamedTuple):
    """What tonight must exceed, and how strange it is among earlier nights."""

    value: float
    p: float
    provisional: bool


class NightShift(Detector[Watch]):
    """Compare a night with the same weekday of the last weeks, and the difference with its own past.

    Each stream (location, spread, missing share, shares of categories, rows) is expected to be what it was
    on the same weekday, plus what last night's surprise carries over; the night's statistic is the largest
    surprise in standard deviations. Its threshold is a rank among the statistics of earlier nights
    (conformal; Vovk et al. 2005), or, before there are ``rank_nights`` of them, an exponential tail fitted
    to them. Before ``provisional_nights`` it reads "learning".

    It cannot see a shift smaller than the ordinary wandering of the nights, nor, by construction, a change of
    what the label means for the same inputs. A change that starts within the weeks compared is learned
    as normal in about as many weeks; in a first year, a season that was never seen looks like drift.

    >>> from perennial.facts.streams import NightStreams, Stream
    >>> from perennial.clock import between
    >>> wave = {night: 0.01 * (i * 7 % 11) for i, night in enumerate(between("2013-01-01", "2013-05-30"))}
    >>> usual = [NightStreams(n, (Stream("x", "location"),), (v,), (0.02,), (v,)) for n, v in wave.items()]
    >>> strange = NightStreams("2013-05-31", (Stream("x", "location"),), (0.9,), (0.02,), (0.9,))
    >>> reading = NightShift().read(Watch.of("2013-05-31", [*usual, strange], page_rate=1 / 90))
    >>> reading.state, reading.columns[0].direction
    ('over', 'x mean 0.045 -> 0.90')
    """

    weeks: int = Field(8, ge=4, le=26, description="Weeks over which a night is compared with its weekday.")
    pooled_nights: int = Field(
        28, ge=14, le=90, description="Nights that are pooled where a weekday has been seen too rarely."
    )
    ar_nights: int = Field(
        120, ge=28, le=365, description="Nights from which autocorrelation and scale are estimated."
    )
    clip: float = Field(
        3, ge=1, description="Standard deviations beyond which a surprise is not carried over."
    )
    provisional_nights: int = Field(
        30, ge=20, description="Scored nights that allow a provisional threshold."
    )
    rank_nights: int = Field(180, ge=90, description="Scored nights that allow a threshold by rank.")

    def read(self, watch: Watch) -> Reading:
        """Read the last night of the watch."""
        import numpy as np

        z = self._z_scores(watch)
        size: Numbers = np.abs(np.nan_to_num(z)).max(axis=1, initial=0.0)
        scored = np.asarray((~np.isnan(z)).any(axis=1))
        past, tonight = size[:-1][scored[:-1]], float(size[-1])
        unscored = self._why_unscored(watch, scored=bool(scored[-1]), earlier=len(past))
        if unscored:
            return Reading(watch.nights[-1], ARM, "learning", unscored, scored_nights=len(past))
        return self._judge(watch, z[-1], tonight, self.threshold(past, tonight, watch.page_rate), len(past))

    def threshold(self, past: Numbers, tonight: float, rate: float) -> Threshold:
        """Return what the statistic must exceed for at most ``rate`` of ordinary nights to do so.

        The threshold is never above twice that of the ordinary nights in ``past``: a history that
        holds a real upheaval must not make the watch blind to the next.
        """
        ceiling = CEILING * _ordinary_tail(past, rate)
        rank = math.floor(rate * (len(past) + 1))
        if len(past) < self.rank_nights or rank < 1:
            value, p = _tail(past, tonight, rate)
            return Threshold(min(value, ceiling), p, provisional=True)
        value = float(sorted(past, reverse=True)[rank - 1])
        p = (1 + int((past >= tonight).sum())) / (len(past) + 1)
        return Threshold(min(value, ceiling), p, provisional=False)

    def _z_scores(self, watch: Watch) -> Numbers:
        import numpy as np

        from perennial.facts.walk_forward import Windows, z_scores

        windows = Windows(self.weeks, self.pooled_nights, self.ar_nights, self.clip)
        ordinary = np.array([night not in watch.holidays for night in watch.nights])
        return z_scores(watch.nights, watch.values, watch.sampling_sd, ordinary, windows)

    def _why_unscored(self, watch: Watch, *, scored: bool, earlier: int) -> str:
        import numpy as np

        night = watch.nights[-1]
        if night in watch.holidays:
            return f"{night} is a listed holiday: it is compared with nothing, and nothing with it."
        if bool(np.isnan(watch.values[-1]).all()):
            return f"{night} has no rows to read."
        if not scored or earlier < self.provisional_nights:
            return (
                f"Learning: {earlier} earlier nights could be scored, and {self.provisional_nights} are "
                "needed for a threshold."
            )
        return ""

    def _judge(self, watch: Watch, z: Numbers, tonight: float, limit: Threshold, earlier: int) -> Reading:
        columns = _moved(watch, z)
        over = tonight > limit.value
        return Reading(
            watch.nights[-1],
            ARM,
            "over" if over else "quiet",
            _sentence(watch.nights[-1], columns[0], limit, earlier, over=over),
            statistic=tonight,
            threshold=limit.value,
            p=limit.p,
            scored_nights=earlier,
            provisional=limit.provisional,
            columns=columns,
            evidence={
                "rate": watch.page_rate,
                "streams": int((z == z).sum()),  # noqa: PLR0124  # counts what is not NaN
                "first_night": watch.nights[0],
                "parameters": self.model_dump(),
            },
        )


def _tail(past: Numbers, tonight: float, rate: float) -> tuple[float, float]:
    """Return threshold and p from the fall of the greatest fifth.

    The excess over the 80 % point is taken as exponential; its mean is known from m nights only, for which
    the predictive tail is (1 + x / (m * mean)) ** -m rather than exp(-x / mean): honest where m is small.
    """
    import numpy as np

    start = float(np.quantile(past, 1 - TAIL_SHARE))
    excess = past[past > start] - start
    m, mean = max(len(excess), 1), max(float(excess.mean()) if len(excess) else 0.0, 1e-12)
    value = start + m * mean * ((TAIL_SHARE / rate) ** (1 / m) - 1)
    if tonight <= start:
        return value, float((past >= tonight).mean())
    return value, TAIL_SHARE * (1 + (tonight - start) / (m * mean)) ** -m


def _ordinary_tail(past: Numbers, rate: float) -> float:
    """Return the threshold that the past would give without its upheavals: by medians, which ignore them."""
    import numpy as np

    middle, start = (float(q) for q in np.quantile(past, (0.5, 1 - TAIL_SHARE)))
    fall = (start - middle) / math.log(0.5 / TAIL_SHARE)
    return start + fall * math.log(max(TAIL_SHARE / rate, 1.0))


def _moved(watch: Watch, z: Numbers) -> tuple[Moved, ...]:
    """Name the streams that moved most, with what was usual before them."""
    import numpy as np

    order = np.argsort(-np.abs(np.nan_to_num(z)), kind="stable")[:COLUMNS_NAMED]
    usual = _usual(watch)
    return tuple(
        Moved(
            watch.streams[i].column,
            round(float(z[i]), 3),
            watch.streams[i].describe(float(usual[i]), float(watch.plain[-1, i])),
        )
        for i in order
        if not np.isnan(z[i])
    )


def _usual(watch: Watch) -> Numbers:
    """Return the median of each stream, in plain numbers, on the earlier nights of the same weekday."""
    from perennial.facts.walk_forward import median_of_known

    ordinary = [i for i, night in enumerate(watch.nights[:-1]) if night not in watch.holidays]
    weekday = [i for i in ordinary if (len(watch.nights) - 1 - i) % 7 == 0][-8:]
    return median_of_known(watch.plain[weekday or ordinary[-28:]])


def _sentence(night: str, largest: Moved, limit: Threshold, earlier: int, *, over: bool) -> str:
    weekday = date.fromisoformat(night).strftime("%A")
    how = "provisionally, from the tail of" if limit.provisional else "by rank among"
    basis = f"the threshold is {limit.value:.1f}, {how} {earlier} earlier nights"
    if over:
        return (
            f"{night}: {largest.direction}, {abs(largest.z):.1f} standard deviations from what earlier "
            f"{weekday}s let one expect; {basis}."
        )
    return (
        f"{night} is like earlier {weekday}s: the largest move, {largest.direction}, is {abs(largest.z):.1f} "
        f"standard deviations; {basis}."
    )
