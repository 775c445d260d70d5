"""Ask every statistical rule about a training set's columns: which of them know more than a prediction could?

Called by ``stages/leaks.py``. Thresholds come from the flights, electricity prices, traffic and made-up tables;
``benchmarks/leaks.py`` says what they find and how often they are wrong on tables that did not choose them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from perennial.engine.fitting import Array, TrainingSet
from perennial.engine.leak_probe import Jump, jumps, probe_rows
from perennial.facts.leak_measures import (
    giveaway,
    indicators,
    missing_skill,
    order_correlation,
    own_skill,
    unique_share,
)
from perennial.facts.leaks import LeakSign

JUMP = 0.30
"""Share of what is missing to a perfect prediction that honest columns do not explain beyond all others."""
JUMP_SURE = 2.0
"""Standard errors by which a jump must be there at all: with few rows one fold's luck looks like a jump."""
OWN_SKILL = 0.80
STANDS_OUT = 0.75
"""Share of what is missing to 1 that the best column has before the next: where many are good, one more is no sign."""
MISSING = 0.30
GIVEAWAY = 0.30
UNIQUE = 0.9
ORDER = 0.99
ORDER_SKILL = 0.10
"""An order of rows that says nothing about the label can be known to anyone."""
SAME = 0.95
"""Rank correlation from which two columns say the same."""
FEWEST_ROWS = 50
"""With fewer, every rule is about luck."""


@dataclass(frozen=True)
class Examined:
    """Rows as the rules see them: a sample, coded, with their halves."""

    rows: TrainingSet
    codes: Mapping[str, Array]
    """Each column as numbers: categories by their code, missing as NaN."""
    truth: Array
    halves: Array
    groups: Array
    place: Array
    """Where each row stood among those of its night, or of the table: 0 to 1."""
    calendar: frozenset[str]
    """Columns that are functions of the clock or calendar: anyone knows them beforehand."""

    @property
    def classes(self) -> bool:
        """Whether labels are classes."""
        return self.rows.task in {"binary", "multiclass"}


def statistical_signs(
    rows: TrainingSet,
    *,
    seed: int,
    new: tuple[str, ...] = (),
    times: pd.Series[pd.Timestamp] | None = None,
) -> list[LeakSign]:
    """List the signs that hold a candidate until a person answers for the columns, in the order of the rules.

    ``new`` are columns that the champion does not eat: only they are asked for jumps, each and together, since the best
    honest column of a first model closes a gap as well. ``times`` are the rows' own local times.
    """
    if len(rows) < FEWEST_ROWS:
        return []
    seen = _examined(rows, seed, times)
    found = [*_skilled(seen), *_missing(seen), *_giveaways(seen), *_identifiers(seen), *_ordered(seen)]
    return [*(_jumped(seen, new, seed) if new else []), *found]


def _examined(rows: TrainingSet, seed: int, times: pd.Series[pd.Timestamp] | None) -> Examined:
    place = _places(rows)
    kept = probe_rows(rows, seed)
    chosen = pd.Index(rows.keys).get_indexer(pd.Index(kept.keys)) if len(kept) < len(rows) else slice(None)
    groups = kept.nights if kept.nights is not None else _groups(kept)
    halves = pd.util.hash_array(groups.astype(str).astype(object)) % 2 == 0
    codes = {
        name: _coded(kept.rows[name], number=name in kept.columns.numeric) for name in kept.columns.names
    }
    return Examined(
        rows=kept,
        codes=codes,
        truth=indicators(kept.labels, kept.task),
        halves=np.asarray(halves),
        groups=groups,
        place=place[chosen],
        calendar=frozenset() if times is None else _of_the_calendar(kept, times.iloc[chosen]),
    )


def _groups(rows: TrainingSet) -> Array:
    return rows.keys if rows.entities is None else rows.entities


def _places(rows: TrainingSet) -> Array:
    """Place each row among those delivered with it."""
    if rows.nights is None:
        return np.arange(len(rows)) / max(len(rows), 1)
    ranks = pd.Series(np.arange(len(rows))).groupby(rows.nights).rank(pct=True)
    return ranks.to_numpy(dtype=float)


def _coded(column: pd.Series[Any], *, number: bool) -> Array:
    if number:
        return pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    codes = pd.factorize(column.astype(object), sort=False)[0].astype(float)
    return np.where(codes < 0, np.nan, codes)


def _of_the_calendar(rows: TrainingSet, times: pd.Series[pd.Timestamp]) -> frozenset[str]:
    """Name the columns that are one value for each time of day, weekday or month."""
    at = times.dt
    parts = [at.hour * 60 + at.minute, at.hour, at.day_of_week, at.month]
    return frozenset(
        name
        for name in rows.columns.names
        if any(_function_of(rows.rows[name], part.to_numpy()) for part in parts)
    )


