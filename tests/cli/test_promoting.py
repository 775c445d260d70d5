"""A person's word about what may serve: each command answers with the ledger's sentence, and the status shows it."""

from tests.doubles.projects import MODEL
from tests.stages.conftest import BIRTH

from perennial.clock import after

UNTIL = after(BIRTH, 20)


def test_a_freeze_is_said_shown_and_ended(perennial, served) -> None:
    """The status names the freeze, a training asked for is answered no, and one word ends it."""
    words = ("freeze", MODEL, "--until", UNTIL, "--reason", "Audit.", "--actor", "ann")
    said = perennial(*words, "--json", of=served.root)
    assert (said.status, said.json["kind"], said.json["evidence"]["until"]) == (0, "frozen", UNTIL)
    assert f"frozen      until {UNTIL}, by ann: Audit." in perennial("status", MODEL, of=served.root).out
    asked = perennial("run", MODEL, "retrain", of=served.root)
    assert (asked.status, "frozen" in asked.out) == (1, True)
    assert perennial("unfreeze", MODEL, of=served.root).status == 0
    assert "frozen" not in perennial("status", MODEL, "--json", of=served.root).json["champion"]["reason"]
    assert perennial("unfreeze", MODEL, of=served.root).status == 1


def test_a_freeze_that_ends_before_it_begins_is_misuse(perennial, served) -> None:
    """The message shows both nights."""
    answer = perennial("freeze", MODEL, "--until", "2024-01-01", "--reason", "Audit.", of=served.root)
    assert (answer.status, "2024-01-01" in answer.err) == (2, True)


def test_nothing_is_approved_that_does_not_wait_and_nothing_forced_without_a_right(perennial, served) -> None:
    """Both refusals say what to do instead."""
    assert "status" in perennial("approve", MODEL, "--reason", "Yes.", of=served.root).err
    forced = perennial("force", MODEL, "1", "--reason", "Now.", of=served.root)
    assert (forced.status, "force_by" in forced.err) == (1, True)
