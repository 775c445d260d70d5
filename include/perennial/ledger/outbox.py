"""The alerts that are to be told, kept until they are: written with the decision, delivered after.

An event is told once, however often and from how many processes it is reported. What is wrong stays
open as a condition: more of the same is counted, not told, and its recovery is told once.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from perennial.clock import wall_clock
from perennial.facts.alert import Alert
from perennial.facts.evidence import as_text
from perennial.ledger.database import Database

State = Literal["pending", "sent", "failed"]


@dataclass(frozen=True)
class Delivery:
    """One alert on its way through one channel."""

    alert: Alert
    channel: str
    """Name of the channel: ``log``, or the connection that holds its address."""
    state: State
    """``pending`` until it was taken; ``failed`` when it is no longer tried."""
    attempts: int
    next_try: datetime
    problem: str
    """Why the last attempt failed."""


class Outbox:
    """Alerts in the ledger's file."""

    def __init__(self, database: Database | Path) -> None:
        """Open the outbox in that database (shared with the ledger) or file."""
        self.database = database if isinstance(database, Database) else Database(database)

    def put(self, alert: Alert) -> bool:
        """Keep an alert that is to be told; false when it was told before, or nothing was open.

        A repeat of an open condition and a recovery of none are not told, and remembered.
        """
        with self.database.writing() as connection:
            if self._known(connection, alert.fingerprint):
                return False
            if alert.event == "recovery":
                told = _resolve(connection, alert.condition)
            else:
                told = not alert.condition or _open(connection, alert)
            if told:
                _keep(connection, alert)
            elif alert.event != "recovery":
                connection.execute("INSERT INTO events VALUES (?)", (alert.fingerprint,))
            return told

    def route(self, alert: Alert, channels: Iterable[str], now: datetime) -> None:
        """Write down through which channels an alert is to travel."""
        rows = [(alert.fingerprint, channel, now.isoformat()) for channel in channels]
        with self.database.writing() as connection:
            connection.executemany(_ROUTE, rows)
            connection.execute("UPDATE alerts SET routed = 1 WHERE fingerprint = ?", (alert.fingerprint,))

    def unrouted(self, limit: int = 1000) -> list[Alert]:
        """List alerts for which no channel was chosen yet, oldest first."""
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT alert FROM alerts WHERE routed = 0 ORDER BY rowid LIMIT ?", (limit,)
            )
            return [Alert.from_json(json.loads(text)) for (text,) in rows]

    def claim(self, now: datetime, *, lease: timedelta, limit: int = 10_000) -> list[Delivery]:
        """Take deliveries that are due, so that no other process tries them before the lease ends."""
        with self.database.writing() as connection:
            due = _deliveries(connection, "d.state = 'pending' AND d.next_try <= ?", limit, now.isoformat())
            later = (now + lease).isoformat()
            connection.executemany(
                "UPDATE deliveries SET next_try = ? WHERE fingerprint = ? AND channel = ?",
                [(later, each.alert.fingerprint, each.channel) for each in due],
            )
            return due

    def mark(self, delivery: Delivery) -> None:
        """Write down how an attempt ended: state, attempts, next try and problem of that delivery."""
        with self.database.writing() as connection:
            connection.execute(
                "UPDATE deliveries SET state = ?, attempts = ?, next_try = ?, problem = ?"
                " WHERE fingerprint = ? AND channel = ? AND state <> 'sent'",
                (
                    delivery.state,
                    delivery.attempts,
                    delivery.next_try.isoformat(),
                    delivery.problem,
                    delivery.alert.fingerprint,
                    delivery.channel,
                ),
            )

    def pending(self, limit: int = 1000) -> list[Delivery]:
        """List deliveries that have not been taken yet, the oldest alert first."""
        with self.database.reading() as connection:
            return _deliveries(connection, "d.state = 'pending'", limit)

    def deliveries(self, model: str | None = None, limit: int = 1000) -> list[Delivery]:
        """List deliveries in every state, the oldest alert first: what a page shows."""
        with self.database.reading() as connection:
            return _deliveries(connection, "? IS NULL OR a.model = ?", limit, model, model)

    def alerts(self, model: str | None = None, limit: int = 1000) -> list[Alert]:
        """List the latest alerts, oldest first."""
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT alert FROM alerts WHERE ? IS NULL OR model = ? ORDER BY rowid DESC LIMIT ?",
                (model, model, limit),
            ).fetchall()
            return [Alert.from_json(json.loads(text)) for (text,) in reversed(rows)]

    def is_open(self, condition: str) -> bool:
        """Say whether something is wrong that no recovery has resolved."""
        with self.database.reading() as connection:
            found = connection.execute("SELECT 1 FROM conditions WHERE condition = ?", (condition,))
            return found.fetchone() is not None

    def _known(self, connection: sqlite3.Connection, fingerprint: str) -> bool:
        counted = connection.execute(
            "UPDATE alerts SET repeats = repeats + 1 WHERE fingerprint = ?", (fingerprint,)
        )
        seen = connection.execute("SELECT 1 FROM events WHERE fingerprint = ?", (fingerprint,))
        return counted.rowcount > 0 or seen.fetchone() is not None


_ROUTE = (
    "INSERT INTO deliveries (fingerprint, channel, state, next_try) VALUES (?, ?, 'pending', ?)"
    " ON CONFLICT DO NOTHING"
)


def _open(connection: sqlite3.Connection, alert: Alert) -> bool:
    """Open the condition, or count one more of the same."""
    repeated = connection.execute(
        "UPDATE conditions SET repeats = repeats + 1 WHERE condition = ?", (alert.condition,)
    )
    if repeated.rowcount:
        return False
    connection.execute("INSERT INTO conditions VALUES (?, ?, 0)", (alert.condition, alert.fingerprint))
    return True


def _resolve(connection: sqlite3.Connection, condition: str) -> bool:
    return connection.execute("DELETE FROM conditions WHERE condition = ?", (condition,)).rowcount > 0


def _keep(connection: sqlite3.Connection, alert: Alert) -> None:
    connection.execute(
        "INSERT INTO alerts (fingerprint, model, night, event, alert, put_at) VALUES (?, ?, ?, ?, ?, ?)",
        (
            alert.fingerprint,
            alert.model,
            alert.night,
            alert.event,
            as_text(alert.as_json()),
            wall_clock().isoformat(),
        ),
    )


def _deliveries(
    connection: sqlite3.Connection, condition: str, limit: int, *values: str | None
) -> list[Delivery]:
    rows = connection.execute(  # the conditions are our own
        "SELECT a.alert, d.channel, d.state, d.attempts, d.next_try, d.problem"  # noqa: S608
        " FROM deliveries AS d JOIN alerts AS a USING (fingerprint)"
        f" WHERE {condition} ORDER BY a.rowid, d.channel LIMIT ?",
        (*values, limit),
    )
    return [
        Delivery(Alert.from_json(json.loads(alert)), channel, state, attempts, _instant(due), problem)
        for alert, channel, state, attempts, due, problem in rows
    ]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
