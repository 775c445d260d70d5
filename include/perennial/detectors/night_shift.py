"""Is tonight like the nights before it? Inputs and predictions, one number a night, calibrated on its past.

Read by the monitor every night; what it crosses is judged by a page budget (``policies/paging.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
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
COLUMNS_NAMED = 10
USUAL_NIGHTS = 28
"""Nights before a lasting move whose median is called usual."""


class Threshold(NamedTuple):
    """What tonight must exceed, and how strange it is among earlier nights."""

    value: float
    p: float
    provisional: bool
    tail: float


@dataclass(frozen=True)
class Side:
    """One way of looking at the same surprises: tonight's alone, or those of the last nights together."""

    nights: int
    z: Numbers
    """Tonight's, one a stream."""
    past: Numbers
    """Statistics of the earlier nights that could be scored."""
    tonight: float
    limit: Threshold

    @property
    def ratio(self) -> float:
        """Return how far tonight went on the way to its threshold, or beyond."""
        return self.tonight / self.limit.value if self.limit.value > 0 else 0.0


class NightShift(Detector[Watch]):
    """Compare a night with the same weekday of the last weeks, and the difference with its own past.

    Each stream (location, spread, missing share, shares of categories, rows) is expected to be what it was
    on the same weekday, plus what last night's surprise carries over. Two statistics share the page budget:
    the night's largest surprise in standard deviations, and the largest sum of a stream's surprises over
    the last ``lasting_nights``, which shows a small move that stays. Each has its threshold from its own
    past: a rank among the statistics of earlier nights (conformal; Vovk et al. 2005), or, before there are
    ``rank_nights`` of them, an exponential tail fitted to them; weeks on most nights of which something else was
    going on are left out of it. Before ``provisional_nights`` it reads "learning". ``benchmarks/false_alarms.py`` shows that the budget holds, ``benchmarks/power.py`` what is seen.

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
    lasting_nights: int = Field(
        7, ge=4, le=28, description="Nights whose surprises are also read together, for small lasting moves."
    )
    lasting_share: float = Field(
        0.3,
        ge=0,
        le=0.9,
        description="Share of the page budget that lasting moves may use; 0 leaves them out.",
    )

    def read(self, watch: Watch) -> Reading:
        """Read the last night of the watch."""
        import numpy as np

        z = self._z_scores(watch)
        scored = np.asarray((~np.isnan(z)).any(axis=1))
        unscored = self._why_unscored(watch, scored=bool(scored[-1]), earlier=int(scored[:-1].sum()))
        if unscored:
            return Reading(watch.nights[-1], ARM, "learning", unscored, scored_nights=int(scored[:-1].sum()))
        return self._judge(watch, self._sides(z, watch.page_rate))

    def threshold(self, past: Numbers, tonight: float, rate: float) -> Threshold:
        """Return what the statistic must exceed for at most ``rate`` of ordinary nights to do so."""
        from perennial.facts.own_past import limit, rank_for, strangeness, tail_index

        earlier, now = past[:, None], tonight + 0 * past[:1]
        return Threshold(
            float(limit(earlier, rate, self.rank_nights)[0]),
            float(strangeness(earlier, now, rate, self.rank_nights)[0]),
            provisional=not rank_for(len(past), rate, self.rank_nights),
            tail=float(tail_index(earlier)[0]),
        )

    def _sides(self, z: Numbers, rate: float) -> list[Side]:
        """Look at tonight alone and at the last nights together, as far as each has a past of its own."""
        from perennial.facts.own_past import episodes
        from perennial.facts.walk_forward import lasting

        together = lasting(z, self.lasting_nights, self.clip)
        scored, size = _sizes(z)
        apart = episodes(size[:-1, None], scored[:-1, None])[:, 0]
        if (scored[:-1] & ~apart).sum() < 2 * self.provisional_nights:
            apart[:] = False  # too little would be left to know what is ordinary
        asked = ((1, z, 1 - self.lasting_share), (self.lasting_nights, together, self.lasting_share))
        found = [self._side(nights, seen, share * rate, apart) for nights, seen, share in asked if share]
        return [side for side in found if side is not None]

    def _side(self, nights: int, z: Numbers, rate: float, apart: NDArray[np.bool_]) -> Side | None:
        import numpy as np

        scored, size = _sizes(z)
        # Sums over several nights remember what happened for as many nights after it.
        within = np.convolve(apart, np.ones(nights))[: len(apart)] > 0
        past, tonight = size[:-1][scored[:-1] & ~within], float(size[-1])
        if not scored[-1] or len(past) < self.provisional_nights:
            return None
        return Side(nights, z[-1], past, tonight, self.threshold(past, tonight, rate))

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

    def _judge(self, watch: Watch, sides: list[Side]) -> Reading:
        side = max(sides, key=lambda one: one.ratio)
        columns = _moved(watch, side)
        over = side.tonight > side.limit.value
        return Reading(
            watch.nights[-1],
            ARM,
            "over" if over else "quiet",
            _sentence(watch.nights[-1], columns[0], side, over=over),
            statistic=side.tonight,
            threshold=side.limit.value,
            p=min(side.limit.p * len(sides), 1.0),
            scored_nights=len(side.past),
            tail=side.limit.tail,
            provisional=side.limit.provisional,
            columns=columns,
            evidence={
                "rate": watch.page_rate,
                "nights": side.nights,
                "streams": int((side.z == side.z).sum()),  # counts what is not NaN
                "first_night": watch.nights[0],
                "parameters": self.model_dump(),
            },
        )


def _sizes(z: Numbers) -> tuple[NDArray[np.bool_], Numbers]:
    """Tell which nights could be scored, and how large the largest surprise of each is."""
    import numpy as np

    return np.asarray((~np.isnan(z)).any(axis=1)), np.abs(np.nan_to_num(z)).max(axis=1, initial=0.0)


def _moved(watch: Watch, side: Side) -> tuple[Moved, ...]:
    """Name the streams that moved most, with what was usual before them."""
    import numpy as np

    from perennial.facts.walk_forward import median_of_known

    order = np.argsort(-np.abs(np.nan_to_num(side.z)), kind="stable")[:COLUMNS_NAMED]
    usual, now = _usual(watch, side.nights), median_of_known(watch.plain[-side.nights :])
    return tuple(
        Moved(
            watch.streams[i].column,
            round(float(side.z[i]), 3),
            watch.streams[i].describe(float(usual[i]), float(now[i])),
        )
        for i in order
        if not np.isnan(side.z[i])
    )


def _usual(watch: Watch, nights: int) -> Numbers:
    """Return the median of each stream, in plain numbers, before the nights that are looked at.

    For one night on the earlier nights of its weekday, for more on the weeks before them.
    """
    from perennial.facts.walk_forward import median_of_known

    before = watch.nights[:-nights]
    ordinary = [i for i, night in enumerate(before) if night not in watch.holidays]
    weekday = [i for i in ordinary if nights == 1 and (len(before) - i) % 7 == 0][-8:]
    return median_of_known(watch.plain[weekday or ordinary[-USUAL_NIGHTS:]])


def _sentence(night: str, largest: Moved, side: Side, *, over: bool) -> str:
    weekday = f"{date.fromisoformat(night):%A}s"
    how = "provisionally, from the tail of" if side.limit.provisional else "by rank among"
    size = f"{abs(largest.z):.1f} standard deviations"
    basis = f"the threshold is {side.limit.value:.1f}, {how} {len(side.past)} earlier nights"
    if side.nights > 1:
        verdict = "have moved" if over else "are like the nights before them"
        return (
            f"The {side.nights} nights to {night} {verdict}: {largest.direction}, taken together {size} from "
            f"what earlier {weekday} and other days let one expect; {basis}."
        )
    if over:
        return f"{night}: {largest.direction}, {size} from what earlier {weekday} let one expect; {basis}."
    return (
        f"{night} is like earlier {weekday}: the largest move, {largest.direction}, is {abs(largest.z):.1f} "
        f"standard deviations; {basis}."
    )
