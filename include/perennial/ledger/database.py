"""One SQLite file that many processes open at once, written in whole transactions only.

The ledger and the alert outbox share it. The file is made under another name and linked into place,
so nobody ever sees half a schema; a connection is never carried over a fork.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from perennial.errors import LedgerUnreadableError

SCHEMA = Path(__file__).with_name("schema.sql")
SCHEMA_VERSION = 1
WAIT_SECONDS = 30.0
IN_MEMORY = Path(":memory:")


class Database:
    """The opened file; safe to share between threads, and between processes by forking."""

    def __init__(self, path: Path) -> None:
        """Make the file if it is not there; ``IN_MEMORY`` keeps all in this process."""
        self.path = path
        self._abandoned: list[sqlite3.Connection] = []
        if path != IN_MEMORY and not path.exists():
            _create(path)
        self._open()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection; what one statement reads is one state of the ledger."""
        with self._turn():
            yield self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Run the block as one transaction, or as a part of the one that is open around it."""
        with self._turn():
            inside = self._connection.in_transaction
            begin, keep, *undo = _PART if inside else _WHOLE
            self._connection.execute(begin)
            try:
                yield self._connection
                self._connection.execute(keep)
            except BaseException:
                # A full disk makes SQLite roll back by itself; there is nothing left to undo then.
                for step in undo if self._connection.in_transaction else ():
                    self._connection.execute(step)
                raise

    def close(self) -> None:
        """Let go of the file; the last to leave folds the write-ahead log into it."""
        self._connection.close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._pid != os.getpid():
            # SQLite forbids using a connection across a fork, closing it included: keep it, unused.
            self._abandoned.append(self._connection)
            self._open()
        with self._lock:
            yield

    def _open(self) -> None:
        self._pid, self._lock = os.getpid(), threading.RLock()
        try:
            self._connection = _connect(self.path)
            if self.path == IN_MEMORY:
                _lay_out(self._connection)
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        except sqlite3.DatabaseError as problem:
            raise LedgerUnreadableError(self.path, str(problem)) from problem
        if version != SCHEMA_VERSION:
            found = f"it has layout {version}, this version of Perennial reads {SCHEMA_VERSION}"
            raise LedgerUnreadableError(self.path, found)


_WHOLE = ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")
_PART = ("SAVEPOINT part", "RELEASE part", "ROLLBACK TO part", "RELEASE part")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _lay_out(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(
        f"BEGIN;\n{SCHEMA.read_text()}\nPRAGMA user_version = {SCHEMA_VERSION};\nCOMMIT;"
    )


def _create(path: Path) -> None:
    """Make the file whole, then link it into place; whoever comes second uses the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    connection = _connect(draft)
    try:
        _lay_out(connection)
    finally:
        connection.close()
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
