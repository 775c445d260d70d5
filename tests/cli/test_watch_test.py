"""A watch is tried from the command line, and says what it could not try."""

from tests.doubles.projects import MODEL
from tests.stages.conftest import BIRTH


def test_a_young_watch_says_that_it_cannot_tell_yet(perennial, served) -> None:
    """Nothing is found, with the reason, in a table and as JSON."""
    told = perennial("watch-test", MODEL, "--night", BIRTH, "--json", of=served.root)
    assert (told.status, told.json["found"], len(told.json["not_tried"])) == (0, [], 2)
    assert "Not tried: inputs and predictions" in perennial("watch-test", MODEL, of=served.root).out


def test_a_model_without_a_champion_is_not_found(perennial, project) -> None:
    """There is nothing to try, and the way to a first model is said."""
    project.declare()
    assert perennial("watch-test", MODEL, "--night", BIRTH, of=project.root).status == 3
