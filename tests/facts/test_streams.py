"""Streams put every column on scales where chance is even, and a watch lays them out night by night."""

import math

import numpy as np
import pyarrow as pa
import pytest

from perennial.errors import ProfilesDifferError
from perennial.facts.edges import freeze_edges
from perennial.facts.profile import profile
from perennial.facts.streams import NightStreams, Stream, Watch, streams_of

DRAW = np.random.default_rng(0)
REFERENCE = pa.table({"x": DRAW.normal(size=28_000), "carrier": DRAW.choice(["UA", "AA"], 28_000)})
EDGES = freeze_edges(REFERENCE)


def streams(table: pa.Table) -> dict[tuple[str, str, str], tuple[float, float, float]]:
    """Give value, sampling sd and plain number of each stream of a night."""
    night = streams_of("2013-05-12", profile(table, EDGES), EDGES)
    names = [(name.column, name.aspect, name.category) for name in night.names]
    return dict(zip(names, zip(night.values, night.sampling_sd, night.plain, strict=True), strict=True))


def test_a_shift_of_half_a_deviation_is_half_a_normal_score() -> None:
    """The location of a normal column moves as its mean does, and the plain number is the mean."""
    value, noise, plain = streams(pa.table({"x": DRAW.normal(0.5, 1, 10_000), "carrier": ["UA"] * 10_000}))[
        "x", "location", ""
    ]
    assert (value, plain) == (pytest.approx(0.5, abs=0.04), pytest.approx(0.5, abs=0.04))
    assert noise == pytest.approx(0.01, abs=0.001)


def test_the_noise_of_a_stream_is_what_resampling_shows() -> None:
    """The floor under a quiet history is the sampling error, no more and no less."""
    nights = [streams(REFERENCE.take(DRAW.integers(0, 28_000, 500))) for _ in range(200)]
    for key in (("x", "location", ""), ("x", "spread", ""), ("carrier", "share", "UA")):
        values = [night[key][0] for night in nights]
        assert np.std(values) == pytest.approx(nights[0][key][1], rel=0.2), key


def test_an_absent_column_is_missing_in_every_row() -> None:
    """A feed that drops a column must stand out more than one that leaves it empty."""
    night = streams(pa.table({"carrier": ["UA", "AA"]}))
    assert night["x", "missing", ""][2] == 1.0
    assert math.isnan(night["x", "location", ""][0])


def test_a_night_without_rows_still_counts_its_rows() -> None:
    """Zero rows are a number; nothing else of that night is."""
    night = streams(REFERENCE.slice(0, 0))
    assert night["", "rows", ""][2] == 0.0
    assert math.isnan(night["carrier", "share", "UA"][0])


def test_a_column_that_was_empty_at_first_is_watched_for_its_values() -> None:
    """Without reference values there is no location, but their coming is seen."""
    edges = freeze_edges(pa.table({"x": pa.nulls(5, pa.float64())}))
    night = streams_of("2013-05-12", profile(pa.table({"x": [1.0, None]}), edges), edges)
    assert [(n.aspect, p) for n, p in zip(night.names, night.plain, strict=True)] == [
        ("missing", 0.5),
        ("rows", 2.0),
    ]


def test_a_profile_on_other_edges_is_refused() -> None:
    """Scores of one set of bins mean nothing on another."""
    other = freeze_edges(pa.table({"x": [1.0]}))
    with pytest.raises(ProfilesDifferError):
        streams_of("2013-05-12", profile(REFERENCE, EDGES), other)


def one(night: str, value: float, stream: Stream) -> NightStreams:
    """Write a night of one stream."""
    return NightStreams(night, (stream,), (value,), (0.1,), (value,))


def test_a_watch_has_a_row_for_each_night_and_gaps_where_nothing_came() -> None:
    """Nights in any order, two groups, one night missing, tonight last."""
    x, p = Stream("x", "location"), Stream("prediction", "location", group="predictions")
    watch = Watch.of(
        "2013-05-04",
        [one("2013-05-04", 4, x), one("2013-05-01", 1, x), one("2013-05-04", 9, p)],
        page_rate=1 / 90,
    )
    assert watch.nights == ("2013-05-01", "2013-05-02", "2013-05-03", "2013-05-04")
    np.testing.assert_array_equal(watch.values, [[1, np.nan], [np.nan] * 2, [np.nan] * 2, [4, 9]])


def test_nights_after_tonight_and_beyond_the_horizon_are_left_out() -> None:
    """A replayed night must not see its future; old nights cost time and tell little."""
    x = Stream("x", "location")
    watch = Watch.of(
        "2013-05-04", [one(n, 1, x) for n in ("2011-01-01", "2013-05-04", "2013-05-05")], page_rate=0.01
    )
    assert watch.nights == ("2013-05-04",)
