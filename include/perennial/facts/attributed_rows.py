"""Reference and recent rows, side by side, as attribution reads them: columns coded, segments as masks.

A restored column takes, row by row, a value from the reference so that its distribution is the reference's
again and nothing else moves. Needs numpy and pandas, so nothing read at parse time imports it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]
Index = NDArray[np.int64]

MOST_LEVELS, LEAST_SHARE, LEAST_ROWS = 40, 0.02, 30
"""A category becomes a segment of its own with so many rows on both sides, in a column of so few levels."""
LONGEST_NAME = 60
"""Characters of a category that a segment's name shows."""


@dataclass(frozen=True)
class Rows:
    """One side: what the model was given, by night, and what came of it."""

    features: pd.DataFrame
    """Columns as the model takes them."""
    nights: NDArray[Any]
    """The night of each row."""
    labels: Numbers | None = None
    """NaN where a label is not known yet; none where there are no labels at all."""
    segments: Mapping[str, Mask] = field(default_factory=dict)
    """Declared segments: for each, whether a row belongs to it."""

    def __len__(self) -> int:
        """Count rows."""
        return len(self.features)

    def take(self, rows: Index | Mask) -> Rows:
        """Keep some rows."""
        labels = None if self.labels is None else self.labels[rows]
        segments = {name: mask[rows] for name, mask in self.segments.items()}
        return Rows(self.features.iloc[rows], self.nights[rows], labels, segments)

    def sample(self, most: int, draw: np.random.Generator) -> Rows:
        """Keep at most so many rows, drawn without repetition, in their order."""
        if len(self) <= most:
            return self
        return self.take(np.sort(draw.choice(len(self), most, replace=False)))


@dataclass(frozen=True)
class Column:
    """A column of both sides as numbers; the categories of both sides (missing is one) as their codes."""

    name: str
    is_number: bool
    reference: Numbers
    recent: Numbers

    @classmethod
    def of(cls, name: str, reference: pd.Series[Any], recent: pd.Series[Any], *, category: bool) -> Column:
        """Code a column; what is neither numeric nor declared a category is one."""
        plain = pd.api.types.is_numeric_dtype(reference) and pd.api.types.is_numeric_dtype(recent)
        if plain and not category and not pd.api.types.is_bool_dtype(reference):
            sides = (side.to_numpy(dtype=np.float64, na_value=np.nan) for side in (reference, recent))
            # An infinity has no rank to be restored by: it counts as missing, here and nowhere else.
            return cls(name, True, *(np.where(np.isfinite(side), side, np.nan) for side in sides))
        both = pd.concat([reference.astype(object), recent.astype(object)], ignore_index=True)
        codes = pd.factorize(both, use_na_sentinel=False)[0].astype(np.float64)
        return cls(name, False, codes[: len(reference)], codes[len(reference) :])

    def binned(self, bins: int) -> tuple[Index, Index]:
        """Cut both sides at the reference's quantiles; missing has a bin of its own. Categories stay."""
        if not self.is_number:
            return self.reference.astype(np.int64), self.recent.astype(np.int64)
        known = self.reference[~np.isnan(self.reference)]
        if not len(known):
            known = np.zeros(1)
        cuts = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)))
        # Below and above all that was usual are bins of their own.
        cuts = np.append(cuts, np.nextafter(cuts[-1], np.inf))
        sides = (np.where(np.isnan(s), len(cuts) + 1, np.digitize(s, cuts)) for s in self.sides)
        reference, recent = sides
        return reference.astype(np.int64), recent.astype(np.int64)

    @property
    def sides(self) -> tuple[Numbers, Numbers]:
        """Reference, then recent."""
        return self.reference, self.recent


@dataclass(frozen=True)
class Segment:
    """A part of the rows: a declared segment, or one level of a categorical column."""

    name: str
    column: str
    """Empty for a declared segment."""
    reference: Mask
    recent: Mask


@dataclass(frozen=True)
class Pair:
    """Both sides, coded."""

    reference: Rows
    recent: Rows
    columns: tuple[Column, ...]
    segments: tuple[Segment, ...]

    @classmethod
    def of(cls, reference: Rows, recent: Rows, categorical: Sequence[str]) -> Pair:
        """Code the columns that both sides have, and list the segments that both sides have rows of."""
        names = [name for name in reference.features.columns if name in recent.features.columns]
        columns = tuple(
            Column.of(
                name, reference.features[name], recent.features[name], category=name in set(categorical)
            )
            for name in names
        )
        return cls(reference, recent, columns, tuple(_segments(reference, recent, columns)))

    def keep(self, reference: Mask, recent: Mask) -> Pair:
        """Keep some rows of either side."""
        columns = tuple(
            Column(c.name, c.is_number, c.reference[reference], c.recent[recent]) for c in self.columns
        )
        segments = tuple(
            Segment(s.name, s.column, s.reference[reference], s.recent[recent]) for s in self.segments
        )
        return Pair(self.reference.take(reference), self.recent.take(recent), columns, segments)

    def column(self, name: str) -> Column:
        """Find a column by name."""
        return next(column for column in self.columns if column.name == name)


