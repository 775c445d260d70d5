"""May the nightly layer's answers be served, or the champion's own? Asked every night of matured nights.

The layer is computed whether it serves or not, so that one which was stopped can show that it is well again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from perennial.clock import Night
from perennial.facts.decision import Decision
from perennial.facts.evidence import Json
from perennial.facts.paired import mean_per_row

JUDGED_NIGHTS = 28
"""Latest matured nights that are judged."""
LEAST_NIGHTS = 14
"""With fewer, the champion serves alone and the layer only shows what it would have said."""
ALPHA = 0.025
"""Probability that a layer as good as the champion is stopped on a night (``tests/adaptation/test_gate.py``)."""


@dataclass(frozen=True)
class Tally:
    """What champion and layer lost on the labelled rows of one night, and how far their means lay off."""

    night: Night
    rows: int
    champion: float
    """Sum of the losses of the champion alone."""
    layer: float
    """Sum of the losses of what the layer said."""
    champion_off: float
    """Sum of label minus prediction, of the champion alone."""
    layer_off: float
    """The same, of the layer."""
    slices: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """For each declared slice its rows, and what champion and layer lost on them."""


def never_worse(tallies: Sequence[Tally]) -> Decision:
    """Let the layer serve unless it was worse than the champion beyond luck, or has not shown enough nights.

    >>> good = [Tally(f"2013-05-{day:02d}", 100, 50.0, 48.0 + day % 3, 1.0, 0.5) for day in range(1, 20)]
    >>> never_worse(good).verdict.value, never_worse(good[:5]).verdict.value
    ('pass', 'hold')
    """
    judged = [one for one in tallies if one.rows][-JUDGED_NIGHTS:]
    if len(judged) < LEAST_NIGHTS:
        wait = f"{len(judged)} of {LEAST_NIGHTS} matured nights show what it would have said"
        return Decision.held(f"The champion serves alone: {wait}.", nights=len(judged))
    found = mean_per_row(
        [one.champion - one.layer for one in judged], [one.rows for one in judged], alpha=ALPHA
    )
    if found is None:
        return Decision.failed("The champion serves alone: a loss is no number.", nights=len(judged))
    whole = sum(one.champion for one in judged) / found.rows
    share = [
        100 * -number / whole if whole > 0 else 0.0 for number in (found.estimate, found.high, found.low)
    ]
    said = (
        f"{share[0]:+.2g} % loss ({share[1]:+.2g} to {share[2]:+.2g} %) beside the champion alone on "
        f"{len(judged)} nights up to {judged[-1].night}"
    )
    slices = _slices(judged)
    numbers: dict[str, Json] = {"gain": found.as_json(), "slices": slices, **_calibration(judged)}
    worse = [name for name, one in slices.items() if one["high"] < 0]
    said += f"; worse beyond luck where {', '.join(worse)}" if worse else ""
    if found.high < 0:
        return Decision.failed(f"The champion serves alone: the layer had {said}.", **numbers)
    return Decision.passed(f"The layer serves: it had {said}.", **numbers)


def _calibration(judged: Sequence[Tally]) -> dict[str, Json]:
    rows = sum(one.rows for one in judged)
    return {
        "nights": len(judged),
        "champion_off": sum(one.champion_off for one in judged) / rows,
        "layer_off": sum(one.layer_off for one in judged) / rows,
    }


def _slices(judged: Sequence[Tally]) -> dict[str, dict[str, float]]:
    """Return the layer's gain in each slice as a share of the champion's loss there; shown, and decides nothing."""
    found = {}
    for name in sorted({name for one in judged for name in one.slices}):
        own = [one.slices[name] for one in judged if name in one.slices]
        gained = mean_per_row(
            [champion - layer for _, champion, layer in own],
            [int(rows) for rows, _, _ in own],
            alpha=ALPHA / len(judged[-1].slices or own),
        )
        whole = sum(champion for _, champion, _ in own)
        if gained is not None and whole > 0:
            share = gained.rows / whole
            found[name] = {
                "gain": gained.estimate * share,
                "low": gained.low * share,
                "high": gained.high * share,
                "rows": gained.rows,
            }
    return found
