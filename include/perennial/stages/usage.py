"""What a stage cost: CPU seconds, wall seconds and peak memory, recorded beside what it made."""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass


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
