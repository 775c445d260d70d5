"""A table of a database: SQLite and DuckDB files directly, any other through SQLAlchemy.

The address may carry a password: it is used and never shown, neither in an error nor in a report.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from perennial.errors import SourceSilentError
from perennial.facts.batch import FileFormat, RawBatch, SourceRequest
from perennial.sources.base import Source, nested_columns, text_table, unreadable, without_password

if TYPE_CHECKING:
    import pyarrow as pa

SQLITE = "sqlite:///"
DUCKDB = "duckdb:///"


class Database(Source):
    """A table, read whole; ``event_time`` tells its nights apart.

    >>> import sqlite3, tempfile, pathlib
    >>> path = str(pathlib.Path(tempfile.mkdtemp()) / "a.sqlite")
    >>> with sqlite3.connect(path) as connection:
    ...     _ = connection.execute("CREATE TABLE flights AS SELECT 'UA1' AS flight, 200.5 AS distance")
    >>> request = SourceRequest("flights", f"sqlite:///{path}", "2013-07-01", table="flights")
    >>> Database().read(request).table.column("distance").to_pylist()
    ['200.5']
    """

    @classmethod
    def takes(cls, uri: str, file_format: FileFormat | None) -> bool:
        """Tell whether it is an address with a scheme that is no file's."""
        return file_format is None and "://" in uri and not uri.startswith("file://")

    def read_whole(self, request: SourceRequest) -> RawBatch:
        """Read every row of the table."""
        if request.table is None:
            raise unreadable(request, "is a database", "Name the table to read under `table`.")
        try:
            rows = self._rows(request)
        except SourceSilentError:
            raise
        except ImportError as error:
            fix = "Install the driver beside Airflow."
            raise unreadable(request, f"needs the Python package {error.name}", fix) from None
        except Exception as error:
            if type(error).__module__.partition(".")[0] not in {"sqlite3", "_duckdb", "duckdb", "sqlalchemy"}:
                raise
            problem = f"could not be read (table {request.table!r}: {type(error).__name__})"
            # The driver's own words may repeat the password, so they are not chained.
            raise unreadable(request, problem, "Check the table's name and the connection.") from None
        table = text_table(rows)
        digest = hashlib.sha256(repr(table.to_pydict()).encode()).hexdigest()
        place = f"{without_password(request.location)}#{request.table}"
        return RawBatch(
            request.source, request.night, place, table, digest, table.nbytes, (), nested_columns(rows)
        )

    def _rows(self, request: SourceRequest) -> pa.Table:
        address = request.location
        if address.startswith(SQLITE):
            return _from_sqlite(_file(request, SQLITE), str(request.table))
        if address.startswith(DUCKDB):
            return _from_duckdb(_file(request, DUCKDB), str(request.table))
        return _from_sqlalchemy(address, str(request.table))


def _file(request: SourceRequest, scheme: str) -> Path:
    path = Path(request.location.removeprefix(scheme).partition("?")[0])
    if not path.is_file():
        raise SourceSilentError(request.source, request.night, str(path))
    return path


def _quoted(table: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in table.split("."))


def _from_sqlite(path: Path, table: str) -> pa.Table:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        found = connection.execute(f"SELECT * FROM {_quoted(table)}")  # noqa: S608  quoted
        return _typed([column[0] for column in found.description], found.fetchall())


def _from_duckdb(path: Path, table: str) -> pa.Table:
    import duckdb

    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.sql(f"SELECT * FROM {_quoted(table)}").to_arrow_table()  # noqa: S608  quoted


def _from_sqlalchemy(address: str, table: str) -> pa.Table:
    import sqlalchemy as sa

    schema, _, name = table.rpartition(".")
    try:
        engine = sa.create_engine(address)
    except ValueError:
        # It repeats the part that it cannot read, which may be the password.
        raise sa.exc.ArgumentError from None
    try:
        with engine.connect() as connection:
            found = connection.execute(
                sa.select(sa.text("*")).select_from(sa.table(name, schema=schema or None))
            )
            return _typed(list(found.keys()), found.fetchall())
    finally:
        engine.dispose()


def _typed(names: Sequence[str], rows: Iterable[Sequence[object]]) -> pa.Table:
    """Write values as text one by one: a column of SQLite may hold several types."""
    import pyarrow as pa

    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return pa.table(
        {
            name: pa.array([_text(value) for value in column], pa.string())
            for name, column in zip(names, columns, strict=True)
        }
    )


def _text(value: object) -> str | None:
    if value is None or value != value:  # noqa: PLR0124  not-a-number is missing
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value)
