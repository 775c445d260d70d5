"""Declared cleaning, on text, in the declared order: every change is counted and its original kept.

Deduplication is declared among the cleaning but done by ``intake_keys`` when values are typed, because
``1`` and ``1.0`` are the same number.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from perennial.facts.batch import ROW
from perennial.spec.cleaning import CleaningStep, Fill, MapCategories, NullTokens, Rescale, Trim
from perennial.spec.source import SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

Text: TypeAlias = str | None
Change: TypeAlias = Callable[[Text], Text]


@dataclass(frozen=True)
class ChangedValue:
    """One value that cleaning changed."""

    row: int
    column: str
    step: str
    before: Text
    after: Text


@dataclass
class Changes:
    """What cleaning changed so far."""

    values: list[ChangedValue] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def note(self, step: str, column: str, changed: Sequence[ChangedValue]) -> None:
        """Count the changes of one step in one column."""
        self.counts[f"{step} {column}"] = self.counts.get(f"{step} {column}", 0) + len(changed)
        self.values.extend(changed)


def clean(table: pa.Table, source: SourceSpec) -> tuple[pa.Table, Changes]:
    """Carry out the cleaning steps of a source."""
    changes = Changes()
    for step in source.clean:
        for name, column, change in _column_changes(step):
            table = _changed(table, name, column, change, changes)
    return table, changes


def changes_table(table: pa.Table, changes: Changes, key: Sequence[str]) -> pa.Table:
    """Write the changed values with the keys of their rows, in the order of the steps."""
    import pyarrow as pa

    keys = _keys(table, {changed.row for changed in changes.values}, key)
    return pa.table(
        {
            "row": [changed.row for changed in changes.values],
            "key": [keys[changed.row] for changed in changes.values],
            "column": [changed.column for changed in changes.values],
            "step": [changed.step for changed in changes.values],
            "before": [changed.before for changed in changes.values],
            "after": [changed.after for changed in changes.values],
        },
        schema=pa.schema(
            [
                ("row", pa.int64()),
                *((name, pa.string()) for name in ("key", "column", "step", "before", "after")),
            ]
        ),
    )


def _column_changes(step: CleaningStep) -> Iterator[tuple[str, str, Change]]:
    """Yield the step's name, a column, and what happens to each of its values."""
    match step:
        case Trim():
            yield from (("trim", column, _trimmed) for column in step.trim)
        case NullTokens():
            yield from (("null_tokens", column, _nulled(set(t))) for column, t in step.null_tokens.items())
        case Rescale():
            yield from (("unit", column, _rescaled(factor)) for column, factor in step.unit.items())
        case MapCategories():
            yield from (("map", column, _mapped(names)) for column, names in step.map.items())
        case Fill():
            yield from (("fill", column, _filled(value)) for column, value in step.fill.items())
        case _:
            return


def _changed(table: pa.Table, step: str, column: str, change: Change, changes: Changes) -> pa.Table:
    import pyarrow as pa

    if column not in table.column_names:
        return table
    before = table.column(column).to_pylist()
    # Columns repeat their values, so each value is changed once.
    known = {value: change(value) for value in set(before)}
    if all(value == after for value, after in known.items()):
        changes.note(step, column, [])
        return table
    rows = table.column(ROW).to_pylist()
    moved = [
        ChangedValue(row, column, step, value, known[value])
        for row, value in zip(rows, before, strict=True)
        if known[value] != value
    ]
    changes.note(step, column, moved)
    cleaned = pa.chunked_array([pa.array([known[value] for value in before], pa.string())])
    return table.set_column(table.column_names.index(column), column, cleaned)


def _trimmed(value: Text) -> Text:
    return (value or "").strip() or None


def _nulled(tokens: set[str]) -> Change:
    return lambda value: None if value in tokens else value


def _mapped(names: dict[str, str]) -> Change:
    return lambda value: value if value is None else names.get(value, value)


def _filled(value: str | float | bool) -> Change:  # noqa: FBT001  a value to put in, whatever its type
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return lambda found: text if found is None else found


def _rescaled(factor: Rescale.Factor) -> Change:
    def rescaled(value: Text) -> Text:
        try:
            number = float(value or "") * factor.multiply + factor.add
        except ValueError:
            return value
        # What is no finite number stays as it came: casting says so, with the original value.
        return repr(number).removesuffix(".0") if math.isfinite(number) else value

    return rescaled


def _keys(table: pa.Table, rows: set[int], key: Sequence[str]) -> dict[int, str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not rows:
        return {}
    wanted = table.filter(pc.is_in(table.column(ROW), value_set=pa.array(sorted(rows), pa.int64())))
    columns = [wanted.column(name).to_pylist() for name in key]
    names = zip(*columns, strict=True) if key else ([] for _ in range(wanted.num_rows))
    return {
        row: json.dumps(list(values), ensure_ascii=False)
        for row, values in zip(wanted.column(ROW).to_pylist(), names, strict=True)
    }
