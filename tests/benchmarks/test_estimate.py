"""What the benchmark of estimates counts is what its page shows."""

import math
from pathlib import Path

from benchmarks.estimate import shown
from benchmarks.pages import BEGIN, END, table, write

ROOT = Path(__file__).parents[2]
PURE = {"shown": 0.996, "error": 0.104, "covered": 0.911}


def made(**changed):
    """Make what the benchmark reports of one table and one world."""
    real = {"table": "arrival", "loss": "log_loss", "window": [1, 14], "shown": 0.87, "error": 0.62}
    real |= {"others": {"week": 0.8, "raw": 0.66}, "covered": 0.9}
    world = {
        "regression": False,
        "rows": 500,
        "luck": 0.2,
        "seeds": [1, 2],
        "pure": PURE,
        "floor_ratio": math.nan,
    }
    world |= {"muted": {"level": [3, None], "turned": [2, 2]}}
    return {"real": [real], "worlds": [world], "muted_within_8": 0.75} | changed


def test_a_change_that_was_never_muted_counts_against_it():
    """Of two histories of two changes one stayed loud: three in four, and the hardest is named."""
    told = shown(made())
    assert "| a class | 500 | 0.20 | 2 | 1.00 | 0.10 |  | 0.91 | 0.75 | level: 0.50 |" in told
    assert "Silent within 8 matured windows after any change: 0.75." in told


def test_a_table_without_a_calibration_has_nothing_there():
    """Numbers have no isotonic calibration: the cell is empty, not nought."""
    assert "| arrival, log loss | 1 | 14 | 0.87 | 0.62 | 0.80 | 0.66 |  | 0.90 |" in shown(made())
    assert table(("a", "b"), [(None, 0.5)]) == "| a | b |\n| --- | --- |\n|  | 0.50 |"


def test_the_page_is_written_between_its_marks(tmp_path):
    """Writing twice changes nothing, and what stands around the tables stays."""
    page = tmp_path / "page.md"
    page.write_text(f"Before.\n{BEGIN}\nold\n{END}\nAfter.\n")
    write(page, shown(made()))
    once = page.read_text()
    write(page, shown(made()))
    assert page.read_text() == once
    assert (once.startswith("Before.\n"), once.endswith("After.\n"), "old" in once) == (True, True, False)


def test_the_shipped_page_has_its_marks():
    """Else the command could not write it anew."""
    text = (ROOT / "docs" / "explanation" / "estimated-performance.md").read_text()
    assert text.index(BEGIN) < text.index(END)
