"""The table of many nights says what the nights said: names, gaps and every digit."""

import math
from pathlib import Path

import pyarrow as pa
import pytest

from perennial.clock import after
from perennial.facts.streams import NightStreams, Stream
from perennial.stages.stream_windows import StreamWindows, names_as_text
from perennial.workspace import Workspace

FIRST = "2013-01-01"
OLD, NEW = (Stream("x", "location"),), (Stream("x", "location"), Stream("c", "share", "UA"))


def streams(day: int) -> NightStreams:
    """Make up a night; from the fourth on there is a category more, and some numbers are not known."""
    names = OLD if day < 3 else NEW
    numbers = tuple(math.nan if (day + i) % 4 == 0 else day / 7 + i for i in range(len(names)))
    return NightStreams(after(FIRST, day), names, numbers, numbers, numbers)


def plain(one: NightStreams) -> tuple:
    """Lay a night's streams out so that they compare, NaN included."""
    return one.night, one.names, *(repr(list(part)) for part in (one.values, one.sampling_sd, one.plain))


@pytest.fixture
def windows(tmp_path: Path) -> StreamWindows:
    """Open the tables of a workspace that nothing has happened in."""
    return StreamWindows(Workspace(tmp_path, tmp_path / "home"), "delay", "inputs")


def test_what_is_kept_is_read_and_can_be_kept_again(windows: StreamWindows) -> None:
    """A table is made of the one before it and of new nights; neither names nor digits may wear off."""
    nights = [streams(day) for day in range(6)]
    windows.keep(after(FIRST, 3), nights[:4])
    windows.keep(after(FIRST, 5), [*windows.known(after(FIRST, 4)).values(), *nights[4:]])
    known = windows.known(after(FIRST, 9))
    assert [plain(known[one.night]) for one in nights] == [plain(one) for one in nights]


def test_a_table_that_names_every_night_is_read(windows: StreamWindows) -> None:
    """Tables of earlier releases repeat the names."""
    numbers = pa.array([[1.0]], pa.list_(pa.float64()))
    table = {"night": [FIRST], "names": [names_as_text(OLD)], "values": numbers, "sampling_sd": numbers}
    twice = pa.concat_tables([pa.table(table | {"plain": numbers})] * 2).set_column(
        0, "night", pa.array([FIRST, after(FIRST)])
    )
    windows.publish(after(FIRST), twice)
    assert [one.names for one in windows.known(after(FIRST)).values()] == [OLD, OLD]


def test_nothing_is_known_before_the_first_table(windows: StreamWindows) -> None:
    """A new model has no past."""
    assert windows.known(FIRST) == {}


def test_a_table_is_read_once_and_its_successor_anew(windows: StreamWindows) -> None:
    """A process that passes many nights does not read the same table again, and never believes an old one."""
    windows.keep(after(FIRST, 3), [streams(0)])
    known = windows.known(after(FIRST, 4))
    assert windows.known(after(FIRST, 5)) is known
    windows.keep(after(FIRST, 5), [streams(0), streams(1)])
    assert list(windows.known(after(FIRST, 5))) == [FIRST, after(FIRST)]
    assert list(windows.known(after(FIRST, 4))) == [FIRST]
    windows.disbelieve(after(FIRST, 1))
    assert windows.known(after(FIRST, 5)) == {}
