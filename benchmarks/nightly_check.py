"""A nightly check costs what reading the night costs: the whole process, from Parquet to the verdict, beside peers.

``python -m benchmarks.nightly_check [--quick] [--only NAME] [--peers]`` prints progress on stderr and one JSON object
on stdout; cells are kept below ``.perennial/bench/nightly_check``; remove it to measure again. Measured: CPU
seconds (user and system) of a fresh process, imports included, the least of its runs, and the most memory it had
resident. Peers run in environments of their own (``benchmarks/nightly_peers.py``), once each: they take minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.cells import commit, kept
from benchmarks.nightly_nights import Size
from benchmarks.nightly_peers import PEERS

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".perennial" / "bench" / "nightly_check"
CPU_AT_MOST, MB_AT_MOST = 0.66, 180
SIZES = {
    "100k x 20": Size(100_000, 20, 1_000_000),
    "1M x 20": Size(1_000_000, 20, 1_000_000),
    "100k x 500": Size(100_000, 500, 100_000),
    "30th night": Size(10_000, 20, 100_000, nights=29),
    "400th night": Size(10_000, 20, 100_000, nights=399),
    "3650th night": Size(10_000, 20, 100_000, nights=3649),
}
PREPARE = "import sys; from pathlib import Path; from benchmarks import nightly_nights as n; "
QUIET = {
    "OMP_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "",
    "NML_DISABLE_USAGE_LOGGING": "1",
    "DO_NOT_TRACK": "1",
}


def spent(words: Sequence[str], runs: int) -> dict[str, Any]:
    """Run a process so often; the least CPU seconds, the most memory, and what it said last."""
    cpu: list[float] = []
    told: dict[str, Any] = {}
    for _ in range(runs):
        before = _children()
        process = subprocess.run(
            list(words), capture_output=True, text=True, cwd=ROOT, env=os.environ | QUIET, check=False
        )
        if process.returncode:
            return {"failed": (process.stderr.strip().splitlines() or ["no word"])[-1][:300]}
        told = json.loads(process.stdout.strip().splitlines()[-1])
        cpu.append(round(_children() - before, 3))
    return {"cpu": min(cpu), "runs": cpu, **told}


def _children() -> float:
    """Return the CPU seconds of all processes started from here that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ours(size: Size, seed: int, runs: int) -> dict[str, Any]:
    """Measure the check of one size; what is stored is made by another process beforehand."""
    home = FOLDER / f"home-{os.getpid()}"
    try:
        subprocess.run(
            [sys.executable, "-c", f"{PREPARE}n.prepare(Path({str(home)!r}), n.{size!r}, {seed})"],
            cwd=ROOT,
            check=True,
        )
        words = [sys.executable, "-m", "benchmarks.nightly_process", str(home), size.night]
        return spent(words, runs)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def peers(size: Size, seed: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Measure the peers on the same rows, in plain Parquet."""
    folder = FOLDER / "peers"
    subprocess.run(
        [sys.executable, "-c", f"{PREPARE}n.plain_files(Path({str(folder)!r}), n.{size!r}, {seed})"],
        cwd=ROOT,
        check=True,
    )
    for peer in PEERS:
        peer.install()
        if peer.store:
            once = (str(peer.python), "-c", peer.script(peer.store, folder, size.rows))
            kept(FOLDER, f"{peer.name}-store", asdict(size) | {"seed": seed}, partial(spent, once, 1))
        for way, text in peer.checks.items():
            words = (str(peer.python), "-c", peer.script(text, folder, size.rows))
            cell = kept(FOLDER, f"{peer.name}-{way}", asdict(size) | {"seed": seed}, partial(spent, words, 1))
            yield f"{peer.packages[0]}, {way}", cell


def main() -> int:
    """Measure and print the object."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument(
        "--quick", action="store_true", help="the first size and the first night only, one run each"
    )
    asked.add_argument("--only", default="", help="sizes whose name contains this")
    asked.add_argument("--peers", action="store_true", help="run the peers as well, on the first size")
    asked.add_argument("--seed", type=int, default=1)
    options = asked.parse_args()
    runs = 1 if options.quick else 3
    names = [
        name
        for name in SIZES
        if options.only in name and not (options.quick and name not in ("100k x 20", "30th night"))
    ]
    cells = {}
    for name in names:
        settings = asdict(SIZES[name]) | {"seed": options.seed, "runs": runs}
        cells[name] = kept(
            FOLDER, name.replace(" ", "-"), settings, partial(ours, SIZES[name], options.seed, runs)
        )
        print(name, cells[name], file=sys.stderr)
    beside = {}
    for name, found in peers(SIZES["100k x 20"], options.seed) if options.peers else ():
        beside[name] = found
        print(name, found, file=sys.stderr)
    return _tell(cells, beside, options.seed, runs)


def _tell(cells: dict[str, Any], beside: dict[str, Any], seed: int, runs: int) -> int:
    first = cells.get("100k x 20", {})
    best = min((one["cpu"] for one in beside.values() if "cpu" in one), default=None)
    found = {
        "name": "nightly_check",
        "claim": "a night of 100,000 rows and 20 columns is profiled, compared with a year and judged in 0.66 CPU seconds and 180 MB",
        "ours": first.get("cpu"),
        "peer": best,
        "ratio": round(best / first["cpu"], 1) if best and first else None,
        "unit": "CPU seconds of the whole process",
        "n": runs,
        "seed": seed,
        "settings": {"cpu_at_most": CPU_AT_MOST, "mb_at_most": MB_AT_MOST},
        "machine": f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}",
        "commit": commit(),
        "cells": cells,
        "peers": beside,
    }
    print(json.dumps(found))
    within = not first or (first["cpu"] <= CPU_AT_MOST and first["peak_mb"] <= MB_AT_MOST)
    return 0 if within and not any(cell.get("heavy") for cell in cells.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
