"""One column is never less than another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from perennial.checks.base import NUMBERS, Condition, RowCheck, quoted

if TYPE_CHECKING:
    from great_expectations.expectations import Expectation


class AtLeastColumn(RowCheck):
    """Every value is at least the other column's value in the same row; where either is missing it passes.

    >>> AtLeastColumn(column="reported_at", other="sched_dep").sentence()
    'reported_at is at least sched_dep'
    """

    types: ClassVar[frozenset[str]] = NUMBERS | {"date", "timestamp"}

    column: str = Field(description="Column that is the larger.")
    other: str = Field(description="Column that is the smaller.")

    def sentence(self) -> str:
        """Say the rule in words."""
        return f"{self.column} is at least {self.other}"

    def needs(self) -> tuple[str, ...]:
        """Name both columns."""
        return (self.column, self.other)

    def misfit(self, types: Mapping[str, str]) -> str | None:
        """Say also when a number is compared with a time."""
        told = super().misfit(types)
        kinds = {"number" if types.get(name) in NUMBERS else types.get(name) for name in self.needs()}
        if told or len(kinds) == 1:
            return told
        return f"the check that {self.sentence()} compares {types[self.column]} with {types[self.other]}"

    def mask(self) -> Condition:
        """Fail where it is less."""
        return Condition(f"{quoted(self.column)} < {quoted(self.other)}")

    def expectation(self) -> Expectation:
        """Return the rule for Great Expectations."""
        from great_expectations.expectations import ExpectColumnPairValuesAToBeGreaterThanB

        return ExpectColumnPairValuesAToBeGreaterThanB(
            column_A=self.column, column_B=self.other, or_equal=True, ignore_row_if="either_value_is_missing"
        )
