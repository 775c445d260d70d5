"""The ledger in one SQLite file: the embedded start, for one machine and its many processes.

Every append is one immediate transaction with full synchronisation: it happened whole, or not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from pathlib import Path

from perennial.clock import Night, wall_clock
from perennial.errors import LedgerConflictError
from perennial.ledger.base import SERVING_KINDS, Entry, NewEntry, Serving
from perennial.ledger.chain import FIELDS, Head, Row, opened, problems, sealed
from perennial.ledger.database import Database
from perennial.ledger.reigns import reigns, serving_at

SHORTEST_ID = 8
_COLUMNS = ", ".join(FIELDS)
_GUARDS = {
    "entries_are_not_changed",
    "entries_are_not_removed",
    "entries_are_not_replaced",
    "entries_move_the_head",
}


class SqliteLedger:
    """A ledger in a file that many processes append to at once."""

    def __init__(self, database: Database | Path) -> None:
        """Open the ledger in that database (shared with the outbox) or file."""
        self.database = database if isinstance(database, Database) else Database(database)

    def append(self, new: NewEntry) -> Entry:
        """Record a decision once; the same again returns the recorded line.

        Raises:
            LedgerConflictError: the same event was recorded with other content.
        """
        with self.database.writing() as connection:
            recorded = self._recorded(new)
            if recorded is None:
                head = _head(connection)
                row = sealed(new, head, wall_clock().isoformat(timespec="microseconds"))
                marks = ", ".join(f":{name}" for name in FIELDS)
                connection.execute(f"INSERT INTO entries ({_COLUMNS}) VALUES ({marks})", row)  # noqa: S608
                return opened(row)
        if recorded.evidence_hash != new.evidence_hash:
            raise LedgerConflictError(new.model, new.kind, new.key, recorded.reason, new.reason)
        return recorded

    def entries(
        self,
        model: str | None = None,
        kinds: Collection[str] | None = None,
        *,
        first_night: Night | None = None,
        last_night: Night | None = None,
        limit: int | None = None,
    ) -> list[Entry]:
        """List lines, oldest first; with ``limit`` the latest so many. Both nights are included."""
        wanted: list[tuple[str, Collection[str | int]]] = []
        if model is not None:
            wanted.append(("model = ?", [model]))
        if kinds is not None:
            wanted.append((f"kind IN ({', '.join('?' * len(kinds))})", list(kinds)))
        if first_night is not None:
            wanted.append(("night >= ?", [first_night]))
        if last_night is not None:
            wanted.append(("night <= ?", [last_night]))
        condition = " AND ".join(text for text, _ in wanted) or "TRUE"
        values = [value for _, given in wanted for value in given]
        rows = self._rows(f"{condition} ORDER BY seq DESC LIMIT ?", *values, -1 if limit is None else limit)
        return [opened(row) for row in reversed(rows)]

    def last(self, model: str, *kinds: str) -> Entry | None:
        """Return the line recorded last, of these kinds if any are named."""
        found = self.entries(model, kinds or None, limit=1)
        return found[0] if found else None

    def get(self, entry_id: str) -> Entry | None:
        """Return the line of that id, or of the only id that begins so (8 characters at least)."""
        if len(entry_id) < SHORTEST_ID:
            return None
        found = self._rows("hash >= ? AND hash < ? LIMIT 2", entry_id, entry_id + "g")
        return opened(found[0]) if len(found) == 1 else None

    def verify(self, known: Iterable[str] = ()) -> list[str]:
        """Name every line that was altered, removed or put in; empty when the chain is whole.

        ``known`` are ids noted elsewhere (MLflow tags, a backup): they betray a chain rewritten whole.
        """
        try:
            with self.database.writing() as connection:
                rows, head = self._rows("TRUE ORDER BY seq"), _head(connection)
                named = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                unguarded = sorted(_GUARDS - {name for (name,) in named})
                (sound,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        except sqlite3.DatabaseError as problem:
            return [f"The file cannot be read: {problem}."]
        guards = [f"The guard {name!r} was taken off the table." for name in unguarded]
        damage = [] if sound == "ok" else [f"The file is damaged: {sound}."]
        return problems(rows, head, known) + guards + damage

    def stored(self) -> tuple[list[Row], Head]:
        """Return every line as it is stored, and where the chain ends, at one moment."""
        with self.database.writing() as connection:
            return self._rows("TRUE ORDER BY seq"), _head(connection)

    def champion(self, model: str, night: Night | None = None) -> Serving | None:
        """Say who serves at that night, by default after the latest decision."""
        return serving_at(self.entries(model, SERVING_KINDS), night)

    def timeline(self, model: str) -> list[Serving]:
        """List who served, in order of nights; of one night's decisions the later recorded wins."""
        return reigns(self.entries(model, SERVING_KINDS))

    def _recorded(self, new: NewEntry) -> Entry | None:
        found = self._rows("model = ? AND kind = ? AND key = ?", new.model, new.kind, new.key)
        return opened(found[0]) if found else None

    def _rows(self, condition: str, *values: str | int) -> list[Row]:
        with self.database.reading() as connection:
            found = connection.execute(f"SELECT {_COLUMNS} FROM entries WHERE {condition}", values)  # noqa: S608
            return [dict(row) for row in found]


def _head(connection: sqlite3.Connection) -> Head:
    row = connection.execute("SELECT seq, hash FROM head").fetchone()
    return Head(*row) if row else Head()
