"""Corrections keep what was known before: revising rows, and rows delivered again."""

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.clock import after, end_of
from perennial.engine.revision import REPLACED_AT, revise, with_replacements

INSTANT = pa.timestamp("us", "UTC")
NIGHT = "2024-03-10"


def version(values: dict[str, float | None], night: str = NIGHT) -> pa.Table:
    """Make a delivery known at the end of a night."""
    known = end_of(night, "UTC")
    rows = [{"id": name, "x": x, "known_at": known, "superseded_at": None} for name, x in values.items()]
    schema = pa.schema(
        [("id", pa.string()), ("x", pa.float64()), ("known_at", INSTANT), ("superseded_at", INSTANT)]
    )
    return pa.Table.from_pylist(rows, schema)


def known_at(table: pa.Table, night: str) -> dict[str, float | None]:
    """Read a partition as it was known at the end of a night."""
    moment = end_of(night, "UTC")
    return {
        row["id"]: row["x"]
        for row in table.to_pylist()
        if row["known_at"] <= moment and (row["superseded_at"] is None or row["superseded_at"] > moment)
    }


def test_unchanged_rows_keep_their_moment_and_changed_ones_have_two() -> None:
    """What stayed was known from the first; what changed, from the correction; what went ends with it."""
    before = version({"a": 1.0, "b": 2.0, "c": None})
    later = end_of(after(NIGHT, 3), "UTC")
    table = revise(before, version({"a": 1.0, "b": 3.0, "d": 4.0}), known_at=later)
    assert known_at(table, NIGHT) == {"a": 1.0, "b": 2.0, "c": None}
    assert known_at(table, after(NIGHT, 2)) == {"a": 1.0, "b": 2.0, "c": None}
    assert known_at(table, after(NIGHT, 3)) == {"a": 1.0, "b": 3.0, "d": 4.0}
    assert table.num_rows == 5


def test_the_same_delivery_again_changes_nothing() -> None:
    """Missing values are equal to missing values."""
    before = version({"a": 1.0, "c": None})
    assert revise(before, before, known_at=end_of(after(NIGHT, 1), "UTC")).equals(before)


DELIVERIES = st.lists(
    st.dictionaries(st.sampled_from("abcd"), st.none() | st.integers(0, 2).map(float), max_size=4),
    min_size=1,
    max_size=5,
)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(deliveries=DELIVERIES)
def test_however_often_it_is_corrected_every_night_reads_what_it_knew(deliveries) -> None:
    """There and back again included: at each correction's night the partition reads as that delivery."""
    table = version(deliveries[0])
    for number, delivery in enumerate(deliveries[1:], 1):
        table = revise(table, version(delivery), known_at=end_of(after(NIGHT, number), "UTC"))
    for number, delivery in enumerate(deliveries):
        assert known_at(table, after(NIGHT, number)) == delivery


def test_a_later_delivery_replaces_an_earlier_one_of_its_key_only() -> None:
    """The newest known counts; of equal moments the later night."""
    first, second = version({"a": 1.0, "b": 2.0}), version({"a": 3.0}, after(NIGHT))
    told = with_replacements(pa.concat_tables([first, second]), ["id"])
    assert told[REPLACED_AT].to_pylist() == [end_of(after(NIGHT), "UTC"), None, None]
    same = with_replacements(pa.concat_tables([first, version({"a": 3.0})]), ["id"])
    assert same[REPLACED_AT].to_pylist() == [end_of(NIGHT, "UTC"), None, None]


def test_rows_without_a_key_replace_nothing() -> None:
    """Each stands for itself."""
    table = with_replacements(pa.concat_tables([version({"a": 1.0}), version({"a": 1.0})]), [])
    assert table[REPLACED_AT].to_pylist() == [None, None]
