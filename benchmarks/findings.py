"""One change, one finding: after how many quiet nights is a finding over, so that it neither flaps nor never ends?

``python -m benchmarks.findings [--quick] [--seed N]`` lets a change begin and end in many made-up histories, of the
nightly watch and of the slow arm, and follows each arm's crossings by the shipped rule (``facts/finding.py``) and by
shorter and longer ones: how many findings one change becomes, how long after its end the last is over, and how
many are never over. One JSON object on stdout; the peer is one alert a night.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.cells import commit, kept
from benchmarks.simulated_nights import PAGE_RATE, Change, Feed
from benchmarks.simulated_pages import Statistics, generator
from benchmarks.slow_arm import World, crossings
from perennial.detectors.night_shift import NightShift
from perennial.detectors.residual_drift import ResidualDrift
from perennial.facts.finding import RECOVERED_AFTER

Flags = NDArray[np.bool_]

ECHO = 28
"""Nights after a change within which its end is found as another: what came back is a move as well."""
RULES = (1, 2, 3, 5, 7, 10, 14, 21)
HISTORY, LIVE, BEGINS = 200, 90, 7
LASTS = (1, 14, 28)
FEEDS = (("iid", 1000), ("weekly_ar6", 1000), ("heavy", 1000))
MEANS = (0.2, 0.5, 1.0)
SHIFTS = (0.1, 0.15)


@dataclass(frozen=True)
class Spells:
    """Findings of one history."""

    begins: list[int]
    ends: list[int | None]
    """Live night on which each was over; none where it was not."""


def spells(over: Flags, rule: int) -> Spells:
    """Follow one history's crossings: a finding is over after ``rule`` quiet nights in a row."""
    begins: list[int] = []
    ends: list[int | None] = []
    quiet = rule
    for night, crossed in enumerate(over):
        if crossed:
            if not begins or ends[-1] is not None:
                begins.append(night)
                ends.append(None)
            quiet = 0
        elif begins and ends[-1] is None:
            quiet += 1
            if quiet == rule:
                ends[-1] = night
    return Spells(begins, ends)


def told(over: Flags, last_changed: int | None) -> dict[str, dict[str, float]]:
    """Say what each rule makes of the crossings, one history a column.

    Findings that begin while the change lasts count; its end is late by the nights from the last changed one to
    the end of the last of them. Without a change, every finding of the live nights counts.
    """
    found: dict[str, dict[str, float]] = {}
    for rule in RULES:
        counts, late, never, echoes = [], [], 0, 0
        for column in over.T:
            one = spells(column, rule)
            during = [
                i for i, begin in enumerate(one.begins) if last_changed is None or begin <= last_changed
            ]
            counts.append(len(during))
            if last_changed is not None:
                echoes += len(one.begins) > len(during) and one.begins[len(during)] <= last_changed + ECHO
            if during:
                end = one.ends[during[-1]]
                never += end is None and one.begins[during[-1]] < len(column) - 3 * rule
                if end is not None and last_changed is not None:
                    late.append(end - last_changed)
        seen = np.array([count for count in counts if count])
        found[str(rule)] = {
            "seen": round(len(seen) / over.shape[1], 3),
            "findings_per_change_seen": round(float(seen.mean()), 3) if len(seen) else 0.0,
            "told_twice_or_more": round(float((seen > 1).mean()), 3) if len(seen) else 0.0,
            "nights_late": round(float(np.median(late)), 1) if late else 0.0,
            "never_over": round(never / max(len(seen), 1), 3),
            "echo": round(echoes / over.shape[1], 3),
        }
    nightly = over[BEGINS : last_changed + 1] if last_changed is not None else over
    seen_at_all = nightly.any(axis=0)
    alerts = float(nightly.sum(axis=0)[seen_at_all].mean()) if seen_at_all.any() else 0.0
    found["one alert a night"] = {"alerts_per_change_seen": round(alerts, 2)}
    return found


def by_night(scenario: str, rows: int, mean: float, lasts: int, histories: int, seed: int) -> dict[str, Any]:
    """Follow the nightly watch: twenty columns, of which the first moves and comes back."""
    feed, detector = Feed(scenario, rows, 20, HISTORY, LIVE), NightShift()
    return _cell(
        "night_shift",
        f"{scenario}, mean +{mean:g} sd",
        lasts,
        _fast(feed, detector, mean, lasts, histories, seed),
    )


