"""Everything a gate may look at when it judges a challenger: sums per night, never rows.

The evaluate stage writes one; gates read it; the ledger keeps it. The sums are additive over
nights, so a later question about other nights or a slice needs no row again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter

from perennial.clock import Night
from perennial.facts.evidence import Json
from perennial.facts.leaks import LeakSign

if TYPE_CHECKING:
    from typing import Any

Change = Literal["first", "refresh", "recipe", "simplify"]
"""How the challenger differs from the champion; it decides which question is asked."""

Task = Literal["binary", "multiclass", "regression"]
"""What is predicted."""

_AS_TEXT = ConfigDict(ser_json_inf_nan="strings", extra="forbid")


@dataclass(frozen=True)
class Residuals:
    """One model's sums for the two calibration questions, over the rows of a night."""

    __pydantic_config__: ClassVar[ConfigDict] = _AS_TEXT

    residual: float
    """Sum of label minus prediction."""

    slope: float
    """Sum of (label minus prediction) times the standardised score (logit, or prediction)."""


@dataclass(frozen=True)
class Tally:
    """Sums over the same rows of one night; without time, of one hashed bucket of entities."""

    __pydantic_config__: ClassVar[ConfigDict] = _AS_TEXT

    night: Night
    """The night whose labels these are (a bucket's name when there is no time)."""

    rows: int
    """Rows scored by every model named here; a row that one of them missed is an error upstream."""

    challenger: float
    """Sum of the challenger's row losses, in the metric's own unit; lower is better."""

    champion: float | None = None
    """The same sum for the champion, on the same rows."""

    anchor: float | None = None
    """The same sum for the best version there ever was."""

    baselines: Mapping[str, float] = field(default_factory=dict)
    """The same sum for each baseline, such as the constant or the last known value."""

    challenger_residuals: Residuals | None = None
    """The challenger's calibration sums."""

    champion_residuals: Residuals | None = None
    """The champion's calibration sums."""


@dataclass(frozen=True)
class Slice:
    """The rows of one declared group, judged apart."""

    __pydantic_config__: ClassVar[ConfigDict] = _AS_TEXT

    name: str
    """How the group is called in ``model.yaml`` and in sentences."""

    tallies: tuple[Tally, ...] = ()
    """The group's sums per night."""

    critical: bool = False
    """Whether harm to this group stops a promotion by itself, and so does not knowing."""

    rarest_class_rows: int | None = None
    """Rows of the rarest class (classification only)."""

    @property
    def rows(self) -> int:
        """Count the rows of the group."""
        return sum(tally.rows for tally in self.tallies)


@dataclass(frozen=True)
class LoadCheck:
    """What happened when the registered bytes were loaded as the server would load them."""

    __pydantic_config__: ClassVar[ConfigDict] = _AS_TEXT

    loads: bool | None = None
    """Whether the artefact could be opened."""

    predictions_finite: bool | None = None
    """Whether every prediction for the probe rows is a finite number."""

    same_behaviour: bool | None = None
    """Whether the predictions for the probe rows hash as they did right after training."""

    same_bytes: bool | None = None
    """Whether the artefact's SHA-256 is the one in the ledger."""

    detail: str = ""
    """What the loader said when something went wrong."""


@dataclass(frozen=True)
class Evaluation:
    """A challenger beside its champion and baselines, on nights neither has been trained on."""

    __pydantic_config__: ClassVar[ConfigDict] = _AS_TEXT

    metric: str
    """The primary metric's name: the key in ``model.yaml``."""

    kind: Change = "recipe"
    """How the challenger differs; the strictest question is asked unless told otherwise."""

    task: Task = "binary"
    """What is predicted."""

    loss: str = ""
    """What the loss of one row is called in sentences, such as ``squared error``."""

    challenger: str = "the challenger"
    """The challenger's version."""

    champion: str | None = None
    """The champion's version; none before the first promotion."""

    champion_trouble: str = ""
    """Why the champion could not score these rows, in its own words; empty where it did."""

    anchor: str | None = None
    """The best version there ever was, when that is not the champion."""

    challenger_cutoff: Night | None = None
    """The last night whose labels trained the challenger."""

    champion_cutoff: Night | None = None
    """The last night whose labels trained the champion."""

    tallies: tuple[Tally, ...] = ()
    """The sums of each night whose labels are mature, in order of nights."""

    slices: tuple[Slice, ...] = ()
    """The declared groups."""

    found: tuple[Slice, ...] = ()
    """Groups that the evaluation found by itself on other nights than those summed here; shown, never blocking."""

    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Displayed only: metric, then model, then score."""

    load_check: LoadCheck | None = None
    """What loading the registered bytes showed."""

    no_time: bool = False
    """Whether rows have no time: tallies are then hashed buckets of entities."""

    training_overlap_rows: int | None = None
    """Holdout rows that trained either model; without time it must be known to be 0."""

    feed_faults: tuple[str, ...] | None = None
    """What looks broken about the rows that judge, beside those that trained; none when nobody has looked."""

    leaks: tuple[LeakSign, ...] | None = None
    """Signs that the challenger's training set knows too much; none when nobody has looked."""

    @property
    def loss_name(self) -> str:
        """Name the loss of one row."""
        return self.loss or self.metric

    @property
    def rows(self) -> int:
        """Count the rows of the holdout."""
        return sum(tally.rows for tally in self.tallies)

    @property
    def holdout_first(self) -> Night | None:
        """Return the first night of the holdout; none when there is no time or no night yet."""
        return None if self.no_time else min((tally.night for tally in self.tallies), default=None)

    @property
    def holdout_last(self) -> Night | None:
        """Return the last night of the holdout; none when there is no time or no night yet."""
        return None if self.no_time else max((tally.night for tally in self.tallies), default=None)

    def as_json(self) -> dict[str, Json]:
        """Write plain values; numbers that are not finite become text, so that it stays JSON.

        >>> Evaluation.from_json(Evaluation("log_loss").as_json()) == Evaluation("log_loss")
        True
        """
        # pydantic names what is not finite only when it writes text.
        written: dict[str, Json] = json.loads(_adapter().dump_json(self))
        return written

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Evaluation:
        """Read what ``as_json`` wrote; a key it did not write is refused."""
        read: Evaluation = _adapter().validate_python(value)
        return read


@cache
def _adapter() -> TypeAdapter[Any]:
    return TypeAdapter(Evaluation)
