"""Heavy hitters and distinct counts: what is promised holds for any nights, in any order."""

import json
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.facts.categories import LISTED, Categories, hash_of
from perennial.facts.edges import freeze_edges
from perennial.facts.profile import Profile, merge, profile

parts = st.lists(
    st.lists(st.integers(0, 400).map(lambda k: f"v{min(k, k * k // 50)}"), max_size=300),
    min_size=1,
    max_size=4,
)


def taken(values: list[str]) -> Categories:
    """Take stock of one part."""
    known = Counter(values)
    return Categories.of(pa.array(list(known), pa.large_string()), np.array(list(known.values()), np.int64))


@settings(max_examples=60, deadline=None)
@given(parts)
def test_bounds_hold_and_no_heavy_category_is_missed(drawn: list[list[str]]) -> None:
    """The truth lies within the bounds, they are a 64th apart at most, and whoever has more is listed."""
    whole = sum((taken(part) for part in drawn), Categories())
    truth = Counter(value for part in drawn for value in part)
    rows = truth.total()
    for name, count in truth.items():
        least, most = whole.rows_of(name)
        assert least <= count <= most <= least + rows // LISTED + 1
        assert count <= rows / LISTED or hash_of(name) in whole.listed


@settings(max_examples=60, deadline=None)
@given(parts, st.randoms(use_true_random=False))
def test_nights_with_many_categories_merge_in_any_order_and_grouping(drawn: list[list[str]], chance) -> None:
    """Not only what fits on a list: associative and commutative to the last bit, also after JSON."""
    cut = freeze_edges(pa.table({"c": ["v0", "v1"]}))
    nights = [profile(pa.table({"c": pa.array(part, pa.string())}), cut, (("c", "c"),)) for part in drawn]
    left = merge(*nights)
    shuffled = chance.sample(nights, len(nights))
    right = shuffled[-1]
    for night in reversed(shuffled[:-1]):
        right = merge(night, right)
    assert left == right
    assert Profile.from_json(json.loads(json.dumps(left.as_json()))) == left


@pytest.mark.parametrize("different", [0, 1, 127])
def test_few_different_categories_are_counted_exactly(different: int) -> None:
    """Below 128 there is nothing to estimate."""
    assert taken([f"v{k}" for k in range(different)] * 3).different == different


def test_many_different_categories_are_estimated_within_the_stated_error() -> None:
    """A standard error of 9 %: over 60 columns the mean is right to 4 %, and one in twenty is off by 18 %."""
    off = np.array([taken([f"{seed} {k}" for k in range(3000)]).different / 3000 - 1 for seed in range(60)])
    assert abs(off.mean()) < 0.04
    assert (np.abs(off) > 0.18).mean() <= 0.12
