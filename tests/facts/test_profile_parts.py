"""A night counted part by part is the night counted at once; odd nights are profiles too, never a bare exception."""

import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perennial.errors import RepeatedColumnError, UnreadableProfileError
from perennial.facts.association import association
from perennial.facts.edges import LONGEST_NAME, freeze_edges
from perennial.facts.profile import Profile, merge, profile
from perennial.facts.profile_parts import profile_files, profile_slices

ROWS = 3000
PAIRS = (("x", "y"), ("x", "carrier"), ("flag", "carrier"))


def night(seed: int, rows: int = ROWS, *, tied: float = 0.0) -> pa.Table:
    """Draw a night; ``tied`` is how much of y is x."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=rows)
    known = draw.random(rows) > 0.05
    return pa.table(
        {
            "x": pa.array(x, mask=~known),
            "y": tied * x + draw.normal(size=rows),
            "n": draw.integers(-5, 90, rows),
            "carrier": pa.array(draw.choice(["UA", "AA", "DL"], rows)).dictionary_encode(),
            "flag": draw.random(rows) < 0.2,
            "tail": [f"N{k}" for k in draw.zipf(1.4, rows) % 5000],
        }
    )


EDGES = freeze_edges(night(0))


def written(folder: Path, table: pa.Table, rows: int) -> Path:
    """Write a table in row groups of so many rows."""
    path = folder / f"{rows}.parquet"
    pq.write_table(table, path, row_group_size=rows, write_page_checksum=True)
    return path


def test_row_groups_add_up_to_the_table(tmp_path: Path) -> None:
    """All that is exact does not depend on how a file was written."""
    table = night(1)
    whole = profile(table, EDGES, PAIRS)
    parts = profile_files([written(tmp_path, table, 700)], EDGES, PAIRS)
    assert parts.pairs == whole.pairs
    assert {n: c for n, c in parts.columns.items() if n != "tail"} == {
        n: c for n, c in whole.columns.items() if n != "tail"
    }
    assert parts.columns["tail"].counts == whole.columns["tail"].counts
    assert profile_files([written(tmp_path, table, ROWS)], EDGES, PAIRS) == whole


def test_several_files_are_one_night_and_none_is_a_night_of_no_rows(tmp_path: Path) -> None:
    """A late file adds up; a night without files has every column, absent, and merges like any other."""
    one, two = night(2), night(3)
    both = profile_files([written(tmp_path, one, 500), written(tmp_path, two, 999)], EDGES, PAIRS)
    assert (both.rows, both.columns["n"].counts) == (
        2 * ROWS,
        merge(profile(one, EDGES), profile(two, EDGES)).columns["n"].counts,
    )
    nothing = profile_files([], EDGES, PAIRS)
    assert (nothing.rows, nothing.columns["x"].state) == (0, "absent")
    assert merge(nothing, both) == merge(both, nothing)


def test_files_without_row_groups_are_profiled(tmp_path: Path) -> None:
    """The types of its columns are known even so."""
    path = written(tmp_path, night(4).slice(0, 0), 10)
    found = profile_files([path], EDGES)
    assert (found.rows, found.columns["x"].state, found.columns["x"].types) == (0, "known", {"double"})


def test_a_prefix_picks_the_profiled_columns(tmp_path: Path) -> None:
    """Feature partitions hold keys and times beside features."""
    table = night(5).rename_columns([f"f:{name}" for name in night(5).column_names])
    path = written(tmp_path, table.append_column("key", pa.array(range(ROWS))), 1000)
    assert set(profile_files([path], EDGES, prefix="f:").columns) == set(EDGES.columns)


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_nights_of_hardly_any_rows_are_profiles(rows: int) -> None:
    """Nothing is divided by what is not there."""
    found = profile(night(6, rows), EDGES, PAIRS)
    assert Profile.from_json(json.loads(json.dumps(found.as_json()))) == found
    assert sum(found.pairs["x", "y"]) == rows
    assert association(found.pairs["flag", "carrier"], ("flag", "carrier"), EDGES) is None


@pytest.mark.parametrize(
    "odd",
    [
        {"x": pa.nulls(3, pa.float64())},
        {"x": pa.nulls(3)},
        {"x": [math.inf, -math.inf, math.nan]},
        {"x": [1.0, 1.0, 1.0]},
        {"x": ["a", "b", "c"], "carrier": [1, 2, 3]},
        {"x": pa.array([0, 1, 2], pa.timestamp("us")), "renamed": [1, 2, 3]},
        {"carrier": ["\x00", "", "\N{COMBINING ACUTE ACCENT}"]},
        {"x": pa.array([1, 2, 2**63 + 5], pa.uint64())},
    ],
)
def test_odd_columns_are_counted_or_said_so(odd: dict, tmp_path: Path) -> None:
    """Null, infinite, constant, retyped, lost, renamed: recorded as such, at once and part by part alike."""
    table = pa.table(odd)
    found = profile(table, EDGES, PAIRS)
    assert Profile.from_json(json.loads(json.dumps(found.as_json()))) == found
    assert profile_files([written(tmp_path, table, 2)], EDGES, PAIRS).columns["x"] == found.columns["x"]
    for name, column in found.columns.items():
        assert column.nulls + column.not_finite + column.values <= 3, name
    assert sum(found.pairs["x", "y"]) == 3


def test_a_null_within_a_dictionary_is_no_category() -> None:
    """Arrow allows it, and a category that nobody gave must not be counted."""
    coded = pa.DictionaryArray.from_arrays([0, 1, 0], ["UA", None])
    found = profile(pa.table({"carrier": coded}), EDGES).columns["carrier"]
    assert (found.values, found.distinct and len(found.distinct)) == (2, 1)


def test_two_columns_of_one_name_are_refused_with_a_sentence(tmp_path: Path) -> None:
    """Counting either would be a guess."""
    twice = pa.table([pa.array([1.0]), pa.array([2.0])], names=["x", "x"])
    with pytest.raises(RepeatedColumnError, match="called x"):
        profile(twice, EDGES)
    with pytest.raises(RepeatedColumnError, match="called x"):
        profile_files([written(tmp_path, twice, 1)], EDGES)


def test_a_category_of_ten_megabytes_is_known_by_its_beginning() -> None:
    """The edges and the profile stay small, and the value is still told from another."""
    long = pa.table({"text": ["a" * 10_000_000, "a" * 9_999_999, "b"]})
    cut = freeze_edges(long)
    assert max(map(len, cut.columns["text"].top)) < LONGEST_NAME
    found = profile(long, cut)
    assert found.columns["text"].counts == (1, 1, 1, 0)
    assert len(json.dumps(found.as_json())) < 3000


def test_a_million_categories_leave_a_profile_of_kilobytes() -> None:
    """An identifier among the features costs time, not memory for years."""
    many = pa.table({"id": pa.array(np.arange(1_000_000)).cast(pa.string())})
    found = profile(many, freeze_edges(many.slice(0, 1000))).columns["id"]
    assert found.categories is not None
    assert found.categories.different == pytest.approx(1_000_000, rel=0.3)
    assert len(json.dumps(found.as_json())) < 5000


def test_twenty_columns_of_five_thousand_categories_fit_in_a_hundred_kilobytes() -> None:
    """The largest profile there is of twenty columns."""
    draw = np.random.default_rng(7)
    names = np.array([f"category {k}" for k in range(5000)])
    rows = pa.table({f"c{i}": names[(draw.zipf(1.2, 20_000) - 1) % 5000] for i in range(20)})
    assert len(json.dumps(profile(rows, freeze_edges(rows)).as_json())) < 100_000


def test_formats_show_a_feed_that_writes_otherwise() -> None:
    """The same number with a blank before it is another text."""
    cut = freeze_edges(pa.table({"zip": ["1010", "1020"]}))
    tonight = profile(pa.table({"zip": ["1010", " 1010", "", "2013-01-01"]}), cut).columns["zip"]
    assert tonight.formats == {"blank": 1, "padded": 1, "whole": 1, "date": 1}


def test_a_correlation_shows_where_neither_column_moved() -> None:
    """What a profile of columns alone can never see, and it adds up over nights."""
    loose, tight = (
        merge(*(profile(night(seed, tied=tied), EDGES, PAIRS) for seed in range(10, 14)))
        for tied in (0.0, 0.8)
    )
    pair = ("x", "y")
    assert (association(loose.pairs[pair], pair, EDGES) or 0.0) < 0.05
    assert (association(tight.pairs[pair], pair, EDGES) or 0.0) > 0.2


def test_slices_are_profiled_apart_and_may_overlap() -> None:
    """Each slice adds up over nights on its own; rows of which nobody knows whether they are in are out."""
    table = night(8)
    found = profile_slices(
        table,
        EDGES,
        {
            "all": pa.chunked_array([pa.array([True] * ROWS)]),
            "flagged": table["flag"],
            "none": pa.chunked_array([pa.nulls(ROWS, pa.bool_())]),
        },
    )
    assert found["all"] == profile(table, EDGES)
    assert [found[name].rows for name in ("flagged", "none")] == [sum(table["flag"].to_pylist()), 0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rows": 7}, "checksum"),
        ({"checksum": "0"}, "checksum"),
        ({"version": 3}, "version 3"),
        ({"version": 1, "columns": {"x": {"state": "known"}}}, "missing"),
        ({"version": 1, "columns": None}, "another kind"),
    ],
)
def test_a_profile_that_was_changed_is_refused_with_the_way_back(change: dict, said: str) -> None:
    """Numbers nobody vouches for must not be compared with."""
    kept = json.loads(json.dumps(profile(night(9, 50), EDGES).as_json())) | change
    with pytest.raises(UnreadableProfileError, match=said):
        Profile.from_json(kept)


def test_a_profile_of_the_first_version_is_read_and_says_what_it_does_not_know() -> None:
    """A year of nights is not lost with an update; what was not counted then is none, not zero."""
    now = profile(night(9), EDGES)
    kept = json.loads(json.dumps(now.as_json()))
    del kept["version"], kept["checksum"], kept["pairs"]
    for column in kept["columns"].values():
        del column["type_rows"], column["formats"], column["categories"]
    old = Profile.from_json(kept)
    assert old.columns["n"].counts == now.columns["n"].counts
    assert old.columns["tail"].categories is None
    both = merge(old, now)
    assert (both.rows, both.columns["tail"].categories, both.columns["n"].formats) == (2 * ROWS, None, None)
