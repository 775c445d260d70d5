"""What follows from a finding's likely cause: who is asked, what is kept out, and whether a training is worth it.

``facts/likely_cause.py`` names the cause from profiles, predictions and labels; here it becomes an action. A feed
that broke is never answered by a training (``policies/retraining.py`` reads the cause).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from perennial.clock import Night
from perennial.facts.evidence import Evidence, Json, canonical, fingerprint

if TYPE_CHECKING:
    from perennial.facts.situation import Cause, LikelyCause


@dataclass(frozen=True)
class Diagnosis:
    """The likely cause, the sentence that says why, and what to do."""

    night: Night
    cause: Cause
    confidence: float
    """How far the deciding statistic was from its threshold, 0 (at it) to 1; no probability of being right."""
    reason: str
    """One full sentence with the numbers."""
    action: str
    """What the project does, and what a person should do."""
    asks_for_training: bool = False
    columns: tuple[str, ...] = ()
    """Columns to look at first."""
    set_aside: tuple[Night, ...] = ()
    """Nights that are kept out of references and training sets, because their feed looks broken."""
    evidence: Evidence = field(default_factory=dict)

    def as_json(self) -> dict[str, Json]:
        """Write plain values, for the ledger and for Airflow."""
        plain = asdict(self) | {"columns": list(self.columns), "set_aside": list(self.set_aside)}
        return {key: canonical(value) for key, value in plain.items()}

    @property
    def evidence_hash(self) -> str:
        """Identify what was concluded and why; equal for equal inputs."""
        return fingerprint(self.as_json())


def triage(night: Night, found: LikelyCause, *, lasts: bool = True, labels_say: bool = False) -> Diagnosis:
    """Say what follows from a likely cause; the same cause is always answered alike.

    Only two causes ask for a training: a relation that moved, and a shift of the inputs that does harm, the latter
    only where ``labels_say`` so by an arm of their own: a unit that changed looks like such a shift for a while, and
    nothing is learned from one night of it. ``lasts`` is false for a sign of one night, which teaches nothing that
    holds.

    >>> from perennial.facts.situation import LikelyCause
    >>> moved = LikelyCause("concept", 0.9, "Labels lay 0.12 below predictions.", relation_known=True)
    >>> triage("2013-09-05", moved).asks_for_training, triage("2013-09-05", moved, lasts=False).asks_for_training
    (True, False)
    >>> unlabelled = LikelyCause("harmful_shift", 0.5, "Inputs moved.", relation_known=False)
    >>> triage("2013-09-05", unlabelled, labels_say=True).asks_for_training
    False
    """
    learnable = found.relation_known and labels_say
    asks = (found.cause == "concept" and lasts) or (found.cause == "harmful_shift" and learnable)
    return Diagnosis(
        night,
        found.cause,
        round(found.confidence, 3),
        found.reason,
        _action(found, lasts=lasts, labels_say=labels_say),
        asks_for_training=asks and not found.suspect,
        columns=found.columns,
        set_aside=found.nights if found.cause == "broken_feed" else (),
        evidence=found.evidence,
    )


def _action(found: LikelyCause, *, lasts: bool, labels_say: bool) -> str:
    if found.suspect:
        return f"Recorded; no training is asked for before somebody has looked at {found.suspect}."
    if found.cause == "concept" and not lasts:
        return "Recorded; a training is asked for when a second night shows it, as one teaches nothing that holds."
    if found.cause == "harmful_shift" and not found.relation_known:
        return "Recorded and watched; no training is asked for, as there are too few labels to learn it from."
    if found.cause == "harmful_shift" and not labels_say:
        return "Recorded and watched; a training is asked for once labels show the harm by themselves."
    return ACTIONS[found.cause]


NOT_LEARNED_FROM: tuple[Cause, ...] = ("broken_feed", "model", "labels")
"""Causes whose nights show nothing of the relation: they are told by themselves, and are no reason to train."""

ACTIONS: dict[Cause, str] = {
    "broken_feed": (
        "Nothing is retrained, and these nights are kept out of references and training sets. Ask whoever delivers "
        "them, then have them delivered and run again; if they are right as they are, release them."
    ),
    "model": (
        "Nothing is retrained. Roll back to a version that served well, and look at what this one was given."
    ),
    "labels": "Nothing is retrained. Ask whoever delivers the labels, and have them corrected.",
    "concept": (
        "A training on recent labels is asked for, flagged as a changed relation: older labels say otherwise. "
        "The retraining policy decides."
    ),
    "harmful_shift": (
        "A training is asked for, as labels of such rows are there to learn from. The retraining policy decides."
    ),
    "harmless_shift": "Recorded; no training is asked for. Watch the columns named.",
    "none": "Nothing to do.",
    "not_assessable": "Recorded; no training is asked for. Bring labels forward.",
}
"""What is done about each cause."""
