"""What every check is: a rule in words, in SQL, and as an expectation of Great Expectations.

The engine asks all row checks of a batch in one DuckDB pass; Great Expectations evaluates the same rules, and
the two must count the same rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    from great_expectations.expectations import Expectation

ANY_TYPE = frozenset({"text", "integer", "number", "boolean", "date", "timestamp"})
NUMBERS = frozenset({"integer", "number"})
TEXT = frozenset({"text"})


@dataclass(frozen=True)
class Condition:
    """SQL with places for values (``?``), and the values: nothing a person wrote is pasted into SQL."""

    sql: str
    values: tuple[object, ...] = ()


class Check(BaseModel, ABC):
    """A rule about rows or about the batch as a whole."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    types: ClassVar[frozenset[str]] = ANY_TYPE
    """Declared types that its columns may have."""

    on_failure: Literal["quarantine", "reject", "warn"] = Field(description="What happens when it fails.")

    @abstractmethod
    def sentence(self) -> str:
        """Say the rule in words."""

    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """Name the columns it looks at."""

    @abstractmethod
    def expectation(self) -> Expectation:
        """Return the same rule for Great Expectations."""

    def parts(self) -> tuple[Check, ...]:
        """Split a rule that is written once for several columns; each part has its own count and reason."""
        return (self,)

    def misfit(self, types: Mapping[str, str]) -> str | None:
        """Say why the rule cannot be asked of columns declared so, or nothing."""
        for name in self.needs():
            if name not in types:
                return f"the check that {self.sentence()} needs column {name!r}, which is not declared"
            if types[name] not in self.types:
                wanted = " or ".join(sorted(self.types))
                return f"the check that {self.sentence()} is for {wanted}, but {name!r} is {types[name]}"
        return None


class RowCheck(Check):
    """A rule that each row meets or not."""

    on_failure: Literal["quarantine", "reject", "warn"] = Field(
        "quarantine",
        description="`quarantine` sets the rows aside, `reject` holds the batch back, `warn` only reports.",
    )

    @abstractmethod
    def mask(self) -> Condition:
        """Return a condition that is true where the row FAILS; neither true nor false means it passes."""


class BatchCheck(Check):
    """A rule that the batch meets as a whole."""

    on_failure: Literal["reject", "warn"] = Field(
        "reject", description="`reject` holds the batch back, `warn` only reports."
    )

    @abstractmethod
    def measure(self) -> Condition:
        """Return the number that is judged, as an aggregate over the rows."""

    @abstractmethod
    def fails(self, measured: float) -> bool:
        """Tell whether that number breaks the rule."""


def quoted(column: str) -> str:
    """Write a column's name for SQL.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + column.replace('"', '""') + '"'


def listed(names: tuple[object, ...]) -> str:
    """Write a list for a sentence.

    >>> listed(("EWR", "JFK", "LGA"))
    'EWR, JFK and LGA'
    """
    words = [str(name) for name in names]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


class Bounded(BaseModel):
    """A range in which at least one end is given."""

    @model_validator(mode="after")
    def _ends_are_a_range(self) -> Self:
        low, high = getattr(self, "low", None), getattr(self, "high", None)
        if low is None and high is None:
            message = "give `low`, `high` or both"
            raise ValueError(message)
        if low is not None and high is not None and low > high:
            message = f"low {low} is above high {high}"
            raise ValueError(message)
        return self


def spoken_range(low: float | None, high: float | None) -> str:
    """Write a range for a sentence.

    >>> spoken_range(10, None), spoken_range(None, 3), spoken_range(1, 2)
    ('at least 10', 'at most 3', 'from 1 to 2')
    """
    if high is None:
        return f"at least {low}"
    return f"at most {high}" if low is None else f"from {low} to {high}"
