"""A delivery has about as many rows as usual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from perennial.checks.base import BatchCheck, Bounded, Condition, spoken_range

if TYPE_CHECKING:
    from great_expectations.expectations import Expectation


class RowCount(Bounded, BatchCheck):
    """The batch has so many rows, after cleaning and casting.

    >>> RowCount(low=100, high=5000).sentence()
    'the number of rows is from 100 to 5000'
    >>> RowCount(low=100).fails(99), RowCount(low=100).fails(100)
    (True, False)
    """

    low: int | None = Field(None, ge=0, description="Fewest rows; none for no limit.")
    high: int | None = Field(None, ge=0, description="Most rows; none for no limit.")

    def sentence(self) -> str:
        """Say the rule in words."""
        return f"the number of rows is {spoken_range(self.low, self.high)}"

    def needs(self) -> tuple[str, ...]:
        """Need no column."""
        return ()

    def measure(self) -> Condition:
        """Count the rows."""
        return Condition("count(*)")

    def fails(self, measured: float) -> bool:
        """Tell whether there are too few or too many."""
        return (self.low is not None and measured < self.low) or (
            self.high is not None and measured > self.high
        )

    def expectation(self) -> Expectation:
        """Return the rule for Great Expectations."""
        from great_expectations.expectations import ExpectTableRowCountToBeBetween

        return ExpectTableRowCountToBeBetween(min_value=self.low, max_value=self.high)
