"""A person's word is one command, and the next command obeys it."""

import pytest
from tests.doubles.projects import MODEL
from tests.stages.conftest import BIRTH

from perennial.clock import after

NEXT = after(BIRTH)


def test_a_held_night_is_not_scored_until_it_is_released(perennial, served) -> None:
    """The refusal has the status 1 and says how to go on."""
    assert perennial("run", MODEL, "validate", "--night", NEXT, of=served.root).status == 0
    assert perennial("hold", MODEL, NEXT, "--reason", "Strike.", "--actor", "ann", of=served.root).status == 0
    refused = perennial("run", MODEL, "score", "--night", NEXT, of=served.root)
    assert (refused.status, "ann holds" in refused.err) == (1, True)
    assert perennial("release", MODEL, NEXT, of=served.root).status == 0
    assert perennial("rerun", MODEL, NEXT, "--from", "score", of=served.root).status == 0
    assert perennial("release", MODEL, NEXT, of=served.root).status == 1


def test_a_skipped_night_goes_on_without_what_is_missing(perennial, served) -> None:
    """One command for the word, one to run the night again."""
    (served.root / "data" / "outcomes" / f"{NEXT}.csv").unlink()
    assert perennial("rerun", MODEL, NEXT, of=served.root).status == 3
    assert perennial("skip", MODEL, NEXT, "--reason", "Never sent.", of=served.root).status == 0
    done = perennial("rerun", MODEL, NEXT, "--json", of=served.root)
    assert list(done.json) == ["validate", "features", "score", "monitor"]
    assert done.json["monitor"][0]["state"] == "skipped"


def test_quarantined_rows_are_accepted_by_their_numbers(perennial, served) -> None:
    """And the next step is told."""
    rows = served.read("orders", NEXT)
    rows[0]["size"], rows[1]["size"] = "1e12", "large"
    served.write("orders", NEXT, rows)
    assert "quarantined: 2." in perennial("run", MODEL, "validate", "--night", NEXT, of=served.root).out
    words = ("accept", MODEL, NEXT, "--source", "orders", "--reason", "Seen.")
    assert perennial(*words, of=served.root).status == 1
    answer = perennial(*words, "--rows", "2", of=served.root)
    assert (answer.status, "rerun" in answer.out) == (0, True)
    assert perennial(*words, "--rows", "99", of=served.root).status == 3


def test_a_held_correction_is_told_and_accepted_by_a_word_of_its_own(perennial, served) -> None:
    """Asked for all rows, the command says what the correction would replace; asked for it, it does."""
    perennial("run", MODEL, "validate", "--night", NEXT, of=served.root)
    served.write("orders", NEXT, [{**row, "size": "1e12"} for row in served.read("orders", NEXT)])
    assert perennial("run", MODEL, "validate", "--night", NEXT, of=served.root).status == 1
    words = ("accept", MODEL, NEXT, "--source", "orders", "--reason", "Seen.")
    told = perennial(*words, of=served.root)
    assert (told.status, "take the place of the 60" in " ".join(told.err.split())) == (1, True)
    answer = perennial(*words, "--rows", "held", of=served.root)
    assert (answer.status, "60 rows change" in " ".join(answer.out.split())) == (0, True)


@pytest.mark.parametrize(
    "words",
    [
        ("hold", MODEL, NEXT),
        ("hold", MODEL, "tomorrow", "--reason", "Strike."),
        ("accept", MODEL, NEXT, "--source", "orders", "--rows", "two", "--reason", "Seen."),
        ("rerun", MODEL, NEXT, "--from", "train"),
    ],
)
def test_a_word_that_says_too_little_is_misuse(perennial, served, words) -> None:
    """No reason, no night, no row, no stage: nothing is recorded."""
    assert perennial(*words, of=served.root).status == 2
