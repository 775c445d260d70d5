"""One delivery of rows: what is asked of a source, and what it brought before anything is judged.

A source reads text and line numbers, never meaning: casting, cleaning and checking are the intake's
(``perennial.engine.intake``), so that a bad value costs its row and not the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from perennial.clock import Night, night

if TYPE_CHECKING:
    import pyarrow as pa

FileFormat: TypeAlias = Literal["csv", "parquet", "jsonl"]
"""How a file is written."""

ROW = "_row"
"""Column of a raw batch that holds the line (CSV, JSON lines) or row (tables) a row came from."""


@dataclass(frozen=True)
class SourceRequest:
    """What is asked of a source: which place, which night, and how a row tells its night."""

    source: str
    """Name of the source, for sentences."""

    uri: str
    """Absolute path or database URL; ``{night}`` stands for the night when each has a file of its own."""

    night: Night
    """Night whose delivery is wanted."""

    timezone: str = "UTC"
    """Time zone of nights, and of times that are written without an offset."""

    format: FileFormat | None = None
    """How the file is written; by default told by its extension."""

    delimiter: str = ","
    """What stands between the values of a CSV file."""

    table: str | None = None
    """Table to read when ``uri`` names a database."""

    static: bool = False
    """Whether the delivery has no nights and is always wanted whole."""

    time_column: str | None = None
    """Column that tells a row's night when one file or table holds many; without one all rows are wanted."""

    time_format: str | None = None
    """How that column is written, in strptime's letters; by default ISO 8601."""

    lead_days: int = 0
    """Days between a night and the day that its rows tell of."""

    @property
    def by_night(self) -> bool:
        """Whether each night has a file of its own."""
        return "{night}" in self.uri

    @property
    def location(self) -> str:
        """The place to read, with the night filled in; what does not name a night is refused."""
        return self.uri.replace("{night}", night(self.night))

    @property
    def holds_many_nights(self) -> bool:
        """Whether rows have to be told apart by their time."""
        return not (self.by_night or self.static or self.time_column is None)


@dataclass(frozen=True)
class Reject:
    """A line that is no row: too few or too many values, or bytes that are not text."""

    row: int
    """Line it stands on."""

    raw: str
    """The line as it came; bytes that are not UTF-8 are shown as ``\\xe9``."""

    reason: str
    """What is wrong with it, in words."""


@dataclass(frozen=True)
class RawBatch:
    """The rows of one delivery as text, in the order of the file."""

    source: str
    """Name of the source."""

    night: Night
    """Night that asked for it."""

    location: str
    """Where it was read, without passwords."""

    table: pa.Table
    """Columns of text (missing values are null) and ``_row``."""

    sha256: str
    """Identity of what was delivered: of the file's bytes when the file is the night's own, else of the
    night's rows, so that a night stays the same while its file grows."""

    size_bytes: int
    """Bytes that were read."""

    rejects: tuple[Reject, ...] = ()
    """Lines that are no rows."""

    nested: Mapping[str, str] = field(default_factory=dict)
    """Columns whose values are no single text (lists, structures, bytes), by name, with their type: not in ``table``."""

    @property
    def rows(self) -> int:
        """Count what was delivered, rejected lines included."""
        return int(self.table.num_rows) + len(self.rejects)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the delivered columns, in order; those that cannot be read as text last."""
        return (*(name for name in self.table.column_names if name != ROW), *self.nested)


@dataclass(frozen=True)
class ContractResult:
    """What Great Expectations said about one declared check."""

    expectation: str
    """Type of the expectation."""

    sentence: str
    """The rule in words."""

    success: bool
    """Whether every row, or the batch, meets it."""

    unexpected: int
    """Rows that do not meet it; 0 or 1 for a rule about the whole batch."""


@dataclass(frozen=True)
class IntakeReport:
    """What became of one delivery: every row accounted for."""

    source: str
    night: Night
    location: str
    sha256: str
    size_bytes: int
    rows_in: int
    """Rows and rejected lines of the delivery."""
    rows_published: int
    rows_quarantined: int
    duplicates: int
    """Rows dropped because another row says the same, or because a declared rule keeps another."""
    quarantined: Mapping[str, int] = field(default_factory=dict)
    """Rows by rule; a row that breaks two rules counts under both."""
    cleaned: Mapping[str, int] = field(default_factory=dict)
    """Values changed, by cleaning step and column."""
    extra_columns: tuple[str, ...] = ()
    """Delivered but not declared; left out."""
    absent_columns: tuple[str, ...] = ()
    """Declared as optional and not delivered; published as missing."""
    empty_columns: tuple[str, ...] = ()
    """Declared columns without any value in this delivery."""
    constant_columns: tuple[str, ...] = ()
    """Declared columns with one value in all of several rows."""
    warnings: tuple[str, ...] = ()
    """Rules that only warn, and what they found."""
    evaluated: int = 0
    """Expectations that Great Expectations evaluated; 0 where it was not asked."""
    successful: int = 0
    """Expectations that were met."""
    contract: tuple[ContractResult, ...] = ()
    """Great Expectations' answer to each declared check, in the order of ``model.yaml``."""

    @property
    def quarantine_share(self) -> float:
        """Share of the delivery that was set aside."""
        return self.rows_quarantined / self.rows_in if self.rows_in else 0.0

    def as_json(self) -> dict[str, object]:
        """Write plain values, for the ledger, Airflow and pages."""
        from dataclasses import asdict

        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }
