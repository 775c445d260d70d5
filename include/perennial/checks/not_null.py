"""Some columns must have a value in every row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from perennial.checks.base import Check, Condition, RowCheck, listed, quoted

if TYPE_CHECKING:
    from great_expectations.expectations import Expectation


class NotNull(RowCheck):
    """Every row has a value in these columns.

    >>> NotNull(columns=("carrier", "origin")).sentence()
    'carrier and origin are never missing'
    >>> NotNull(columns=("carrier",)).mask().sql
    '"carrier" IS NULL'
    """

    columns: tuple[str, ...] = Field(min_length=1, description="Columns that need a value.")

    def sentence(self) -> str:
        """Say the rule in words."""
        return f"{listed(self.columns)} {'is' if len(self.columns) == 1 else 'are'} never missing"

    def needs(self) -> tuple[str, ...]:
        """Name the columns."""
        return self.columns

    def parts(self) -> tuple[Check, ...]:
        """Ask column by column."""
        return tuple(NotNull(columns=(name,), on_failure=self.on_failure) for name in self.columns)

    def mask(self) -> Condition:
        """Fail where any of the columns is missing."""
        return Condition(" OR ".join(f"{quoted(name)} IS NULL" for name in self.columns))

    def expectation(self) -> Expectation:
        """Return the rule of one column: split several with ``parts`` first."""
        from great_expectations.expectations import ExpectColumnValuesToNotBeNull

        (column,) = self.columns
        return ExpectColumnValuesToNotBeNull(column=column)
