"""What the loss since the last settled labels is estimated to be: several nights' estimates in one sentence.

Each night was estimated on its own night and is judged when its labels come (``facts/estimated_loss.py``); here the
nights that still wait are put together, for the monitor, the pages and ``perennial performance``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

from perennial.clock import Night
from perennial.facts.estimated_loss import Estimated, State
from perennial.facts.evidence import Evidence, Json, canonical, fingerprint


@dataclass(frozen=True)
class EstimatedPerformance:
    """The estimated mean loss of the nights whose labels are awaited, with what such estimates were worth."""

    night: Night
    """The night on which it is said."""
    version: str | None
    """The version that scored the nights; none where none serves."""
    first: Night | None
    """The first night it is about."""
    last: Night | None
    nights: int
    rows: int
    """Scored rows of these nights."""
    value: float | None
    """Mean loss per row, in the metric's unit; lower is better. None where nothing can be computed."""
    low: float | None
    """The 90 % interval."""
    high: float | None
    state: State
    """``shown``, ``muted``, ``learning`` or ``not_assessable``, as of the newest of the nights."""
    reason: str
    """One full sentence with the numbers."""
    evidence: Evidence = field(default_factory=dict)

    def as_json(self) -> dict[str, Json]:
        """Write plain values, for the ledger and for pages."""
        return {key: canonical(value) for key, value in asdict(self).items()}

    @property
    def evidence_hash(self) -> str:
        """Identify what was estimated; equal for equal inputs."""
        return fingerprint(self.as_json())


def nothing_estimated(night: Night, version: str | None, reason: str) -> EstimatedPerformance:
    """Say why the loss is not assessable."""
    return EstimatedPerformance(night, version, None, None, 0, 0, None, None, None, "not_assessable", reason)


def estimated_since(
    night: Night, version: str, waiting: Sequence[tuple[int, Estimated]]
) -> EstimatedPerformance:
    """Put together the nights that wait for their labels, each with its scored rows, oldest first.

    The ends of the interval are the means of the nights' own, as if all erred in the same way: right where
    a change lasts, too wide where nights err by chance.
    """
    scored = [(rows, one) for rows, one in waiting if rows]
    if not scored:
        return nothing_estimated(
            night,
            version,
            f"Nothing is left to estimate: version {version} has scored no rows whose labels are still awaited.",
        )
    newest = scored[-1][1]
    found = EstimatedPerformance(
        night,
        version,
        first=scored[0][1].night,
        last=newest.night,
        nights=len(scored),
        rows=sum(rows for rows, _ in scored),
        **_ends(scored),
        state=newest.state,
        reason=newest.reason,
        evidence=dict(newest.evidence),
    )
    return replace(found, reason=_shown(found)) if newest.state == "shown" else found


def _ends(scored: Sequence[tuple[int, Estimated]]) -> dict[str, float | None]:
    names = ("value", "low", "high")
    if scored[-1][1].state == "not_assessable":
        return dict.fromkeys(names)
    return {name: _mean([(rows, getattr(one, name)) for rows, one in scored]) for name in names}


def _mean(numbers: Sequence[tuple[int, float | None]]) -> float | None:
    known = [(rows, number) for rows, number in numbers if number is not None]
    if not known:
        return None
    return sum(rows * number for rows, number in known) / sum(rows for rows, _ in known)


def _shown(found: EstimatedPerformance) -> str:
    span = f"On {found.first}" if found.nights == 1 else f"From {found.first} to {found.last}"
    told = found.evidence
    return (
        f"{span} ({found.rows} rows without labels) the loss is estimated at {found.value:.3g}, with 90 % "
        f"confidence {found.low:.3g} to {found.high:.3g}: over {told['audited_windows']} matured nights such "
        f"estimates erred {told['error_over_carried']:.2f} times as much as carrying the last realised loss "
        f"forward, and {told['covered_share']:.0%} of their intervals held; if the relation has changed since, "
        "it is wrong."
    )
