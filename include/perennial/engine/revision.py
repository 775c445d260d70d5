"""Rows delivered more than once: what was known before stays readable for the nights decided on it.

The validate stage calls ``revise`` when a night that later nights have already used is delivered again; the
features stage asks which later deliveries took the place of earlier ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from perennial.engine.duck import arrow, connect, quoted

if TYPE_CHECKING:
    import pyarrow as pa


COPY, PLACE = "@copy", quoted("@place")
"""Columns that number identical rows, and all rows."""
REPLACED_AT = "@replaced_at"
"""Column that says when a later delivery of the same key became known; missing while there is none."""


def with_replacements(delivered: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Say of each row when a later delivery of its key took its place, so that a key counts once.

    ``delivered`` holds the nights in order, each row's in ``@night``; of equal moments the later night counts.
    """
    import pyarrow as pa

    if not keys:
        return delivered.append_column(REPLACED_AT, pa.nulls(delivered.num_rows, pa.timestamp("us", "UTC")))
    names = ", ".join(map(quoted, keys))
    query = f"""SELECT lead(known_at) OVER (PARTITION BY {names} ORDER BY known_at, {PLACE}) AS replaced
        FROM (SELECT {names}, known_at, row_number() OVER () AS {PLACE} FROM delivered) ORDER BY {PLACE}"""  # noqa: S608
    with connect({"delivered": delivered.select([*keys, *{"known_at"} - {*keys}])}) as connection:
        return delivered.append_column(REPLACED_AT, arrow(connection, query)["replaced"])


def not_before(delivered: pa.Table, moment: datetime) -> pa.Table:
    """Return a late delivery's rows as known no earlier than when they came."""
    import pyarrow as pa
    import pyarrow.compute as pc

    place = delivered.column_names.index("known_at")
    column = delivered["known_at"]
    earliest = pa.scalar(moment, column.type)
    known = pc.if_else(pc.less(column, earliest), earliest, column)
    return delivered.set_column(place, "known_at", known)


def revise(before: pa.Table, corrected: pa.Table, *, known_at: datetime) -> pa.Table:
    """Return both versions: rows that changed or went are superseded at ``known_at``, new ones known from then on.

    Rows that did not change keep the moment they were first known; of identical rows, as many as there still are.
    """
    values = [name for name in corrected.column_names if name not in ("known_at", "superseded_at")]
    columns = ", ".join(quoted(name) for name in values)
    same = " AND ".join(f"b.{quoted(name)} IS NOT DISTINCT FROM c.{quoted(name)}" for name in [*values, COPY])
    copy = f"row_number() OVER (PARTITION BY {columns} ORDER BY {PLACE}) AS {quoted(COPY)}"
    query = f"""
        WITH numbered AS (SELECT *, row_number() OVER () AS {PLACE} FROM before),
        b AS (SELECT *, {copy} FROM numbered WHERE superseded_at IS NULL),
        c AS (SELECT *, {copy} FROM (SELECT *, row_number() OVER () AS {PLACE} FROM corrected))
        SELECT {columns}, known_at, superseded_at FROM (
            SELECT {columns}, known_at, superseded_at, 0 AS "@part", {PLACE} FROM numbered
            WHERE superseded_at IS NOT NULL
            UNION ALL
            SELECT {columns}, known_at, CASE WHEN EXISTS (SELECT 1 FROM c WHERE {same})
                THEN NULL ELSE $known_at::TIMESTAMPTZ END, 0, {PLACE} FROM b
            UNION ALL
            SELECT {columns}, $known_at::TIMESTAMPTZ, superseded_at, 1, {PLACE} FROM c
            WHERE NOT EXISTS (SELECT 1 FROM b WHERE {same})
        ) ORDER BY "@part", {PLACE}"""  # noqa: S608 - quoted names, bound values
    with connect({"before": before, "corrected": corrected}) as connection:
        return arrow(connection, query, {"known_at": known_at}).cast(corrected.schema)
