"""A text is as long as it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from perennial.checks.base import TEXT, Bounded, Condition, RowCheck, quoted, spoken_range

if TYPE_CHECKING:
    from great_expectations.expectations import Expectation


class Length(Bounded, RowCheck):
    """Every text has so many characters.

    >>> Length(column="tailnum", low=5, high=6).sentence()
    'tailnum is from 5 to 6 characters long'
    """

    types: ClassVar[frozenset[str]] = TEXT

    column: str = Field(description="Column.")
    low: int | None = Field(None, ge=0, description="Fewest characters; none for no limit.")
    high: int | None = Field(None, ge=0, description="Most characters; none for no limit.")

    def sentence(self) -> str:
        """Say the rule in words."""
        return f"{self.column} is {spoken_range(self.low, self.high)} characters long"

    def needs(self) -> tuple[str, ...]:
        """Name the column."""
        return (self.column,)

    def mask(self) -> Condition:
        """Fail texts that are shorter or longer."""
        name = f"length({quoted(self.column)})"
        asked = [(f"{name} < ?", self.low), (f"{name} > ?", self.high)]
        given = [(sql, value) for sql, value in asked if value is not None]
        return Condition(" OR ".join(sql for sql, _ in given), tuple(value for _, value in given))

    def expectation(self) -> Expectation:
        """Return the rule for Great Expectations."""
        from great_expectations.expectations import ExpectColumnValueLengthsToBeBetween

        return ExpectColumnValueLengthsToBeBetween(
            column=self.column, min_value=self.low, max_value=self.high
        )
