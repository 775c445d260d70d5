"""How often the shipped watch pages in real years, inside and outside of days on which something happened.

``python -m benchmarks.real_years --data FOLDER [--only NAME]`` lets the flights of 2013 and the electricity market
of New South Wales from 1996 to 1998 (``elec2.csv.gz`` in FOLDER) pass night by night through the functions that the
DAGs call, with the shipped defaults, and counts pages against ``dated_events.csv``, which was committed before the
first count. Each year is a file under ``--out``; what is there is not run again. One JSON object on stdout.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.cells import commit, kept
from benchmarks.flights_year import project
from perennial.clock import after, between
from perennial.registry.database import create_database
from perennial.stages.replay import load_history, renew, replay
from perennial.workspace import Workspace

EVENTS = Path(__file__).with_name("dated_events.csv")
BUDGET = 1 / 90
NIGHTLY = "night_shift"
COVERED = 4
"""Nights of seven that must lie in an event for a page of the seven together to be inside."""

ELEC2_FIRST, ELEC2_TWICE = "1996-05-07", 362
"""The first day, and the place of the day that the file has twice, without and with Victoria; the first of them goes."""
HALF_HOURS = 48
ELEC2 = """
perennial: 1
description: Will the price of electricity in New South Wales rise against its last day?
task: binary
timezone: Australia/Brisbane
sources:
  market:
    uri: data/market/{night}.csv
    key: [at]
    event_time: at
    lead_days: 1
    columns: {at: timestamp, period: number, nswprice: number, nswdemand: number, vicprice: number, vicdemand: number, transfer: number}
    checks:
      - not_null: {columns: [at]}
  outcomes:
    uri: data/outcomes/{night}.csv
    key: [at]
    event_time: at
    columns: {at: timestamp, rises: integer}
label: {source: outcomes, expression: rises, delay_days: 1}
features:
  columns: [period, nswprice, nswdemand, vicprice, vicdemand, transfer]
training:
  holdout_nights: 14
  search: {trials: 0}
monitoring:
  holidays: AU
"""


@dataclass(frozen=True)
class Year:
    """A stretch of real nights."""

    name: str
    model: str
    first: str
    born: str
    last: str


FLIGHTS = Year("flights", "flight_delay", "2012-12-31", "2013-03-31", "2013-12-29")
MARKET = Year("elec2", "price_rises", after(ELEC2_FIRST, -1), "1996-08-04", "1998-12-03")


def lay_out_market(data: Path, root: Path) -> Path:
    """Write the market a night a file, below a project that declares a model of it."""
    import pandas as pd

    frame = pd.read_csv(data / "elec2.csv.gz")
    frame = frame.drop(index=range(ELEC2_TWICE * HALF_HOURS, (ELEC2_TWICE + 1) * HALF_HOURS))
    folder = root / "include" / "models" / MARKET.model
    folder.mkdir(parents=True)
    (folder / "model.yaml").write_text(ELEC2.lstrip())
    minutes = [f"T{half // 2:02d}:{half % 2 * 30:02d}:00+10:00" for half in range(HALF_HOURS)]
    for place in range(len(frame) // HALF_HOURS):
        day = after(ELEC2_FIRST, place)
        rows = frame.iloc[place * HALF_HOURS : (place + 1) * HALF_HOURS]
        rows = rows.assign(at=[day + minute for minute in minutes]).rename(columns={"class": "rises"})
        for source, night, columns in (
            ("market", after(day, -1), ["at", *rows.columns[:6]]),
            ("outcomes", day, ["at", "rises"]),
        ):
            (root / "data" / source).mkdir(parents=True, exist_ok=True)
            rows[columns].to_csv(root / "data" / source / f"{night}.csv", index=False)
    return root


def events(name: str) -> dict[str, str]:
    """Say of each day that an event covers what happened."""
    with EVENTS.open(newline="") as lines:
        listed = csv.DictReader(line for line in lines if not line.startswith("#"))
        return {
            day: row["what"]
            for row in listed
            if row["data"] == name
            for day in between(row["first_day"], row["last_day"])
        }


def pages(year: Year, root: Path, home: Path) -> Iterator[dict[str, Any]]:
    """Let the nights pass; of each night say what every arm did and on which days the rows happen."""
    create_database(home / "mlflow" / "mlflow.db")
    workspace = Workspace(root, home, quiet=True)
    load_history(workspace, year.model, year.first, year.born)
    renew(workspace, year.model, year.born)
    lead = workspace.spec(year.model).scored.lead_days
    for passed in replay(workspace, year.model, after(year.born), year.last):
        said = {
            name: {"outcome": arm["outcome"], "nights": _nights(arm), "reason": arm["reason"]}
            for name, arm in passed.watched.arms.items()
        }
        loud = [f"{name} {arm['outcome']}" for name, arm in said.items() if arm["outcome"] == "page"]
        if loud:
            print(f"{passed.night} {', '.join(loud)}", file=sys.stderr, flush=True)
        yield {
            "night": passed.night,
            "day": after(passed.night, lead),
            "state": passed.watched.state,
            "cause": passed.watched.cause,
            "arms": said,
        }


def _nights(arm: Any) -> int:
    """Return over how many nights an arm's statistic was taken; one where it does not say."""
    reading = arm.get("evidence", {}).get("reading", {})
    found = reading.get("evidence", {}).get("nights", 1)
    return found if isinstance(found, int) else 1


