"""A declaration that was changed over a home with history: what no longer fits, and every way on.

Raised by the stages before anything is published; what was published under the earlier declaration stays as it is.
"""

from __future__ import annotations

from perennial.errors.base import PerennialError


class HistoryDiffersError(PerennialError):
    """Nights that were taken in under an earlier declaration of their source cannot be read as it is declared now."""

    code = "PER-2007"
    exit_code = 2

    def __init__(self, model: str, source: str, nights: list[str], problems: list[str]) -> None:
        """Name the nights, each column that differs, and the ways on."""
        self.nights, self.problems = nights, problems
        span = nights[0] if len(nights) == 1 else f"{nights[0]} to {nights[-1]} ({len(nights)} nights)"
        super().__init__(
            f"{model}: sources.{source} is declared otherwise than when {span} was taken in: {'; '.join(problems)}. "
            f"Take these nights in again from their deliveries: `perennial run {model} validate --since {nights[0]} "
            f"--night {nights[-1]}`. Or list a new column under `optional`: it is missing in these nights. Where the "
            "deliveries are gone, put the declaration back, or declare the new form as a source of another name."
        )


class FormerVersionError(PerennialError):
    """The version that serves was trained on what model.yaml, as it is now, does not bear any more."""

    code = "PER-2008"
    exit_code = 2

    def __init__(self, model: str, problems: list[str]) -> None:
        """Name each change, and the ways on."""
        self.problems = problems
        super().__init__(
            f"{model}: the version that serves was trained before model.yaml was changed, and cannot go on with it as "
            f"it is now: {'; '.join(problems)}. Put that back until another version serves (a column may stay "
            "declared, under `optional`, without being a feature), or copy the folder: a model of another name begins anew."
        )


class FormerPredictionsError(PerennialError):
    """Predictions that were made under an earlier declaration cannot be put beside the labels of the one now."""

    code = "PER-2009"
    exit_code = 2

    def __init__(self, model: str, night: str, problem: str) -> None:
        """Name the night, what does not fit, and the ways on."""
        super().__init__(
            f"{model}: the predictions of {night} were made before model.yaml was changed, and no label can be put "
            f"beside them: {problem}. Put that back, or copy the folder: a model of another name begins anew."
        )
