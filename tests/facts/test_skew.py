"""Two tables of the same rows are compared value by value, and what differs is a sentence."""

import math
from dataclasses import replace

import pytest

from perennial.facts.skew import Difference, Example, FeatureSkew, Skew, differences, told

NIGHT = "2024-03-01"


@pytest.mark.parametrize(
    ("served", "now"),
    [
        (None, math.nan),
        (0.1 + 0.2, 0.3),
        (1e12, 1e12 + 1e-3),
        (math.inf, math.inf),
        ("north", "north"),
        (True, True),
    ],
)
def test_equal_values_are_equal_however_they_are_written(served, now) -> None:
    """Missing is missing, and the last digits of a sum depend on its order."""
    assert differences({"a": [served]}, {"a": [now]}, ["k"]) == []


@pytest.mark.parametrize(
    ("served", "now", "largest"),
    [
        (1.0, 1.1, 0.1),
        (None, 1.0, None),
        ("north", "south", None),
        (math.inf, 1.0, math.inf),
        (1e-3, 1.1e-3, 1e-4),
    ],
)
def test_other_values_differ_and_numbers_by_how_much(served, now, largest) -> None:
    """A value that came or went differs too, by no number."""
    (found,) = differences({"a": [served]}, {"a": [now]}, ["k"])
    assert (found.rows, found.examples[0].key) == (1, "k")
    assert found.largest == (None if largest is None else pytest.approx(largest))


def test_the_most_rows_come_first_with_the_largest_differences_as_examples() -> None:
    """Columns of one side only are not compared."""
    served = {"a": [1.0] * 5, "b": [1.0] * 5, "only": [1.0] * 5}
    now = {"a": [1.0, 1.0, 1.0, 1.0, 2.0], "b": [1.0, 2.0, 3.0, 4.0, 5.0]}
    found = differences(served, now, list("vwxyz"))
    assert [one.column for one in found] == ["b", "a"]
    assert [one.key for one in found[0].examples] == ["z", "y", "x"]
    assert "b in 4 of 5 rows, by up to 4 (z: 1.0 served, 5.0 now)" in told(found[0], 5)


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_rows_are_compared_like_many(rows) -> None:
    """Nothing differs among no rows."""
    assert len(differences({"a": [1.0] * rows}, {"a": [2.0] * rows}, ["k"] * rows)) == min(rows, 1)


def test_what_follows_depends_on_the_cause() -> None:
    """Other data are noted; what nothing explains, and predictions that are not the version's, are findings."""
    one = Difference("a", 1, 1.0, (Example("k", "1.0", "2.0"),))
    late = Skew(NIGHT, "1", "differs", "", 5, 5, (FeatureSkew(one, "late", "why"),))
    assert late.outcome == "notice"
    assert replace(late, features=(FeatureSkew(one, "unknown", "why"),)).outcome == "finding"
    assert replace(late, predictions=one).outcome == "finding"
    assert Skew(NIGHT, "1", "not assessable", "").outcome == "quiet"
    assert late.as_json()["evidence_hash"] == late.as_json()["evidence_hash"]
