"""What can be said of a night's columns without any other night: empty, or full of a value that stands for nothing.

Asked while the nightly watch is still learning; from then on a column's own past says more. Only what is plain by
itself is called broken; what may be in order is named and decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

STANDS_FOR_NOTHING = (-99, -999, -9999, -99999, -999999, 99999, 999999, 9999999)
"""Numbers that systems write where there is none."""
MOST, SOME = 0.5, 0.01
"""Share of rows with such a number from which a column is broken, and from which it is named."""


@dataclass(frozen=True)
class FirstSign:
    """Something that one night's rows show by themselves."""

    column: str
    said: str
    broken: bool
    """Whether it is plain by itself, or only named."""


def first_signs(rows: pa.Table) -> list[FirstSign]:
    """Look at each column of a night.

    >>> import pyarrow as pa
    >>> night = pa.table({"size": [1.5, -999.0, 2.0], "weight": pa.nulls(3, pa.float64()), "place": ["a", "a", "b"]})
    >>> [(one.said, one.broken) for one in first_signs(night)]
    [('size is -999 on 1 of 3 rows', False), ('weight has no value on any of 3 rows', True)]
    """
    if not rows.num_rows:
        return [FirstSign("", "not one row came", broken=True)]
    found = (_sign(name, rows[name], rows.num_rows) for name in rows.column_names)
    return [one for one in found if one]


def _sign(name: str, column: pa.ChunkedArray, rows: int) -> FirstSign | None:
    import pyarrow as pa

    if column.null_count == rows:
        return FirstSign(name, f"{name} has no value on any of {rows} rows", broken=True)
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return None
    counts = _nothing(column)
    if not counts:
        return None
    value, count = max(counts.items(), key=lambda one: one[1])
    if count < SOME * rows:
        return None
    return FirstSign(name, f"{name} is {value} on {count} of {rows} rows", broken=count > MOST * rows)


def _nothing(column: pa.ChunkedArray) -> Mapping[int, int]:
    """Count the values that stand for nothing; a column that has values beyond them on both sides uses them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array([float(value) for value in STANDS_FOR_NOTHING])
    numbers = column.cast(pa.float64())
    hit = pc.is_in(numbers, wanted)
    kept = numbers.filter(pc.fill_null(hit, False))
    return {int(one["values"]): one["counts"] for one in pc.value_counts(kept).to_pylist()}
