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


def together(tie: float, rows: int = 500, seed: int = 0) -> NightStreams:
    """Measure two pairs on a night: y and a text made of it follow x by so much, and x stays as it is."""
    draw = np.random.default_rng([seed, 9])
    x = draw.normal(size=rows)
    y = tie * x + math.sqrt(1 - tie**2) * draw.normal(size=rows)
    table = pa.table({"x": x, "y": y, "z": np.where(y > 1, "high", np.where(y < -2.5, "rare", "low"))})
    pairs = (("x", "y"), ("z", "x"))
    return streams_of("2013-05-12", profile(table, PAIR_EDGES, pairs), PAIR_EDGES)


PAIR_DRAW = np.random.default_rng(4)
PAIR_EDGES = freeze_edges(
    pa.table(
        {
            "x": PAIR_DRAW.normal(size=28_000),
            "y": PAIR_DRAW.normal(size=28_000),
            "z": PAIR_DRAW.choice(["low", "high", "rare"], 28_000, p=[0.835, 0.16, 0.005]),
        }
    )
)


def of_pairs(night: NightStreams) -> dict[str, tuple[float, float, float]]:
    """Give value, sampling sd and plain number of each pair."""
    numbers = zip(night.names, night.values, night.sampling_sd, night.plain, strict=True)
    return {name.column: tuple(rest) for name, *rest in numbers if name.aspect == "association"}


@pytest.mark.parametrize("tie", [0.0, 0.4])
def test_the_noise_of_a_pair_is_what_resampling_shows(tie: float) -> None:
    """Of two numbers and of a number beside a text, whether they go together or not; a tenth more rows is no move."""
    nights = [of_pairs(together(tie, seed=seed)) for seed in range(150)]
    more = [of_pairs(together(tie, 550, seed)) for seed in range(150, 300)]
    for column in ("x", "z"):
        values, noise, others = (
            [night[column][part] for night in of] for of, part in ((nights, 0), (nights, 1), (more, 0))
        )
        assert np.std(values) == pytest.approx(np.mean(noise), rel=0.3)
        assert np.mean(values) == pytest.approx(np.mean(others), abs=0.3 * np.mean(noise))


def test_a_lost_link_moves_the_pair_and_nothing_else() -> None:
    """What a permuted column does: no stream of a column moves, and people read the correlation."""
    before, after = (together(tie, 20_000) for tie in (0.5, 0.0))
    moved = {
        name.aspect
        for name, was, now, noise in zip(
            before.names, before.values, after.values, before.sampling_sd, strict=True
        )
        if abs(now - was) > 6 * noise
    }
    assert moved == {"association"}
    stream = next(name for name in before.names if name.aspect == "association")
    plain = (of_pairs(one)["x"][2] for one in (before, after))
    assert stream.describe(*plain).startswith("x with y association 0.4")


def test_a_pair_of_hardly_any_rows_is_not_a_number() -> None:
    """Two rows go together by chance."""
    assert all(math.isnan(one[0]) for one in of_pairs(together(0.5, 2)).values())


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
