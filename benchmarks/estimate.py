"""Is the estimated loss right where it is shown, and silent where it would be wrong?

``python -m benchmarks.estimate [--data FOLDER] [--quick] [--developed] [--seed N] [--size N] [--out FOLDER]
[--page FILE]`` replays made-up worlds, in which inputs move and then the relation changes, and the flights and
electricity prices, night by night with the function that the monitor calls. ``--developed`` runs the starts and seeds
the method was settled on, otherwise others. Each cell is a file below ``--out``. One JSON object on stdout.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from benchmarks.cells import commit, kept
from benchmarks.pages import table, write
from benchmarks.scored_windows import (
    ARRIVAL,
    BY_HEIGHT,
    CHANGE,
    CHANGES,
    REGRESSION_CHANGES,
    Rows,
    World,
    real,
    windows,
)
from perennial.facts import estimate_audit
from perennial.facts import expected_loss as expectation
from perennial.facts.estimated_loss import WORTH, Estimated, Window, estimates
from perennial.facts.evidence import fingerprint
from perennial.facts.expected_loss import Loss, expected_loss

Numbers = NDArray[np.float64]

DEVELOPED = {
    "flights": (56, 86, 116),
    "elec2": (56, 126, 196),
    ARRIVAL: (56, 86, 116),
    BY_HEIGHT: (56, 86, 116),
}
CONFIRMED = {
    "flights": (66, 76, 96, 106),
    "elec2": (500, 570, 640),
    ARRIVAL: (66, 76, 96, 106),
    BY_HEIGHT: (66, 76, 96, 106),
}
"""Nights on which the champion was trained that then serves 300 nights."""
ROWS, LUCK = (200, 500, 2000), (0.0, 0.2)
CUTS = ((1, 2), (1, 14), (7, 7))
"""Nights in a window, and nights until its labels come."""
WITHIN, DELAY, WEEK = 8, 2, 7
ENOUGH_ROWS = 2000
"""Below so many rows a window the labels' own chance is more than a fifth of what carrying forward errs."""
MOST_PURE, MOST_REAL, LEAST_SHOWN, LEAST_MUTED = 0.2, 0.8, 0.9, 0.95
COVERED = (0.85, 0.95)


def measured(made: Sequence[Window], said: Sequence[Estimated]) -> dict[str, Any]:
    """Add up what estimates were off by, and what the simpler guesses were, over windows after the learning."""
    came = np.array([np.nan if one.realised is None else one.realised for one in made])
    judged = np.isfinite(came) & np.array([one.state != "learning" for one in said])
    shown = judged & np.array([one.state == "shown" for one in said])
    value, low, high = (_numbers([getattr(one, name) for one in said]) for name in ("value", "low", "high"))
    guesses = {"ours": value, "carried": _numbers([one.evidence["last_realised"] for one in said])}
    guesses["week"] = _week_before(made)
    plain = [name for name in ("raw", "isotonic") if name in made[-1].expected]
    guesses |= {name: _numbers([one.expected[name] for one in made]) for name in plain}
    off = {name: np.abs(one - came) for name, one in guesses.items()}
    return {
        "windows": int(judged.sum()),
        "shown": int(shown.sum()),
        "covered": int(((low <= came) & (came <= high))[shown].sum()),
        "off_shown": {name: float(np.nansum(one[shown])) for name, one in off.items()},
        "off_all": {name: float(np.nansum(one[judged])) for name, one in off.items()},
    }


def _numbers(found: Sequence[Any]) -> Numbers:
    return np.array([np.nan if one is None else one for one in found], dtype=float)


def _week_before(made: Sequence[Window]) -> Numbers:
    """Guess the mean of the seven youngest windows whose labels are known."""
    found = np.full(len(made), np.nan)
    for place, window in enumerate(made):
        known = [one.realised for one in made[:place] if one.matured and one.matured <= window.night]
        found[place] = np.mean(known[-WEEK:]) if known else np.nan
    return found


def method() -> str:
    """Identify the numbers the method was settled on: cells of others are not read."""
    numbers = {**vars(estimate_audit), **vars(expectation), "worth": WORTH}
    return fingerprint({name: one for name, one in numbers.items() if isinstance(one, int | float | tuple)})[
        :8
    ]


def muted_within(said: Sequence[Estimated]) -> int | None:
    """Count the matured windows from a change to the first night that shows nothing; none if it never comes."""
    silent = [one.state in ("muted", "not_assessable") for one in said[CHANGE + DELAY :]]
    return silent.index(True) + 1 if True in silent else None


