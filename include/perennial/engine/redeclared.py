"""History in the form that is declared now: rows that were taken in under an earlier declaration of their source.

What can be brought over without a guess is: another order of columns, one that is no longer declared, one that may be
missing, whole numbers as numbers. The rest is said, column by column, and has to be taken in again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from perennial.engine.duck import arrow, connect, quoted
from perennial.engine.typed import arrow_types, empty_table
from perennial.spec.source import SourceSpec
from perennial.spec.taken import KNOWN_AT, SUPERSEDED_AT

if TYPE_CHECKING:
    import pyarrow as pa


def as_declared(table: pa.Table, source: SourceSpec) -> tuple[pa.Table, list[str]]:
    """Return published rows in the form declared now, and what stands in the way of it; then the rows are as they were.

    >>> import pyarrow as pa
    >>> now = SourceSpec(uri="a.csv", columns={"id": "text", "size": "number"})
    >>> clock = {name: pa.array([None], pa.timestamp("us", "UTC")) for name in ("known_at", "superseded_at")}
    >>> before = pa.table({"sizes": [2], "id": ["a"], **clock})
    >>> as_declared(before, now)[1]
    ["column 'size' is not in them (they have 'sizes', which is not declared: renamed?)"]
    >>> as_declared(before.rename_columns(["size", "id", *clock]), now)[0].column_names
    ['id', 'size', 'known_at', 'superseded_at']
    """
    wanted = empty_table(source).schema
    if table.schema.equals(wanted):
        return table, []
    problems = [*_absent(table, source), *_retyped(table, source)]
    if problems:
        return table, problems
    there = {name: table[name] for name in table.column_names}
    columns = [_column(there.get(field.name), field, table.num_rows) for field in wanted]
    return type(table).from_arrays(columns, schema=wanted), []


def redeclared(before: pa.Table, delivered: pa.Table, keys: tuple[str, ...]) -> pa.Table:
    """Return a delivery that is taken in again in another form: no row becomes known earlier than it was.

    A row whose key stood there before keeps the moment at which it was known; without a common key all are as delivered.
    """
    if not keys or not {*keys} <= {*before.column_names}:
        return delivered
    same = " AND ".join(f"d.{quoted(key)}::VARCHAR = b.{quoted(key)}::VARCHAR" for key in keys)
    names = ", ".join(
        "greatest(d.known_at, b.known_at) AS known_at" if name == "known_at" else f"d.{quoted(name)}"
        for name in delivered.column_names
    )
    texts = ", ".join(f"any_value({quoted(key)})::VARCHAR AS {quoted(key)}" for key in keys)
    grouped = ", ".join(quoted(key) for key in keys)
    query = f"""SELECT {names} FROM (SELECT *, row_number() OVER () AS "@place" FROM delivered) d
        LEFT JOIN (SELECT {texts}, max(known_at) AS known_at FROM before WHERE superseded_at IS NULL
            GROUP BY {grouped}) b ON {same} ORDER BY d."@place\""""  # noqa: S608 - quoted names
    with connect({"before": before, "delivered": delivered}) as connection:
        return arrow(connection, query).cast(delivered.schema)


def _absent(table: pa.Table, source: SourceSpec) -> Iterator[str]:
    spare = [
        repr(name) for name in table.column_names if name not in {*source.columns, KNOWN_AT, SUPERSEDED_AT}
    ]
    had = f" (they have {', '.join(spare)}, which is not declared: renamed?)" if spare else ""
    for name in source.columns:
        if name not in table.column_names and name not in source.optional:
            yield f"column {name!r} is not in them{had}"


def _retyped(table: pa.Table, source: SourceSpec) -> Iterator[str]:
    import pyarrow as pa

    spoken = {kind: name for name, kind in arrow_types().items()}
    for name, kind in source.columns.items():
        if name not in table.column_names or table[name].type == arrow_types()[kind]:
            continue
        was = table[name].type
        try:
            numbers = {spoken.get(was), kind} == {"integer", "number"}
            fits = numbers and table[name].cast(arrow_types()[kind]) is not None
        except pa.ArrowInvalid:
            fits = False  # a fraction, or a number too large to keep its digits
        if not fits:
            yield f"column {name!r} is declared as {kind} and was taken in as {spoken.get(was, was)}"


def _column(column: pa.ChunkedArray | None, field: pa.Field, rows: int) -> pa.ChunkedArray:
    import pyarrow as pa

    return pa.chunked_array([pa.nulls(rows, field.type)]) if column is None else column.cast(field.type)
