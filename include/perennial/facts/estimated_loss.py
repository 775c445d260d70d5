"""Estimated performance: what tonight's loss probably is, before its labels, with what earlier estimates were worth.

Scoring knows tonight's scores and nothing of the labels; under a changed relation every such estimate is wrong.
So each carries its own back-test on this model, and mutes itself where it has been wrong. It never promotes,
never starts a retraining and never rolls back: where it is shown, it may hold what waits for a better night.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from perennial.clock import Night, nights_apart
from perennial.facts.estimate_audit import LEAST, Audit, Promise, Standing
from perennial.facts.evidence import Evidence, Json, canonical, fingerprint

State = Literal["shown", "muted", "not_assessable", "learning"]
"""``learning``: too few estimates of this model have met their labels; ``muted``: those that have were wrong;
``not_assessable``: labels stay away, or tonight has nothing to estimate from; ``shown``: none of these."""

WORTH = 0.8
"""An estimate is shown while its error is at most this share of that of carrying the last loss forward."""


LONGEST_WAIT = 60
"""Windows without labels that are remembered when a walk is laid down: eight make estimates not assessable."""


@dataclass(frozen=True)
class Window:
    """A night, or several in one, that one model version scored."""

    night: Night
    """The last of its nights: the estimate was made on it."""

    rows: int
    """Scored rows."""

    expected: Mapping[str, float]
    """What each calibration expected the mean loss to be, as it was computed on that night."""

    realised: float | None = None
    """Mean loss by the labels; none before they arrive."""

    matured: Night | None = None
    """The night on which the labels were known."""

    def __post_init__(self) -> None:
        """Refuse a loss that nobody can have known, or one before its night."""
        if (self.realised is None) != (self.matured is None):
            raise ValueError(f"window {self.night}: a realised loss and the night it was known go together")
        if self.matured is not None and self.matured < self.night:
            raise ValueError(f"window {self.night} has its labels before its scores, on {self.matured}")


@dataclass(frozen=True)
class Estimated:
    """The estimated loss of one window, never without what it is worth."""

    night: Night
    value: float | None
    """Mean loss per row, in the metric's unit; lower is better. None where nothing can be computed."""
    low: float | None
    """The 90 % interval; none before the first estimate has met its labels."""
    high: float | None
    state: State
    reason: str
    """One full sentence with the numbers."""
    evidence: Evidence = field(default_factory=dict)

    def exceeds(self, limit: float) -> bool:
        """Say whether this may hold something: only where it is shown and the whole interval is beyond."""
        return self.state == "shown" and self.low is not None and self.low > limit

    def as_json(self) -> dict[str, Json]:
        """Write plain values, for the ledger and for pages."""
        plain: dict[str, Json] = {
            "night": self.night,
            "value": self.value,
            "low": self.low,
            "high": self.high,
        }
        plain |= {"state": self.state, "reason": self.reason, "evidence": self.evidence}
        return {key: canonical(value) for key, value in plain.items()}

    @property
    def evidence_hash(self) -> str:
        """Identify what was estimated; equal for equal inputs."""
        return fingerprint(self.as_json())


def estimate(history: Sequence[Window], tonight: Window) -> Estimated:
    """Estimate tonight's loss from its scores and from what became of earlier estimates of the same version.

    CBPE (NannyML) and direct loss estimation give the ``expected`` numbers; here they are mixed with what the
    last losses were, each by its discounted error so far, and given an adaptive conformal interval (Gibbs and
    Candes 2021). Labels that tonight could not know are not looked at. A window without one of tonight's
    calibrations gives its realised loss only.

    >>> past = [Window(f"2013-01-{d:02}", 900, {"raw": 0.5}, 0.5, f"2013-01-{d + 1:02}") for d in range(1, 5)]
    >>> estimate(past, Window("2013-01-05", 900, {"raw": 0.5})).state
    'learning'
    """
    earlier = sorted((one for one in history if one.night < tonight.night), key=lambda one: one.night)
    return estimates((*earlier, tonight))[-1]


def estimates(windows: Sequence[Window]) -> tuple[Estimated, ...]:
    """Return what would have been said on the night of each window, oldest first: the back-test itself.

    The calibrations are those of the last window.
    """
    walk = Walk.of(windows[-1].expected) if windows else Walk.of(())
    return tuple(walk.say(window) for window in windows)


