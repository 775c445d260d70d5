"""A checkout that was moved or copied: the addresses in the embedded registry follow its files.

MLflow writes absolute addresses. Whoever opens the registry brings them to where its files lie now, so that what
was trained elsewhere loads here, and what is trained here is not written to the place that was left.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)
"""Where MLflow keeps addresses of files: tables and columns."""
PATIENCE_SECONDS = 60.0


def follow(database: Path, files: Path) -> None:
    """Rewrite the addresses of experiments whose folder lies below ``files`` now; once, and whole or not at all.

    A folder that stayed where it was, or that lies on a server, keeps its address.
    """
    with closing(sqlite3.connect(database, timeout=PATIENCE_SECONDS, isolation_level=None)) as connection:
        if not _moved(connection, files):
            return
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            for old, new in _moved(connection, files):
                for table, column in ADDRESSES:
                    connection.execute(
                        f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608 - our own words
                        f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                        (new, len(old) + 1, old, len(old) + 1, f"{old}/"),
                    )


def _moved(connection: sqlite3.Connection, files: Path) -> list[tuple[str, str]]:
    """Pair the old address of each experiment that is elsewhere now with its new one."""
    rows = connection.execute("SELECT artifact_location FROM experiments WHERE artifact_location IS NOT NULL")
    stored = [str(address) for (address,) in rows]
    place = files.resolve().as_uri()  # one folder has one address, by whatever link it is reached
    pairs = [(address, f"{place}/{address.rpartition('/')[2]}") for address in stored]
    return [(old, new) for old, new in pairs if old != new and _left(old, new)]


def _left(old: str, new: str) -> bool:
    was = urlsplit(old)
    if was.scheme not in {"", "file"}:
        return False
    return _path(new).is_dir() or not _path(old).exists()


def _path(address: str) -> Path:
    return Path(unquote(urlsplit(address).path))
