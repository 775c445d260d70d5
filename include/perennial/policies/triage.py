"""What is the likely cause of a finding, and what follows from it? Asked whenever an arm of the monitor pages.

A feed that broke, a relation that moved and inputs that moved call for different things, and the first
must never be answered by a training. The retraining policy (``policies/retraining.py``) reads the cause.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from perennial.clock import Night
from perennial.facts.evidence import Evidence, Json, canonical, fingerprint
from perennial.facts.reading import Reading

if TYPE_CHECKING:
    from perennial.facts.edges import Edges
    from perennial.facts.feed_faults import Fault
    from perennial.facts.profile import Profile

Cause = Literal["broken_feed", "concept", "changed_world", "unknown", "none"]
"""``concept``: labels no longer follow from the inputs as they did; ``changed_world``: inputs moved, labels
still follow; ``unknown``: inputs moved and no label can say more; ``none``: nothing is over its threshold."""

FAULTS_NAMED = 3


@dataclass(frozen=True)
class TriageFacts:
    """What is known on the night of a finding."""

    night: Night
    edges: Edges | None
    """Cuts that the profiles were counted on; none where nothing was ever profiled."""
    reference: Mapping[Night, Profile]
    """Ordinary nights before the finding's; rows as delivered, not features that are made from labels."""
    recent: Mapping[Night, Profile]
    """Nights the finding is about: tonight for a one-night alarm, its window for the slow arm."""
    inputs: Reading | None = None
    """Tonight's reading of inputs and predictions."""
    residuals: Reading | None = None
    """Tonight's reading of residuals; none, or ``learning``, where labels cannot say yet."""


@dataclass(frozen=True)
class Diagnosis:
    """The likely cause, the sentence that says why, and what to do."""

    night: Night
    cause: Cause
    reason: str
    """One full sentence with the numbers."""
    action: str
    """What the project does, and what a person should do."""
    asks_for_training: bool = False
    columns: tuple[str, ...] = ()
    """Columns to look at first."""
    evidence: Evidence = field(default_factory=dict)

    def as_json(self) -> dict[str, Json]:
        """Write plain values, for the ledger and for Airflow."""
        plain = asdict(self) | {"columns": list(self.columns)}
        return {key: canonical(value) for key, value in plain.items()}

    @property
    def evidence_hash(self) -> str:
        """Identify what was concluded and why; equal for equal inputs."""
        return fingerprint(self.as_json())


class Triage(BaseModel):
    """Name the cause: a broken feed first, then what labels say, then what inputs say.

    The order is that of how certain and how costly to confuse the causes are (methods S8; the label part
    is the Y given X term of Cai, Namkoong and Yadlowsky 2023). Faults are read from profiles
    (``facts/feed_faults.py``). Without labels a changed relation is never ruled out, and it says so.
    A unit change of a column with fewer than 8 values a night is not seen unless it leaves the range.

    >>> over = Reading("2013-09-05", "residual_drift", "over", "Labels lay 0.12 below predictions.", 2.8, 2.6)
    >>> Triage().diagnose(TriageFacts("2013-09-05", None, {}, {}, residuals=over)).cause
    'concept'
    >>> moved = Reading("2013-09-05", "night_shift", "over", "distance moved.", 6.0, 4.0)
    >>> Triage().diagnose(TriageFacts("2013-09-05", None, {}, {}, inputs=moved)).reason
    'There are no labels yet, so whether the relation moved is not assessable; inputs did: distance moved.'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ignore_columns: tuple[str, ...] = Field(
        (), description="Columns that never count as a broken feed, because they may jump by nature."
    )

    def diagnose(self, facts: TriageFacts) -> Diagnosis:
        """Return the likely cause of tonight's finding; the same facts give the same diagnosis."""
        faults = self._faults(facts)
        if faults:
            return _broken(facts, faults)
        labelled = facts.residuals is not None and facts.residuals.state != "learning"
        if facts.residuals is not None and facts.residuals.state == "over":
            return _concept(facts, facts.residuals)
        if facts.inputs is None or facts.inputs.state != "over":
            return _nothing(facts, labelled=labelled)
        return _inputs_moved(facts, facts.inputs, labelled=labelled)

    def _faults(self, facts: TriageFacts) -> list[Fault]:
        if facts.edges is None or not facts.reference or not facts.recent:
            return []
        # Numpy comes with it, and model.yaml is read where nothing heavy may be.
        from perennial.facts.feed_faults import find_faults

        found = find_faults(facts.edges, facts.reference, facts.recent)
        return [fault for fault in found if fault.column not in self.ignore_columns]


