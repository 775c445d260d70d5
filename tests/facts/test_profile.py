"""Profiles add up exactly, survive JSON, and say what is odd instead of failing."""

import json
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.errors import ProfilesDifferError
from perennial.facts.edges import Edges, freeze_edges
from perennial.facts.profile import Profile, merge, profile, quantile

SCHEMA = pa.schema([("n", pa.float64()), ("i", pa.int64()), ("flag", pa.bool_()), ("carrier", pa.string())])

rows = st.lists(
    st.tuples(
        st.none() | st.floats(width=64) | st.sampled_from([0.0, 0.1, 1e300, -1e-300]),
        st.none() | st.integers(-(2**53), 2**53),
        st.none() | st.booleans(),
        st.none() | st.sampled_from(["UA", "AA", "DL", ""]),
    ),
    max_size=60,
)


def table(drawn: list[tuple]) -> pa.Table:
    """Lay drawn rows out as a table."""
    columns = list(zip(*drawn, strict=True)) or [()] * 4
    return pa.table(
        [pa.array(c, field.type) for c, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
    )


def reference() -> Edges:
    """Freeze edges on a small ordinary table."""
    draw = np.random.default_rng(0)
    return freeze_edges(
        pa.table(
            {
                "n": draw.normal(size=500),
                "i": draw.integers(0, 9, 500),
                "flag": draw.random(500) < 0.3,
                "carrier": draw.choice(["UA", "AA"], 500),
            }
        )
    )


EDGES = reference()
PAIRS = (("n", "i"), ("i", "carrier"))


@settings(max_examples=60, deadline=None)
@given(rows, rows, rows)
def test_parts_add_up_to_the_whole_in_any_order(a: list, b: list, c: list) -> None:
    """A week is the sum of its nights, to the last bit, however it is put together."""
    x, y, z = (profile(table(part), EDGES, PAIRS) for part in (a, b, c))
    whole = profile(pa.concat_tables([table(a), table(b), table(c)]), EDGES, PAIRS)
    assert merge(merge(x, y), z) == merge(x, merge(y, z)) == merge(z, y, x) == whole


@settings(max_examples=30, deadline=None)
@given(rows)
def test_json_keeps_every_bit(drawn: list) -> None:
    """What is read back is what was counted."""
    before = profile(table(drawn), EDGES)
    assert Profile.from_json(json.loads(json.dumps(before.as_json()))) == before
    assert Edges.from_json(json.loads(json.dumps(EDGES.as_json()))) == EDGES


def test_counts_fall_under_in_and_over() -> None:
    """One value below, one inside, two above, one null, one infinite."""
    cut = freeze_edges(pa.table({"x": [1.0, 2.0, 3.0]}))
    column = profile(pa.table({"x": [0.5, 2.0, 3.5, 9.0, None, math.inf]}), cut).columns["x"]
    assert (column.counts[0], column.counts[-1], column.values) == (1, 2, 4)
    assert (column.nulls, column.not_finite, column.low, column.high) == (1, 1, 0.5, 9.0)
    assert column.mean == 3.75


def test_a_rare_value_beside_a_heavy_one_has_a_bin_of_its_own() -> None:
    """A flag that is set in one row of a hundred must not vanish into the bin of the zeros."""
    cut = freeze_edges(pa.table({"x": [0.0] * 990 + [1.0] * 10}))
    assert profile(pa.table({"x": [0.0, 1.0, 1.0]}), cut).columns["x"].counts == (0, 1, 2, 0)


@pytest.mark.parametrize(
    ("tonight", "name", "state"),
    [
        ({"x": [1.0]}, "carrier", "absent"),
        ({"x": ["1", "2"], "carrier": ["UA", "UA"]}, "x", "retyped"),
        ({"x": [1.0], "carrier": ["UA"], "new": [1]}, "new", "unseen"),
        ({"x": pa.nulls(1), "carrier": ["UA"]}, "x", "known"),
    ],
)
def test_an_odd_column_is_recorded_as_such(tonight: dict, name: str, state: str) -> None:
    """A feed that changed its columns is what a monitor is for: it must not fail on it."""
    cut = freeze_edges(pa.table({"x": [1.0, 2.0], "carrier": ["UA", "AA"]}))
    assert profile(pa.table(tonight), cut).columns[name].state == state


def test_times_lists_and_empty_tables_do_no_harm() -> None:
    """Edges leave out what they cannot cut; a night without rows is a profile of nothing."""
    odd = pa.table(
        {
            "at": pa.array([0], pa.timestamp("us", "UTC")),
            "list": [[1]],
            "d": pa.array(["a"]).dictionary_encode(),
        }
    )
    cut = freeze_edges(odd)
    assert set(cut.columns) == {"d"}
    assert profile(odd.slice(0, 0), cut).rows == 0
    assert profile(odd, cut).columns["at"].state == "unseen"


def test_distinct_values_are_exact_while_few() -> None:
    """Beyond the cap the answer is "more", never a wrong number."""
    few, many = (profile(pa.table({"n": np.arange(k) * 1.0}), EDGES).columns["n"].distinct for k in (32, 33))
    assert (len(few), many) == (32, None)


def test_quantiles_come_out_of_the_counts() -> None:
    """Within a bin's width of the true median."""
    draw = np.random.default_rng(1).normal(size=5000)
    column = profile(pa.table({"n": draw}), EDGES).columns["n"]
    assert quantile(column, EDGES.columns["n"], 0.5) == pytest.approx(np.median(draw), abs=0.05)


def test_profiles_on_other_edges_are_refused() -> None:
    """Counts on different edges would add up to nonsense."""
    other = freeze_edges(pa.table({"n": [1.0, 2.0]}))
    with pytest.raises(ProfilesDifferError):
        merge(profile(pa.table({"n": [1.0]}), EDGES), profile(pa.table({"n": [1.0]}), other))


def test_twenty_columns_fit_in_a_hundred_kilobytes() -> None:
    """A profile is kept for every night, for years."""
    draw = np.random.default_rng(2)
    night = pa.table({f"c{i}": draw.normal(size=20_000) for i in range(20)})
    kept = profile(night, freeze_edges(night)).as_json()
    assert len(json.dumps(kept)) < 100_000
