"""No two rows may be alike in some columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from perennial.checks.base import Condition, RowCheck, listed, quoted

if TYPE_CHECKING:
    from great_expectations.expectations import Expectation


class Unique(RowCheck):
    """No two rows of the batch have the same values in these columns; all rows that do, fail.

    Rows without any of the values pass.

    >>> Unique(columns=("origin", "observed_at")).sentence()
    'no two rows have the same origin and observed_at'
    """

    columns: tuple[str, ...] = Field(min_length=1, description="Columns whose values together are unique.")

    def sentence(self) -> str:
        """Say the rule in words."""
        return f"no two rows have the same {listed(self.columns)}"

    def needs(self) -> tuple[str, ...]:
        """Name the columns."""
        return self.columns

    def mask(self) -> Condition:
        """Fail every row that has a twin."""
        names = [quoted(name) for name in self.columns]
        given = " OR ".join(f"{name} IS NOT NULL" for name in names)
        return Condition(f"count(*) OVER (PARTITION BY {', '.join(names)}) > 1 AND ({given})")

    def expectation(self) -> Expectation:
        """Return the rule for Great Expectations."""
        from great_expectations.expectations import (
            ExpectColumnValuesToBeUnique,
            ExpectCompoundColumnsToBeUnique,
        )

        if len(self.columns) == 1:
            return ExpectColumnValuesToBeUnique(column=self.columns[0])
        return ExpectCompoundColumnsToBeUnique(
            column_list=list(self.columns), ignore_row_if="all_values_are_missing"
        )
