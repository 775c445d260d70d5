"""A text looks as it should."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, field_validator

from perennial.checks.base import TEXT, Condition, RowCheck, quoted

if TYPE_CHECKING:
    from great_expectations.expectations import Expectation

# Lookaround, back references, conditionals, atomic groups and possessive repeats: RE2 has none of them.
ONLY_PYTHON = re.compile(r"\(\?[=!>(]|\(\?<[=!]|\(\?P=|\\[1-9ZzA]|[*+?}]\+")


class Matches(RowCheck):
    r"""Every text matches a regular expression, from its first character to its last.

    The letters of the pattern mean the same in Python and in DuckDB: classes such as ``\d`` are ASCII, a dot
    is any character but a line break; looking around and back references are refused.

    >>> Matches(column="tailnum", pattern="N[0-9A-Z]+").sentence()
    'tailnum matches N[0-9A-Z]+'
    >>> Matches(column="word", pattern=r"\w+.\d?$").sentence()
    'word matches \\w+.\\d?$'
    """

    types: ClassVar[frozenset[str]] = TEXT

    column: str = Field(description="Column.")
    pattern: str = Field(min_length=1, description="Regular expression that the whole text matches.")

    @field_validator("pattern")
    @classmethod
    def _means_the_same_everywhere(cls, pattern: str) -> str:
        try:
            re.compile(pattern, re.ASCII)
        except re.error as error:
            message = f"{pattern!r} is not a regular expression: {error}"
            raise ValueError(message) from error
        found = ONLY_PYTHON.search(pattern)
        if found:
            message = (
                f"{pattern!r}: {found.group()!r} is not known to every engine; write the rule without it"
            )
            raise ValueError(message)
        return pattern

    def sentence(self) -> str:
        """Say the rule in words."""
        return f"{self.column} matches {self.pattern}"

    def needs(self) -> tuple[str, ...]:
        """Name the column."""
        return (self.column,)

    def mask(self) -> Condition:
        """Fail texts that do not match."""
        whole = rf"\A(?:{self.pattern})\z"
        # 'p': a dot does not match a line break, as in Python.
        return Condition(f"NOT regexp_matches({quoted(self.column)}, ?, 'p')", (whole,))

    def expectation(self) -> Expectation:
        """Return the rule for Great Expectations."""
        from great_expectations.expectations import ExpectColumnValuesToMatchRegex

        # The look-ahead that asks nothing makes pandas use Python's engine, which knows ASCII classes.
        whole = rf"(?a)(?=)\A(?:{self.pattern})\Z"
        return ExpectColumnValuesToMatchRegex(column=self.column, regex=whole)
