"""What a detector read on one night: a number, its threshold, and the columns that moved.

A reading judges nothing: the page budget (``policies/paging.py``) turns it into a decision, and
triage asks what it means. It holds plain values only, so it can be hashed, kept and shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from perennial.clock import Night
from perennial.facts.evidence import Evidence, Json, canonical, fingerprint

State = Literal["learning", "quiet", "notice", "over"]
"""``learning``: no calibrated verdict tonight; ``over``: crossed its threshold; ``notice``: crossed it,
but not by more than recent pages have raised the bar (only a budget says so); ``quiet``: none of these."""


@dataclass(frozen=True)
class Moved:
    """One stream of a column, how far it moved, and in which direction."""

    column: str
    """Column it belongs to; empty for the rows of the night as a whole."""

    z: float
    """Standard deviations from what earlier nights let one expect."""

    direction: str
    """The move in plain words, for example ``carrier UA share 0.21 -> 0.35``."""


@dataclass(frozen=True)
class Reading:
    """What one detector read on one night."""

    night: Night
    arm: str
    """Detector that read it; each arm has a page budget of its own."""
    state: State
    reason: str
    """One full sentence with the numbers: page, log, ledger and alert show this one."""
    statistic: float | None = None
    """The night's number, larger meaning stranger; none where nothing could be scored."""
    threshold: float | None = None
    """What the statistic must exceed, before the budget's governor; none while learning."""
    p: float | None = None
    """Share of ordinary nights that would be at least as strange."""
    scored_nights: int = 0
    """Earlier nights that the threshold rests on."""
    tail: float | None = None
    """How heavily the statistic's ordinary nights are tailed: the mean logarithm of the greatest fifth over
    the number where that fifth begins; about .1 where nights are normal, .3 where they are wild."""
    provisional: bool = False
    """The threshold is extrapolated: too few scored nights for a rank among them."""
    columns: tuple[Moved, ...] = ()
    """Streams that moved most, strangest first."""
    evidence: Evidence = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """Statistic over threshold; above 1 the night crossed it."""
        if self.statistic is None or not self.threshold:
            return None
        return self.statistic / self.threshold

    def as_json(self) -> dict[str, Json]:
        """Write plain values, for the ledger and for pages."""
        plain = asdict(self) | {"columns": [asdict(moved) for moved in self.columns]}
        return {key: canonical(value) for key, value in plain.items()}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Reading:
        """Read what ``as_json`` wrote."""
        return cls(**{**kept, "columns": tuple(Moved(**moved) for moved in kept["columns"])})

    @property
    def evidence_hash(self) -> str:
        """Identify what was read; equal for equal inputs."""
        return fingerprint(self.as_json())
