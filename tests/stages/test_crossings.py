"""The governor's record is the verdicts' own, whether it is read from a table or night by night."""

from pathlib import Path

import pyarrow as pa
import pytest

from perennial.clock import after
from perennial.facts.evidence import Json
from perennial.stages import datasets
from perennial.stages.crossings import REMEMBERED_NIGHTS, Ended, crossings_before, revise_crossings
from perennial.stages.stream_windows import EVERY_NIGHTS
from perennial.workspace import Workspace

MODEL, FIRST, ARM = "delay", "2013-01-01", "night_shift"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Open a workspace that nothing has happened in."""
    return Workspace(tmp_path, tmp_path / "home")


def judged(workspace: Workspace, days: int, ratio: float | None) -> dict[str, Json]:
    """Publish a verdict as the monitor does; without a ratio the arm is learning."""
    night = after(FIRST, days)
    crossing: dict[str, Json] = {"night": night, "ratio": ratio, "fired": bool(ratio and ratio > 1)}
    ended: dict[str, Json] = {} if ratio is None else {ARM: crossing}
    revise_crossings(workspace, MODEL, night, ended)
    workspace.store.publish(
        datasets.verdicts(MODEL), night, pa.table({"verdict": [str(ratio)]}), meta={"crossings": ended}
    )
    return ended


def test_every_night_sees_what_all_earlier_verdicts_say(workspace: Workspace) -> None:
    """Over tables and single nights alike, learning nights among them, nothing of tonight or later."""
    said: dict[str, Ended] = {}
    for days in range(3 * EVERY_NIGHTS):
        assert crossings_before(workspace, MODEL, after(FIRST, days)) == said
        said[after(FIRST, days)] = judged(workspace, days, None if days % 5 == 0 else days / 20)
    assert len(workspace.store.keys(datasets.streams(MODEL, "crossings"))) >= 2
    assert len(crossings_before(workspace, MODEL, after(FIRST, 10))) == 10


@pytest.mark.parametrize("days", [0, 4, EVERY_NIGHTS - 1, EVERY_NIGHTS + 2])
def test_a_verdict_that_changes_is_seen_by_all_later_nights(workspace: Workspace, days: int) -> None:
    """A night that is judged again takes the place of what tables hold of it; the same again changes nothing."""
    for day in range(2 * EVERY_NIGHTS):
        judged(workspace, day, 0.5)
        crossings_before(workspace, MODEL, after(FIRST, day + 1))
    tables = datasets.streams(MODEL, "crossings")
    before = workspace.store.keys(tables)
    judged(workspace, days, 0.5)
    assert workspace.store.keys(tables) == before
    again = judged(workspace, days, 2.0)
    assert crossings_before(workspace, MODEL, after(FIRST, 2 * EVERY_NIGHTS))[after(FIRST, days)] == again


def test_nights_beyond_the_governors_reach_are_left_out(workspace: Workspace) -> None:
    """What lies further back than 400 nights has sunk back."""
    judged(workspace, 0, 3.0)
    judged(workspace, 1, 3.0)
    found = crossings_before(workspace, MODEL, after(FIRST, REMEMBERED_NIGHTS + 1))
    assert list(found) == [after(FIRST, 1)]
