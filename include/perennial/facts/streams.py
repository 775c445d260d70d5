"""A night as a row of numbers: what of each column may move, on scales where ordinary noise is even.

Profiles become streams, streams of many nights become a ``Watch``, and a detector reads its last night.
Numpy is imported only where it is used, because model.yaml is read where nothing heavy may be.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from perennial.clock import Night, after, between

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from perennial.facts.edges import ColumnEdges, Edges
    from perennial.facts.profile import ColumnProfile, Profile

    Numbers = NDArray[np.float64]

Group = Literal["inputs", "predictions"]
Aspect = Literal["location", "spread", "missing", "share", "rows", "association"]

LONGEST_WATCH = 400
"""Nights that are looked back on: a year and a month; older ones tell little and cost time."""

_WORDS: dict[Aspect, str] = {
    "location": " mean",
    "spread": " standard deviation",
    "missing": " missing share",
    "share": " share",
    "rows": "rows",
    "association": " association",
}
_FEWEST_ROWS = 25
"""Row counts are taken to vary by at most a fifth from chance alone, or an empty night would look noisy."""

ADDED = 3 / 8
"""Rows added to the count of a category before its share is taken, and as many to all others."""

_WITHOUT_DECIMALS, _TENTH = 1000, 0.095
"""Numbers are written without decimals from here, and with two significant digits below."""


@dataclass(frozen=True)
class Stream:
    """One thing that is watched over the nights."""

    column: str
    """Column it belongs to; empty for the row count."""
    aspect: Aspect
    category: str = ""
    """Category whose share it is, empty for all others together; for an association the other column."""
    group: Group = "inputs"
    """The history of ``inputs`` survives a change of champion, that of ``predictions`` does not."""

    def describe(self, before: float, now: float) -> str:
        """Say a move in plain words.

        >>> Stream("carrier", "share", "UA").describe(0.21, 0.35)
        'carrier UA share 0.21 -> 0.35'
        >>> Stream("", "rows").describe(929.0, 718.0)
        'rows 929 -> 718'
        """
        words = [f"{number:,.0f}" if self.aspect == "rows" else _plainly(number) for number in (before, now)]
        what = f" {self.category or 'all others'}" if self.aspect == "share" else ""
        what = f" with {self.category}" if self.aspect == "association" else what
        return f"{self.column}{what}{_WORDS[self.aspect]} {words[0]} -> {words[1]}"


@dataclass(frozen=True)
class NightStreams:
    """One night's streams, of one group."""

    night: Night
    names: tuple[Stream, ...]
    values: Sequence[float]
    """On the scale that is judged: normal scores, arcsine of the root of a share, logarithm of rows."""
    sampling_sd: Sequence[float]
    """What each value would vary by if the rows were drawn afresh from the reference."""
    plain: Sequence[float]
    """The same things as people say them: mean, standard deviation, share, rows."""


@dataclass(frozen=True, eq=False)
class Watch:
    """Streams of every night up to tonight, which is the last row; a missing night is a row of NaN."""

    nights: tuple[Night, ...]
    """Consecutive nights."""
    streams: tuple[Stream, ...]
    values: Numbers
    """Nights by streams."""
    sampling_sd: Numbers
    plain: Numbers
    page_rate: float
    """Share of ordinary nights that may cross the threshold: the page budget's rate."""
    holidays: frozenset[Night] = frozenset()
    """Nights that are no ordinary nights: neither compared with nor scored."""

    @classmethod
    def of(
        cls,
        tonight: Night,
        nights: Iterable[NightStreams],
        page_rate: float,
        holidays: Iterable[Night] = (),
    ) -> Watch:
        """Lay streams out night by night, tonight last, the last 400 nights at most.

        ``nights`` holds inputs and predictions, one entry a night and group, in any order, tonight's
        among them. Where predictions exist for some nights only, the others are NaN for them.
        """
        earliest = after(tonight, 1 - LONGEST_WATCH)
        kept = sorted(
            (night for night in nights if earliest <= night.night <= tonight),
            key=lambda night: (night.night, night.names[0].group if night.names else ""),
        )
        days = between(kept[0].night if kept else tonight, tonight)
        groups = _alike(kept)
        streams = tuple(dict.fromkeys(name for group in groups for name in group[0].names))
        values, sampling_sd, plain = _grids(groups, days, streams)
        return cls(tuple(days), streams, values, sampling_sd, plain, page_rate, frozenset(holidays))


