"""A number stays within a range."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from perennial.checks.base import NUMBERS, Bounded, Condition, RowCheck, quoted, spoken_range

if TYPE_CHECKING:
    from great_expectations.expectations import Expectation


class Between(Bounded, RowCheck):
    """Every value lies in the range, its ends included unless ``strict``.

    >>> Between(column="distance", low=10, high=6000).sentence()
    'distance is from 10 to 6000'
    >>> Between(column="distance", low=0, strict=True).mask()
    Condition(sql='"distance" <= ?', values=(0,))
    """

    types: ClassVar[frozenset[str]] = NUMBERS

    column: str = Field(description="Column.")
    low: int | float | None = Field(None, description="Smallest value; none for no limit.")
    high: int | float | None = Field(None, description="Largest value; none for no limit.")
    strict: bool = Field(False, description="Whether the ends themselves are outside.")

    def sentence(self) -> str:
        """Say the rule in words."""
        ends = ", the ends not included" if self.strict else ""
        return f"{self.column} is {spoken_range(self.low, self.high)}{ends}"

    def needs(self) -> tuple[str, ...]:
        """Name the column."""
        return (self.column,)

    def mask(self) -> Condition:
        """Fail values below or above."""
        name, equal = quoted(self.column), "=" if self.strict else ""
        ends = [(f"{name} <{equal} ?", self.low), (f"{name} >{equal} ?", self.high)]
        asked = [(sql, value) for sql, value in ends if value is not None]
        return Condition(" OR ".join(sql for sql, _ in asked), tuple(value for _, value in asked))

    def expectation(self) -> Expectation:
        """Return the rule for Great Expectations."""
        from great_expectations.expectations import ExpectColumnValuesToBeBetween

        return ExpectColumnValuesToBeBetween(
            column=self.column,
            min_value=self.low,
            max_value=self.high,
            strict_min=self.strict and self.low is not None,
            strict_max=self.strict and self.high is not None,
        )
