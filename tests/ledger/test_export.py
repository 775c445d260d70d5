"""An export holds every line as it was written, and whoever has Python can check it: no Perennial is needed."""

import csv
import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from perennial.errors import ExportExistsError, NotAnExportError
from perennial.ledger.base import NewEntry
from perennial.ledger.export import LINES, MANIFEST, TABLE, export, faults, lines_of
from perennial.ledger.sqlite import SqliteLedger

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "ledger.md"
LINE_COUNT = 6


@pytest.fixture
def ledger(tmp_path: Path) -> SqliteLedger:
    """Fill a ledger with lines that are hard to write: quotes, line ends, letters from everywhere, numbers."""
    made = SqliteLedger(tmp_path / "ledger.db")
    for number in range(LINE_COUNT):
        night, evidence = f"2024-01-0{number + 1}", {"gain": 0.1 + number / 3, "version": str(number)}
        reason = f'Gained "{number}",\nör 数 and\u2028more.'
        made.append(NewEntry("delay", "promoted", f"k{number}", night, "ann", reason, evidence))
    return made


def checked(folder: Path) -> list[str]:
    """Check an export with the script that the documentation prints, in a Python that knows nothing of us."""
    (script,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_the_printed_script_finds_a_whole_export_whole(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Lines, chain, end and files: all as they were written."""
    manifest = export(ledger, tmp_path / "copy")
    assert (manifest["lines"], manifest["problems"]) == (LINE_COUNT, [])
    assert checked(tmp_path / "copy") == [f"whole: {LINE_COUNT} lines"]
    assert faults(tmp_path / "copy") == []


def test_both_files_hold_the_same_lines(ledger: SqliteLedger, tmp_path: Path) -> None:
    """The table for a spreadsheet is the lines, field by field."""
    export(ledger, tmp_path / "copy")
    with (tmp_path / "copy" / TABLE).open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    lines = [{name: str(value) for name, value in row.items()} for row in lines_of(tmp_path / "copy")]
    assert table == lines


@pytest.mark.parametrize(
    ("field", "value"),
    [("reason", "Nothing."), ("actor", "ben"), ("night", "2024-02-01"), ("evidence", "{}")],
)
def test_a_changed_line_is_named_by_both(
    ledger: SqliteLedger, tmp_path: Path, field: str, value: str
) -> None:
    """Whatever field it is, and although every other line is untouched."""
    export(ledger, tmp_path / "copy")
    rows = [json.loads(text) for text in (tmp_path / "copy" / LINES).read_text().split("\n") if text]
    rows[2][field] = value
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (tmp_path / "copy" / LINES).write_text(text)
    assert any(fault.startswith("Line 3 (promoted of delay") for fault in faults(tmp_path / "copy"))
    assert "line 3 was altered" in checked(tmp_path / "copy")


def test_lines_that_were_taken_out_are_named_one_by_one(ledger: SqliteLedger, tmp_path: Path) -> None:
    """In the middle and at the end."""
    export(ledger, tmp_path / "copy")
    rows = (tmp_path / "copy" / LINES).read_text().split("\n")
    (tmp_path / "copy" / LINES).write_text("\n".join([rows[0], rows[3], rows[4]]) + "\n")
    found = faults(tmp_path / "copy")
    assert [fault for fault in found if "missing" in fault] == [
        "Line 2 is missing.",
        "Line 3 is missing.",
        "Line 6 is missing at the end.",
    ]
    assert checked(tmp_path / "copy")[-1].startswith("NOT whole")


def test_an_old_export_betrays_a_ledger_that_was_rewritten_whole(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    """The new chain is whole in itself; that lines are gone only the copy can tell."""
    export(ledger, tmp_path / "copy")
    rewritten = SqliteLedger(tmp_path / "other.db")
    for entry in ledger.entries():
        told = "Another tale." if entry.seq == 4 else entry.reason
        rewritten.append(
            NewEntry(entry.model, entry.kind, entry.key, entry.night, entry.actor, told, entry.evidence)
        )
    assert rewritten.verify() == []
    assert len(rewritten.verify(str(row["hash"]) for row in lines_of(tmp_path / "copy"))) == LINE_COUNT


def test_an_export_is_never_written_over_anything(ledger: SqliteLedger, tmp_path: Path) -> None:
    """And what is no export is not taken for one."""
    export(ledger, tmp_path / "copy")
    before = (tmp_path / "copy" / MANIFEST).read_bytes()
    with pytest.raises(ExportExistsError):
        export(ledger, tmp_path / "copy")
    assert (tmp_path / "copy" / MANIFEST).read_bytes() == before
    with pytest.raises(NotAnExportError):
        faults(tmp_path)


def test_each_tampered_line_of_the_ledger_is_named(ledger: SqliteLedger, tmp_path: Path) -> None:
    """Three lines altered in three ways are three lines named, and the untouched ones are not."""
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("DROP TRIGGER entries_are_not_changed")
        connection.execute("UPDATE entries SET reason = 'Nothing happened.' WHERE seq = 2")
        connection.execute("UPDATE entries SET evidence = '{}' WHERE seq = 4")
        connection.execute("UPDATE entries SET recorded_at = '2020-01-01' WHERE seq = 6")
    named = {problem.split(" (")[0] for problem in ledger.verify() if problem.startswith("Line")}
    assert named == {"Line 2", "Line 4", "Line 6"}
