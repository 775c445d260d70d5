"""The nightly check of the benchmark, small: light to import, flat in rows, and a verdict at the end."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.nightly_nights import Size, prepare

ROOT = Path(__file__).parents[2]
MORE_AT_MOST_MB = 45
"""For 300,000 rows instead of 3,000: a column and its sorted copy, and what sorting and hashing need beside."""


def check(home: Path, size: Size) -> dict:
    """Prepare a year and check its last night in a process of its own."""
    prepare(home, size, seed=5)
    words = [sys.executable, "-m", "benchmarks.nightly_process", str(home), size.night]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Check a night of few rows after a learning period."""
    return check(tmp_path_factory.mktemp("small"), Size(3_000, 20, 6_000, nights=130))


def test_the_check_imports_nothing_heavy(small: dict) -> None:
    """Pandas alone would cost as much as counting the night."""
    assert small["heavy"] == []


def test_a_night_like_the_others_is_said_to_be_like_them(small: dict) -> None:
    """The whole way from Parquet to the sentence works on nights in which nothing happens."""
    assert "like" in small["said"]
    assert "earlier nights" in small["said"]


def test_memory_does_not_grow_with_the_rows(small: dict, tmp_path: Path) -> None:
    """A hundred times the rows take a column more, not a table more: 300,000 x 20 are 48 MB."""
    large = check(tmp_path, Size(300_000, 20, 6_000, nights=130))
    assert large["peak_mb"] < small["peak_mb"] + MORE_AT_MOST_MB
