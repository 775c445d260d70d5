"""What is watched, who is told and where predictions go: monitoring, alerts, sink and privacy of a model."""

from __future__ import annotations

from typing import get_args

from pydantic import Field, field_validator

from perennial.detectors.night_shift import NightShift
from perennial.detectors.residual_drift import ResidualDrift
from perennial.detectors.residual_shape import ResidualShape
from perennial.facts.alert import Told
from perennial.policies.paging import PageBudget
from perennial.policies.severity import Tolerance
from perennial.spec.strict import Strict


class MonitoringSpec(Strict):
    """What is watched, and how often it may be wrong."""

    budget: PageBudget = PageBudget()
    """False pages that are acceptable."""
    night_shift: NightShift = NightShift()
    """The nightly watch over inputs and predictions."""
    residual_drift: ResidualDrift = ResidualDrift()
    """The slow watch over what was predicted and what came true."""
    residual_shape: ResidualShape = ResidualShape()
    """The watch over what came true for low and high predictions, night by night; for yes-or-no labels."""
    holidays: str | None = None
    """Country whose public holidays are no ordinary nights, for example `US`."""
    columns: tuple[str, ...] | None = None
    """Input columns to watch; by default every feature that is a column of the scored rows."""
    pairs: tuple[tuple[str, str], ...] = ()
    """Pairs of watched columns whose going together is watched as well: `[[distance, air_time]]`."""
    features: dict[str, Tolerance] = Field(default_factory=dict)
    """Moves of an input column that page nobody, by its name: `{distance: {worse_when: up, tolerated: 50}}`."""

    @field_validator("pairs")
    @classmethod
    def _pairs_are_of_two_columns(cls, pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        for pair in pairs:
            if len({*pair}) < len(pair):
                raise ValueError(f"a pair has two columns, and here both are {pair[0]}")
        if len({frozenset(pair) for pair in pairs}) < len(pairs):
            raise ValueError("a pair is declared twice")
        return pairs

    def watched(self, features: tuple[str, ...]) -> tuple[str, ...]:
        """Return the columns to watch, given those that the model sees."""
        return self.columns or features


class AlertSpec(Strict):
    """One channel and what it is told."""

    connection: str
    """Airflow connection whose extra or URI holds the Apprise address."""
    events: tuple[Told, ...] = get_args(Told)
    """Events that are told."""


class SinkSpec(Strict):
    """Where predictions are delivered, beside the store."""

    uri: str | None = Field(None, min_length=1)
    """File pattern with `{night}` (CSV or Parquet), or a database URL; needed where no `connection` is given."""
    table: str | None = None
    """Table, needed for a database; rows are upserted by key."""
    connection: str | None = None
    """Id of an Airflow connection to a database, with its password, in place of `uri`."""


class PrivacySpec(Strict):
    """Columns about persons, and how long they are kept."""

    pii: tuple[str, ...] = ()
    """Columns that may identify a person: never shown in samples, logs or alerts."""
    retention_days: int | None = Field(None, ge=1)
    """How long published rows are kept; by default for ever."""
