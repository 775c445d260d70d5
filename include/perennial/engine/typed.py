"""Declared column types as Arrow types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennial.spec.source import SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa


def arrow_types() -> dict[str, pa.DataType]:
    """Arrow type of each declared type; instants are UTC with microseconds."""
    import pyarrow as pa

    return {
        "text": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", "UTC"),
    }


def empty_table(source: SourceSpec) -> pa.Table:
    """Return a source's published form without rows."""
    import pyarrow as pa

    types = arrow_types()
    instant = types["timestamp"]
    fields = [(name, types[kind]) for name, kind in source.columns.items()]
    return pa.schema([*fields, ("known_at", instant), ("superseded_at", instant)]).empty_table()
