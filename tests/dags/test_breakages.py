"""Each breakage has one moment: the same at every reading, another once it was mended or reads otherwise."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from perennial.clock import wall_clock
from perennial_airflow.breakages import ALWAYS, mended, since

DAG = "torn.broken"


@pytest.fixture(autouse=True)
def home(tmp_path: Path) -> Iterator[Path]:
    """Keep what is kept in a home of this test."""
    before = os.environ.get("PERENNIAL_HOME")
    os.environ["PERENNIAL_HOME"] = str(tmp_path / "home")
    yield tmp_path / "home"
    os.environ.pop("PERENNIAL_HOME")
    if before is not None:
        os.environ["PERENNIAL_HOME"] = before


def test_the_same_error_has_one_moment() -> None:
    """However often the file is read, and wherever in memory the objects of the error lie."""
    first = since(DAG, "no such <object at 0x7f01>")
    assert since(DAG, "no such <object at 0x7e99>") == first
    assert abs((wall_clock() - first).total_seconds()) < 60


def test_another_error_has_another_moment() -> None:
    """A folder that breaks otherwise is red again."""
    assert since(DAG, "line 3") < since(DAG, "line 4")


def test_what_was_mended_breaks_anew() -> None:
    """Also with the very same error; another DAG's is its own."""
    first, other = since(DAG, "line 3"), since("worn.broken", "line 3")
    mended(DAG)
    mended(DAG)
    assert since(DAG, "line 3") > first
    assert since("worn.broken", "line 3") == other


def test_what_was_cut_off_is_begun_again(home: Path) -> None:
    """Half a file is no moment."""
    since(DAG, "line 3")
    (file,) = (home / "cache" / "broken").iterdir()
    file.write_text('{"error"')
    assert since(DAG, "line 3") == since(DAG, "line 3")


def test_where_nothing_can_be_kept_it_is_red_once(home: Path) -> None:
    """Rather than at every reading."""
    home.write_text("no folder")
    assert since(DAG, "line 3") == since(DAG, "line 4") == ALWAYS
