"""Replay data sets night by night under every policy, and write ``docs/season.md``.

``python -m benchmarks.season [--quick] [--data FOLDER] [--only NAME ...] [--starts N] [--seconds N]``

One result per data set, policy and start is kept below ``--results`` and not computed again, so the command
may be stopped, and goes on when it is given once more. A run of a part prints its page and leaves the file
alone; ``--report`` writes the file from whatever results there are.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from time import perf_counter

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.season.models import Models
from benchmarks.season.nights import LAG, ROOT
from benchmarks.season.passing import Replay
from benchmarks.season.report import page
from benchmarks.season.tables import FILES, TABLES
from benchmarks.season.triggers import POLICIES
from perennial.adaptation.settings import Adaptation

STARTS = (56, 66, 76, 86, 96)
RESULTS = ROOT / ".perennial" / "season"
QUICK = ("stationary", "flip")


def main() -> int:
    """Compute what is missing, then write the page."""
    options = _parser().parse_args()
    names = options.only or (QUICK if options.quick else tuple(TABLES))
    began, unfinished = perf_counter(), False
    for name in () if options.report else names:
        unfinished |= _replay(name, options, began)
    if options.quick or options.policy or options.only or unfinished:
        print(page(options.results, names))
    else:
        (ROOT / "docs" / "season.md").write_text(page(options.results, tuple(TABLES)), encoding="utf-8")
    print("stopped by --seconds; run again to go on" if unfinished else "done", file=sys.stderr)
    return 0


def _replay(name: str, options: argparse.Namespace, began: float) -> bool:
    """Compute a data set's missing results; say whether time ran out."""
    todo = [
        (start, policy)
        for start in STARTS[: 1 if options.quick else options.starts]
        for policy in options.policy or POLICIES
        if not (options.results / name / f"{start}-{_slug(policy)}.json").exists()
    ]
    file = FILES.get(name)
    if todo and file and not (options.data and (options.data / file).exists()):
        print(f"{name}: left out, {file} is not in --data {options.data or ''}", file=sys.stderr)
        return False
    if not todo:
        return False
    table = TABLES[name](options.data)
    cache = options.results / name / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    settings = Adaptation(label_delay_nights=LAG, categorical=table.categorical)
    models = Models(table, cache, settings)
    for start, policy in todo:
        if perf_counter() - began > options.seconds:
            return True
        about = {"table": name, "policy": policy, "start": start, "change": table.change}
        found = Replay(table, models, POLICIES[policy], start).run() | about
        (options.results / name / f"{start}-{_slug(policy)}.json").write_text(json.dumps(found))
        print(f"{name} {start} {policy}: {found['loss']:.4f} ({len(found['trainings'])})", file=sys.stderr)
    return False


def _slug(policy: str) -> str:
    return policy.replace(", ", "-").replace(" ", "-")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two made-up worlds, one start; prints the page")
    parser.add_argument("--data", type=Path, help="folder of public tables, such as elec2.csv.gz")
    parser.add_argument("--only", nargs="+", choices=TABLES, metavar="NAME", help="data sets to replay")
    parser.add_argument("--policy", nargs="+", choices=POLICIES, metavar="POLICY", help="policies to replay")
    parser.add_argument("--starts", type=int, default=len(STARTS), help="how many of the start nights")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of results, kept")
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after so many seconds")
    parser.add_argument("--report", action="store_true", help="only write the page")
    return parser


if __name__ == "__main__":
    sys.exit(main())
