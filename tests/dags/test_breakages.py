"""Each breakage has one moment: the same at every reading, another once it was mended or reads otherwise."""

import os
import shutil
from collections.abc import Iterator
from datetime import datetime
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


@pytest.mark.airflow
def test_a_folder_that_was_deleted_and_comes_back_is_red_again(tmp_path: Path) -> None:
    """With the very same mistake; another broken folder keeps its moment all the while."""
    from perennial_airflow.models import each_broken

    def read(*names: str) -> dict[str, datetime]:
        """Read a project that has these broken folders, as the DAG file does."""
        found: dict[str, datetime] = {}
        for name in ("torn", "worn"):
            folder = tmp_path / "include" / "models" / name
            shutil.rmtree(folder, ignore_errors=True)
            if name in names:
                folder.mkdir(parents=True)
                (folder / "model.yaml").write_text("perennial: 1\ntask: nonsense\n")
        each_broken(lambda facts: found.update({facts.name: since(f"{facts.name}.broken", facts.error)}))
        return found

    before = os.environ.get("PERENNIAL_PROJECT")
    os.environ["PERENNIAL_PROJECT"] = str(tmp_path)
    try:
        first, gone, back = read("torn", "worn"), read("worn"), read("torn", "worn")
        assert read("torn", "worn") == back
    finally:
        os.environ.pop("PERENNIAL_PROJECT")
        if before is not None:
            os.environ["PERENNIAL_PROJECT"] = before
    assert first["worn"] == gone["worn"] == back["worn"]
    assert back["torn"] > first["torn"]


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
