"""The chain that makes a ledger tamper-evident: sealing a line, and finding what was done to lines.

Each line's hash covers all its fields and the hash of the line before (Haber and Stornetta 1991).
Pure functions over rows as they are stored, so that every back end is judged by the same ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from perennial.facts.evidence import Evidence, Json, as_text, fingerprint
from perennial.ledger.base import Entry, NewEntry

GENESIS = "0" * 64
"""What the first line names as its predecessor."""

FIELDS = (
    "seq", "model", "kind", "key", "night", "recorded_at", "actor",
    "reason", "evidence", "evidence_hash", "previous", "hash",
)  # fmt: skip
"""Fields of a stored line, in order."""

Row = Mapping[str, Json]
"""A line as it is stored: its evidence is text, so that not even a digit of it can change unseen."""


@dataclass(frozen=True)
class Head:
    """Where the chain ends, kept apart from it: it betrays lines cut off at the end."""

    seq: int = 0
    hash: str = GENESIS


def sealed(new: NewEntry, head: Head, recorded_at: str) -> dict[str, Json]:
    """Make the row that continues the chain at its head."""
    row: dict[str, Json] = {name: getattr(new, name) for name in FIELDS if hasattr(new, name)}
    row |= {"seq": head.seq + 1, "previous": head.hash, "recorded_at": recorded_at}
    row["evidence"] = as_text(new.evidence)
    return {**row, "hash": seal(row)}


def seal(row: Row) -> str:
    """Hash every field of a line but the hash itself."""
    return fingerprint({name: row[name] for name in FIELDS if name != "hash"})


def opened(row: Row) -> Entry:
    """Read a stored row as an entry."""
    return Entry(**{**row, "evidence": json.loads(str(row["evidence"]))})


def problems(rows: Sequence[Row], head: Head, known: Iterable[str] = ()) -> list[str]:
    """Name, in order of lines, all that was altered, removed or put in."""
    found: list[str] = []
    before = Head()
    for row in rows:
        found += _gap(before.seq, int(str(row["seq"])))
        found += _altered(row)
        if before.seq + 1 == row["seq"] and row["previous"] != before.hash:
            found.append(f"{_named(row)} does not continue line {before.seq} as it now stands.")
        before = Head(int(str(row["seq"])), str(row["hash"]))
    found += _end(before, head)
    present = {row["hash"] for row in rows}
    return found + [f"The line with id {cited} is gone." for cited in known if cited not in present]


def _named(row: Row) -> str:
    return f"Line {row['seq']} ({row['kind']} of {row['model']}, night {row['night']})"


def _gap(before: int, seq: int) -> list[str]:
    return [f"Line {missing} is missing." for missing in range(before + 1, seq)]


def _altered(row: Row) -> list[str]:
    found = []
    if seal(row) != row["hash"]:
        found.append(f"{_named(row)} was altered: its fields no longer give its hash.")
    if _evidence_hash(row) != row["evidence_hash"]:
        found.append(f"{_named(row)} was altered: its evidence no longer gives its evidence hash.")
    return found


def _evidence_hash(row: Row) -> str | None:
    try:
        evidence: Evidence = json.loads(str(row["evidence"]))
    except ValueError:
        return None
    said = {name: row[name] for name in ("kind", "model", "night", "reason")}
    return fingerprint({**said, "evidence": evidence})


def _end(last: Head, head: Head) -> list[str]:
    if last.seq < head.seq:
        return [f"Line {missing} is missing at the end." for missing in range(last.seq + 1, head.seq + 1)]
    if last != head:
        return [f"Line {last.seq} is not the end that was recorded, line {head.seq}: lines were put in."]
    return []
