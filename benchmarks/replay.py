"""A year of flights in one process: what a night costs, whether that grows, and everything the monitor found.

``python -m benchmarks.replay [--quick] [--seed N] [--birth NIGHT ...]`` prints progress on stderr and one JSON
object on stdout. The year is loaded up to its first champion and then passes night by night through the very
functions that the DAGs call, with the shipped defaults. With ``--birth`` each of these nights sees a first
champion born and 45 live nights pass, from one loaded history.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.flights_year import BORN, FIRST, LAST, MODEL, ROOT, Cost, project, timed
from perennial.clock import after, between
from perennial.registry.database import create_database
from perennial.stages.replay import Passed, load_history, renew, replay
from perennial.workspace import Workspace

QUICK_LAST = "2013-05-10"
LIVE = 45
SPAN, WARM, TURNS = 28, 3, 3
"""Nights at each end of the year that are compared, of them those that do not count, and how often in turn."""
ORDINARY = ("learning", "quiet")
"""States of nights on which nothing stood: only such are compared, for a finding asks for its cause whenever it comes."""
FLOOR = 1.1


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


def pass_nights(workspace: Workspace, born: str, last: str, kept: Mapping[str, Path] | None = None) -> Story:
    """Train a first champion on ``born`` and let the nights up to ``last`` pass; keep the home after some of them."""
    first, birth = timed(lambda: renew(workspace, MODEL, born))
    nights: list[Night] = []
    findings: list[Finding] = []
    begin = after(born)
    for end in (*sorted(kept or ()), last):
        for passed, cost in _passing(workspace, begin, end):
            trained = bool(passed.renewal and passed.renewal.version)
            nights.append(Night(passed.night, cost, trained, passed.watched.state))
            findings += _findings(passed, len(nights))
            if len(nights) % 10 == 0:
                print(f"{passed.night}  {cost.cpu:.2f} CPU s  {passed.watched.state}", file=sys.stderr)
        if kept and end in kept:
            # By another process: to close a copied database would release this one's locks on it.
            subprocess.run(["cp", "-r", str(workspace.home), str(kept[end])], check=True)
        begin = after(end)
    return Story(born, birth, first.promoted, nights, findings)


def _passing(workspace: Workspace, first: str, last: str) -> Iterator[tuple[Passed, Cost]]:
    """Let nights pass, each with what it cost."""
    passing = replay(workspace, MODEL, first, last)
    while True:
        passed, cost = timed(lambda: next(passing, None))
        if passed is None:
            return
        yield passed, cost


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
    last = QUICK_LAST if options.quick else LAST
    spans = {"first": (after(BORN, 2), after(BORN, 2 + SPAN)), "last": (after(last, -SPAN), last)}
    kept = {begin: home.with_name(f"kept-{name}") for name, (begin, _) in spans.items()}
    story = pass_nights(workspace, BORN, last, kept)
    costs = _in_turn(root, kept, spans)
    early, late = (median(costs[name]) for name in spans)
    ordinary = [one.cost.cpu for one in story.nights if not one.trained and one.state in ORDINARY]
    found = [one.cost.cpu for one in story.nights if not one.trained and one.state not in ORDINARY]
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
            "first live nights, in turn with the last": {
                "n": len(costs["first"]),
                "median_cpu": round(early, 3),
            },
            "last live nights, in turn with the first": {
                "n": len(costs["last"]),
                "median_cpu": round(late, 3),
            },
            "ordinary nights": {"n": len(ordinary), "cpu": round(sum(ordinary), 2)},
            "nights on which something stood": {"n": len(found), "cpu": round(sum(found), 2)},
            "nights with a training": {"n": len(trained), "cpu": round(sum(trained), 2)},
        },
        "findings": [asdict(one) for one in story.findings],
        "holds": late <= FLOOR * early and (options.quick or total.wall <= 180),
    }


def _in_turn(
    root: Path, kept: Mapping[str, Path], spans: Mapping[str, tuple[str, str]]
) -> dict[str, list[float]]:
    """Let the first and the last nights pass night by night in turn: a machine's speed wanders within seconds.

    ``kept`` holds the home as each span begins. A span's first nights warm the process up.
    """
    costs: dict[str, list[float]] = {name: [] for name in spans}
    for turn in range(TURNS):
        copies = {name: kept[begin].with_name(f"{name}-{turn}") for name, (begin, _) in spans.items()}
        for name, copy in copies.items():  # each its own: the registry keeps files open by their name
            subprocess.run(["cp", "-r", str(kept[spans[name][0]]), str(copy)], check=True)
        passing = {
            name: _passing(Workspace(root, copy, quiet=True), after(spans[name][0]), spans[name][1])
            for name, copy in copies.items()
        }
        for night in range(SPAN):
            for name in sorted(spans, reverse=bool(night % 2)):  # neither always has the better half
                passed, cost = next(passing[name])
                if night >= WARM and passed.renewal is None and passed.watched.state in ORDINARY:
                    costs[name].append(cost.cpu)
        for copy in copies.values():
            shutil.rmtree(copy)
    return costs


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
