"""What is wrong in a model's folder: every problem with its place and its fix, reported at once.

Raised when the folder is compiled, when a DAG file is parsed, and by `perennial check` and `perennial new`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from perennial.errors.base import PerennialError


@dataclass(frozen=True)
class Problem:
    """One mistake in a model's folder: where it is, what was found, and how to fix it."""

    file: str
    line: int
    column: int
    field: str
    value: str
    message: str
    fix: str
    code: str = "PER-1040"

    def __str__(self) -> str:
        """Write the problem as one line that editors can jump to."""
        field = f" {self.field}:" if self.field else ""
        return f"{self.file}:{self.line}:{self.column} {self.code}{field} {self.message} {self.fix}".rstrip()


class BrokenModelError(PerennialError):
    """A model's folder that cannot be used; it carries every problem found, not just the first."""

    code = "PER-1040"
    exit_code = 2

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        """List the problems, one a line."""
        self.name, self.problems = name, tuple(problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = "\n".join(str(problem) for problem in problems)
        super().__init__(f"The model {name!r} cannot be used: {count}.\n{lines}")


class NotATableError(PerennialError):
    """`perennial new` could not make a model of the table it was given."""

    code = "PER-1030"
    exit_code = 2


class NotAMeanError(PerennialError):
    """A metric such as AUC is not a mean over rows, so its values do not add up over nights and no gate can use it."""

    code = "PER-1810"
    exit_code = 2

    def __init__(self, metric: str) -> None:
        """Name the metric and those that can be primary."""
        super().__init__(
            f"{metric} is not a mean over rows, so it cannot be the primary metric. "
            "Use log_loss, brier or accuracy for classes, rmse or mae for numbers; "
            f"{metric} is shown beside it anyway."
        )