@dataclass
class Walk:
    """The audit night by night: what it said so far, and what it waits for.

    It can be laid down and taken up again, so that a night costs what the night brings.
    """

    audit: Audit
    waiting: list[tuple[Window, Promise | None]] = field(default_factory=list)
    """Windows that have not met their labels; those that have are in the audit."""
    longest: int = -1
    """Nights that labels took at most; -1 before any came."""
    youngest: Night = ""
    """The last window that met its labels."""

    @classmethod
    def of(cls, names: Iterable[str]) -> Walk:
        """Begin with calibrations of these names."""
        return cls(Audit(tuple(sorted(names))))

    def say(self, window: Window) -> Estimated:
        """Estimate the next window from what was known on its night, and keep what was said for its labels."""
        self.take_labels(window.night)
        expected = [window.expected.get(name, math.nan) for name in self.audit.names]
        sound = window.rows > 0 and bool(expected) and all(map(math.isfinite, expected))
        promised = self.audit.promise(expected) if sound else None
        overdue = self.overdue(window.night)
        self.waiting.append((window, promised))
        return _said(window, self.audit.standing(promised), sound=sound, overdue=overdue)

    def take_labels(self, night: Night) -> None:
        """Judge what met its labels by this night, in the order in which they came."""
        due = [pair for pair in self.waiting if _is_known(pair[0], night)]
        self.waiting = [pair for pair in self.waiting if not _is_known(pair[0], night)]
        for window, promised in sorted(due, key=lambda pair: (pair[0].matured or "", pair[0].night)):
            self.audit.judge(window.night, promised, math.nan if window.realised is None else window.realised)
            self.longest = max(self.longest, nights_apart(window.night, window.matured or night))
            self.youngest = max(self.youngest, window.night)

    def overdue(self, night: Night) -> int:
        """Count windows since the last labels whose own have stayed away longer than any that came."""
        since = [one for one, _ in self.waiting if one.rows > 0 and one.night > self.youngest]
        late = [one for one in since if nights_apart(one.night, night) > self.longest]
        return len(late) if self.youngest else 0

    def as_json(self) -> dict[str, Json]:
        """Lay it down: plain values, every number to its last digit."""
        waiting: list[Json] = [
            {**asdict(window), "promised": promised.as_json() if promised else None}
            for window, promised in self.waiting[-LONGEST_WAIT:]
        ]
        plain: dict[str, Json] = {"longest": self.longest, "youngest": self.youngest, "waiting": waiting}
        return {"audit": self.audit.as_json(), **plain}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Walk:
        """Take it up again."""
        waiting: list[tuple[Window, Promise | None]] = []
        for one in kept["waiting"]:
            promised = one.pop("promised")
            waiting.append((Window(**one), Promise.from_json(promised) if promised else None))
        return cls(Audit.from_json(kept["audit"]), waiting, kept["longest"], kept["youngest"])


def _is_known(window: Window, night: Night) -> bool:
    told = window.realised is not None and math.isfinite(window.realised)
    return told and window.matured is not None and window.matured <= night and window.night < night


def _said(window: Window, found: Standing, *, sound: bool, overdue: int) -> Estimated:
    state = _state(found, sound=sound, overdue=overdue)
    evidence: dict[str, Json] = {
        "rows": window.rows,
        "expected": dict(window.expected),
        "audited_windows": found.audited,
        "error_over_carried": found.ratio,
        "covered_share": found.covered,
        "contradicted_by": found.contradicted,
        "matured_since": found.since,
        "mean_miss": found.bias,
        "last_realised": found.last,
        "overdue_windows": overdue,
        "weights": dict(found.weights),
        "threshold": WORTH,
    }
    reason = _reason(window, found, state, overdue)
    return Estimated(window.night, found.value, found.low, found.high, state, reason, evidence)


def _state(found: Standing, *, sound: bool, overdue: int) -> State:
    if not sound or overdue >= LEAST:
        return "not_assessable"
    if found.audited < LEAST or found.value is None:
        return "learning"
    return "muted" if _is_contradicted(found) or found.ratio > WORTH else "shown"


def _is_contradicted(found: Standing) -> bool:
    return found.contradicted is not None and found.since < LEAST


def _reason(window: Window, found: Standing, state: State, overdue: int) -> str:
    """Say it in a sentence, with what to look at instead where nothing is shown."""
    instead = "" if found.last is None else f"; the last realised loss is {found.last:.3g}"
    if state == "not_assessable" and overdue >= LEAST:
        return (
            f"The loss cannot be estimated: the labels of {overdue} windows are overdue, so whether the relation "
            f"has changed is not assessable{instead}."
        )
    if state == "not_assessable":
        return (
            f"The loss cannot be estimated: {window.rows} rows, and not each with an expected loss{instead}."
        )
    if state == "learning":
        left = LEAST - found.audited
        return f"Estimates of this model are not judged yet: {left} more must meet their labels{instead}."
    return _muted(found, instead) if state == "muted" else _shown(found)


def _muted(found: Standing, instead: str) -> str:
    if _is_contradicted(found):
        way = "below" if found.bias > 0 else "above"
        return (
            f"The estimated loss is muted: by {found.contradicted} labels had contradicted it, the last "
            f"{LEAST} estimates lay {abs(found.bias):.3g} {way} what came, and {LEAST - found.since} more "
            f"windows must mature without that{instead}."
        )
    return (
        f"The estimated loss is muted: over {found.audited} matured windows it erred {found.ratio:.2f} times as "
        f"much as carrying the last realised loss forward, and {WORTH} is allowed{instead}."
    )


def _shown(found: Standing) -> str:
    return (
        f"Estimated loss {found.value:.3g}, with 90 % confidence {found.low:.3g} to {found.high:.3g}: over "
        f"{found.audited} matured windows such estimates erred {found.ratio:.2f} times as much as carrying the "
        f"last realised loss forward, and {found.covered:.0%} of their intervals held; if the relation has "
        "changed since, it is wrong."
    )