def _segments(reference: Rows, recent: Rows, columns: Sequence[Column]) -> Iterator[Segment]:
    for name, mask in reference.segments.items():
        if name in recent.segments and _counts(mask, recent.segments[name]):
            yield Segment(name, "", mask, recent.segments[name])
    for column in columns:
        values = reference.features[column.name]
        levels, first = np.unique(column.reference, return_index=True)
        if column.is_number or len(levels) > MOST_LEVELS:
            continue
        for level, row in zip(levels, first, strict=True):
            masks = column.reference == level, column.recent == level
            if _counts(*masks) and masks[0].mean() <= 1 - LEAST_SHARE:
                level_name = str(values.iloc[row])[:LONGEST_NAME]
                yield Segment(f"{column.name} = {level_name}", column.name, *masks)


def _counts(reference: Mask, recent: Mask) -> bool:
    return all(
        mask.sum() >= LEAST_ROWS and LEAST_SHARE <= mask.mean() <= 1 - LEAST_SHARE
        for mask in (reference, recent)
    )


def restored(pair: Pair, column: Column, where: Segment | None, draw: np.random.Generator) -> Index:
    """Say for each recent row which row gives the value of a restored column.

    Rows are numbered over the reference and then the recent ones. Numbers keep their order (the recent
    quantile of a row is read off the reference), categories change on as few rows as possible, and so
    does being missing. Ties are broken at random. Only rows of ``where`` change.
    """
    found = len(pair.reference) + np.arange(len(pair.recent))
    here = np.ones(len(pair.reference), bool) if where is None else where.reference
    now = np.ones(len(pair.recent), bool) if where is None else where.recent
    if not here.any() or not now.any():
        return found
    usual, recent = column.reference[here], column.recent[now]
    donors = _ranked(usual, recent, draw) if column.is_number else _levelled(usual, recent, draw)
    givers = np.append(np.flatnonzero(here), -1)  # the last place is for those that keep their own
    found[now] = np.where(donors >= 0, givers[donors], found[now])
    return found


def _levelled(usual: Numbers, recent: Numbers, draw: np.random.Generator) -> Index:
    """Give rows of levels that are too frequent a reference row of one that is too rare; -1 keeps a row."""
    levels, codes = np.unique(np.concatenate([usual, recent]), return_inverse=True)
    past, now = codes[: len(usual)], codes[len(usual) :]
    had = np.bincount(past, minlength=len(levels))
    has = np.bincount(now, minlength=len(levels))
    wanted = had * len(recent) / len(usual)
    shuffled = np.lexsort((draw.random(len(now)), now))
    place = np.empty(len(now), np.int64)
    place[shuffled] = np.arange(len(now)) - np.repeat(np.cumsum(has) - has, has)
    changed = place >= np.ceil(wanted)[now]
    lacking = np.maximum(wanted - has, 0)
    donors = np.full(len(now), -1, np.int64)
    if changed.any() and lacking.sum() > 0:
        given = draw.choice(len(levels), changed.sum(), p=lacking / lacking.sum())
        by_level = np.argsort(past, kind="stable")
        donors[changed] = by_level[(np.cumsum(had) - had)[given] + draw.integers(0, had[given])]
    return donors


def _ranked(usual: Numbers, recent: Numbers, draw: np.random.Generator) -> Index:
    donors = _levelled(np.isnan(usual).astype(float), np.isnan(recent).astype(float), draw)
    kept = (donors < 0) & ~np.isnan(recent)
    known = np.flatnonzero(~np.isnan(usual))
    if kept.any() and len(known):
        values = recent[kept]
        place = np.empty(len(values), np.int64)
        place[np.lexsort((draw.random(len(values)), values))] = np.arange(len(values))
        ordered = known[np.argsort(usual[known], kind="stable")]
        donors[kept] = ordered[((place + 0.5) / len(values) * len(ordered)).astype(np.int64)]
    return donors


def blocks(nights: NDArray[Any], fewest: int, draw: np.random.Generator) -> tuple[Index, bool]:
    """Say which block of rows each row varies with: its night, or chance where nights are too few.

    Returns the blocks, and whether they are nights.
    """
    names, night = np.unique(nights, return_inverse=True)
    if len(names) >= fewest:
        return night.astype(np.int64), True
    return draw.permutation(len(nights)) % max(min(20, len(nights) // 5), 1), False


def stretches(nights: Numbers, long: int) -> Numbers:
    """Add up every run of so many nights (second axis)."""
    summed = np.concatenate([np.zeros_like(nights[:, :1]), nights.cumsum(axis=1)], axis=1)
    return np.asarray(summed[:, long:] - summed[:, :-long], dtype=np.float64)
