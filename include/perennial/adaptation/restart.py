"""Has the past become misleading? Then more of it makes a model worse, and a training must leave it out.

After an abrupt change all that remembers the old relation is wrong in the same way: champion, twin and what
is served. A small model of the latest nights alone is not. Once it beats the others, the champion is trained
on what came after the change, and growth counts from there. Measured in ``docs/season.md``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from perennial.facts.decision import Decision

TESTS = {7: 0.005, 14: 0.05}
"""Nights that are compared, and the one-sided error of a comparison: clearly in a week, and not only in a week."""
FEWEST_NIGHTS = 7
"""Least nights that a training is left with."""
COOLDOWN_NIGHTS = 14
DATED_NIGHTS = 56
"""How far back the change is looked for."""


def restart(
    served: Sequence[float],
    twin: Sequence[float],
    latest: Sequence[float],
    nights_since_last: int,
    *,
    fewest_nights: int = FEWEST_NIGHTS,
) -> Decision:
    """Ask for a training on the latest nights only; the evidence says how many, ``from_latest_nights``.

    The model of the latest nights must lose less than what was served and less than the twin, each on the
    last week and on the last two that matured, by the t-test with nights as clusters and AR(1) errors
    (``facts/paired.py``). A week alone was fooled by an upheaval that passed (electricity prices). The change
    is dated where the running sum of the gain over what was served was lowest.

    Args:
        served: mean loss of matured nights, oldest first, as served.
        twin: the same of the nightly twin.
        latest: the same of the model that knows only the latest nights.
        nights_since_last: nights since the last restart, or since the layer began.
        fewest_nights: least nights that the training is left with, some of which may be kept back from it.

    >>> calm, changed = [0.5, 0.52, 0.48] * 10, [0.9, 0.93, 0.88] * 5
    >>> decision = restart(calm + changed, calm + changed, [0.55] * 45, nights_since_last=45)
    >>> decision.verdict.value, decision.evidence["from_latest_nights"]
    ('pass', 15)
    """
    if nights_since_last < COOLDOWN_NIGHTS or len(latest) < COOLDOWN_NIGHTS:
        return Decision.held(
            f"No restart: {nights_since_last} nights since the last one, {COOLDOWN_NIGHTS} are needed.",
            nights_since_last=nights_since_last,
        )
    gains = {"served": _gains(served, latest), "twin": _gains(twin, latest)}
    lows = {
        f"over_{name}_{nights}": _low(gain[-nights:], alpha)
        for name, gain in gains.items()
        for nights, alpha in TESTS.items()
    }
    if not all(low > 0 for low in lows.values()):  # also where a night has no loss
        return Decision.held("No restart: the latest nights alone teach no better than all of them.", **lows)
    nights = max(_since_lowest(gains["served"][-DATED_NIGHTS:]), fewest_nights)
    return Decision.passed(
        f"Restart from the latest {nights} nights: a model of the latest nights alone lost less than what was "
        f"served and than the twin, over {' and '.join(map(str, TESTS))} nights.",
        from_latest_nights=nights,
        **lows,
    )


def _gains(other: Sequence[float], latest: Sequence[float]) -> list[float]:
    return [a - b for a, b in zip(other, latest, strict=True)]


def _since_lowest(gains: list[float]) -> int:
    """Count the nights after the running sum was lowest."""
    total, lowest, place = 0.0, 0.0, 0
    for night, gain in enumerate(gains, start=1):
        total += gain if math.isfinite(gain) else 0.0
        if total < lowest:
            lowest, place = total, night
    return len(gains) - place


def _low(gains: list[float], alpha: float) -> float:
    import numpy as np

    from perennial.facts.paired import limits

    return float(limits(np.array(gains), alpha=alpha)["low"])
