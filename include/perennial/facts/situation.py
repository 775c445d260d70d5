"""What is known when a finding is triaged, and what triage answers.

Pure: ``stages/causes.py`` puts a situation together, ``facts/likely_cause.py`` names its cause, and
``policies/triage.py`` says what follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from perennial.clock import Night
from perennial.facts.evidence import Evidence
from perennial.facts.reading import Reading

if TYPE_CHECKING:
    from perennial.facts.edges import Edges
    from perennial.facts.profile import Profile
    from perennial.facts.shared_ground import Ground

Cause = Literal[
    "broken_feed", "model", "labels", "concept", "harmful_shift", "harmless_shift", "none", "not_assessable"
]
"""``model``: its output is broken; ``labels``: late, of one class, or corrupted; ``concept``: labels no longer follow
from the inputs as they did; ``not_assessable``: no labels, or too few, to say whether they do."""


@dataclass(frozen=True)
class NightScores:
    """What one night's predictions looked like."""

    rows: int
    not_numbers: int
    """Rows without a finite prediction."""
    spread: float
    """Standard deviation of the finite predictions."""
    rescored: int = 0
    """Rows that were predicted once more from the stored inputs."""
    apart: int = 0
    """Rows whose second prediction was another one."""


@dataclass(frozen=True)
class Situation:
    """What is known when a finding is triaged."""

    edges: Edges | None
    """Cuts that the profiles were counted on; none where nothing was ever profiled."""
    reference: Mapping[Night, Profile]
    """Ordinary nights before the finding's; rows as delivered."""
    recent: Mapping[Night, Profile]
    """Nights the finding is about."""
    usual_scores: Sequence[NightScores]
    scores: Sequence[NightScores]
    """What the version said on the nights the finding is about."""
    ground: Ground | None = None
    """Rows with scores and labels; none where predictions are no probabilities, or no version serves."""
    inputs: Reading | None = None
    """Tonight's reading of inputs and predictions."""
    residuals: Reading | None = None
    """Tonight's reading of residuals; none, or ``learning``, where labels cannot say yet."""
    accepted: frozenset[tuple[str, str]] = frozenset()
    """Signs, with their columns, that a person has said to be how it is now: no faults any more."""


@dataclass(frozen=True)
class LikelyCause:
    """The cause, how sure, the sentence that says why, and the tests behind it."""

    cause: Cause
    confidence: float
    """How far the deciding statistic was from its threshold, 0 (at it) to 1."""
    reason: str
    relation_known: bool
    """Whether labels could say that the relation moved or stayed."""
    columns: tuple[str, ...] = ()
    """Columns to look at first."""
    nights: tuple[Night, ...] = ()
    """Nights on which the feed looks broken."""
    evidence: Evidence = field(default_factory=dict)
    suspect: str = ""
    """A column that may have come in another unit, which is too little to say and too much to learn from."""
