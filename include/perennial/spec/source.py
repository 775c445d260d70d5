"""Where a model's rows come from and what makes them acceptable: the ``sources`` and ``label`` of a model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from perennial.clock import Night, night
from perennial.errors import NotANightError
from perennial.spec.cleaning import CleaningStep
from perennial.spec.named import named_check
from perennial.spec.strict import Strict

ColumnType = Literal["text", "integer", "number", "boolean", "date", "timestamp"]

TIMES = ("timestamp", "date")
"""Types that say when."""


class Available(Strict):
    """The range of nights a source exists for: outside it nothing is scheduled and silence is no finding."""

    first: Night
    """First night, included."""
    end: Night
    """First night that is no longer available."""

    @model_validator(mode="after")
    def _forwards(self) -> Available:
        if self.first >= self.end:
            message = f"the range ends ({self.end}) before it begins ({self.first}); its end is not included"
            raise ValueError(message)
        return self

    def holds(self, key: Night) -> bool:
        """Tell whether the source exists on that night."""
        return self.first <= key < self.end


def _range(value: object) -> object:
    if not isinstance(value, str):
        return value
    first, slash, end = value.partition("/")
    if not slash:
        message = "write the first night and the night after the last, as 2013-01-01/2014-01-01"
        raise ValueError(message)
    try:
        return {"first": night(first), "end": night(end)}
    except NotANightError as error:
        raise ValueError(str(error)) from error


_WRITTEN_RANGE = {
    "anyOf": [{"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}/\d{4}-\d{2}-\d{2}$"}, {"type": "null"}]
}


class SourceSpec(Strict):
    """One delivery of rows: a file a night, one growing file or table, or a static table."""

    uri: str | None = Field(None, min_length=1)
    """File (`data/flights/{night}.csv`), folder pattern or database URL, needed where no `connection` is given.
    Relative paths start at the project."""
    format: Literal["csv", "parquet", "jsonl"] | None = None
    """File format; by default told by the file's extension."""
    delimiter: Literal[",", ";", "\t", "|"] = ","
    """What stands between the values of a CSV file: a comma, `";"`, `"\\t"` (tab) or `"|"`."""
    table: str | None = None
    """Table to read when `uri` or `connection` names a database."""
    connection: str | None = None
    """Id of an Airflow connection to the database, with its password, in place of `uri`; needs `table`."""
    static: bool = False
    """True for a table without nights (a dimension): read anew each night, published when it changed."""
    key: tuple[str, ...] = ()
    """Columns that together name a row; the same key twice is a duplicate."""
    event_time: str | None = None
    """Column that says when the row happens in the world."""
    event_time_format: str | None = None
    """How the text of `event_time` is written where it is delivered, in strptime's letters; by default ISO 8601."""
    known_at: str | None = None
    """Column that says when the row became known; by default the end of the night that delivered it."""
    lead_days: int = Field(0, ge=0, le=366)
    """How many days after its night a row happens: 1 for tomorrow's schedule."""
    columns: dict[str, ColumnType] = Field(min_length=1)
    """Columns and their types; others are reported once and left out."""
    optional: tuple[str, ...] = ()
    """Columns that a delivery may lack."""
    clean: tuple[CleaningStep, ...] = ()
    """Cleaning, in order; every change is counted and the original value kept."""
    checks: tuple[Annotated[object, BeforeValidator(named_check)], ...] = ()
    """What must be true of the rows, each `{name: {parameters}}`; see the catalogue of checks."""
    max_quarantine_share: float = Field(0.2, ge=0, le=1)
    """Above this share of quarantined rows the whole batch is held back."""
    min_rows: int = Field(1, ge=0)
    """Fewer rows than this is not a delivery."""
    arrival_delay_hours: float = Field(6.0, ge=0)
    """How long after the end of the night the delivery may take before its absence is a finding."""
    available: Annotated[Available | None, BeforeValidator(_range), WithJsonSchema(_WRITTEN_RANGE)] = None
    """Range of nights the source exists for, as `2013-01-01/2014-01-01`; by default always."""

    @model_validator(mode="after")
    def _named_columns_exist(self) -> SourceSpec:
        for name in (*self.key, self.event_time, self.known_at, *self.optional):
            if name is not None and name not in self.columns:
                message = f"column {name!r} is not listed under columns ({', '.join(self.columns)})"
                raise ValueError(message)
        for name in (self.event_time, self.known_at):
            if name is not None and self.columns[name] not in TIMES:
                message = f"column {name!r} says when, so its type is {' or '.join(TIMES)}"
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _delimiter_is_for_csv(self) -> SourceSpec:
        if self.delimiter != "," and self.format not in ("csv", None):
            message = f"delimiter is for CSV files, and format is {self.format}; take one of the two out"
            raise ValueError(message)
        return self

    @property
    def by_night(self) -> bool:
        """Whether each night has a file of its own."""
        return "{night}" in (self.uri or "")


class LabelSpec(Strict):
    """The truth to predict: where it is delivered, how it is computed, when it becomes known."""

    source: str
    """Source that delivers the outcome."""
    expression: str
    """The label in terms of that source's columns: a column, or for example `arr_delay > 15`."""
    delay_days: int = Field(1, ge=0, le=3660)
    """Nights after a row's own night until its label is expected."""
    classes: tuple[str, ...] = ()
    """Classes in order, for multiclass; for binary text labels the negative and the positive class."""
