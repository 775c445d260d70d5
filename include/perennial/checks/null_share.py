"""A column is missing in no more than a share of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from perennial.checks.base import BatchCheck, Condition, quoted

if TYPE_CHECKING:
    from great_expectations.expectations import Expectation


class NullShare(BatchCheck):
    """At most this share of the batch's rows lacks a value.

    >>> NullShare(column="wind_gust", max=0.9).sentence()
    'at most 0.9 of the rows lack wind_gust'
    >>> NullShare(column="wind_gust", max=0.9).fails(0.95)
    True
    """

    column: str = Field(description="Column.")
    max: float = Field(ge=0, le=1, description="Largest share of rows without a value.")

    def sentence(self) -> str:
        """Say the rule in words."""
        return f"at most {self.max:g} of the rows lack {self.column}"

    def needs(self) -> tuple[str, ...]:
        """Name the column."""
        return (self.column,)

    def measure(self) -> Condition:
        """Take the share of rows without a value."""
        missing = f"(count(*) - count({quoted(self.column)}))"
        return Condition(f"coalesce({missing} / nullif(count(*), 0), 0)")

    def fails(self, measured: float) -> bool:
        """Tell whether more is missing."""
        return 1 - measured < 1 - self.max

    def expectation(self) -> Expectation:
        """Return the rule for Great Expectations, which asks for the share that is there."""
        from great_expectations.expectations import ExpectColumnProportionOfNonNullValuesToBeBetween

        return ExpectColumnProportionOfNonNullValuesToBeBetween(column=self.column, min_value=1 - self.max)
