"""A corrected delivery of an old night: what was known before stays readable for the nights decided on it.

The validate stage calls it when a night that later nights have already used is delivered again.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from perennial.engine.duck import arrow, connect, quoted

if TYPE_CHECKING:
    import pyarrow as pa


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
