"""What a piece of work cost: CPU seconds, wall seconds and peak memory, kept beside the partitions and not in them.

Every step of a training writes its own line when it is done; the retraining policy adds up what trainings of this
model have cost. Seconds are never the same twice, so nothing that is hashed holds them.
"""

from __future__ import annotations

import contextlib
import json
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from perennial.store.durable import create_once
from perennial.workspace import Workspace


@dataclass
class Usage:
    """The cost of a piece of work; complete when the work is."""

    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    peak_memory_mb: float = 0.0

    def as_metrics(self) -> dict[str, float]:
        """Write the figures by name."""
        return dict(vars(self))


@contextlib.contextmanager
def measured() -> Iterator[Usage]:
    """Measure the work inside."""
    usage = Usage()
    cpu, wall = time.process_time(), time.perf_counter()
    yield usage
    usage.cpu_seconds = time.process_time() - cpu
    usage.wall_seconds = time.perf_counter() - wall
    usage.peak_memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextlib.contextmanager
def recorded(workspace: Workspace, model: str, run: str, step: str) -> Iterator[Usage]:
    """Measure a step of a run of training and keep what it cost; the first time that it ended counts."""
    with measured() as usage:
        yield usage
    keep(workspace, model, run, step, usage)


def keep(workspace: Workspace, model: str, run: str, step: str, usage: Usage) -> None:
    """Keep what a step cost, unless it was kept already: a repeated step finds its work done and costs nothing."""
    folder = _folder(workspace, model, run)
    folder.mkdir(parents=True, exist_ok=True)
    create_once(folder / f"{step}.json", json.dumps(usage.as_metrics()).encode())


def cpu_seconds(workspace: Workspace, model: str, run: str) -> float | None:
    """Add up the CPU seconds of a run's steps; none where nothing was recorded of it."""
    lines = sorted(_folder(workspace, model, run).glob("*.json"))
    return sum(float(json.loads(line.read_text())["cpu_seconds"]) for line in lines) if lines else None


def run_of(workspace: Workspace, model: str, version: str) -> str | None:
    """Name the run of training that made a version; none for one that was adopted."""
    runs = workspace.ledger.entries(model, kinds={"trained"})
    return next((one.key for one in runs if one.evidence["version"] == version), None)


def _folder(workspace: Workspace, model: str, run: str) -> Path:
    return workspace.home / "costs" / model / run
