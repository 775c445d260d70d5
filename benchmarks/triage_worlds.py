"""Nights on which nothing is wrong, for causes to be injected into: flights, electricity prices, and made-up worlds.

A stretch of 200 nights is put in random order, so that no season moves it and whatever is found later was injected.
A model learns from the first hundred, the next sixty are ordinary nights, the last forty are drawn from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.season.tables import ARCHIVE, LANDING, _flights
from perennial.clock import after
from perennial.facts.edges import Edges, freeze_edges
from perennial.facts.logistic import expit
from perennial.facts.profile import Profile, profile
from perennial.facts.scaled_inputs import Scale
from perennial.facts.shared_ground import Rows
from perennial.facts.situation import NightScores

Numbers = NDArray[np.float64]

LEARNT, ORDINARY, SPARE = 100, 60, 40
NIGHTS = LEARNT + ORDINARY + SPARE
RECENT = 14
FIRST = "2010-01-01"
ABOUT = ("night", "y", "raw")
"""Columns of a frame that are no inputs: the night, the label, and the number the label is made from."""
ELEC2_FIRST = 400
"""Before, three of its columns are constant."""

Chances = Callable[[pd.DataFrame], Numbers]


@dataclass(frozen=True)
class World:
    """A stretch of nights in which nothing is wrong, a model of it, and what is true of it."""

    name: str
    frame: pd.DataFrame
    """Rows with ``night`` 0 to 199, ``y``, ``raw`` and the inputs."""
    rule: float
    """The label is 1 where ``raw`` is above this."""
    other_rules: tuple[float, float]
    """What the rule may change to."""
    delivers_number: bool
    """Whether the number the label is made from comes with it."""
    truth: Chances
    """How often such rows come true: known where the world is made up, cross-fitted where it is real."""

    @cached_property
    def inputs(self) -> list[str]:
        """Name the inputs."""
        return [name for name in self.frame.columns if name not in ABOUT]

    @cached_property
    def numbers(self) -> list[str]:
        """Name the numeric inputs that vary."""
        numeric = [name for name in self.inputs if self.frame[name].dtype.kind == "f"]
        return [name for name in numeric if self.ordinary[name].nunique() > 2]

    @cached_property
    def ordinary(self) -> pd.DataFrame:
        """Return the rows of the ordinary nights."""
        return self.nights(range(LEARNT, LEARNT + ORDINARY))

    def nights(self, nights: Any) -> pd.DataFrame:
        """Return the rows of some nights, in this order."""
        by_night = self._by_night
        return pd.concat([by_night[int(one)] for one in nights], ignore_index=True)

    @cached_property
    def _by_night(self) -> dict[int, pd.DataFrame]:
        return dict(iter(self.frame.groupby("night")))

    @cached_property
    def model(self) -> Chances:
        """Train the model that is watched."""
        return learn(self.nights(range(LEARNT)), self.inputs, rounds=60)

    @cached_property
    def ordinary_loss(self) -> float:
        """Return the model's expected loss on ordinary nights under the truth."""
        return expected_loss(self.model(self.ordinary), self.truth(self.ordinary))

    @cached_property
    def edges(self) -> Edges:
        """Cut the columns on the ordinary nights."""
        return freeze_edges(self.table(self.ordinary))

    def table(self, rows: pd.DataFrame) -> pa.Table:
        """Return the inputs as they are delivered."""
        return pa.Table.from_pandas(
            rows[[name for name in rows.columns if name not in ABOUT]], preserve_index=False
        )

    def profiles(self, rows: pd.DataFrame) -> dict[str, Profile]:
        """Profile each night."""
        return {
            after(FIRST, int(key)): profile(self.table(night), self.edges)
            for key, night in rows.groupby("night")
        }

    @cached_property
    def reference(self) -> dict[str, Profile]:
        """Return the ordinary nights' profiles."""
        return self.profiles(self.ordinary)

    @cached_property
    def usual(self) -> Rows:
        """Return the ordinary nights' scored rows."""
        return self.rows(
            self.ordinary,
            self.model(self.ordinary),
            self.ordinary["y"].to_numpy(float),
            self.ordinary["raw"].to_numpy(float) if self.delivers_number else None,
        )

    @cached_property
    def usual_scores(self) -> list[NightScores]:
        """Return what the model said on ordinary nights."""
        return night_scores(self.usual.night, self.usual.scores)

    def rows(
        self, frame: pd.DataFrame, scores: Numbers, labels: Numbers, measured: Numbers | None = None
    ) -> Rows:
        """Bring rows to the form that triage reads."""
        night = frame["night"].to_numpy(int)
        return Rows(
            night, self._scale.scaled(self._columns(frame)), scores, labels, measured, self._scale.names
        )

    @cached_property
    def _scale(self) -> Scale:
        return Scale.of(self._columns(self.ordinary))

    def _columns(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        """Return the numbers that vary, as floats, and the names."""
        named = [name for name in self.inputs if self.frame[name].dtype.kind != "f"]
        floats = {name: pd.to_numeric(frame[name], errors="coerce").to_numpy(float) for name in self.numbers}
        return floats | {name: frame[name].to_numpy(object) for name in named}


def expected_loss(scores: Numbers, truth: Numbers) -> float:
    """Return the expected log loss a row of scores where rows come true so often."""
    told = np.clip(scores, 1e-6, 1 - 1e-6)
    return float(-(truth * np.log(told) + (1 - truth) * np.log(1 - told)).mean())


def night_scores(night: Any, scores: Numbers, again: Numbers | None = None) -> list[NightScores]:
    """Say what each night's predictions looked like; the first twenty rows are predicted once more."""
    found = []
    for key in np.unique(night):
        now = scores[night == key]
        finite = now[np.isfinite(now)]
        second = now[:20] if again is None else again[night == key][:20]
        apart = int((np.abs(second - now[:20]) > 1e-9).sum())
        spread = float(finite.std()) if len(finite) else 0.0
        found.append(NightScores(len(now), len(now) - len(finite), spread, len(second), apart))
    return found


def learn(rows: pd.DataFrame, inputs: list[str], rounds: int, leaf: int = 20) -> Chances:
    """Fit boosted trees; what they do not know is missing to them."""
    named = {
        name: {c: i for i, c in enumerate(sorted(rows[name].unique()))}
        for name in inputs
        if rows[name].dtype.kind != "f"
    }

    def coded(frame: pd.DataFrame) -> Numbers:
        columns = []
        for name in inputs:
            if name not in frame:
                columns.append(np.full(len(frame), np.nan))
            elif name in named:
                columns.append(frame[name].map(named[name]).to_numpy(float))
            else:
                columns.append(pd.to_numeric(frame[name], errors="coerce").to_numpy(float))
        return np.column_stack(columns)

    trees = HistGradientBoostingClassifier(
        max_iter=rounds,
        learning_rate=0.1,
        max_leaf_nodes=15,
        min_samples_leaf=leaf,
        early_stopping=False,
        random_state=0,
    ).fit(coded(rows), rows["y"])
    return lambda frame: np.asarray(trees.predict_proba(coded(frame))[:, 1])


def _cross_fitted(frame: pd.DataFrame) -> Chances:
    """Return what two models say, each of nights it has not seen; the mean of both for rows without a night."""
    inputs = [name for name in frame.columns if name not in ABOUT]
    # Smooth, because what they get wrong by chance would be injected as if it were an effect.
    leaf = max(40, len(frame) // 400)
    halves = [learn(frame[frame["night"] % 2 == side], inputs, rounds=50, leaf=leaf) for side in (0, 1)]

    def told(rows: pd.DataFrame) -> Numbers:
        return np.where(rows["night"] % 2 == 0, halves[1](rows), halves[0](rows))

    return told


def _shuffled(frame: pd.DataFrame, night: Any, first: int, draw: np.random.Generator) -> pd.DataFrame:
    """Take a stretch of nights and put them in random order."""
    order = draw.permutation(NIGHTS)
    place = np.asarray(night) - first
    inside = (place >= 0) & (place < NIGHTS)
    taken = frame[inside].assign(night=order[place[inside]])
    return taken.sort_values("night", kind="stable").reset_index(drop=True)


def flights(seed: int, data: Path | None) -> World:
    """Take 200 nights of the flights out of New York in 2013, one flight in four."""
    del data
    draw = np.random.default_rng([seed, 1])
    frame = _flights().merge(_delays(), on="flight_id")
    frame = frame[frame["arr_delay"].notna()].sort_values(["day", "flight_id"])
    night = (frame["day"] - frame["day"].min()).dt.days.to_numpy()
    inputs = frame.drop(columns=["day", "flight_id", "label", "arr_delay"])
    names = inputs.select_dtypes("number").columns
    inputs[names] = inputs[names].astype(float)
    inputs = inputs.assign(y=(frame["arr_delay"] > 15).astype(float), raw=frame["arr_delay"])
    taken = _shuffled(inputs, night, int(draw.integers(14, 365 - NIGHTS + 1)), draw)
    return World("flights", taken, 15.0, (0.0, 45.0), True, _cross_fitted(taken))


def _delays() -> pd.DataFrame:
    import duckdb

    query = "select flight_id, arr_delay from read_csv(?, union_by_name=true, types={'tailnum': 'VARCHAR'})"
    kept = ARCHIVE.parent / f"triage-{hashlib.sha256(query.encode()).hexdigest()[:12]}.parquet"
    if not kept.exists():
        duckdb.execute(query, [f"{LANDING}/outcomes/*.csv"]).df().to_parquet(kept)
    return pd.read_parquet(kept)


def elec2(seed: int, data: Path | None) -> World:
    """Take 200 days of the electricity market; the label compares the price with the last day's mean."""
    if data is None:
        raise ValueError("elec2: in which folder is it?")
    draw = np.random.default_rng([seed, 2])
    frame = pd.read_csv(data / "elec2.csv.gz").astype(float)
    night = np.arange(len(frame)) // 48
    # The label is "price above the mean of the last 24 hours"; how far above is not published, so it is rebuilt.
    above = frame["nswprice"] - frame["nswprice"].rolling(48, min_periods=1).mean().shift(1)
    inputs = frame.drop(columns="class").assign(weekday=(night % 7).astype(float))
    inputs = inputs.assign(y=frame["class"], raw=above.fillna(0.0))
    spread = float(above.std())
    first = int(draw.integers(ELEC2_FIRST, night.max() - NIGHTS))
    taken = _shuffled(inputs, night, first, draw)
    return World("elec2", taken, 0.0, (-0.3 * spread, 0.3 * spread), False, _cross_fitted(taken))


def made_up(seed: int, data: Path | None) -> World:
    """Make a world whose truth is known: seven numbers of ordinary kinds and a category; nights share their luck."""
    del data
    draw = np.random.default_rng([seed, 3])
    rows = int(draw.integers(150, 500))
    night = np.repeat(np.arange(NIGHTS), rows)
    x = draw.normal(size=(len(night), 7)) + 0.2 * draw.normal(size=(NIGHTS, 7))[night]
    x[:, 1] = 0.6 * x[:, 0] + 0.8 * x[:, 1]
    frame = pd.DataFrame({"night": night, **_columns(x)})
    frame["carrier"] = draw.choice(["UA", "AA", "DL", "B6"], len(night), p=[0.4, 0.3, 0.2, 0.1])
    weights = draw.normal(size=7)
    weights *= 1.8 / np.linalg.norm(weights)
    named = dict(zip(["UA", "AA", "DL", "B6"], draw.normal(0, 0.5, 4), strict=True))
    bend = float(draw.uniform(0.3, 0.8))

    def odds(rows: pd.DataFrame) -> Numbers:
        z = _standard(rows)
        return np.asarray(
            z @ weights + bend * z[:, 2] * z[:, 3] + rows["carrier"].map(named).to_numpy() - 0.5
        )

    luck = np.zeros(NIGHTS)
    for t in range(1, NIGHTS):
        luck[t] = 0.3 * luck[t - 1] + draw.normal(0, 0.2)
    raw = odds(frame) + luck[night] + draw.logistic(size=len(night))
    frame = frame.assign(y=(raw > 0).astype(float), raw=raw)
    return World("made_up", frame, 0.0, (-1.0, 1.0), False, lambda rows: expit(odds(rows)))


def _columns(x: Numbers) -> dict[str, Numbers]:
    return {
        "miles": np.exp(6 + 0.5 * x[:, 0]),
        "minutes": np.exp(3 + 0.4 * x[:, 1]),
        "celsius": 15 + 6 * x[:, 2],
        "price": np.exp(1 + 0.5 * x[:, 3]),
        "pressure": 1013 + 8 * x[:, 4],
        "age": np.abs(12 + 4 * x[:, 5]),
        "load": 50 + 12 * x[:, 6],
    }


def _standard(rows: pd.DataFrame) -> Numbers:
    x = [
        (np.log(rows["miles"]) - 6) / 0.5,
        (np.log(rows["minutes"]) - 3) / 0.4,
        (rows["celsius"] - 15) / 6,
        (np.log(rows["price"]) - 1) / 0.5,
        (rows["pressure"] - 1013) / 8,
        (rows["age"] - 12) / 4,
        (rows["load"] - 50) / 12,
    ]
    return np.clip(np.column_stack(x), -6, 6)


WORLDS: dict[str, Callable[[int, Path | None], World]] = {
    "flights": flights,
    "elec2": elec2,
    "made_up": made_up,
}
