"""Mistakes in expressions, feature views, and the tables that are made of them.

Raised when a plan is compiled or a night's features are built, profiled or given to a model.
"""

from __future__ import annotations

from perennial.errors.base import PerennialError


class BadExpressionError(PerennialError):
    """An expression in model.yaml that cannot be read, or that asks for more than comparing columns."""

    code = "PER-1201"
    exit_code = 2

    def __init__(self, text: str, problem: str) -> None:
        """Show the expression and what is wrong with it."""
        super().__init__(f"Expression {text!r}: {problem}.")


class BadViewError(PerennialError):
    """A feature view that cannot be used: what is wrong, where, and the way out."""

    code = "PER-1301"
    exit_code = 2

    def __init__(self, where: str, problem: str) -> None:
        """Name the file, line and view."""
        super().__init__(f"{where}: {problem}")


class ProfilesDifferError(PerennialError):
    """Profiles were counted on different edges, so their counts cannot be added or compared."""

    code = "PER-2201"

    def __init__(self, one: str, other: str) -> None:
        """Show both identities and the way back."""
        super().__init__(
            f"These profiles were counted on different edges ({one} and {other}). "
            "Profile both nights again on the edges that the model uses now."
        )


class RepeatedColumnError(PerennialError):
    """Rows with two columns of one name: counting either would be a guess."""

    code = "PER-2202"

    def __init__(self, names: list[str]) -> None:
        """Name the columns."""
        super().__init__(
            f"The rows have more than one column called {', '.join(names)}. "
            "Have the source give each column a name of its own, and publish the night again."
        )


class UnreadableProfileError(PerennialError):
    """A stored profile that was changed, cut off, or written by a later release."""

    code = "PER-2203"

    def __init__(self, problem: str) -> None:
        """Say what is wrong and how to get a good one."""
        super().__init__(
            f"A stored profile cannot be used: {problem}. Run the night's monitor again: it counts the "
            "published rows anew. A profile of a later release needs that release."
        )


class MissingColumnsError(PerennialError):
    """The rows lack columns that the model was trained with."""

    code = "PER-4103"

    def __init__(self, missing: list[str]) -> None:
        """Name the columns."""
        super().__init__(f"The rows lack the columns {', '.join(missing)}. Build the night's features again.")
