"""A story that was cut off goes on only in a whole home, about the same nights, with the same code."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from perennial.ledger.base import NewEntry
from perennial.ledger.sqlite import SqliteLedger
from perennial_airflow.launch.going_on import Bookmark, code_of

ABOUT = {"model": "rides", "born": "2013-08-18", "code": "abc"}


@pytest.fixture
def cut_off(tmp_path: Path) -> Path:
    """Leave a home as an interrupt does: databases are there, the story has not ended."""
    home = tmp_path / "home"
    Bookmark(home, ABOUT).open()
    (home / "airflow").mkdir()
    with closing(sqlite3.connect(home / "airflow" / "airflow.db")) as database:
        database.execute("create table dag_run (id integer)")
        database.commit()
    SqliteLedger(home / "ledger.db").append(
        NewEntry("rides", "held", "k", "2013-05-12", "evaluate", "Too few nights.")
    )
    return home


def test_the_first_telling_begins_with_nothing(tmp_path: Path) -> None:
    """An empty home is neither gone on with nor over again."""
    assert Bookmark(tmp_path / "home", ABOUT).open() == "starting with an empty home"


def test_a_story_that_was_cut_off_goes_on(cut_off: Path) -> None:
    """What it has done already stays."""
    assert "going on" in Bookmark(cut_off, ABOUT).open()
    assert (cut_off / "ledger.db").exists()


def test_a_story_that_was_told_starts_over(cut_off: Path) -> None:
    """Told to its end, it begins again in an empty home."""
    Bookmark(cut_off, ABOUT).close()
    assert Bookmark(cut_off, ABOUT).open().startswith("starting over")
    assert not (cut_off / "ledger.db").exists()


@pytest.mark.parametrize("change", [{"born": "2013-08-19"}, {"code": "other"}])
def test_another_story_starts_over(cut_off: Path, change: dict[str, str]) -> None:
    """Other nights or other code never go on in what these have left."""
    assert Bookmark(cut_off, ABOUT | change).open().startswith("starting over")
    assert not (cut_off / "ledger.db").exists()


def test_a_damaged_database_starts_over(cut_off: Path) -> None:
    """Half a database, or none, is no place to go on in."""
    (cut_off / "airflow" / "airflow.db").write_bytes(b"SQLite format 3\0" + b"\0" * 4000)
    assert Bookmark(cut_off, ABOUT).open().startswith("starting over: Airflow's database")


def test_an_altered_ledger_starts_over(cut_off: Path) -> None:
    """A ledger whose chain is broken is not gone on with."""
    with closing(sqlite3.connect(cut_off / "ledger.db")) as database:
        tables = [row[0] for row in database.execute("select name from sqlite_master where type = 'trigger'")]
        for trigger in tables:
            database.execute(f"drop trigger {trigger}")
        database.execute("update entries set reason = 'Quite enough.'")
        database.commit()
    assert Bookmark(cut_off, ABOUT).open() == "starting over: the ledger is damaged"


def test_a_change_of_code_is_seen(tmp_path: Path) -> None:
    """Any text of dags/, include/, plugins/ or config/ counts; what is not code does not."""
    for part in ("dags", "include"):
        (tmp_path / part).mkdir()
    (tmp_path / "dags" / "one.py").write_text("a = 1\n")
    before = code_of(tmp_path)
    (tmp_path / "dags" / "notes.txt").write_text("nothing")
    assert code_of(tmp_path) == before
    (tmp_path / "dags" / "one.py").write_text("a = 2\n")
    assert code_of(tmp_path) != before
