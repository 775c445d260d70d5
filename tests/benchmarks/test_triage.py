"""What the benchmark counts is what its page shows."""

from pathlib import Path

from benchmarks.triage import BEGIN, END, report, write

ROOT = Path(__file__).parents[2]


def trial(cause, named, **more):
    """Make one triaged injection."""
    told = {"world": "made_up", "seed": 300, "cause": cause, "kind": cause, "named": named, "confidence": 0.9}
    told |= {"reason": "It is so.", "trains": named == "concept", "trains_at_last": named != cause}
    return told | more


def test_the_worst_class_and_the_retrained_feeds_are_the_result():
    """One class that is half right counts, whatever the others are, and so does one feed taken for a concept."""
    found = [trial("none", "none"), trial("broken_feed", "concept"), trial("broken_feed", "broken_feed")]
    made = report(found, [300])
    assert (made["ours"], made["broken_feeds_retrained"], made["n"]) == (0.5, 0.5, 3)
    assert made["broken_feeds_retrained_at_last"] == 0.5
    assert made["matrix"]["broken_feed"] == {"concept": 1, "broken_feed": 1}


def test_the_page_is_written_between_its_marks(tmp_path):
    """Writing twice changes nothing, and what stands around the tables stays."""
    page = tmp_path / "triage.md"
    page.write_text(f"Before.\n{BEGIN}\nold\n{END}\nAfter.\n")
    made = report(
        [trial("none", "none", without_labels="not_assessable"), trial("broken_feed", "none")], [300]
    )
    write(page, made)
    once = page.read_text()
    write(page, made)
    assert page.read_text() == once
    assert once.startswith("Before.\n")
    assert once.endswith("After.\n")
    assert "| broken_feed | 1 | 1 |" in once
    assert "none -> not_assessable" in once


def test_the_shipped_page_has_its_marks():
    """Else the command could not write it anew."""
    text = (ROOT / "docs" / "explanation" / "triage.md").read_text()
    assert text.index(BEGIN) < text.index(END)
