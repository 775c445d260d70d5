"""History that is taken in again in another form keeps the moments at which its rows were known."""

from datetime import UTC, datetime

import pyarrow as pa

from perennial.engine.redeclared import as_declared, redeclared
from perennial.spec.source import SourceSpec

INSTANT = pa.timestamp("us", "UTC")
FIRST, LATER = datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)


def published(**columns: list[object]) -> pa.Table:
    """Make a published table; rows are known on the first day and stand, unless it is said otherwise."""
    count = len(next(iter(columns.values())))
    known = pa.array(columns.pop("known_at", [FIRST] * count), INSTANT)
    gone = pa.array(columns.pop("superseded_at", [None] * count), INSTANT)
    return pa.table({**columns, "known_at": known, "superseded_at": gone})


def test_no_row_becomes_known_earlier_than_it_was() -> None:
    """A corrected row stays known from its correction on, whatever its key's type was; a new one is as delivered."""
    before = published(
        id=[1, 1, 2], mass=[1.0, 2.0, 3.0], known_at=[FIRST, LATER, FIRST], superseded_at=[LATER, None, None]
    )
    again = redeclared(before, published(id=["3", "1", "2"], weight=[4.0, 2.0, 3.0]), ("id",))
    assert again["id"].to_pylist() == ["3", "1", "2"]
    assert again["known_at"].to_pylist() == [FIRST, LATER, FIRST]
    assert again["superseded_at"].null_count == 3


def test_rows_that_cannot_be_told_apart_are_as_delivered() -> None:
    """Without a key, or with one that the earlier form did not have."""
    before, delivered = published(id=["1"], known_at=[LATER]), published(name=["a"])
    assert redeclared(before, delivered, ("name",)).equals(delivered)
    assert redeclared(before, delivered, ()).equals(delivered)


def test_whole_numbers_become_numbers_and_back_only_without_loss() -> None:
    """A fraction, or a number beyond what keeps its digits, is said and not rounded."""
    number = SourceSpec(uri="a.csv", columns={"size": "number"})
    integer = SourceSpec(uri="a.csv", columns={"size": "integer"})
    assert as_declared(published(size=[1, None]), number)[0]["size"].to_pylist() == [1.0, None]
    assert as_declared(published(size=[2.0]), integer)[0]["size"].to_pylist() == [2]
    for table, source in ((published(size=[2.5]), integer), (published(size=[2**62 + 1]), number)):
        same, problems = as_declared(table, source)
        assert (same is table, len(problems)) == (True, 1)
