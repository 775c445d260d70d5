"""How a model's watch would do: what it finds of injected changes, how soon, and what its budgets have paged so far.

Filled by ``stages/watch_test.py``; the command, the model's pages and its dossier show it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from perennial.clock import Night
from perennial.facts.evidence import Json, canonical, fingerprint

CONFIDENCE = 0.95
AFTER = ", known after "
"""Stands between a change of labels and the nights until they are known."""


@dataclass(frozen=True)
class Trial:
    """What became of one injection of a change."""

    paged: int | None
    """Nights from the change to the first page, 1 for its first night; none if nobody was paged."""
    noticed: int | None
    """Nights until it was recorded, with a page or without."""
    by: str
    """Detector that found it; empty if none did."""


@dataclass(frozen=True)
class Detection:
    """What became of several injections of one change."""

    change: str
    where: str
    """Columns it was put into, predictions, or labels."""
    trials: int
    within: Mapping[str, int]
    """Trials in which somebody would have been paged, by the nights within which; a night later counts too."""
    median: float | None
    """Nights to the page, the median of all trials; none where half of them or more were never paged for."""
    recorded: int
    """Trials that were recorded and paged nobody: the model ignores the column, its move is tolerated, or a page of
    the days before had raised the bar."""
    by: str
    """Detectors that found it."""


@dataclass(frozen=True)
class PastPages:
    """Pages of one detector on nights that really were, true ones among them."""

    arm: str
    nights: int
    """Nights it judged."""
    pages: int
    per_nights: int
    allowed: float
    """False pages that are acceptable in so many nights."""
    low: float
    high: float
    """Exact Poisson limits of the pages in so many nights (Garwood 1936)."""


@dataclass(frozen=True)
class WatchTest:
    """A watch's operating characteristic, with the settings as they are."""

    night: Night
    version: str
    nights: int
    """Recent nights from which the beginnings of changes were drawn."""
    seed: int
    trials: int
    """Beginnings of each change."""
    reason: str
    found: tuple[Detection, ...] = ()
    past: tuple[PastPages, ...] = ()
    not_tried: tuple[str, ...] = ()
    """What could not be tried, and why."""

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        plain: dict[str, Any] = asdict(self)
        told = {key: canonical(value) for key, value in plain.items()}
        return {**told, "evidence_hash": fingerprint(told)}


def counted(change: str, where: str, trials: Sequence[Trial], within: Sequence[int]) -> Detection:
    """Count the trials of a change.

    >>> paged, never = Trial(2, 1, "night_shift"), Trial(None, None, "")
    >>> found = counted("unit x1000", "distance", [paged, paged, never], (1, 7))
    >>> found.within, found.median, found.recorded
    ({'1': 0, '7': 2}, 2, 0)
    """
    ended = sorted(math.inf if one.paged is None else one.paged for one in trials)
    half = median(ended) if ended else math.inf
    return Detection(
        change,
        where,
        len(trials),
        {str(most): sum(one <= most for one in ended) for most in within},
        half if math.isfinite(half) else None,
        sum(one.paged is None and one.noticed is not None for one in trials),
        ", ".join(sorted({one.by for one in trials if one.by})),
    )


def past_pages(arm: str, pages: int, nights: int, allowed: float, per_nights: int) -> PastPages:
    """Put an interval around what was paged; none of it is known to be false.

    >>> told = past_pages("night_shift", 1, 180, 1, 90)
    >>> round(told.low, 2), round(told.high, 2)
    (0.01, 2.79)
    """
    from scipy.special import gammaincinv

    scale = per_nights / nights if nights else float("inf")
    tail = (1 - CONFIDENCE) / 2
    low = float(gammaincinv(pages, tail)) * scale if pages else 0.0
    return PastPages(
        arm, nights, pages, per_nights, allowed, low, float(gammaincinv(pages + 1, 1 - tail)) * scale
    )


def told(found: WatchTest) -> str:
    """Say the whole in a sentence."""
    kinds: dict[str, list[Detection]] = {}
    for one in found.found:
        kinds.setdefault(one.change.partition(AFTER)[0], []).append(one)
    sure = [name for name, of in kinds.items() if any(one.within.get("7") == one.trials for one in of)]
    none = [name for name, of in kinds.items() if not any(max(one.within.values()) for one in of)]
    past = "; ".join(
        f"{one.arm} paged on {one.pages} of {one.nights} nights judged, {one.low:.2g} to {one.high:.2g} in "
        f"{one.per_nights} where {one.allowed:g} is allowed"
        for one in found.past
    )
    return (
        f"Of {len(kinds)} changes, {len(sure)} would always page within a week ({', '.join(sure) or 'none'}) and "
        f"{len(none)} never did ({', '.join(none) or 'none'}). {past or 'No night has been judged yet'}."
    )
