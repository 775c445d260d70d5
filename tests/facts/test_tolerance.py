"""What matters to nobody is set aside: harmless directions, tolerated changes, columns that the model ignores."""

import numpy as np
import pytest

from perennial.clock import between
from perennial.facts.streams import NightStreams, Stream, Watch
from perennial.facts.tolerance import Tolerated, moves, narrowed, set_aside

NIGHTS = between("2024-01-01", "2024-03-04")
STREAMS = (
    Stream("size", "location"),
    Stream("size", "spread"),
    Stream("size", "missing"),
    Stream("place", "share", "north"),
    Stream("", "rows"),
    Stream("prediction", "location", group="predictions"),
)
USUAL = (10.0, 3.0, 0.0, 0.3, 60.0, 0.2)


def moved(**to: float) -> Watch:
    """Lay out nine weeks of which only tonight is otherwise."""
    tonight = tuple(
        to.get(f"{one.column or 'rows'}_{one.aspect}", u) for one, u in zip(STREAMS, USUAL, strict=True)
    )
    parts = []
    for night in NIGHTS:
        plain = tonight if night == NIGHTS[-1] else USUAL
        for group in ("inputs", "predictions"):
            own = [place for place, one in enumerate(STREAMS) if one.group == group]
            values = tuple(plain[place] for place in own)
            parts.append(
                NightStreams(night, tuple(STREAMS[place] for place in own), values, (1.0,) * len(own), values)
            )
    return Watch.of(NIGHTS[-1], parts, 1 / 90)


def aside(watch: Watch, ignored=(), **declared) -> dict[str, str]:
    """Name what is set aside, and why."""
    found = set_aside(watch, 1, {"size": Tolerated(**declared), "place": Tolerated(share=0.1)}, ignored)
    return {
        f"{watch.streams[place].column} {watch.streams[place].aspect}": why for place, why in found.items()
    }


@pytest.mark.parametrize(
    ("to", "worse", "why"),
    [(12, "down", "harmless"), (12, "up", None), (8, "up", "harmless"), (8, "both", None)],
)
def test_a_move_in_the_harmless_direction_is_set_aside(to, worse, why) -> None:
    """Only the level has a direction; the other direction stays."""
    assert aside(moved(size_location=to), worse_when=worse).get("size location") == why


@pytest.mark.parametrize(("to", "why"), [(11.9, "tolerated"), (12.1, None), (float("nan"), None)])
def test_a_change_within_what_is_tolerated_is_set_aside(to, why) -> None:
    """In the column's own units, either way; what cannot be said is not tolerated."""
    assert aside(moved(size_location=to), level=2.0).get("size location") == why


@pytest.mark.parametrize(("spread", "why"), [(3.9, "harmless"), (4.2, None)])
def test_a_spread_goes_with_its_level_unless_it_moved_further(spread, why) -> None:
    """A column that moves up by one may spread by less than one more."""
    found = aside(moved(size_location=11, size_spread=spread), worse_when="down")
    assert (found["size location"], found.get("size spread")) == ("harmless", why)


def test_shares_have_a_tolerance_of_their_own() -> None:
    """A category by nine points is tolerated, by eleven it is not; nothing was declared of missing sizes."""
    assert aside(moved(place_share=0.39)) == {"place share": "tolerated"}
    assert aside(moved(place_share=0.41)) == {}
    assert aside(moved(size_missing=0.05), share=0.1) == {"size missing": "tolerated"}


def test_an_ignored_column_is_set_aside_but_for_its_missing_values() -> None:
    """They speak of the delivery; rows and predictions are never set aside."""
    found = aside(moved(), ignored=("size", "", "prediction"))
    assert found == {"size location": "ignored", "size spread": "ignored"}


def test_usual_is_the_median_of_the_weekday() -> None:
    """One night beside its weekday, several beside the weeks before them."""
    before, now = moves(moved(size_location=20), 1)
    assert (before[0], now[0]) == (10, 20)
    assert moves(moved(size_location=20), 7)[1][0] == 10


def test_a_narrowed_watch_holds_its_streams_and_no_other() -> None:
    """With another rate where one is given."""
    watch = moved(size_location=20)
    alone = narrowed(watch, [0, 3], 0.05)
    assert alone.streams == (STREAMS[0], STREAMS[3])
    assert np.array_equal(alone.values, watch.values[:, [0, 3]])
    assert (alone.page_rate, narrowed(watch, [0]).page_rate) == (0.05, watch.page_rate)
