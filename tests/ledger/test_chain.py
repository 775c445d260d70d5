"""Whatever is done to the file by hand is found, and the line is named."""

import sqlite3
from pathlib import Path

import pytest

from perennial.ledger.base import NewEntry
from perennial.ledger.chain import FIELDS
from perennial.ledger.sqlite import SqliteLedger

LINES = 5
GUARDS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'entries'"


@pytest.fixture
def ledger(tmp_path: Path) -> SqliteLedger:
    """Five lines in a file."""
    made = SqliteLedger(tmp_path / "ledger.db")
    for number in range(1, LINES + 1):
        evidence = {"n": number, "ratio": 0.1}
        made.append(NewEntry("delay", "gate", f"k{number}", "2013-05-12", "evaluate", "It passed.", evidence))
    return made


def by_hand(ledger: SqliteLedger, statement: str, *values: object) -> None:
    """Do something to the file as somebody would who takes the guards off and puts them back."""
    with sqlite3.connect(ledger.database.path) as connection:
        guards = connection.execute(GUARDS).fetchall()
        for name, _ in guards:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement, values)
        for _, sql in guards:
            connection.execute(sql)


@pytest.mark.parametrize("line", range(1, LINES + 1))
@pytest.mark.parametrize("field", FIELDS)
def test_each_altered_field_of_each_line_is_found(ledger: SqliteLedger, line: int, field: str) -> None:
    """The line that was altered is named, also when it is the first or the last."""
    value = 99 if field == "seq" else "altered"
    by_hand(ledger, f"UPDATE entries SET {field} = ? WHERE seq = ?", value, line)  # noqa: S608
    assert any(f"Line {line} " in problem for problem in ledger.verify())


@pytest.mark.parametrize("line", range(1, LINES + 1))
def test_each_removed_line_is_found(ledger: SqliteLedger, line: int) -> None:
    """A gap is named, also at the end, where the chain alone would not show it."""
    by_hand(ledger, "DELETE FROM entries WHERE seq = ?", line)
    assert any(problem.startswith(f"Line {line} is missing") for problem in ledger.verify())


def test_all_lines_removed_are_found(ledger: SqliteLedger) -> None:
    """An emptied ledger is not a new one."""
    by_hand(ledger, "DELETE FROM entries")
    assert len(ledger.verify()) == LINES


def test_a_digit_beyond_those_that_count_is_found(ledger: SqliteLedger) -> None:
    """The evidence is sealed as text: numbers that canonical form would round alike still differ."""
    by_hand(ledger, "UPDATE entries SET evidence = replace(evidence, '0.1', '0.10000000000001')")
    assert len(ledger.verify()) == LINES


def test_a_line_put_in_is_found(ledger: SqliteLedger) -> None:
    """A line that no transaction of ours appended does not pass."""
    by_hand(
        ledger,
        "INSERT INTO entries SELECT 6, model, kind, 'new', night, recorded_at, actor, reason, evidence,"
        " evidence_hash, hash, 'made up' FROM entries WHERE seq = 5",
    )
    assert any("Line 6 " in problem for problem in ledger.verify())


def test_guards_taken_off_are_found(ledger: SqliteLedger) -> None:
    """The next tampering would need no trick: that is said while nothing is lost yet."""
    with sqlite3.connect(ledger.database.path) as connection:
        connection.execute("DROP TRIGGER entries_are_not_removed")
    assert ledger.verify() == ["The guard 'entries_are_not_removed' was taken off the table."]


def test_a_chain_rewritten_whole_is_betrayed_by_an_id_noted_elsewhere(ledger: SqliteLedger) -> None:
    """Ids cited in MLflow tags or a backup must still be there."""
    cited = ledger.last("delay").id
    assert ledger.verify(known=[cited]) == []
    assert ledger.verify(known=["0123"]) == ["The line with id 0123 is gone."]


def test_a_damaged_file_is_a_finding_not_a_crash(ledger: SqliteLedger) -> None:
    """Bytes overwritten in the file are told as a sentence."""
    ledger.database.close()
    path = ledger.database.path
    content = bytearray(path.read_bytes())
    content[4096:8192] = bytes(4096)
    path.write_bytes(content)
    assert SqliteLedger(path).verify() != []