def _broken(facts: TriageFacts, faults: Sequence[Fault]) -> Diagnosis:
    named = [f"{fault.said} (on {fault.nights} of {fault.of_nights} nights)" for fault in faults]
    more = f", and {len(named) - FAULTS_NAMED} more" if len(named) > FAULTS_NAMED else ""
    columns = [name for fault in faults for name in (fault.column, fault.other) if name]
    return Diagnosis(
        facts.night,
        "broken_feed",
        f"The feed looks broken: {'; '.join(named[:FAULTS_NAMED])}{more}.",
        "Nothing is retrained. Ask whoever delivers it, then have those nights delivered and validated again.",
        columns=tuple(dict.fromkeys(columns)),
        evidence={"faults": [asdict(fault) for fault in faults]} | _readings(facts),
    )


def _concept(facts: TriageFacts, residuals: Reading) -> Diagnosis:
    lasts = residuals.evidence.get("crossed_before", 1)
    also = " Inputs moved as well." if facts.inputs is not None and facts.inputs.state == "over" else ""
    return Diagnosis(
        facts.night,
        "concept",
        f"Labels no longer follow from the inputs as they did. {residuals.reason}{also}",
        "A training on recent labels is asked for; the retraining policy decides."
        if lasts
        else "Recorded; a training is asked for when a second night shows it, as one teaches nothing that holds.",
        asks_for_training=bool(lasts),
        columns=_columns(facts.inputs),
        evidence=_readings(facts),
    )


def _inputs_moved(facts: TriageFacts, inputs: Reading, *, labelled: bool) -> Diagnosis:
    if labelled:
        reason = f"Inputs moved and labels still follow from them: {inputs.reason}"
        action = "Recorded; no training is asked for. Watch the columns named."
    else:
        few = "too few labels" if facts.residuals is not None else "no labels"
        reason = (
            f"There are {few} yet, so whether the relation moved is not assessable; inputs did: "
            f"{inputs.reason}"
        )
        action = f"Recorded; no training is asked for, as there are {few} to learn it from."
    cause: Cause = "changed_world" if labelled else "unknown"
    return Diagnosis(facts.night, cause, reason, action, columns=_columns(inputs), evidence=_readings(facts))


def _nothing(facts: TriageFacts, *, labelled: bool) -> Diagnosis:
    if labelled:
        reason = f"Nothing is over its threshold on {facts.night}."
        return Diagnosis(facts.night, "none", reason, "Nothing to do.", evidence=_readings(facts))
    few = "too few labels" if facts.residuals is not None else "no labels"
    return Diagnosis(
        facts.night,
        "unknown",
        f"No input is over its threshold on {facts.night}; there are {few}, so whether the relation moved "
        "is not assessable.",
        "Nothing to do but to bring labels forward.",
        evidence=_readings(facts),
    )


def _columns(reading: Reading | None) -> tuple[str, ...]:
    if reading is None or reading.state != "over":
        return ()
    return tuple(dict.fromkeys(moved.column for moved in reading.columns if moved.column))


def _readings(facts: TriageFacts) -> dict[str, Json]:
    return {
        "inputs": facts.inputs.as_json() if facts.inputs else None,
        "residuals": facts.residuals.as_json() if facts.residuals else None,
        "reference_nights": len(facts.reference),
        "recent_nights": sorted(facts.recent),
    }
