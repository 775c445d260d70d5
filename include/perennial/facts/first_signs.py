"""What can be said of a night's columns without any other night: empty, full of nothing, beyond what is declared.

Nothing is a number that systems write where there is none; beyond the declared range is where another unit lies.
Asked while the nightly watch is still learning; from then on a column's own past says more. Only what is plain by
itself is called broken; what may be in order is named and decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["no_rows", "missing", "nothing", "out_of_range"]
"""What is seen, in the words of triage where it knows them."""
Range = tuple[float | None, float | None]
"""Lowest and highest value that is declared; none for no limit."""

STANDS_FOR_NOTHING = (-99, -999, -9999, -99999, -999999, 99999, 999999, 9999999)
"""Numbers that systems write where there is none."""
MOST, SOME = 0.5, 0.01
"""Share of rows with such a number, or beyond the range, from which a column is broken, and from which it is named."""
FEWEST_ROWS = 20
"""With fewer rows a column that is often missing is empty by chance: it is named only (``benchmarks/first_signs.py``)."""


@dataclass(frozen=True)
class FirstSign:
    """Something that one night's rows show by themselves."""

    column: str
    said: str
    broken: bool
    """Whether it is plain by itself, or only named."""
    kind: Kind = "missing"


def first_signs(rows: pa.Table, ranges: Mapping[str, Range] | None = None) -> list[FirstSign]:
    """Look at each column of a night.

    Args:
        rows: The night's columns.
        ranges: Range of a column as it is declared, where one is.

    >>> import pyarrow as pa
    >>> some, none = [1.5, -999.0, *[2.0] * 18], pa.nulls(20, pa.float64())
    >>> night = pa.table({"size": some, "weight": none, "grams": [4000.0] * 20, "place": ["a"] * 20})
    >>> [(one.said, one.broken) for one in first_signs(night, {"grams": (0, 50)})]  # doctest: +NORMALIZE_WHITESPACE
    [('size is -999 on 1 of 20 rows', False), ('weight has no value on any of 20 rows', True),
     ('grams is not from 0 to 50, as declared, on 20 of 20 rows', True)]
    """
    if not rows.num_rows:
        return [FirstSign("", "not one row came", broken=True, kind="no_rows")]
    known = ranges or {}
    found = (_sign(name, rows[name], rows.num_rows, known.get(name)) for name in rows.column_names)
    return [one for one in found if one]


def _sign(name: str, column: pa.ChunkedArray, rows: int, declared: Range | None) -> FirstSign | None:
    import pyarrow as pa

    if column.null_count == rows:
        said = f"{name} has no value on any of {rows} rows"
        return FirstSign(name, said, broken=rows >= FEWEST_ROWS)
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return None
    counts = _nothing(column)
    value, count = max(counts.items(), key=lambda one: one[1], default=(0, 0))
    if count >= max(SOME * rows, 1):
        return _counted(name, f"is {value}", count, rows, "nothing")
    count = _beyond(column, declared) if declared else 0
    if declared is None or count < max(SOME * rows, 1):
        return None
    return _counted(name, f"is not {_spoken(declared)}, as declared,", count, rows, "out_of_range")


def _counted(name: str, said: str, count: int, rows: int, kind: Kind) -> FirstSign:
    plain = count > MOST * rows and rows >= FEWEST_ROWS
    return FirstSign(name, f"{name} {said} on {count} of {rows} rows", broken=plain, kind=kind)


def _beyond(column: pa.ChunkedArray, declared: Range) -> int:
    """Count the values beyond a range; what is missing or no number is within."""
    import pyarrow as pa
    import pyarrow.compute as pc

    low, high = declared
    numbers = column.cast(pa.float64())
    below = pc.sum(pc.less(numbers, low)).as_py() if low is not None else 0
    above = pc.sum(pc.greater(numbers, high)).as_py() if high is not None else 0
    return int(below or 0) + int(above or 0)


def _spoken(declared: Range) -> str:
    low, high = declared
    if low is None or high is None:
        return f"at least {low:g}" if low is not None else f"at most {high:g}"
    return f"from {low:g} to {high:g}"


def _nothing(column: pa.ChunkedArray) -> Mapping[int, int]:
    """Count the values that stand for nothing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array([float(value) for value in STANDS_FOR_NOTHING])
    numbers = column.cast(pa.float64())
    hit = pc.is_in(numbers, wanted)
    kept = numbers.filter(pc.fill_null(hit, False))
    return {int(one["values"]): one["counts"] for one in pc.value_counts(kept).to_pylist()}
