"""Delivers predictions where the model's owner wants them: a file a night, or rows of a table, upserted by key.

Delivering again replaces what was delivered; nothing is ever there twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial.errors import UnsafeNameError
from perennial.store import durable

if TYPE_CHECKING:
    import pyarrow as pa
    import sqlalchemy


def upsert(rows: pa.Table, place: str, *, table: str, keys: Sequence[str], night: str) -> int:
    """Deliver rows to a file pattern or a database; return how many."""
    if "://" in place:
        _to_database(rows, place, table, keys)
    else:
        _to_file(rows, Path(place.replace("{night}", night)))
    return int(rows.num_rows)


def _to_file(rows: pa.Table, path: Path) -> None:
    import pyarrow.csv
    import pyarrow.parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    with durable.temporary(path.parent) as temporary:
        if path.suffix == ".parquet":
            pyarrow.parquet.write_table(rows, temporary)
        elif path.suffix == ".csv":
            pyarrow.csv.write_csv(rows, temporary)
        else:
            raise UnsafeNameError("sink (write .csv or .parquet)", path.name)
        durable.settle(temporary, path)


def _to_database(rows: pa.Table, uri: str, name: str, keys: Sequence[str]) -> None:
    import sqlalchemy as sa

    engine = sa.create_engine(uri)
    with engine.begin() as connection:
        table = _table(rows, name, keys, connection)
        records = rows.to_pylist()
        if records:
            by_key = sa.and_(
                *(table.c[key] == sa.bindparam(f"key_{place}") for place, key in enumerate(keys))
            )
            connection.execute(
                sa.delete(table).where(by_key),
                [{f"key_{place}": record[key] for place, key in enumerate(keys)} for record in records],
            )
            connection.execute(sa.insert(table), records)
    engine.dispose()


def _table(
    rows: pa.Table, name: str, keys: Sequence[str], connection: sqlalchemy.Connection
) -> sqlalchemy.Table:
    import pyarrow as pa
    import sqlalchemy as sa

    def column(field: pa.Field) -> sa.Column[Any]:
        kind: type[sa.types.TypeEngine[Any]] = sa.Text
        if pa.types.is_floating(field.type):
            kind = sa.Double
        elif pa.types.is_integer(field.type):
            kind = sa.BigInteger
        elif pa.types.is_timestamp(field.type):
            kind = sa.DateTime
        return sa.Column(field.name, kind, primary_key=field.name in keys)

    table = sa.Table(name, sa.MetaData(), *(column(field) for field in rows.schema))
    table.create(connection, checkfirst=True)
    return table
