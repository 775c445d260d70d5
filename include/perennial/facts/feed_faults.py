"""Signs that a feed broke, as opposed to a world that changed: read from profiles, never from rows.

Triage (``policies/triage.py``) asks here first, because a model trained on a fault learns the fault.
Each rule looks at one recent night beside the reference nights; a fault stands when it shows on at
least half of the recent nights.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, get_args

import numpy as np

from perennial.clock import Night
from perennial.facts.edges import ColumnEdges, Edges
from perennial.facts.feed_shapes import NEAR, Moved, has_few_values
from perennial.facts.profile import ColumnProfile, Profile, merge

Sign = Literal[
    "cut_short", "retyped", "missing", "constant", "recoded", "swapped", "unit", "out_of_range", "stale"
]
"""What was seen, most certain first; ``stale`` comes from ``facts/exact_signs.py``."""

SHARE_OF_NIGHTS = 0.5
MISSING_MORE = 0.05
"""A missing share must rise by more than this, and by more than two standard deviations of its nights."""
OUTSIDE_SHARE, OUTSIDE_REACH, OUTSIDE_REACH_OF_FEW = 0.01, 0.25, 1.0
"""So many more rows beyond the reference range, the furthest of them by so much of its width; further
for a column with few values a night, such as the weather at three airports: nights differ as a whole."""
SETTLED_NIGHTS, LEARNT_NIGHTS, FEWEST_CODES = 28, 14, 5
"""A number is a code when its first two weeks of so many nights show so many values, and every later night some."""
CUT_SHORT = 10
"""A night with less than a tenth of the rows that any reference night had is a delivery that broke off: of so few
rows nothing else can be said."""
DUE_ROWS = 10
"""So many rows of the usual categories must have been due: of ten thousand customers the ten most frequent are seldom
among a night's fifty, and nothing is broken. By chance alone none of ten comes in under one of 20,000 nights."""
FEWEST_VALUES = 20
"""A column with fewer values on a night can be constant by chance."""


@dataclass(frozen=True)
class Fault:
    """One sign in one column (or a pair of columns), and on how many nights it showed."""

    sign: Sign
    column: str
    said: str
    """What was seen, with its numbers, as part of a sentence."""
    on: tuple[Night, ...]
    """Nights on which it showed."""
    of_nights: int
    other: str = ""
    """The second column of a swap."""

    @property
    def nights(self) -> int:
        """Count the nights on which it showed."""
        return len(self.on)


@dataclass(frozen=True)
class Seen:
    """A sign on one night."""

    sign: Sign
    column: str
    said: str
    other: str = ""
    factor: float = 1.0
    """By which a unit differs; 1 for other signs."""


def find_faults(
    edges: Edges, reference: Mapping[Night, Profile], recent: Mapping[Night, Profile]
) -> list[Fault]:
    """List what points to a broken feed, most certain kind first; empty when nothing does.

    Args:
        edges: The cuts all profiles were counted on.
        reference: Ordinary nights, at least one; those just before the recent ones see season best.
        recent: The nights the finding is about; tonight alone when it fired tonight.
    """
    pooled, usual = merge(*reference.values()), list(reference.values())
    shown: dict[tuple[Sign, str, str], dict[Night, Seen]] = {}
    for night in sorted(recent):
        for seen in _signs(edges, usual, pooled, recent[night]):
            shown.setdefault((seen.sign, seen.column, seen.other), {})[night] = seen
    faults = [
        Fault(sign, column, seen[max(seen)].said, tuple(seen), len(recent), other)
        for (sign, column, other), seen in shown.items()
        if len(seen) >= SHARE_OF_NIGHTS * len(recent) and _one_factor(each.factor for each in seen.values())
    ]
    return sorted(faults, key=lambda fault: (get_args(Sign).index(fault.sign), fault.column))


def _one_factor(factors: Iterable[float]) -> bool:
    """A unit is the same factor every night; a world that changes is another one each night."""
    known = list(factors)
    return max(known) <= (1 + NEAR) * min(known)


def _signs(edges: Edges, nights: list[Profile], pooled: Profile, tonight: Profile) -> Iterator[Seen]:
    found: dict[str, Seen] = {}
    moved: dict[str, Moved] = {}
    fewest = min(night.rows for night in nights)
    if len(nights) >= SETTLED_NIGHTS and tonight.rows * CUT_SHORT < fewest:
        said = f"{tonight.rows:,} rows came, where the {len(nights)} nights before had {fewest:,} at least"
        yield Seen("cut_short", "", said)
        return
    for name, cut in edges.columns.items():
        column, usual = tonight.columns.get(name), pooled.columns.get(name)
        if column is None or usual is None or not tonight.rows:  # an empty night says nothing of its columns
            continue
        past = [(night.columns[name], night.rows) for night in nights if name in night.columns and night.rows]
        sign = _of_presence(column, tonight.rows, past) or _of_values(column, usual, past, cut)
        if sign:
            found[name] = Seen(sign[0], name, f"{name} {sign[1]}")
        shape = Moved.of(column, usual, cut)
        if shape:
            moved[name] = shape
    yield from _of_shapes(found, moved)


