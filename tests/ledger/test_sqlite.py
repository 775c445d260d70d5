"""The ledger keeps one whole chain, whoever writes to it and however often."""

import multiprocessing
import os
import signal
import sqlite3
import threading
from pathlib import Path

import pytest

from perennial.errors import LedgerConflictError, LedgerEntryError, LedgerUnreadableError, NotANightError
from perennial.ledger.base import NewEntry
from perennial.ledger.memory import in_memory
from perennial.ledger.sqlite import SqliteLedger

SPAWN = multiprocessing.get_context("spawn")
FORK = multiprocessing.get_context("fork")


def decision(key: str = "k1", *, kind: str = "finding", night: str = "2013-05-12", **given) -> NewEntry:
    """Say something about flight_delay, by default that a finding was made."""
    words = {"model": "flight_delay", "actor": "monitor", "reason": f"It is {key}.", "evidence": {"n": 3}}
    return NewEntry(kind=kind, key=key, night=night, **{**words, **given})


def promoted(version: str, night: str, key: str = "") -> NewEntry:
    """Say that a version serves from that night."""
    return decision(key or f"{version}@{night}", kind="promoted", night=night, evidence={"version": version})


def append_many(path: Path, writer: int, count: int) -> None:
    """Append as one of several processes; every process also appends one shared event."""
    ledger = SqliteLedger(path)
    for number in range(count):
        ledger.append(decision(f"{writer}-{number}"))
        ledger.append(decision(f"shared-{number}"))


def die_in_the_middle(path: Path) -> None:
    """Append a line in a transaction that is killed before it ends."""
    ledger = SqliteLedger(path)
    with ledger.database.writing():
        ledger.append(decision("half"))
        os.kill(os.getpid(), signal.SIGKILL)


