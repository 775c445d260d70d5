"""Is the true cause named first? A unit, a lost category, a frozen feed, a label rule or a relation changed.

Each trial injects one known cause into recent nights of a world (``benchmarks/injected_causes.py``) and asks
``facts/attribution.py`` to rank causes. Run ``python -m benchmarks.explain [--page PAGE]``; seeds below 4,000 were
looked at while the method was made, the default begins at fresh ones.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.cells import commit, kept
from benchmarks.injected_causes import KINDS, Kind, World, flights, generated, trial
from perennial.facts.attribution import attribute

WORLDS: dict[str, Callable[[], World]] = {"generator": partial(generated, 0), "flights": flights}
RECENT_NIGHTS: dict[Kind, tuple[int, ...]] = {"none": (1, 7, 14), "label_rule": (7, 14), "relation": (7, 14)}
"""A changed input is asked about on its first night; what labels show, when a window of them is over."""
SAID: dict[Kind, str] = {
    "unit": "a unit changed",
    "category_lost": "a category lost",
    "frozen": "one airport's weather frozen",
    "label_rule": "a label rule changed in a segment",
    "relation": "a column's relation changed",
}
BEGIN, END = "<!-- printed by the benchmark -->", "<!-- end of what was printed -->"


def cell(name: str, kind: Kind, recent: int, seeds: range) -> dict[str, Any]:
    """Count the trials in which the first cause is the one injected; for no cause, those that name a relation."""
    world, first, misses, began = WORLDS[name](), 0, [], time.process_time()
    relation, unusual, plain = 0, 0, 0
    for seed in seeds:
        reference, now, truth = trial(world, kind, recent, seed)
        made = attribute(reference, now, world.predict, categorical=world.categorical, seed=seed)
        named = bool(made.causes) and truth.named_by(made.causes[0])
        first += named
        relation += bool(made.causes) and made.causes[0].kind == "relation"
        unusual += any(one.is_unusual for one in made.inputs)
        plain += any(one.is_plain for one in made.inputs)
        if not named:
            said = [f"{one.kind}:{one.column}:{one.segment}" for one in made.causes[:2]]
            misses.append({"seed": seed, "truth": [*truth.columns, truth.segment], "said": said})
    return {
        "world": name,
        "cause": kind,
        "recent_nights": recent,
        "trials": len(seeds),
        "first": first,
        "relation_first": relation,
        "unusual_inputs": unusual,
        "plain_inputs": plain,
        "misses": misses,
        "cpu_s_per_trial": round((time.process_time() - began) / len(seeds), 2),
    }


def main() -> None:
    """Run every cell that is not there yet and print one JSON object."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="4 trials a cell instead of 25")
    asked.add_argument("--seed", type=int, default=4000, help="the first seed of each cell")
    asked.add_argument("--trials", type=int, default=25, help="trials a cell")
    asked.add_argument("--only", default="", help="cells whose name world-cause-nights holds this")
    asked.add_argument("--out", type=Path, default=Path(".perennial/benchmarks/explain"))
    asked.add_argument("--page", type=Path, help="page whose table is written anew")
    options = asked.parse_args()
    seeds = range(options.seed, options.seed + (4 if options.quick else options.trials))
    cells = []
    for name in WORLDS:
        for kind in KINDS:
            for recent in RECENT_NIGHTS.get(kind, (1, 7)):
                called = f"{name}-{kind}-{recent}"
                if options.only in called:
                    settings = {"seeds": [seeds.start, seeds.stop], "method": 3}
                    cells.append(
                        kept(options.out, called, settings, partial(cell, name, kind, recent, seeds))
                    )
                    print(json.dumps(cells[-1]), file=sys.stderr, flush=True)
    made = report(cells, options.seed)
    if options.page:
        write(options.page, made)
    print(json.dumps(made))


def report(cells: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """Put the cells under the keys that every benchmark prints."""
    injected = [one for one in cells if one["cause"] != "none"]
    trials = sum(one["trials"] for one in injected)
    first = sum(one["first"] for one in injected)
    return {
        "name": "explain",
        "claim": "the injected cause is named first in at least 90 % of the trials",
        "ours": round(first / trials, 3) if trials else None,
        "floor": 0.9,
        "unit": "share of trials with the true cause first",
        "n": trials,
        "seed": seed,
        "cells": cells,
        "machine": platform.platform(),
        "commit": commit(),
    }


def table(made: dict[str, Any]) -> str:
    """Write what was counted as the page shows it."""
    cells = made["cells"]

    def count(kind: str, world: str, nights: int) -> str:
        of = [
            one
            for one in cells
            if (one["cause"], one["world"], one["recent_nights"]) == (kind, world, nights)
        ]
        return f"{of[0]['first']} of {of[0]['trials']}" if of else "not run"

    nights = sorted({one["recent_nights"] for one in cells if one["cause"] != "none"})
    asked = [(world, long) for world in WORLDS for long in nights]
    lines = [f"| injected | {' | '.join(f'{world}, {long} nights' for world, long in asked)} |"]
    lines.append("|---" * (len(asked) + 1) + "|")
    for kind, said in SAID.items():
        found = [count(kind, *each) if each[1] in RECENT_NIGHTS.get(kind, (1, 7)) else "" for each in asked]
        lines.append(f"| {said} | {' | '.join(found)} |")
    calm = [one for one in cells if one["cause"] == "none"]
    told = [
        f"{one['world']}, {one['recent_nights']} nights: {one['relation_first']} of {one['trials']}"
        for one in calm
    ]
    first, last = made["seed"], made["seed"] + max((one["trials"] for one in cells), default=1) - 1
    cost = [one["cpu_s_per_trial"] for one in cells]
    return "\n".join(
        [
            (
                f"The true cause is first in {made['ours']:.1%} of {made['n']} trials, seeds {first} to {last}; "
                f"by world: {', '.join(_share(cells, world) for world in WORLDS)}."
            ),
            "",
            *lines,
            "",
            f"Where nothing was injected, a relation was named first in: {'; '.join(told) or 'not run'}.",
            f"A trial takes {min(cost)} to {max(cost)} CPU seconds.",
        ]
    )


def _share(cells: list[dict[str, Any]], world: str) -> str:
    own = [one for one in cells if one["world"] == world and one["cause"] != "none"]
    trials, first = sum(one["trials"] for one in own), sum(one["first"] for one in own)
    return f"{world} {first} of {trials} ({first / trials:.0%})" if trials else f"{world} not run"


def write(page: Path, made: dict[str, Any]) -> None:
    """Put the table between the page's two marks."""
    before, rest = page.read_text().split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n{table(made)}\n{END}{after}")


if __name__ == "__main__":
    main()
