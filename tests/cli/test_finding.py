"""What was found is listed by problem."""

from tests.doubles.projects import MODEL
from tests.stages.conftest import BIRTH

from perennial.clock import after

NEXT = after(BIRTH)


def test_a_silent_night_is_listed_until_it_is_over(perennial, served) -> None:
    """With its nights, its cause and how it ended; --open leaves out what is over."""
    assert "Nothing was found" in perennial("findings", MODEL, of=served.root).out
    kept = served.root / "data" / "orders" / f"{NEXT}.csv"
    kept.unlink()
    perennial("run", MODEL, "monitor", "--night", NEXT, of=served.root)
    (one,) = perennial("findings", MODEL, "--open", "--json", of=served.root).json
    assert (one["night"], one["gravest"], one["causes"]) == (NEXT, "silent", ["silent_source"])
    assert "No delivery of orders" in one["reason"]
    perennial("night", MODEL, after(NEXT), of=served.root)
    assert "Nothing is open" in perennial("findings", MODEL, "--open", of=served.root).out
    assert "deliveries" in perennial("findings", MODEL, of=served.root).out
    assert perennial("findings", "no_model", of=served.root).status == 3
