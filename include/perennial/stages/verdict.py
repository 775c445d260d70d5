"""What a night came to: each arm's outcome, the gravest of them, and the verdict as it is published and recorded.

Written by the monitor at the end of its work; status, pages and later nights read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from perennial.clock import Night
from perennial.facts.decision import Decision
from perennial.facts.evidence import Json
from perennial.facts.finding import Sign
from perennial.facts.reading import Reading
from perennial.ledger.base import NewEntry
from perennial.policies.paging import Crossing
from perennial.stages import datasets
from perennial.stages.crossings import revise_crossings
from perennial.stages.recording import record_again
from perennial.workspace import Workspace

State = Literal["learning", "quiet", "notice", "page", "silent", "skipped"]
"""What a night came to; the gravest of its arms counts."""
GRAVITY: tuple[State, ...] = ("learning", "quiet", "notice", "page", "silent")


@dataclass(frozen=True)
class Arm:
    """One detector's reading tonight and what the page budget made of it."""

    name: str
    outcome: State
    reading: Reading
    decision: Decision
    crossing: Crossing | None


@dataclass(frozen=True)
class Watched:
    """What monitoring concluded about a night."""

    night: Night
    state: State
    reason: str
    """The sentence that page, log, ledger and alert show."""
    cause: str | None
    """Likely cause of a finding, as triage found it."""
    action: str | None
    """What the project does about it, and what a person should do."""
    asks: str | None
    """Who asks for a new model: ``drift``, ``age`` or nobody."""
    finding: str | None
    """Identity of the finding that the night belongs to, the same on all its nights; none on a night that was well."""
    arms: Mapping[str, Mapping[str, Json]]
    findings: Sequence[Mapping[str, Json]] = ()
    """What is open after this night, and what is over with it (``facts/finding.py``)."""
    guards: Sequence[str] = ()
    """What stood guard without any reference, on a first night too (``stages/explained.py``)."""
    nights_needed: int | None = None
    """Nights until inputs can be judged by their past, if each comes; none where they can be."""
    triage: Mapping[str, Json] = field(default_factory=dict)
    """Cause, confidence and the tests behind it, where something is over its threshold (``policies/triage.py``)."""
    performance: Mapping[str, Json] = field(default_factory=dict)
    """What the serving version lost by its labels, and probably loses since (``facts/performance.py``)."""

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        return asdict(self)


def publish_verdict(
    workspace: Workspace, model: str, watched: Watched, arms: Sequence[Arm], signs: Sequence[Sign]
) -> None:
    """Publish a night's verdict and record it; the same night again says the same."""
    import pyarrow as pa

    from perennial.facts.evidence import as_text

    crossings: dict[str, Json] = {arm.name: vars(arm.crossing) for arm in arms if arm.crossing}
    table = pa.table({"verdict": [as_text(watched.as_json())]})
    revise_crossings(workspace, model, watched.night, crossings)
    meta: dict[str, Json] = {
        "state": watched.state,
        "crossings": crossings,
        "signs": [sign.as_json() for sign in signs],
        "findings": watched.findings,
    }
    workspace.store.publish(datasets.verdicts(model), watched.night, table, meta=meta)
    _record(workspace, model, watched)


def _record(workspace: Workspace, model: str, watched: Watched) -> None:
    record_again(
        workspace,
        NewEntry(
            model=model,
            kind="finding" if watched.state in ("page", "silent") else "watched",
            key=watched.night,
            night=watched.night,
            actor="monitor",
            reason=watched.reason,
            evidence={
                "state": watched.state,
                "cause": watched.cause,
                "finding": watched.finding,
                "arms": watched.arms,
                "triage": watched.triage,
            },
        ),
        among=("finding", "watched"),
        to_do=watched.action,
    )
