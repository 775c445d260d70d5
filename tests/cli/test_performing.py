"""How a model performs is answered for any night, in sentences or as JSON."""

from tests.doubles.projects import MODEL
from tests.stages.conftest import BIRTH

from perennial.clock import after


def test_performance_is_told_as_it_was_known(perennial, served) -> None:
    """Realised, estimated and labels, each in a sentence; the same numbers for a program."""
    for days in (1, 2, 3):
        perennial("night", MODEL, after(BIRTH, days), of=served.root)
    told = perennial("performance", MODEL, of=served.root)
    assert told.status == 0
    assert "version 1 lost" in told.out
    assert "Estimates of this model are not judged yet" in told.out
    plain = perennial("performance", MODEL, "--night", after(BIRTH, 2), "--json", of=served.root).json
    assert (plain["night"], plain["version"]) == (after(BIRTH, 2), "1")
    assert plain["realised"]["mean"]["nights"] == 1
    assert plain["estimated"]["state"] == "learning"


def test_performance_before_anybody_serves_is_a_sentence(perennial, served) -> None:
    """No error: nothing is known, and that is the answer."""
    told = perennial("performance", MODEL, "--night", BIRTH, of=served.root)
    assert told.status == 0
    assert "nobody serves" in told.out
    assert "Nothing is estimated: no version serves." in told.out
