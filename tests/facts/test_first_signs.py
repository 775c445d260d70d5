"""What one night shows by itself is named; only what is plain is called broken."""

import numpy as np
import pyarrow as pa
import pytest
from benchmarks.first_signs import FAULTS, broken_nights, found

from perennial.facts.first_signs import first_signs


def night(values: list[object]) -> pa.Table:
    """Make a night of one column."""
    return pa.table({"size": values})


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        ([None] * 20, [True]),
        ([None] * 19, [False]),
        ([1.0, *[None] * 30], []),
        ([-999] * 15 + [1] * 5, [True]),
        ([-999] * 3 + [1], [False]),
        ([-999] + [1] * 29, [False]),
        ([], [True]),
    ],
    ids=["empty", "empty and few", "most missing", "mostly nothing", "few rows", "some nothing", "no rows"],
)
def test_plain_faults_are_broken(values: list[object], broken: list[bool]) -> None:
    """An empty column, a number that stands for nothing on most rows, no rows at all; few rows are named only."""
    assert [one.broken for one in first_signs(night(values))] == broken


@pytest.mark.parametrize(
    "values", [["-999", "a"], [True, False], [1.5, float("inf"), float("nan")], [-999] + [1] * 200]
)
def test_what_may_be_in_order_is_left_alone(values: list[object]) -> None:
    """Text, truth, infinities, and one such number among hundreds."""
    assert first_signs(night(values)) == []


@pytest.mark.parametrize(
    ("declared", "broken"),
    [((0, 50), [True]), ((None, 50), [True]), ((5000, None), [True]), ((0, 5000), []), ((None, None), [])],
)
def test_another_unit_is_beyond_the_declared_range(
    declared: tuple[float | None, float | None], broken: list[bool]
) -> None:
    """No other night is needed to see it; a missing value or one that is no number is not beyond."""
    grams = night([4000.0, 3900.5, None, float("nan")] * 10)
    signs = first_signs(grams, {"size": declared})
    # NaN is not beyond, so 20 of 40 rows are: not most of them.
    assert [one.kind for one in signs] == ["out_of_range"] * len(broken)
    assert [one.broken for one in first_signs(night([4000.0] * 40), {"size": declared})] == broken


@pytest.mark.parametrize(("rows", "missing"), [(20, 0.5), (20, 0.7), (200, 0.9), (1000, 0.9)])
def test_ordinary_nights_are_hardly_ever_broken(rows: int, missing: float) -> None:
    """Of 1,000 nights of twenty columns at most 20 are, however often their values are missing at random."""
    assert broken_nights(np.random.default_rng(5), 1000, rows, missing) <= 0.02


@pytest.mark.parametrize("fault", FAULTS)
def test_a_plain_fault_is_found_on_the_first_night(fault: str) -> None:
    """Each of 100 nights of sixty rows that came so."""
    assert found(np.random.default_rng(6), 100, 60, fault) == 1.0