def test_eight_processes_keep_one_chain(tmp_path: Path) -> None:
    """Lines of concurrent writers stand in one chain without gap, each event once."""
    path = tmp_path / "ledger.db"
    writers = [SPAWN.Process(target=append_many, args=(path, n, 20)) for n in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    ledger = SqliteLedger(path)
    assert [writer.exitcode for writer in writers] == [0] * 8
    assert [entry.seq for entry in ledger.entries()] == list(range(1, 8 * 20 + 20 + 1))
    assert ledger.verify() == []


def test_sixteen_processes_open_a_fresh_file_at_once(tmp_path: Path) -> None:
    """Whoever comes first makes the file; nobody sees half of it, and no draft is left."""
    path = tmp_path / "new" / "ledger.db"
    openers = [FORK.Process(target=append_many, args=(path, n, 1)) for n in range(16)]
    for opener in openers:
        opener.start()
    for opener in openers:
        opener.join()
    assert [opener.exitcode for opener in openers] == [0] * 16
    assert len(SqliteLedger(path).entries()) == 17
    assert [p.name for p in path.parent.iterdir() if p.name.startswith(".")] == []


def test_a_killed_writer_leaves_no_half_line(tmp_path: Path) -> None:
    """A process that dies between append and commit leaves the ledger as it was."""
    ledger = SqliteLedger(tmp_path / "ledger.db")
    ledger.append(decision("whole"))
    victim = SPAWN.Process(target=die_in_the_middle, args=(tmp_path / "ledger.db",))
    victim.start()
    victim.join()
    assert victim.exitcode == -signal.SIGKILL
    assert [entry.key for entry in ledger.entries()] == ["whole"]
    ledger.append(decision("after"))
    assert ledger.verify() == []


def test_a_fork_and_threads_share_an_opened_ledger(tmp_path: Path) -> None:
    """A ledger opened before a fork is used by parent, child and threads without harm."""
    ledger = SqliteLedger(tmp_path / "ledger.db")
    child = FORK.Process(target=lambda: ledger.append(decision("child")))
    child.start()
    threads = [threading.Thread(target=ledger.append, args=(decision(f"t{n}"),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for each in [child, *threads]:
        each.join()
    assert child.exitcode == 0
    assert {entry.key for entry in ledger.entries()} == {"child", "t0", "t1", "t2", "t3"}
    assert ledger.verify() == []


def test_the_same_decision_twice_is_one_line() -> None:
    """A repeated task finds what it recorded, whoever acts and whenever."""
    ledger = in_memory()
    first = ledger.append(decision())
    assert ledger.append(decision(actor="a person")) == first
    assert len(ledger.entries()) == 1


@pytest.mark.parametrize("change", [{"evidence": {"n": 4}}, {"reason": "No."}, {"night": "2013-05-13"}])
def test_another_content_under_a_recorded_key_is_refused(change: dict[str, object]) -> None:
    """What was decided stays; the error shows both sentences."""
    ledger = in_memory()
    ledger.append(decision())
    with pytest.raises(LedgerConflictError, match=r"recorded: It is k1\."):
        ledger.append(decision(**change))
    assert len(ledger.entries()) == 1


def test_the_evidence_hash_knows_no_wall_time() -> None:
    """Two ledgers written at different moments by different actors agree on the evidence, not on ids."""
    one, other = in_memory().append(decision()), in_memory().append(decision(actor="somebody"))
    assert one.evidence_hash == other.evidence_hash
    assert one.id != other.id


@pytest.mark.parametrize(
    "wrong", [{"kind": "Not Snake"}, {"reason": " "}, {"key": ""}, {"actor": ""}, {"kind": "promoted"}]
)
def test_an_entry_that_could_not_be_read_later_is_refused(wrong: dict[str, str]) -> None:
    """Kinds are words, sentences are there, and who serves has a version."""
    with pytest.raises(LedgerEntryError):
        decision(**{"key": "k", **wrong})


def test_a_night_is_a_night() -> None:
    """A night that is none never becomes effective."""
    with pytest.raises(NotANightError):
        decision(night="yesterday")


def test_lines_are_asked_for_by_model_kind_and_night() -> None:
    """Limits keep the latest lines, and they still come oldest first."""
    ledger = in_memory()
    for day in (10, 11, 12):
        ledger.append(decision(f"d{day}", night=f"2013-05-{day}"))
    ledger.append(decision("other", model="tailnum"))
    assert [e.key for e in ledger.entries("flight_delay", ["finding"], last_night="2013-05-11")] == [
        "d10",
        "d11",
    ]
    assert [e.key for e in ledger.entries("flight_delay", limit=2)] == ["d11", "d12"]
    assert [e.key for e in ledger.entries(first_night="2013-05-12")] == ["d12", "other"]
    assert ledger.entries(kinds=[]) == []


def test_the_last_line_of_a_kind_and_a_line_by_its_id() -> None:
    """A line is found by its id or an unambiguous beginning of it."""
    ledger = in_memory()
    recorded = ledger.append(decision("a", kind="gate"))
    ledger.append(decision("b"))
    assert ledger.last("flight_delay", "gate", "refused") == recorded
    assert ledger.last("flight_delay").key == "b"
    assert ledger.last("flight_delay", "trained") is None
    assert ledger.get(recorded.id) == ledger.get(recorded.id[:8]) == recorded
    assert ledger.get(recorded.id[:3]) is ledger.get("f" * 64) is None


def test_who_served_follows_the_nights_not_the_order_of_recording() -> None:
    """A promotion holds from its night; of one night's decisions the later one wins."""
    ledger = in_memory()
    ledger.append(promoted("2", "2013-06-01"))
    ledger.append(promoted("1", "2013-05-01"))
    ledger.append(promoted("3", "2013-06-01"))
    back = ledger.append(decision("b", kind="rolled_back", night="2013-06-05", evidence={"version": "1"}))
    assert ledger.champion("flight_delay", "2013-04-30") is None
    assert [ledger.champion("flight_delay", n).version for n in ("2013-05-31", "2013-06-01")] == ["1", "3"]
    assert ledger.champion("flight_delay").entry_id == back.id
    assert [(s.version, s.first_night, s.until) for s in ledger.timeline("flight_delay")] == [
        ("1", "2013-05-01", "2013-06-01"),
        ("2", "2013-06-01", "2013-06-01"),
        ("3", "2013-06-01", "2013-06-05"),
        ("1", "2013-06-05", None),
    ]
    assert ledger.timeline("unknown") == []


def append_and_fail(ledger: SqliteLedger, key: str) -> None:
    """Append in a transaction that then fails."""
    with ledger.database.writing():
        ledger.append(decision(key))
        raise ZeroDivisionError


def test_what_fails_is_undone_and_only_that() -> None:
    """A decision and its alert are one transaction: both are there, or neither."""
    ledger = in_memory()
    with ledger.database.writing():
        ledger.append(decision("kept"))
        with pytest.raises(ZeroDivisionError):
            append_and_fail(ledger, "undone within")
    with pytest.raises(ZeroDivisionError):
        append_and_fail(ledger, "undone whole")
    assert [entry.key for entry in ledger.entries()] == ["kept"]
    assert ledger.verify() == []


@pytest.mark.parametrize("content", [b"not a database, but long enough to be taken for one" * 40, b""])
def test_a_file_that_is_no_ledger_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    """Another file is never laid out as a ledger, nor a truncated one begun anew in silence."""
    path = tmp_path / "ledger.db"
    path.write_bytes(content)
    with pytest.raises(LedgerUnreadableError, match="cannot be opened as a ledger"):
        SqliteLedger(path)
    assert path.read_bytes() == content


def test_the_file_writes_ahead_and_synchronises_fully(tmp_path: Path) -> None:
    """A power cut loses no committed decision."""
    ledger = SqliteLedger(tmp_path / "ledger.db")
    with ledger.database.reading() as connection:
        found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _PRAGMAS]
    assert found == list(_PRAGMAS.values())


_PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 30000}


REPLACE = (
    "INSERT OR REPLACE INTO entries SELECT {seq}, model, kind, {key}, night, recorded_at, actor, 'changed',"
    " evidence, evidence_hash, {previous}, {hash} FROM entries WHERE seq = 2"
)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET reason = 'x'",
        "DELETE FROM entries",
        REPLACE.format(seq="seq", key="key", previous="previous", hash="hash"),
        REPLACE.format(seq="3", key="key", previous="hash", hash="'new'"),
        REPLACE.format(seq="3", key="'new'", previous="hash", hash="hash"),
    ],
)
def test_sql_cannot_change_the_ledger(statement: str) -> None:
    """Append-only holds for whoever opens the file, not only for our code."""
    ledger = in_memory()
    before = [ledger.append(decision("a")), ledger.append(decision("b"))]
    with ledger.database.reading() as connection, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    assert ledger.entries() == before
