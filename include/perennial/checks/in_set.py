"""A column holds nothing but listed values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, field_validator

from perennial.checks.base import NUMBERS, TEXT, Condition, RowCheck, listed, quoted

if TYPE_CHECKING:
    from great_expectations.expectations import Expectation


class InSet(RowCheck):
    """Every value is one of those listed.

    >>> InSet(column="origin", values=("EWR", "JFK")).sentence()
    'origin is one of EWR and JFK'
    >>> InSet(column="origin", values=("EWR", "JFK")).mask()
    Condition(sql='"origin" NOT IN (?, ?)', values=('EWR', 'JFK'))
    """

    types: ClassVar[frozenset[str]] = TEXT | NUMBERS

    column: str = Field(description="Column.")
    values: tuple[str, ...] | tuple[int | float, ...] = Field(
        min_length=1, description="Values that may occur, all of them texts or all of them numbers."
    )

    @field_validator("values")
    @classmethod
    def _each_once(cls, values: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(dict.fromkeys(values))

    def sentence(self) -> str:
        """Say the rule in words."""
        return f"{self.column} is one of {listed(self.values)}"

    def needs(self) -> tuple[str, ...]:
        """Name the column."""
        return (self.column,)

    def misfit(self, types: Mapping[str, str]) -> str | None:
        """Say also when numbers are listed for a text, or texts for a number."""
        told = super().misfit(types)
        if told or isinstance(self.values[0], str) == (types[self.column] == "text"):
            return told
        return (
            f"the values of the check that {self.sentence()} are not {types[self.column]}, as the column is"
        )

    def mask(self) -> Condition:
        """Fail values that are not listed."""
        places = ", ".join("?" for _ in self.values)
        return Condition(f"{quoted(self.column)} NOT IN ({places})", self.values)

    def expectation(self) -> Expectation:
        """Return the rule for Great Expectations."""
        from great_expectations.expectations import ExpectColumnValuesToBeInSet

        return ExpectColumnValuesToBeInSet(column=self.column, value_set=list(self.values))
