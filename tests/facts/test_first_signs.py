"""What one night shows by itself is named; only what is plain is called broken."""

import pyarrow as pa
import pytest

from perennial.facts.first_signs import first_signs


def night(values: list[object]) -> pa.Table:
    """Make a night of one column."""
    return pa.table({"size": values})


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        ([None] * 4, [True]),
        ([1.0, None, None], []),
        ([-999] * 3 + [1], [True]),
        ([-999] + [1] * 9, [False]),
        ([], [True]),
    ],
    ids=["empty", "some missing", "mostly nothing", "some nothing", "no rows"],
)
def test_plain_faults_are_broken(values: list[object], broken: list[bool]) -> None:
    """An empty column, a number that stands for nothing on most rows, no rows at all."""
    assert [one.broken for one in first_signs(night(values))] == broken


@pytest.mark.parametrize(
    "values", [["-999", "a"], [True, False], [1.5, float("inf"), float("nan")], [-999] + [1] * 200]
)
def test_what_may_be_in_order_is_left_alone(values: list[object]) -> None:
    """Text, truth, infinities, and one such number among hundreds."""
    assert first_signs(night(values)) == []