def _fast(feed: Feed, detector: NightShift, mean: float, lasts: int, histories: int, seed: int) -> Flags:
    draw = generator(feed, seed)
    shape = (len(feed.nights), histories)
    found = Statistics(np.full(shape, np.nan), np.full(shape, np.nan))
    for column in feed.columns(
        draw, histories, Change(HISTORY + BEGINS, mean=mean, last_night=HISTORY + BEGINS + lasts - 1)
    ):
        found.add(column, feed, detector)
    ratios, _ = found.ratios(range(HISTORY, HISTORY + LIVE), detector, PAGE_RATE)
    over: Flags = ratios > 1
    return over


def by_labels(shift: float, lasts: int, histories: int, seed: int) -> dict[str, Any]:
    """Follow the slow arm: the residual's level moves and comes back."""
    world, detector = World(0.1, "skew", 180), ResidualDrift()
    nights = world.draw(histories, np.random.default_rng([seed, round(100 * shift), lasts]))
    nights[:, world.reference + BEGINS : world.reference + BEGINS + lasts] -= shift
    return _cell(
        "residual_drift", f"mean residual -{shift:g}", lasts, crossings(detector, nights, world.reference).T
    )


def _cell(arm: str, change: str, lasts: int, over: Flags) -> dict[str, Any]:
    last = BEGINS + lasts - 1 if lasts else None
    return {"arm": arm, "change": change, "lasts": lasts, "n": over.shape[1], "rules": told(over, last)}


def cells(histories: int, seed: int, *, quick: bool) -> dict[str, Any]:
    """Name every cell and how it is made."""
    feeds = FEEDS[1:2] if quick else FEEDS
    made = {
        f"night-{scenario}-{mean:g}-{lasts}": partial(by_night, scenario, rows, mean, lasts, histories, seed)
        for scenario, rows in feeds
        for mean in MEANS
        for lasts in LASTS
    }
    made |= {
        f"night-{scenario}-nothing": partial(by_night, scenario, rows, 0.0, 0, histories, seed)
        for scenario, rows in feeds
    }
    slow = [(shift, lasts) for shift in SHIFTS for lasts in (28, 56)] + [(0.0, 0)]
    return made | {
        f"labels-{shift:g}-{lasts}": partial(by_labels, shift, lasts, histories, seed)
        for shift, lasts in slow
    }


def main() -> None:
    """Make every cell that is not there yet and print the object."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="60 histories of one feed, and of the slow arm")
    asked.add_argument("--seed", type=int, default=4, help="changes every draw")
    asked.add_argument("--only", default="", help="cells whose name holds this")
    asked.add_argument("--out", type=Path, default=Path(".perennial/benchmarks/findings"))
    options = asked.parse_args()
    histories = 60 if options.quick else 200
    settings = {"rules": list(RULES), "seed": options.seed, "n": histories, "live": LIVE}
    found = []
    for name, make in cells(histories, options.seed, quick=options.quick).items():
        if options.only in name:
            found.append(kept(options.out, name, settings, make))
            print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    print(json.dumps(report(found, histories, options.seed)))


def report(found: list[dict[str, Any]], histories: int, seed: int) -> dict[str, object]:
    """Put the cells under the keys that every benchmark prints."""
    changed = [one for one in found if one["lasts"] > 1 and one["rules"][str(RECOVERED_AFTER)]["seen"] > 0.5]
    ours = float(np.mean([one["rules"][str(RECOVERED_AFTER)]["findings_per_change_seen"] for one in changed]))
    peer = float(np.mean([one["rules"]["one alert a night"]["alerts_per_change_seen"] for one in changed]))
    return {
        "name": "findings",
        "claim": "a change that lasts is told once and is over once, not told every night",
        "ours": round(ours, 3),
        "peer": round(peer, 3),
        "peer_name": "one alert a night",
        "ratio": round(peer / ours, 2) if ours else None,
        "floor": None,
        "unit": "findings per change that lasts and is seen in most histories",
        "n": histories,
        "seed": seed,
        "settings": {"recovered_after": RECOVERED_AFTER},
        "machine": f"{platform.machine()} {platform.system()} Python {platform.python_version()}",
        "commit": commit(),
        "cells": found,
    }


if __name__ == "__main__":
    main()