def floor(rows: Rows, made: Sequence[Window]) -> float:
    """Return what even the true chances would be off by, in all: the labels' own luck and the nights'."""
    if rows.truth is None or rows.residual is not None:
        return float("nan")
    nights = np.unique(rows.night)
    found = 0.0
    for night, window in zip(nights, made, strict=True):
        inside = rows.night == night
        told = expected_loss(rows.scores[inside], rows.truth[inside])
        found += abs(told - (window.realised or told))
    return found / len(nights)


def world(base: World, seeds: Sequence[int]) -> dict[str, Any]:
    """Replay a world as it is, and with each of its changes."""
    pure, floors = [], []
    changes = REGRESSION_CHANGES if base.regression else CHANGES
    silent: dict[str, list[int | None]] = {change: [] for change in changes}
    for seed in seeds:
        rows = base.scored(seed)
        made = windows(rows, 1, DELAY)
        pure.append(measured(made, estimates(made)))
        floors.append(floor(rows, made))
        for change in changes:
            turned = World(base.rows, change, base.luck, base.regression).scored(seed)
            silent[change].append(muted_within(estimates(windows(turned, 1, DELAY))))
    found = {"pure": pooled(pure), "floor": float(np.mean(floors)), "muted": silent}
    found["floor_ratio"] = found["floor"] / found["pure"]["carried"]
    return found


def replayed(
    name: str, starts: Sequence[int], cut: tuple[int, int], loss: Loss, data: Path, out: Path
) -> Any:
    """Replay a real table from each start."""
    each = []
    for start in starts:
        made = windows(real(name, data, start, out), *cut, loss)
        each.append(measured(made, estimates(made)))
    return pooled(each) | {"each": [pooled([one])["error"] for one in each]}