def counted(year: Year, nights: list[dict[str, Any]]) -> dict[str, Any]:
    """Count the pages of each arm inside and outside of the listed days."""
    known = events(year.name)
    outside = [one for one in nights if one["day"] not in known]
    found = [
        {"night": one["night"], "day": one["day"], "arm": name, **_placed(one["day"], arm, known)}
        | {"cause": one["cause"], "reason": arm["reason"]}
        for one in nights
        for name, arm in one["arms"].items()
        if arm["outcome"] == "page"
    ]
    out = [page for page in found if not page["inside"]]
    nightly = [page for page in out if page["arm"] == NIGHTLY]
    return {
        "year": year.name,
        "first_live": nights[0]["night"],
        "last_live": nights[-1]["night"],
        "live_nights": len(nights),
        "judged_by_the_past": sum(one["arms"].get(NIGHTLY, {}).get("outcome") in LOUD for one in nights),
        "nights_outside": len(outside),
        "share_of_nights_in_events": round(1 - len(outside) / len(nights), 3),
        "nightly_pages": sum(page["arm"] == NIGHTLY for page in found),
        "nightly_pages_outside": len(nightly),
        "nightly_pages_outside_per_90": round(90 * len(nightly) / len(outside), 3),
        "nightly_notices": sum(one["arms"].get(NIGHTLY, {}).get("outcome") == "notice" for one in nights),
        "pages_of_all_arms": len(found),
        "pages_of_all_arms_outside": len(out),
        "nights_paged": len({page["night"] for page in found}),
        "thresholds": thresholds(nights),
        "pages": found,
        "holds": len(nightly) <= BUDGET * len(outside),
    }


LOUD = ("quiet", "notice", "page")


def thresholds(nights: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return by quarter the median threshold that verdicts named, for one night and for seven together."""
    named: dict[str, dict[int, list[float]]] = {}
    for one in nights:
        arm = one["arms"].get(NIGHTLY)
        told = re.search(r"threshold is (\d+\.\d)", arm["reason"]) if arm else None
        if arm and told:
            quarter = f"{one['day'][:4]} Q{(int(one['day'][5:7]) + 2) // 3}"
            named.setdefault(quarter, {}).setdefault(arm["nights"], []).append(float(told[1]))
    return {
        quarter: {
            f"{side} nights": {"median": median(found), "verdicts": len(found)}
            for side, found in sides.items()
        }
        for quarter, sides in named.items()
    }


def _placed(day: str, arm: dict[str, Any], known: dict[str, str]) -> dict[str, Any]:
    """Say whether a page is inside an event, and which."""
    looked_at = between(after(day, 1 - arm["nights"]), day)
    hit = [known[one] for one in looked_at if one in known]
    inside = bool(hit) if len(looked_at) == 1 else len(hit) >= COVERED
    return {"nights": arm["nights"], "inside": inside, "event": hit[-1] if hit else None}


def _passed(year: Year, data: Path | None, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="perennial-real-") as folder:
        below = Path(folder)
        if year is FLIGHTS:
            root = project(below / "project", seed)
        elif data is None:
            raise SystemExit("elec2: say with --data in which folder elec2.csv.gz is")
        else:
            root = lay_out_market(data, below / "project")
        return {"nights": list(pages(year, root, below / "home"))}


def main() -> int:
    """Let the years pass that are not there yet and print the object."""
    options = _asked()
    cells = []
    for year in (FLIGHTS, MARKET):
        if (options.only and options.only != year.name) or (year is MARKET and options.data is None):
            continue
        settings = {"seed": options.seed, "born": year.born, "commit": commit()}
        made = kept(options.out, year.name, settings, partial(_passed, year, options.data, options.seed))
        cells.append(counted(year, made["nights"]))
    print(json.dumps(report(cells, options.seed)))
    return 0 if all(cell["holds"] for cell in cells) else 1


def report(cells: list[dict[str, Any]], seed: int) -> dict[str, object]:
    """Put the years under the keys that every benchmark prints."""
    return {
        "name": "real_years",
        "claim": "at most one page in 90 real nights outside of dated events",
        "ours": max(cell["nightly_pages_outside_per_90"] for cell in cells),
        "peer": None,
        "peer_name": "none: no peer declares a rate of false alarms",
        "ratio": None,
        "floor": 1.0,
        "unit": "pages of the nightly watch per 90 nights outside of dated events, worst year",
        "n": sum(cell["live_nights"] for cell in cells),
        "seed": seed,
        "settings": {"defaults": "as shipped", "events": EVENTS.name},
        "machine": f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}",
        "commit": commit(),
        "cells": cells,
        "holds": all(cell["holds"] for cell in cells),
    }


def _asked() -> argparse.Namespace:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, help="folder with elec2.csv.gz; without it only the flights pass")
    asked.add_argument("--only", choices=[FLIGHTS.name, MARKET.name], help="one of the years")
    asked.add_argument(
        "--seed", type=int, default=0, help="0 is the year of flights as it was; others leave flights out"
    )
    asked.add_argument("--out", type=Path, default=Path(".perennial/benchmarks/real_years"))
    return asked.parse_args()


if __name__ == "__main__":
    sys.exit(main())
