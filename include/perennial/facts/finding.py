"""One underlying problem over its nights: opened, going on, recovered. What is told is a finding, not a night.

The monitor turns each night's arms into signs; signs of a window of nights are followed in the order of the
nights, whenever they were judged, so that a night run again, late or in bulk gives the same findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from perennial.clock import Night
from perennial.facts.evidence import Json, canonical, fingerprint

Outcome = Literal["learning", "quiet", "notice", "page", "silent"]
"""How an arm ended a night; ``learning`` says nothing, the last three are loud."""
Life = Literal["opened", "goes_on", "graver", "waits", "recovered"]
"""Where a finding stands on a night; ``waits``: open, nothing seen tonight, not quiet for long enough."""

GRAVITY: tuple[Outcome, ...] = ("notice", "page", "silent")
RECOVERED_AFTER = 7
"""Quiet nights in a row, of the arms that saw it, after which a finding is over: a week, so that each weekday has
been seen. ``benchmarks/findings.py``: with fewer one change is told several times, with more its end is told late."""
RELATION_AFTER = 14
"""The same for what labels say: the slow arm looks at 14 nights together, and hovers about its threshold for longer."""
DELIVERED_AFTER = 1
"""A missing delivery is over with the first night that is whole."""
ALIKE_AFTER = 1
"""Skew is over with the first night that was looked at and is alike."""

DELIVERY, INPUTS, RELATION, SKEW = "delivery", "inputs", "relation", "skew"
PROBLEM_OF_CAUSE: Mapping[str, str] = {"broken_feed": "feed", "model": "model", "labels": "labels"}
PROBLEM_OF_ARM: Mapping[str, str] = {
    "delivery": DELIVERY,
    "night_shift": INPUTS,
    "residual_drift": RELATION,
    "residual_shape": RELATION,
    "labels": "labels",
    SKEW: SKEW,
}


@dataclass(frozen=True)
class Sign:
    """What one arm said of a night, as later nights need it."""

    arm: str
    outcome: Outcome
    cause: str | None = None
    """Likely cause, as triage found it; none where nothing was over a threshold."""
    version: str | None = None
    """Version it speaks of; none where it speaks of deliveries or inputs, which outlive versions."""
    columns: tuple[str, ...] = ()
    """Columns that moved most."""
    done: str | None = None
    """What the project did about it that night; none where nothing."""

    @property
    def loud(self) -> bool:
        """Whether something was found."""
        return self.outcome in GRAVITY

    @property
    def problem(self) -> str:
        """Name the underlying problem: what the cause tells, else what the arm looks at.

        >>> Sign("residual_drift", "page", "broken_feed").problem, Sign("residual_drift", "page", "concept").problem
        ('feed', 'relation')
        """
        return PROBLEM_OF_CAUSE.get(self.cause or "") or PROBLEM_OF_ARM.get(self.arm, self.arm)

    def as_json(self) -> dict[str, Json]:
        """Write plain values, without what is empty."""
        return {name: canonical(value) for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Sign:
        """Read what ``as_json`` wrote."""
        return cls(**{**kept, "columns": tuple(kept.get("columns", ()))})


@dataclass(frozen=True)
class Finding:
    """A problem and its nights."""

    id: str
    """Identity that stays while it lasts: the model, the problem and its first night."""
    problem: str
    """``delivery``, ``feed``, ``inputs``, ``relation``, ``labels``, ``model``, ``skew``, or the arm that alone looks at it."""
    first_night: Night
    last_night: Night
    """Last night that showed it."""
    nights: int
    """Nights that showed it."""
    gravest: Outcome
    """Its gravest night: ``notice`` was recorded only, ``page`` and ``silent`` are told."""
    grave_since: Night
    """First night that was so grave."""
    arms: tuple[str, ...]
    causes: tuple[str, ...]
    """Causes that triage named, in order."""
    columns: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    """What the project did, each with its night."""
    version: str | None = None
    """Version it is about, where it is about one."""
    quiet_nights: int = 0
    """Quiet nights since it was last seen."""
    ended: Night | None = None
    """Night on which it was over; none while it is open."""
    how: str = ""
    """How it ended, in words."""

    @property
    def told(self) -> bool:
        """Whether people are told of it, or it is only recorded."""
        return self.gravest in ("page", "silent")

    def life(self, night: Night) -> Life:
        """Say where it stands on a night, given that it was followed up to it."""
        if self.ended == night:
            return "recovered"
        if self.first_night == night:
            return "opened"
        if self.last_night != night:
            return "waits"
        return "graver" if self.grave_since == night else "goes_on"

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        return {name: canonical(value) for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Finding:
        """Read what ``as_json`` wrote, whatever else a verdict says of it."""
        lists = {name: tuple(kept[name]) for name in ("arms", "causes", "columns", "done")}
        own = {each.name: kept[each.name] for each in fields(cls)}
        return cls(**{**own, **lists})


@dataclass(frozen=True)
class Followed:
    """The findings of one model as they stand after a night; those that are over stay for the night of their end."""

    model: str
    findings: tuple[Finding, ...] = field(default=())

    def after(self, night: Night, signs: Sequence[Sign]) -> Followed:
        """Go on by one night.

        >>> loud, quiet = Sign("night_shift", "page", "changed_world"), Sign("night_shift", "quiet")
        >>> seen = Followed("delay").after("2013-05-12", [loud]).after("2013-05-13", [loud])
        >>> [(one.first_night, one.nights, one.life("2013-05-13")) for one in seen.findings]
        [('2013-05-12', 2, 'goes_on')]
        >>> for day in range(14, 21):
        ...     seen = seen.after(f"2013-05-{day}", [quiet])
        >>> seen.findings[0].life("2013-05-20"), seen.after("2013-05-21", [quiet]).findings
        ('recovered', ())
        """
        loud: dict[str, list[Sign]] = {}
        for sign in signs:
            if sign.loud:
                loud.setdefault(sign.problem, []).append(sign)
        before = [one for one in self.findings if one.ended is None]
        stand = [_followed(one, night, loud.get(one.problem, []), signs) for one in before]
        open_still = {one.problem for one in stand if one.ended is None}
        new = [
            _opened(self.model, problem, night, seen)
            for problem, seen in sorted(loud.items())
            if problem not in open_still
        ]
        return replace(self, findings=(*stand, *new))

    def through(self, nights: Iterable[tuple[Night, Sequence[Sign]]]) -> Followed:
        """Go on by several nights, whatever the order they are given in."""
        found = self
        for night, signs in sorted(nights, key=lambda one: one[0]):
            found = found.after(night, signs)
        return found


def _opened(model: str, problem: str, night: Night, seen: Sequence[Sign]) -> Finding:
    identity = fingerprint({"model": model, "problem": problem, "first_night": night})[:16]
    blank = Finding(identity, problem, night, night, 0, "notice", night, (), ())
    return _seen(blank, night, seen)


def _seen(one: Finding, night: Night, seen: Sequence[Sign]) -> Finding:
    """Add a night that shows it."""
    worst = max((sign.outcome for sign in seen), key=GRAVITY.index)
    graver = GRAVITY.index(worst) > GRAVITY.index(one.gravest)
    return replace(
        one,
        last_night=night,
        nights=one.nights + 1,
        gravest=worst if graver else one.gravest,
        grave_since=night if graver else one.grave_since,
        arms=_more(one.arms, (sign.arm for sign in seen)),
        causes=_more(one.causes, (sign.cause for sign in seen)),
        columns=_more(one.columns, (column for sign in seen for column in sign.columns)),
        done=_more(one.done, (f"{night}: {sign.done}" for sign in seen if sign.done)),
        version=next((sign.version for sign in seen if sign.version), one.version),
        quiet_nights=0,
    )


def _more(before: tuple[str, ...], now: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*before, *(one for one in now if one)]))


def _followed(one: Finding, night: Night, seen: Sequence[Sign], signs: Sequence[Sign]) -> Finding:
    """Let a finding see one more night: shown again, answered by another version, quiet, or nothing that tells."""
    own = [sign for sign in signs if sign.arm in one.arms and sign.outcome != "learning"]
    versions = {sign.version for sign in signs if sign.arm in one.arms and sign.version}
    if one.version and versions and one.version not in versions:
        return replace(one, ended=night, how=f"version {min(versions)} serves now")
    if seen:
        return _seen(one, night, seen)
    if not own or any(sign.loud for sign in own):
        return one
    quiet = one.quiet_nights + 1
    needed = {DELIVERY: DELIVERED_AFTER, RELATION: RELATION_AFTER, SKEW: ALIKE_AFTER}.get(
        one.problem, RECOVERED_AFTER
    )
    if quiet < needed:
        return replace(one, quiet_nights=quiet)
    how = "deliveries came again" if one.problem == DELIVERY else f"{quiet} quiet nights in a row"
    return replace(one, quiet_nights=quiet, ended=night, how=how)
