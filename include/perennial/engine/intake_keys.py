"""Which rows belong to the night, when each became known, and which of several with one key stays.

All in night time: a row from the future is one that could not have been known when the night ended.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Literal

from perennial.checks.base import quoted
from perennial.clock import Night, after, start_of
from perennial.engine.intake_checking import looking_at
from perennial.engine.intake_quarantine import Faults
from perennial.facts.batch import ROW
from perennial.spec.cleaning import Deduplicate
from perennial.spec.source import SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

Keep = Literal["first", "last", "identical"]


@dataclass(frozen=True)
class Dropped:
    """A row that another one with its key makes superfluous."""

    row: int
    values: str | None
    """Its values as JSON where they differ from the row that stays; none for an identical copy."""


def place_in_time(
    table: pa.Table, source: SourceSpec, *, night: Night, timezone: str, faults: Faults
) -> None:
    """Note rows without a time, of another night, or from the future."""
    if source.static:
        return
    if source.known_at:
        end = start_of(after(night), timezone)
        _note_late(table, source.known_at, end, timezone, faults)
    elif source.event_time:
        first = after(night, source.lead_days)
        window = (start_of(first, timezone), start_of(after(first), timezone))
        _note_elsewhere(_instants(table, source.event_time, timezone), source.event_time, window, faults)


def note_missing_keys(table: pa.Table, source: SourceSpec, faults: Faults) -> None:
    """Note rows that have no name: a part of their key, or the time that places them, is missing."""
    times = {name for name in (source.event_time, source.known_at) if name and not source.static}
    for name in source.columns:
        if name in source.key or name in times:
            rule = "key" if name in source.key else "time"
            faults.add_all(_rows_where_null(table, name), rule, f"{rule}: {name} is missing")


def deduplicate(table: pa.Table, source: SourceSpec, faults: Faults) -> tuple[pa.Table, list[Dropped]]:
    """Keep one row for each key by the declared rule; without one, drop identical copies only.

    Rows with one key and different values are faults, unless the rule says which of them stays.
    """
    keep: Keep | None = next(
        (step.deduplicate for step in source.clean if isinstance(step, Deduplicate)), None
    )
    names = list(source.key) or (list(source.columns) if keep else [])
    if not names or not _has_twins(table, names):
        return table, []
    order = "DESC" if keep == "last" else "ASC"
    copies = _later(table, list(source.columns), order)
    single = _without(table, copies)
    dropped = [Dropped(row, None) for row in copies]
    if keep in {"first", "last"}:
        others = _later(single, names, order)
        dropped += [Dropped(row, values) for row, values in _as_json(single, others)]
        return _without(single, others), sorted(dropped, key=lambda one: one.row)
    reason = f"key: several different rows have the same {', '.join(names)}"
    faults.add_all(_sharing(single, names), "key", reason)
    return single, dropped


def with_known_at(table: pa.Table, source: SourceSpec, default: datetime, timezone: str) -> pa.Table:
    """Add the clock columns: when each row became known, and that nothing supersedes it yet.

    A date is known when its local day ends.
    """
    import pyarrow as pa

    instant = pa.timestamp("us", "UTC")
    told = dict(_instants(table, source.known_at, timezone, day_end=True)) if source.known_at else {}
    rows = table.column(ROW).to_pylist()
    known = pa.array([told.get(row, default.astimezone(UTC)) for row in rows], instant)
    columns = {name: table.column(name) for name in source.columns if name != "known_at"}
    return pa.table({**columns, "known_at": known, "superseded_at": pa.nulls(table.num_rows, instant)})


def _note_late(table: pa.Table, column: str, end: datetime, timezone: str, faults: Faults) -> None:
    for row, value in _instants(table, column, timezone, day_end=True):
        if value > end:
            faults.add(row, "future", f"future: {column} {value.isoformat()} is after the night's end")


def _note_elsewhere(
    instants: list[tuple[int, datetime]], column: str, window: tuple[datetime, datetime], faults: Faults
) -> None:
    begin, end = window
    for row, value in instants:
        if not begin <= value < end:
            side = "before" if value < begin else "after"
            reason = f"night: {column} {value.isoformat()} is {side} the day that this night tells of"
            faults.add(row, "night", reason)


def _instants(
    table: pa.Table, column: str, timezone: str, *, day_end: bool = False
) -> list[tuple[int, datetime]]:
    """List the times there are, by row; a date is the begin (or end) of its local day."""
    rows = table.column(ROW).to_pylist()
    found = zip(rows, table.column(column).to_pylist(), strict=True)
    return [(row, _instant(value, timezone, day_end=day_end)) for row, value in found if value is not None]


def _instant(value: datetime | date, timezone: str, *, day_end: bool) -> datetime:
    if isinstance(value, datetime):
        return value
    return start_of(after(value.isoformat(), int(day_end)), timezone)


def _rows_where_null(table: pa.Table, name: str) -> list[int]:
    column = table.column(name)
    if not column.null_count:
        return []
    import pyarrow.compute as pc

    return list(table.filter(pc.is_null(column)).column(ROW).to_pylist())


def _has_twins(table: pa.Table, names: list[str]) -> bool:
    return bool(table.group_by(names).aggregate([]).num_rows < table.num_rows)


def _later(table: pa.Table, names: list[str], order: str) -> list[int]:
    """List the rows that have a twin before them in the order."""
    place = f"row_number() OVER (PARTITION BY {_list(names)} ORDER BY {ROW} {order})"
    return _rows_where(table, f"{place} > 1")


def _sharing(table: pa.Table, names: list[str]) -> list[int]:
    return _rows_where(table, f"count(*) OVER (PARTITION BY {_list(names)}) > 1")


def _list(names: list[str]) -> str:
    return ", ".join(quoted(name) for name in names)


def _rows_where(table: pa.Table, condition: str) -> list[int]:
    with looking_at(table) as connection:
        query = f"SELECT {ROW} FROM batch QUALIFY {condition} ORDER BY {ROW}"  # noqa: S608  quoted names only
        return [row for (row,) in connection.execute(query).fetchall()]


def _without(table: pa.Table, rows: list[int]) -> pa.Table:
    return _picked(table, rows, wanted=False)


def _picked(table: pa.Table, rows: list[int], *, wanted: bool) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    chosen = pc.is_in(table.column(ROW), value_set=pa.array(rows, pa.int64()))
    return table.filter(chosen if wanted else pc.invert(chosen))


def _as_json(table: pa.Table, rows: list[int]) -> list[tuple[int, str]]:
    values = _picked(table, rows, wanted=True).to_pylist()
    return [(one.pop(ROW), json.dumps(one, ensure_ascii=False, default=str)) for one in values]
