"""Why nothing could be trained: too few labels, one class only, or an estimator of one's own that does not fit.

Raised while rows are assembled and estimators fitted.
"""

from __future__ import annotations

from perennial.errors.base import PerennialError


class CustomEstimatorError(PerennialError):
    """The folder's ``estimator.py`` must have ``build(task, columns, parameters, seed)`` that returns a pipeline."""

    code = "PER-4101"
    exit_code = 2

    def __init__(self, code: object, what: str) -> None:
        """Name the file and what is wrong with it."""
        super().__init__(
            f"{code}: {what}. Write `def build(task, columns, parameters, seed)` that returns an unfitted "
            "scikit-learn pipeline for columns.numeric and columns.categorical."
        )


class CannotTrainError(PerennialError):
    """The training set cannot teach a model: too few rows, or one class only."""

    code = "PER-4102"

    def __init__(self, what: str) -> None:
        """Say what is missing."""
        super().__init__(
            f"Nothing to train on: {what}. Wait for more labelled nights, or widen training.window_nights."
        )


class TooLittleToTrainError(PerennialError):
    """There are not enough rows whose labels are known."""

    code = "PER-3006"

    def __init__(self, model: str, rows: int, needed: int) -> None:
        """Say how many there are, how many are needed, and what to check."""
        super().__init__(
            f"{model} has {rows} labelled rows and needs {needed} to train (training.min_rows). "
            "Load more nights, or check that the label source delivers and that its keys match the rows."
        )


class CannotSelfTestError(PerennialError):
    """A version that was trained elsewhere cannot be broken on purpose: its training rows are not here."""

    code = "PER-4104"

    def __init__(self, model: str, version: str) -> None:
        """Say which version, and what to do."""
        super().__init__(
            f"Version {version} of {model} was trained elsewhere, so there are no training rows to make broken "
            "models of. Train a version here (`perennial run`), and test the gates with that one."
        )
