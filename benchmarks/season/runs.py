"""What the replays came to, read back: one run is a policy on a data set over its start nights, and runs are compared.

The page (``report``) and the goals (``goals``) are written from these, and from nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.season.triggers import POLICIES

Numbers = NDArray[np.float64]

BLOCK_NIGHTS, RESAMPLES = 14, 1000


@dataclass(frozen=True)
class Run:
    """One policy on one data set, over its start nights."""

    policy: str
    starts: tuple[dict[str, Any], ...]

    @property
    def losses(self) -> Numbers:
        """Return the loss of each start."""
        return np.array([start["loss"] for start in self.starts])

    @property
    def trainings(self) -> float:
        """Return the mean number of full trainings."""
        return float(np.mean([len(start["trainings"]) for start in self.starts]))

    @property
    def is_plain(self) -> bool:
        """Whether neither layer nor gate is in it."""
        policy = POLICIES[self.policy]
        return not policy.layer and not policy.gated

    def mean(self, *path: str) -> float:
        """Return the mean of a number over the starts."""
        values = []
        for start in self.starts:
            value: Any = start
            for name in path:
                value = value[name]
            values.append(float(value))
        return float(np.mean(values))


@dataclass(frozen=True)
class Difference:
    """One policy's loss per row minus another's, with a 95 % interval, over the starts both have."""

    mean: float
    low: float
    high: float

    @property
    def word(self) -> str:
        """Say who is ahead, beyond luck."""
        return "wins" if self.high < 0 else "loses" if self.low > 0 else "a tie"

    def __str__(self) -> str:
        """Write the mean and its interval."""
        return f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"


def read(folder: Path) -> list[Run]:
    """Read a data set's results, in the order in which the policies are declared."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(folder.glob("*.json")):
        told = json.loads(path.read_text())
        found.setdefault(told["policy"], []).append(told)
    return [Run(name, tuple(found[name])) for name in POLICIES if name in found]


def best(runs: Sequence[Run], *, layer: bool) -> Run | None:
    """Return the calendar with the lowest loss at the first start, of those with the layer or without."""
    prefix = "layer, every" if layer else "every"
    return min((r for r in runs if r.policy.startswith(prefix)), key=lambda r: r.losses[0], default=None)


def paired(run: Run, other: Run) -> tuple[Run, Run]:
    """Return both policies on the starts that both have."""
    shared = {start["start"] for start in run.starts} & {start["start"] for start in other.starts}
    mine, theirs = (
        Run(each.policy, tuple(start for start in each.starts if start["start"] in shared))
        for each in (run, other)
    )
    return mine, theirs


def difference(run: Run, other: Run) -> Difference:
    """Compare two policies' losses per row.

    Nights of all starts are added up first, then drawn in circular blocks: a night that was served from five
    starts is still one night of luck.
    """
    sums = _added(*paired(run, other))
    nights = len(sums)
    draw = np.random.default_rng(0)
    starts = draw.integers(0, nights, (RESAMPLES, -(-nights // BLOCK_NIGHTS)))
    chosen = (starts[..., None] + np.arange(BLOCK_NIGHTS)) % nights
    drawn = sums[chosen.reshape(RESAMPLES, -1)[:, :nights]].sum(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    total = sums.sum(axis=0)
    return Difference(float(total[0] / total[1]), float(low), float(high))


def _added(run: Run, other: Run) -> Numbers:
    """Add the nightly differences and rows of all starts, the last night last."""
    pairs = [
        (np.array(mine["nights"]), np.array(theirs["nights"]))
        for mine, theirs in zip(run.starts, other.starts, strict=True)
    ]
    sums = np.zeros((max(len(mine) for mine, _ in pairs), 2))
    for mine, theirs in pairs:
        sums[len(sums) - len(mine) :] += np.column_stack([mine[:, 0] - theirs[:, 0], mine[:, 1]])
    return sums