def _of_shapes(found: dict[str, Seen], moved: dict[str, Moved]) -> Iterator[Seen]:
    """Yield exchanged columns, then units, then what else was found; the first explains the others."""
    explained: set[str] = set()
    for one, other in combinations(moved, 2):
        if moved[one].exchanged_with(moved[other]):
            explained |= {one, other}
            yield Seen("swapped", one, f"{one} and {other} look exchanged", other)
    for name, shape in moved.items():
        line = None if name in explained else shape.unit()
        if line:
            explained.add(name)
            plus = f" plus {line[1]:.4g}" if line[1] else ""
            yield Seen("unit", name, f"{name} looks as if multiplied by {line[0]:.4g}{plus}", factor=line[0])
    yield from (seen for name, seen in found.items() if name not in explained)


Past = list[tuple[ColumnProfile, int]]
"""A column on each reference night, and that night's rows."""


def _of_presence(column: ColumnProfile, rows: int, past: Past) -> tuple[Sign, str] | None:
    if column.state == "retyped" and not any(night.state == "retyped" for night, _ in past):
        return "retyped", f"came as {', '.join(sorted(column.types))}"
    shares = np.array([_missing(night, of) for night, of in past])
    now, usual = _missing(column, rows), float(shares.mean())
    if now > usual + max(MISSING_MORE, 2 * float(shares.std())):
        return "missing", f"is missing in {now:.0%} of the rows, usually in {usual:.0%}"
    return None


def _missing(column: ColumnProfile, rows: int) -> float:
    return (column.nulls + column.not_finite) / rows


def _of_values(
    column: ColumnProfile, usual: ColumnProfile, past: Past, cut: ColumnEdges
) -> tuple[Sign, str] | None:
    if column.values < FEWEST_VALUES:
        return None
    if _constant(column) and not any(_constant(night) for night, _ in past):
        return "constant", "has one value in all rows, which no earlier night had"
    if cut.kind == "category":
        return _recoded(column, usual, cut)
    return _outside(column, usual) or _foreign(column, [night for night, _ in past])


def _constant(column: ColumnProfile) -> bool:
    return column.distinct is not None and len(column.distinct) == 1


def _outside(column: ColumnProfile, usual: ColumnProfile) -> tuple[Sign, str] | None:
    if column.low is None or column.high is None or usual.low is None or usual.high is None:
        return None
    width = usual.high - usual.low
    if not width:
        return None  # what never varied shows no range: a month, a year
    reach = width * (OUTSIDE_REACH_OF_FEW if has_few_values(column) else OUTSIDE_REACH)
    for cell, far in ((0, column.low < usual.low - reach), (-1, column.high > usual.high + reach)):
        share = column.counts[cell] / column.values
        if far and share > usual.counts[cell] / usual.values + OUTSIDE_SHARE:
            said = f"lies outside its usual {usual.low:.4g} to {usual.high:.4g} in {share:.0%} of the rows"
            return "out_of_range", said
    return None


def _foreign(column: ColumnProfile, past: list[ColumnProfile]) -> tuple[Sign, str] | None:
    """Say that a number with few values, such as a weekday, has none of them.

    Not where ordinary nights brought nothing but new values as well, as a month does, or a reading of the weather.
    """
    nights = [night.distinct for night in past if night.values]
    if column.distinct is None or None in nights or len(nights) < SETTLED_NIGHTS:
        return None
    known = [values for values in nights if values]
    first = frozenset[str]().union(*known[:LEARNT_NIGHTS])
    settled = len(first) >= FEWEST_CODES and all(values & first for values in known[LEARNT_NIGHTS:])
    strange = settled and not column.distinct & first.union(*known)
    return ("recoded", "has none of its usual values") if strange else None


def _recoded(column: ColumnProfile, usual: ColumnProfile, cut: ColumnEdges) -> tuple[Sign, str] | None:
    due = sum(usual.counts[:-1]) / max(usual.values, 1) * column.values
    none_usual = cut.top and not any(column.counts[:-1]) and due >= DUE_ROWS
    known = column.distinct is None or usual.distinct is None or not column.distinct & usual.distinct
    return (
        ("recoded", f"has none of its usual values, such as {cut.top[0]}") if none_usual and known else None
    )
