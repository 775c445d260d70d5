"""DuckDB connections: in memory, one thread, no reach outside what a stage hands in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def connect(tables: Mapping[str, pa.Table] | None = None) -> duckdb.DuckDBPyConnection:
    """Open a connection that sees the given Arrow tables and nothing else.

    One thread makes sums independent of scheduling: the same rows in the same order give the same bits.
    """
    import duckdb

    connection = duckdb.connect(":memory:")
    connection.execute("SET threads = 1")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_external_access = false")
    for name, table in (tables or {}).items():
        connection.register(name, table)
    return connection


def quoted(name: str) -> str:
    """Write a name as a quoted SQL identifier.

    >>> quoted("a b")
    '"a b"'
    """
    return '"' + name.replace('"', '""') + '"'


def arrow(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, object] | None = None
) -> pa.Table:
    """Run a query and return its rows as an Arrow table."""
    result = connection.sql(query, params=dict(parameters or {}))
    return result.to_arrow_table()
