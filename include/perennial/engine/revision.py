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
    query = f"""SELECT lead(known_at) OVER (PARTITION BY {names} ORDER BY known_at, place) AS replaced
        FROM (SELECT {names}, known_at, row_number() OVER () AS place FROM delivered) ORDER BY place"""  # noqa: S608
    with connect({"delivered": delivered.select([*keys, *{"known_at"} - {*keys}])}) as connection:
        return delivered.append_column(REPLACED_AT, arrow(connection, query)["replaced"])


def revise(before: pa.Table, corrected: pa.Table, *, known_at: datetime) -> pa.Table:
    """Return both versions: rows that changed or went are superseded at ``known_at``, new ones known from then on.

    Rows that did not change keep the moment they were first known.
    """
    values = [name for name in corrected.column_names if name not in ("known_at", "superseded_at")]
    same = " AND ".join(f"b.{quoted(name)} IS NOT DISTINCT FROM c.{quoted(name)}" for name in values)
    columns = ", ".join(quoted(name) for name in values)
    query = f"""
        SELECT {columns}, known_at, superseded_at FROM (
            SELECT b.* REPLACE (
                CASE WHEN superseded_at IS NULL AND NOT EXISTS (SELECT 1 FROM corrected c WHERE {same})
                THEN $known_at::TIMESTAMPTZ ELSE superseded_at END AS superseded_at), 0 AS part,
                row_number() OVER () AS place FROM before b
            UNION ALL
            SELECT c.* REPLACE ($known_at::TIMESTAMPTZ AS known_at), 1 AS part,
                row_number() OVER () AS place FROM corrected c
            WHERE NOT EXISTS (SELECT 1 FROM before b WHERE b.superseded_at IS NULL AND {same})
        ) ORDER BY part, place"""  # noqa: S608 - quoted names, bound values
    with connect({"before": before, "corrected": corrected}) as connection:
        return arrow(connection, query, {"known_at": known_at}).cast(corrected.schema)
