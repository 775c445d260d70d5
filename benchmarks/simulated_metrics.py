"""Two models of the same true quality, judged by each metric from rows: how often does luck look like a gain?

Rows carry a latent chance; each model sees it through noise whose size wanders from night to night by itself, so that
one is better on some nights and the other on others, and neither in the long run. Printed by ``wrong_promotion``,
and, smaller, held by ``tests/metrics``. A metric that is not here is shown and never gates.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.simulated_gates import Cell, Draw, Numbers, nights_of, wilson
from perennial.facts.paired import limits, pseudo_values
from perennial.metrics import judging, metrics
from perennial.metrics.base import Metric

ROWS = 100
"""Rows of a night, a fourth more or less."""
NOISE, WANDERING = 1.0, 0.5
"""How far a model's score lies from the truth, and how much that changes between nights, on a logarithm."""
RARE, EVEN = -2.2, 0.0
"""Level of the latent: one positive row in seven, and one in two."""
ALPHA, MOST = 0.05, 0.055
REQUIRED = ((14, 0.0), (14, 0.3), (28, 0.0), (28, 0.3))
SHOWN = ((7, 0.3), (14, 0.6), (28, 0.6))
"""Nights and autocorrelation, in which the declared error is required and in which it is only reported."""
WORTH = {
    "value": {"true_positive": 8.0, "false_positive": -1.0},
    "unit_cost": {"too_high": 1.0, "too_low": 3.0},
}


NUMBERS = ("mae", "r2", "rmse", "unit_cost")


def gains(
    rng: Draw, metric: Metric, world: tuple[int, float], count: int, *, level: float | None
) -> tuple[Numbers, Numbers]:
    """Draw holdouts, and return each night's gain and rows as evaluation sums them up for the gate.

    ``world`` is nights and autocorrelation; without a ``level`` labels are numbers.
    """
    nights, autocorrelation = world
    wander = np.stack([nights_of(rng, "normal", autocorrelation, (count, nights)) for _ in range(2)])
    found, rows = np.empty((count, nights)), np.empty((count, nights))
    for at in range(count):
        sizes = rng.integers(ROWS * 3 // 4, ROWS * 5 // 4 + 1, nights)
        place = np.repeat(np.arange(nights), sizes)
        labels, told = _rows(rng, NOISE * np.exp(WANDERING * wander[:, at])[:, place], level)
        one, other = (metric.night_losses(labels, each, place, nights) for each in told)
        found[at], rows[at] = other - one, sizes
    return found, rows


def _rows(rng: Draw, noise: Numbers, level: float | None) -> tuple[Numbers, Numbers]:
    rows = noise.shape[1]
    latent = rng.standard_normal((rows,))
    seen = latent + noise * rng.standard_normal(noise.shape)
    if level is None:
        return latent + rng.standard_normal((rows,)), seen
    chance, told = (np.asarray(1 / (1 + np.exp(-each))) for each in (level + 2 * latent, level + seen))
    return (rng.random(rows) < chance).astype(float), told


def worlds(name: str) -> Iterator[tuple[int, float, float | None]]:
    """List nights, autocorrelation and level of the labels in which a metric is tried."""
    for nights, autocorrelation in (*REQUIRED, *SHOWN):
        yield from (
            (nights, autocorrelation, level) for level in ((None,) if name in NUMBERS else (EVEN, RARE))
        )


def cell(rng: Draw, name: str, world: tuple[int, float, float | None], count: int) -> Cell:
    """Count how often a metric takes luck for a gain, and how often for a loss."""
    nights, autocorrelation, level = world
    sums, rows = gains(rng, judging(name, WORTH.get(name)), (nights, autocorrelation), count, level=level)
    found = limits(pseudo_values(sums, rows), alpha=ALPHA)
    wrong, refused = int((found["low"] > 0).sum()), int((found["high"] < 0).sum())
    return {
        "metric": name,
        "nights": nights,
        "autocorrelation": autocorrelation,
        "labels": {None: "numbers", EVEN: "one in two", RARE: "one in seven"}[level],
        "declared": ALPHA,
        "required": (nights, autocorrelation) in REQUIRED,
        "realised": round(wrong / count, 4),
        "interval": wilson(wrong, count),
        "equal_refresh_refused": round(refused / count, 4),
        "n": count,
    }


def holds(found: Cell) -> bool:
    """Whether a required rate is at most .055 within two standard errors."""
    rate, n = float(str(found["realised"])), int(str(found["n"]))
    return not found["required"] or rate - 2 * float(np.sqrt(rate * (1 - rate) / n)) <= MOST


def cells(seed: int, count: int) -> Iterator[Cell]:
    """Try every metric in every world, each from its own stream of the seed."""
    asked = [(name, world) for name in metrics() for world in worlds(name)]
    for stream, (name, world) in zip(np.random.default_rng(seed).spawn(len(asked)), asked, strict=True):
        yield cell(stream, name, world, count)
