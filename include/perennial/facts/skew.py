"""Did the model see in production what training would see for the same rows, and does it still say what it said?

``stages/skew.py`` puts both sides together; here they are compared, and what differs is put into words.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from perennial.clock import Night
from perennial.facts.evidence import Json, canonical, fingerprint

TOLERANCE = 1e-9
"""Two numbers are equal up to this share of the larger, or up to this, whichever is more."""
EXAMPLES = 3
"""Rows that are named for each thing that differs."""

SkewVerdict = Literal["match", "differs", "not assessable"]
Cause = Literal["corrected", "late", "definition", "not_repeatable", "outside", "unknown"]
EXPLAINED: frozenset[Cause] = frozenset({"corrected", "late", "definition"})
"""Causes that need nobody's help: the data are other data now, or the definition another one."""


@dataclass(frozen=True)
class Example:
    """One row that differs: its key, and both values as text."""

    key: str
    served: str
    now: str


@dataclass(frozen=True)
class Difference:
    """How one column differs between two tables of the same rows."""

    column: str
    rows: int
    """Rows whose values differ."""
    largest: float | None
    """Greatest difference of two numbers; none where only texts or missing values differ."""
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class FeatureSkew:
    """A feature that was served otherwise than training would assemble it, and why that is likely so."""

    difference: Difference
    cause: Cause
    why: str

    @property
    def explained(self) -> bool:
        """Whether the cause is other data or another definition, and not a fault."""
        return self.cause in EXPLAINED


@dataclass(frozen=True)
class Skew:
    """What comparing a night's serving with training came to."""

    night: Night
    """The night whose scoring was looked at."""
    version: str
    verdict: SkewVerdict
    reason: str
    """The sentence that page, log and ledger show."""
    of_rows: int = 0
    """Rows the night was scored for."""
    rows: int = 0
    """Rows of them that were compared."""
    features: tuple[FeatureSkew, ...] = ()
    predictions: Difference | None = None
    """How the stored predictions differ from what the stored version says now of the stored features."""
    not_compared: str = ""
    """What could not be compared, and why; empty where all was."""

    @property
    def outcome(self) -> Literal["quiet", "notice", "finding"]:
        """Return what follows: a difference that other data explain is noted, any other is a finding."""
        if self.verdict != "differs":
            return "quiet"
        unexplained = any(not one.explained for one in self.features)
        return "finding" if unexplained or self.predictions is not None else "notice"

    def as_json(self) -> dict[str, Json]:
        """Write plain values, with what follows and a hash of what was found."""
        plain: dict[str, Any] = asdict(self)
        told: dict[str, Json] = {key: canonical(value) for key, value in plain.items()}
        return {**told, "outcome": self.outcome, "evidence_hash": fingerprint(told)}


def differences(
    served: Mapping[str, Sequence[Any]], now: Mapping[str, Sequence[Any]], keys: Sequence[str]
) -> list[Difference]:
    """Compare the columns that both tables have, row by row; the largest difference first.

    Missing equals missing; numbers are equal up to ``TOLERANCE``, anything else exactly.

    >>> differences({"a": [1.0, None]}, {"a": [1.5, None]}, ["x", "y"])
    [Difference(column='a', rows=1, largest=0.5, examples=(Example(key='x', served='1.0', now='1.5'),))]
    """
    found = [_difference(name, served[name], now[name], keys) for name in served if name in now]
    return sorted((one for one in found if one), key=lambda one: (-one.rows, one.column))


def _difference(
    name: str, served: Sequence[Any], now: Sequence[Any], keys: Sequence[str]
) -> Difference | None:
    places = [place for place, pair in enumerate(zip(served, now, strict=True)) if not _same(*pair)]
    if not places:
        return None
    distances = [abs(served[at] - now[at]) for at in places if _is_number(served[at]) and _is_number(now[at])]
    shown = sorted(places, key=lambda at: -_size(served[at], now[at]))[:EXAMPLES]
    examples = tuple(Example(str(keys[at]), str(served[at]), str(now[at])) for at in shown)
    return Difference(name, len(places), float(max(distances)) if distances else None, examples)


def _same(one: Any, other: Any) -> bool:
    if _is_missing(one) or _is_missing(other):
        return _is_missing(one) and _is_missing(other)
    if _is_number(one) and _is_number(other):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(one == other)


def _is_missing(value: Any) -> bool:
    return value is None or value != value  # noqa: PLR0124 - what is not a number is not equal to itself


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not _is_missing(value)


def _size(one: Any, other: Any) -> float:
    """Rank a difference for showing: of numbers their distance, anything else before it."""
    return abs(one - other) if _is_number(one) and _is_number(other) else float("inf")


def told(difference: Difference, of: int) -> str:
    """Say how a column differs, with an example."""
    first = difference.examples[0]
    by = f", by up to {difference.largest:.4g}" if difference.largest is not None else ""
    return (
        f"{difference.column} in {difference.rows} of {of} rows{by} "
        f"({first.key}: {first.served} served, {first.now} now)"
    )
