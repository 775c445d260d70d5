"""How many seeded leaks are found before a training counts, and how many honest columns are suspected?

Eight kinds of leak are seeded into each table, one at a time, as a new column. ``chosen`` tables set the thresholds;
``fresh`` ones were looked at once, when the rules stood. ``noise`` simulates each rule on columns that know nothing.

    PYTHONPATH=include:. python -m benchmarks.leaks --data FOLDER
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.flights_year import ROOT
from benchmarks.season.tables import _flights, _read
from perennial.engine.fitting import TrainingSet, kinds_of
from perennial.engine.leak_signs import statistical_signs
from perennial.facts.evaluation import Task
from perennial.facts.leaks import LeakSign

SEED = 5
ROWS = 6000


@dataclass(frozen=True)
class Rows:
    """A table with honest columns only, as far as anyone knows."""

    name: str
    rows: TrainingSet
    times: pd.Series[pd.Timestamp] | None = None


def _rows(name: str, frame: Any, labels: Any, task: Task, at: Any = None) -> Rows:
    frame = frame.reset_index(drop=True)
    times = None if at is None else pd.Series(np.asarray(at))
    made = TrainingSet(
        rows=frame,
        labels=np.asarray(labels),
        task=task,
        columns=kinds_of(frame, list(frame)),
        keys=np.asarray([str(number) for number in range(len(frame))], dtype=object),
        nights=None if times is None else times.dt.strftime("%Y-%m-%d").to_numpy(dtype=object),
    )
    return Rows(name, made, times)


def flights(data: Path) -> Rows:
    """A spring of flights: will one be late?"""
    del data
    frame = _flights()
    frame = frame[frame["label"].notna() & (frame["day"] >= "2013-04-01") & (frame["day"] < "2013-07-01")]
    at = pd.to_datetime(frame["day"]) + pd.to_timedelta((frame["departs"] * 60).round(), unit="min")
    honest = frame.drop(columns=["day", "flight_id", "label"])
    return _rows("flights", honest, frame["label"].astype(int), "binary", at)


def elec2(data: Path) -> Rows:
    """Half-hours of electricity prices: will the price rise?"""
    frame = _read(data, "elec2.csv.gz").iloc[20000 : 20000 + ROWS]
    at = pd.Timestamp("1997-07-01") + pd.to_timedelta(np.arange(len(frame)) * 30, unit="min")
    return _rows("elec2", frame.drop(columns="class"), frame["class"].astype(int), "binary", at)


def metro(data: Path) -> Rows:
    """Hours of a road: how many cars?"""
    frame = _read(data, "metro_traffic.csv.gz")
    at = pd.to_datetime(frame["date_time"], dayfirst=True)
    frame = frame.assign(hour=at.dt.hour, weekday=at.dt.day_of_week).iloc[20000 : 20000 + ROWS]
    honest = frame.drop(columns=["date_time", "traffic_volume"])
    return _rows("metro", honest, frame["traffic_volume"], "regression", at.loc[frame.index])


def easy(data: Path) -> Rows:
    """A made-up problem that many columns solve alone."""
    from sklearn.datasets import make_classification

    del data
    values, labels = make_classification(
        500, 20, n_informative=6, n_redundant=8, class_sep=2.5, random_state=0
    )
    return _rows("easy", pd.DataFrame(values, columns=[f"x{i}" for i in range(20)]), labels, "binary")


def weather(data: Path) -> Rows:
    """Hours at three airports: does it rain?"""
    del data
    files = sorted((ROOT / "data" / "nycflights13" / "weather").glob("*.csv"))
    frame = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
    frame = frame[frame["origin"] == "JFK"].iloc[:ROWS]
    at = pd.to_datetime(frame["observed_at"], utc=True).dt.tz_convert(None)
    honest = frame.drop(columns=["origin", "observed_at", "precip"]).assign(
        hour=at.dt.hour, month=at.dt.month
    )
    return _rows("weather", honest, (frame["precip"] > 0).astype(int), "binary", at)


def pm25(data: Path) -> Rows:
    """Hours in Beijing: how much fine dust?"""
    frame = _read(data, "beijing_pm25.csv.gz")
    frame = frame[frame["pm2.5"].notna()].iloc[10000 : 10000 + ROWS]
    at = pd.to_datetime(frame[["year", "month", "day", "hour"]])
    honest = frame[["month", "hour", "DEWP", "TEMP", "PRES", "cbwd", "Iws", "Is", "Ir"]]
    return _rows("pm25", honest, frame["pm2.5"], "regression", at)


def cancer(data: Path) -> Rows:
    """Tumours: malignant? A problem that ten columns nearly solve alone."""
    return _bundled("breast_cancer", "binary", data)


def diabetes(data: Path) -> Rows:
    """Patients: how far will the disease have gone in a year?"""
    return _bundled("diabetes", "regression", data)


def _bundled(name: str, task: Task, data: Path) -> Rows:
    from sklearn import datasets

    del data
    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    order = np.random.default_rng(1).permutation(len(bunch.data))
    return _rows(name, bunch.data.iloc[order], bunch.target.iloc[order], task)


CHOSEN: tuple[Callable[[Path], Rows], ...] = (flights, elec2, metro, easy)
FRESH: tuple[Callable[[Path], Rows], ...] = (weather, pm25, cancer, diabetes)

Leak = Callable[[TrainingSet, Any], Any]


def _number(rows: TrainingSet) -> Any:
    return rows.labels.astype(float)


def _positive(rows: TrainingSet) -> Any:
    values = _number(rows)
    return values > (0.5 if rows.task == "binary" else np.median(values))


def _flipped(rows: TrainingSet, rng: Any) -> Any:
    values = _number(rows)
    if rows.task == "regression":
        return values + rng.normal(0, values.std() / 2, len(values))
    return np.where(rng.random(len(values)) < 0.2, 1 - values, values)


def _proxy(rows: TrainingSet, rng: Any) -> Any:
    values = _number(rows)
    unit = 1.0 if rows.task == "binary" else values.std()
    return values / unit + rng.normal(size=len(values))


def _missing(rows: TrainingSet, rng: Any) -> Any:
    gone = _positive(rows) & (rng.random(len(rows)) < 0.5)
    return np.where(gone, np.nan, rng.normal(size=len(rows)))


def _encoded(rows: TrainingSet, rng: Any) -> Any:
    whom = rng.integers(0, len(rows) // 3, len(rows))
    return pd.Series(_number(rows)).groupby(whom).transform("mean").to_numpy()


def _status(rows: TrainingSet, rng: Any) -> Any:
    status = rng.choice(["a", "b", "c", "d"], len(rows)).astype(object)
    status[_positive(rows) & (rng.random(len(rows)) < 0.6)] = "closed"
    return status


def _sorted(rows: TrainingSet, rng: Any) -> Any:
    del rng
    number = np.empty(len(rows))
    number[np.argsort(_number(rows), kind="stable")] = np.arange(len(rows))
    return number.astype(int)


def _neighbour(rows: TrainingSet, rng: Any) -> Any:
    del rng
    return pd.Series(_number(rows)).rolling(3, center=True, min_periods=1).mean().to_numpy()


LEAKS: dict[str, Leak] = {
    "a rescaled copy of the label": lambda rows, _: 3 * _number(rows) + 1,
    "a copy with a fifth flipped (numbers: half a standard deviation of noise)": _flipped,
    "an after-effect: the label with one standard deviation of noise": _proxy,
    "a value that is missing in half of one class": _missing,
    "the mean label of three rows, its own among them": _encoded,
    "a status that is written afterwards, in three fifths of one class": _status,
    "numbers given in the order of the labels": _sorted,
    "the mean label of the row and its neighbours": _neighbour,
}


def signs(
    table: Rows, leak: Leak | None = None, seed: int = SEED, new: tuple[str, ...] = ()
) -> list[LeakSign]:
    """Ask every rule, with a leak, which is then what is new, or without."""
    rows = table.rows
    if leak is not None:
        frame = rows.rows.assign(seeded=leak(rows, np.random.default_rng(seed)))
        rows, new = replace(rows, rows=frame, columns=kinds_of(frame, list(frame))), ("seeded",)
    return statistical_signs(rows, seed=seed, new=new, times=table.times)


def _asked(tables: tuple[Callable[[Path], Rows], ...], data: Path) -> None:
    found = seeded = false = honest = 0
    for read in tables:
        table = read(data)
        clean = signs(table, new=tuple(table.rows.columns.names))
        suspected = {name for sign in clean for name in sign.columns}
        print(
            f"| {table.name} | honest columns | {len(suspected)} of {len(table.rows.columns.names)} suspected | "
            f"{'; '.join(f'{sign.rule}: {sign.columns[0]} {sign.measured:.2f}' for sign in clean)} |"
        )
        false, honest = false + len(suspected), honest + len(table.rows.columns.names)
        for kind, leak in LEAKS.items():
            rules = [
                f"{one.rule} {one.measured:.2f}" for one in signs(table, leak) if "seeded" in one.columns
            ]
            found, seeded = found + bool(rules), seeded + 1
            print(
                f"| {table.name} | {kind} | {'found' if rules else '**missed**'} | {', '.join(rules)} |",
                flush=True,
            )
    print(f"\n{found} of {seeded} leaks found, {false} of {honest} honest columns suspected\n")


def _noise(repetitions: int) -> None:
    """Ask every rule about tables whose columns know nothing, of a few sizes."""
    for rows in (60, 200, 1000, 4000):
        counts: dict[str, int] = {}
        for seed in range(repetitions):
            table = _nothing(rows, seed)
            for sign in signs(table, seed=seed, new=tuple(table.rows.columns.names)):
                counts[sign.rule] = counts.get(sign.rule, 0) + 1
        print(f"| {rows} | {repetitions * 8} | {counts or 'none'} |", flush=True)


def _nothing(rows: int, seed: int) -> Rows:
    rng = np.random.default_rng(seed)
    numbers = {f"number{i}": rng.standard_t(3, rows) for i in range(4)}
    numbers["holes"] = np.where(rng.random(rows) < 0.3, np.nan, rng.normal(size=rows))
    numbers["counts"] = rng.poisson(3, rows)
    texts = {
        "few": rng.choice(list("abcd"), rows),
        "many": rng.integers(0, 40, rows).astype(str).astype(object),
    }
    labels = (rng.random(rows) < 0.3).astype(int) if seed % 2 else rng.gamma(2, size=rows)
    return _rows("noise", pd.DataFrame({**numbers, **texts}), labels, "binary" if seed % 2 else "regression")


def main() -> None:
    """Print the tables of ``docs/explanation/leaks.md``."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument(
        "--data", type=Path, required=True, help="folder with the tables of benchmarks/season"
    )
    reader.add_argument("--noise", type=int, default=100, help="repetitions of each size")
    reader.add_argument("which", nargs="?", default="all", choices=["all", "chosen", "fresh", "noise"])
    asked = reader.parse_args()
    if asked.which in {"all", "chosen"}:
        _asked(CHOSEN, asked.data)
    if asked.which in {"all", "fresh"}:
        _asked(FRESH, asked.data)
    if asked.which in {"all", "noise"}:
        _noise(asked.noise)


if __name__ == "__main__":
    main()