def streams_of(night: Night, profile: Profile, edges: Edges, group: Group = "inputs") -> NightStreams:
    """Turn a night's profile into streams.

    Numbers: location (mean normal score) and spread (variance of the scores); categories: the share of
    each of the top ten and of all others; both: the share of rows without a usable value, for which
    an absent or retyped column counts in full. Declared pairs: how strongly both go together. With the inputs, the
    number of rows.

    A share is watched as the arcsine of its root, whose sampling error, 1 / (2 sqrt(n)), is the same at
    zero as anywhere else: so a share that has always been zero is comparable too. For categories 3/8 is added
    to the count (Anscombe 1948): without it rare ones are so skewed that at 200 rows a night they, and not
    the columns that people ask about, set the threshold for everything.

    Raises:
        ProfilesDifferError: the profile was counted on other edges.
    """
    from perennial.errors import ProfilesDifferError
    from perennial.facts.association import pair_stream

    if profile.edges != edges.identity:
        raise ProfilesDifferError(profile.edges, edges.identity)
    found = [
        stream
        for name, cut in edges.columns.items()
        for stream in _of_column(
            Stream(name, "missing", group=group), profile.columns[name], cut, profile.rows
        )
    ]
    for pair, counts in profile.pairs.items():
        found.append((Stream(pair[0], "association", pair[1], group), *pair_stream(counts, pair, edges)))
    if group == "inputs":
        noise = 1 / math.sqrt(max(profile.rows, _FEWEST_ROWS))
        found.append((Stream("", "rows"), math.log1p(profile.rows), noise, float(profile.rows)))
    names, values, sds, plain = zip(*found, strict=True) if found else ((), (), (), ())
    return NightStreams(night, names, values, sds, plain)


_Measured = tuple[Stream, float, float, float]


def _of_column(missing: Stream, column: ColumnProfile, cut: ColumnEdges, rows: int) -> Iterator[_Measured]:
    yield _share(missing, rows - column.values, rows)
    if cut.kind == "category":
        for category, count in zip((*cut.top, ""), column.counts, strict=True):
            stream = Stream(missing.column, "share", category, missing.group)
            yield _share(stream, count, column.values, added=ADDED)
    elif sum(cut.counts):
        yield from _moments(missing, column, cut)


def _share(stream: Stream, count: int, of: int, added: float = 0.0) -> _Measured:
    if not of:
        return stream, math.nan, math.nan, math.nan
    angle = math.asin(math.sqrt((count + added) / (of + 2 * added)))
    return stream, angle, 0.5 / math.sqrt(of), count / of


def _moments(missing: Stream, column: ColumnProfile, cut: ColumnEdges) -> Iterator[_Measured]:
    from perennial.facts.edges import OUTSIDE_SCORE

    location = Stream(missing.column, "location", group=missing.group)
    spread = Stream(missing.column, "spread", group=missing.group)
    n, mean, sd = column.values, column.mean, column.sd
    if not n or mean is None or sd is None:
        yield from ((stream, math.nan, math.nan, math.nan) for stream in (location, spread))
        return
    counts = _as_array(column.counts)
    first, second = (float(cut.scores**power @ counts) / n for power in (1, 2))
    # One stray row outside the range is always ordinary: it keeps a constant column's floor above zero.
    noise = [
        math.sqrt((variance + OUTSIDE_SCORE ** (2 * power) / n) / n)
        for power, variance in enumerate(cut.score_variances, start=1)
    ]
    yield location, first, noise[0], mean
    # About the night's own mean: about the reference, a moving level would look like a spread with
    # a long tail, and set the threshold for everything (5.1 instead of 4.2 on wandering nights).
    yield spread, second - first * first, noise[1], sd


def _as_array(counts: tuple[int, ...]) -> Numbers:
    import numpy as np

    return np.array(counts, dtype=np.float64)


def _alike(kept: list[NightStreams]) -> list[list[NightStreams]]:
    """Put nights together that have the very same names, which most have: to look at each takes a second."""
    found: dict[int, list[NightStreams]] = {}
    for night in kept:
        found.setdefault(id(night.names), []).append(night)
    return list(found.values())


def _grids(
    groups: list[list[NightStreams]], days: list[Night], streams: tuple[Stream, ...]
) -> tuple[Numbers, Numbers, Numbers]:
    import numpy as np

    row = {night: position for position, night in enumerate(days)}
    at = {name: position for position, name in enumerate(streams)}
    grids = np.full((3, len(days), len(streams)), np.nan)
    for group in groups:
        places = np.ix_([row[night.night] for night in group], [at[name] for name in group[0].names])
        grids[0][places] = _stacked([night.values for night in group])
        grids[1][places] = _stacked([night.sampling_sd for night in group])
        grids[2][places] = _stacked([night.plain for night in group])
    return grids[0], grids[1], grids[2]


def _stacked(lines: list[Sequence[float]]) -> Numbers:
    """Put lines of numbers below each other; those that were read from a table are bytes already."""
    import numpy as np

    packed: list[Any] = [line for line in lines if isinstance(line, array)]
    if len(packed) < len(lines):
        return np.array(lines, dtype=np.float64)
    return np.frombuffer(b"".join(packed)).reshape(len(lines), -1)


def _plainly(number: float) -> str:
    size = abs(number)
    return (
        f"{number:,.0f}"
        if size >= _WITHOUT_DECIMALS
        else f"{number:.2f}"
        if size >= _TENTH
        else f"{number:.2g}"
    )