def pooled(each: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Put several replays together: ratios of summed errors, shares of summed windows."""
    judged, shown = (sum(one[name] for one in each) for name in ("windows", "shown"))
    off = {
        where: {name: sum(one[where][name] for one in each) for name in each[0][where]}
        for where in ("off_shown", "off_all")
    }
    carried = {where: one["carried"] for where, one in off.items()}
    return {
        "windows": judged,
        "shown": round(shown / judged, 3),
        "covered": round(sum(one["covered"] for one in each) / shown, 3) if shown else None,
        "error": round(off["off_shown"]["ours"] / carried["off_shown"], 3) if shown else None,
        "error_all": round(off["off_all"]["ours"] / carried["off_all"], 3),
        "others": {name: round(one / carried["off_shown"], 3) for name, one in off["off_shown"].items()}
        if shown
        else {},
        "carried": round(carried["off_all"] / judged, 5),
    }


def main() -> int:
    """Replay what is not kept yet, and print the object."""
    asked = _asked()
    tables = [] if asked.quick else _real(asked)
    made = report(_worlds(asked), tables, asked)
    if asked.page:
        write(asked.page, shown(made))
    print(json.dumps(made))
    return 0


def shown(made: dict[str, Any]) -> str:
    """Write the two tables that the page shows: real nights, and made-up worlds."""
    real_columns = ("", "nights a window", "labels after", "shown", "error", "a week", "at its word")
    real_columns = (*real_columns, "isotonic", "in the 90 % interval")
    world_columns = ("", "rows a night", "luck", "histories", "shown", "error", "least possible")
    world_columns = (*world_columns, "in the interval", "silent within 8", "of these the hardest")
    lines = [table(real_columns, [_real_row(cell) for cell in made["real"]]), ""]
    lines += [table(world_columns, [_world_row(cell) for cell in made["worlds"]]), ""]
    return "\n".join(
        [*lines, f"Silent within 8 matured windows after any change: {made['muted_within_8']:.2f}."]
    )


def _real_row(cell: dict[str, Any]) -> list[object]:
    nights, delay = cell["window"]
    others = [cell["others"].get(name) for name in ("week", "raw", "isotonic")]
    name = f"{cell['table']}, {cell['loss'].replace('_', ' ')}"
    return [name, nights, delay, cell["shown"], cell["error"], *others, cell["covered"]]


def _world_row(cell: dict[str, Any]) -> list[object]:
    silent = {change: _silent_share(found) for change, found in cell["muted"].items()}
    hardest = min(silent, key=lambda change: silent[change])
    of_all = _silent_share([one for found in cell["muted"].values() for one in found])
    pure = cell["pure"]
    return [
        "a number" if cell["regression"] else "a class",
        cell["rows"],
        cell["luck"],
        len(cell["seeds"]),
        pure["shown"],
        pure["error"],
        cell["floor_ratio"],
        pure["covered"],
        of_all,
        f"{hardest}: {silent[hardest]:.2f}",
    ]


def _silent_share(found: Sequence[int | None]) -> float:
    return float(np.mean([one is not None and one <= WITHIN for one in found]))


def _worlds(asked: argparse.Namespace) -> list[dict[str, Any]]:
    first = asked.seed * 1000 + (0 if asked.developed else 500)
    seeds = tuple(range(first, first + (2 if asked.quick else asked.size)))
    found = []
    for regression, rows, luck in product((False, True), ROWS[1:2] if asked.quick else ROWS, LUCK):
        base = World(rows, "", luck, regression)
        about = asdict(base) | {"seeds": list(seeds), "method": method()}
        name = f"world-{'number' if regression else 'class'}-{rows}-{luck}"
        found.append(about | kept(asked.out / "cells", name, about, partial(world, base, seeds)))
        print(name, found[-1]["pure"], found[-1]["muted"], file=sys.stderr, flush=True)
    return found


def _real(asked: argparse.Namespace) -> list[dict[str, Any]]:
    found = []
    starts = DEVELOPED if asked.developed else CONFIRMED
    for name, cut, loss in product(starts, CUTS, ("log_loss", "brier")):
        number = name in (ARRIVAL, BY_HEIGHT)
        if (number and loss == "brier") or (name == "elec2" and asked.data is None):
            continue
        about = {
            "table": name,
            "starts": list(starts[name]),
            "window": list(cut),
            "loss": "absolute" if number else loss,
        }
        about["method"] = method()
        make = partial(replayed, name, starts[name], cut, loss, asked.data, asked.out)
        cell = about | kept(asked.out / "cells", f"{name}-{cut[0]}-{cut[1]}-{loss}", about, make)
        found.append(cell)
        print(cell, file=sys.stderr, flush=True)
    return found


def report(worlds: list[Any], real_cells: list[Any], asked: argparse.Namespace) -> dict[str, object]:
    """Put the cells under the keys that every benchmark prints, and say what is met."""
    silent = [one for cell in worlds for each in cell["muted"].values() for one in each]
    large = [cell["pure"] for cell in worlds if cell["rows"] >= ENOUGH_ROWS]
    nightly = [cell for cell in real_cells if cell["window"] == list(CUTS[0])]
    muted = sum(one is not None and one <= WITHIN for one in silent) / len(silent)
    met = {
        "pure": bool(large)
        and all(cell["error"] <= MOST_PURE and cell["shown"] >= LEAST_SHOWN for cell in large),
        "muted": muted >= LEAST_MUTED,
        "real": bool(nightly) and all((cell["error"] or 0) <= MOST_REAL for cell in nightly),
        "covered": bool(nightly)
        and all(COVERED[0] <= (cell["covered"] or 0) <= COVERED[1] for cell in nightly),
    }
    ours = max((cell["error"] or 0 for cell in nightly), default=None)
    peer = max((cell["others"].get("isotonic", cell["others"]["raw"]) for cell in nightly), default=None)
    return {
        "name": "estimate",
        "claim": "shown, an estimate errs at most .8 times as much as the last loss; silent soon after a change",
        "ours": ours,
        "peer": peer,
        "peer_name": "CBPE with isotonic calibration (as NannyML), DLE as it comes, on the same windows",
        "ratio": round(ours / peer, 3) if ours and peer else None,
        "floor": MOST_REAL,
        "unit": "error over that of carrying the last realised loss forward, worst nightly table",
        "met": met,
        "muted_within_8": round(muted, 3),
        "n": asked.size,
        "seed": asked.seed,
        "machine": f"{platform.machine()} {platform.system()} Python {platform.python_version()}",
        "commit": commit(),
        "worlds": worlds,
        "real": real_cells,
    }


def _asked() -> argparse.Namespace:
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--data", type=Path, help="folder that holds elec2.csv.gz")
    asked.add_argument("--quick", action="store_true", help="two histories of a few worlds, nothing real")
    asked.add_argument(
        "--developed", action="store_true", help="the starts and seeds the method was settled on"
    )
    asked.add_argument("--seed", type=int, default=1, help="changes every draw")
    asked.add_argument("--size", type=int, default=20, help="histories of a world")
    asked.add_argument("--out", type=Path, default=Path(".perennial/benchmarks/estimate"))
    asked.add_argument("--page", type=Path, help="page whose tables are written anew")
    return asked.parse_args()


if __name__ == "__main__":
    sys.exit(main())