def _function_of(column: pd.Series[Any], part: Array) -> bool:
    values = pd.Series(pd.factorize(column.astype(object))[0])
    several = values.groupby(part).nunique()
    alike = bool((values == values.iloc[0]).all())
    return 1 < len(several) <= len(values) / 5 and bool((several <= 1).all()) and not alike


def _jumped(seen: Examined, new: tuple[str, ...], seed: int) -> Iterator[LeakSign]:
    """Prefer single columns to the whole of what is new: a person can answer for them one by one."""
    # All columns together explain whatever the model explains: that is judged only where most were there before.
    sets = [new] if 2 * len(new) <= len(seen.codes) else []
    asked = jumps(seen.rows, sets, groups=seen.groups, seed=seed)
    found = [each for each in asked if set(each.columns) <= set(new) and _is_jump(seen, each)]
    singles = [each for each in found if len(each.columns) == 1]
    for each in singles or found:
        share = max(each.share, each.skill_share)
        yield LeakSign(
            "jump",
            each.columns,
            share,
            f"{_named(each.columns)} close{'s' * (len(each.columns) == 1)} {share:.0%} of the gap to a perfect "
            "prediction that all other columns leave open",
        )


def _is_jump(seen: Examined, each: Jump) -> bool:
    known_to_all = set(each.columns) <= seen.calendar
    return not known_to_all and max(each.share, each.skill_share) >= JUMP and each.sure >= JUMP_SURE


def _skilled(seen: Examined) -> Iterator[LeakSign]:
    own = {
        name: own_skill(codes, seen.truth, seen.halves, classes=seen.classes)
        for name, codes in seen.codes.items()
    }
    for name, skill in own.items():
        others = [own[other] for other in own if other != name and not _same(seen, name, other)]
        next_best = max(0.0, max(others, default=0.0))
        stands_out = skill - next_best >= STANDS_OUT * (1 - next_best)
        if name not in seen.calendar and skill >= OWN_SKILL and stands_out:
            yield LeakSign(
                "skill",
                (name,),
                skill,
                f"{name} alone predicts the label with a skill of {skill:.2f} of 1; the next best column has "
                f"{next_best:.2f}",
            )


def _same(seen: Examined, one: str, other: str) -> bool:
    """Tell whether two columns say the same: a copy of a leak must not make the leak look ordinary."""
    known = np.isfinite(seen.codes[one]) & np.isfinite(seen.codes[other])
    return order_correlation(seen.codes[one][known], seen.codes[other][known]) > SAME


def _missing(seen: Examined) -> Iterator[LeakSign]:
    for name, codes in seen.codes.items():
        skill = missing_skill(~np.isfinite(codes), seen.truth, classes=seen.classes)
        if skill >= MISSING:
            yield LeakSign(
                "missing",
                (name,),
                skill,
                f"whether {name} is missing tells labels apart: its shares of missing values differ by {skill:.0%}",
            )


def _giveaways(seen: Examined) -> Iterator[LeakSign]:
    for name in seen.rows.columns.categorical:
        share, code = giveaway(seen.codes[name], seen.truth, classes=seen.classes)
        if share >= GIVEAWAY and name not in seen.calendar:
            value = seen.rows.rows[name].to_numpy()[np.flatnonzero(seen.codes[name] == code)[0]]
            yield LeakSign(
                "giveaway",
                (name,),
                share,
                f"{name} is {value!r} in {share:.0%} of the rows of one kind of label and in hardly any other",
            )


def _identifiers(seen: Examined) -> Iterator[LeakSign]:
    for name, codes in seen.codes.items():
        known = codes[np.isfinite(codes)]
        share = unique_share(known)
        if share > UNIQUE and len(known) >= FEWEST_ROWS and (known == np.round(known)).all():
            yield LeakSign(
                "identifier",
                (name,),
                share,
                f"{name} looks like an identifier: {share:.0%} of its values are different",
            )


def _ordered(seen: Examined) -> Iterator[LeakSign]:
    skill = own_skill(seen.place, seen.truth, seen.halves, classes=seen.classes)
    if skill < ORDER_SKILL:
        return
    for name, codes in seen.codes.items():
        followed = order_correlation(codes, seen.place)
        if followed > ORDER and name not in seen.calendar:
            yield LeakSign(
                "order",
                (name,),
                followed,
                f"{name} follows the order of the rows (rank correlation {followed:.3f}), and that order predicts "
                f"the label (skill {skill:.2f})",
            )


def _named(columns: tuple[str, ...]) -> str:
    return columns[0] if len(columns) == 1 else f"{', '.join(columns[:-1])} and {columns[-1]} together"
