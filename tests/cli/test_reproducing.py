"""``perennial reproduce``: yes is 0, no and gone are 1, an unknown version is 3."""

import shutil

from tests.doubles.projects import MODEL


def test_a_version_that_can_be_made_again_is_a_yes(perennial, served) -> None:
    """A sentence for a person, the whole answer for a program, the line in the ledger."""
    told = perennial("reproduce", MODEL, "1", of=served.root)
    assert (told.status, "predicts the same" in told.out) == (0, True)
    plain = perennial("reproduce", MODEL, "1", "--json", of=served.root)
    assert (plain.status, plain.json["outcome"]) == (0, "same")
    lines = perennial("ledger", MODEL, "--kind", "reproduced", "--json", of=served.root).json
    assert len(lines) == 1


def test_what_is_gone_is_no_yes(perennial, served) -> None:
    """Without its training set a version cannot be made again; a version that never was is not known."""
    shutil.rmtree(served.root / "home" / "store" / MODEL / "training")
    gone = perennial("reproduce", MODEL, "1", "--json", of=served.root)
    assert (gone.status, gone.json["outcome"]) == (1, "data gone")
    assert perennial("reproduce", MODEL, "9", of=served.root).status == 3
