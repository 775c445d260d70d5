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


class EstimatorFailedError(PerennialError):
    """The estimator itself raised while it was fitted."""

    code = "PER-4105"

    def __init__(self, model: object, doing: str, mistake: Exception) -> None:
        """Name the estimator, what it was doing, and what it said."""
        super().__init__(
            f"{type(model).__name__} failed in {doing}: {type(mistake).__name__}: {mistake}. Look at its parameters "
            "under training.parameters, and at the columns that it is given (numbers may be NaN)."
        )


class BadPredictionsError(PerennialError):
    """A model answered with something that is not one prediction a row."""

    code = "PER-4106"

    def __init__(self, model: object, what: str) -> None:
        """Name the model and what it returned."""
        super().__init__(
            f"{type(model).__name__} {what}. Its predict must return one number a row, its predict_proba one "
            "probability for each of classes_; correct the estimator, or choose another one."
        )


class CannotWeighError(PerennialError):
    """Rows are to count differently, and the estimator cannot do that."""

    code = "PER-4107"

    def __init__(self, model: object) -> None:
        """Name the estimator and what to leave out."""
        super().__init__(
            f"{type(model).__name__} takes no sample_weight. Leave out training.class_weights and "
            "training.half_life_nights, or choose an estimator that takes weights."
        )


class EstimatorClassError(PerennialError):
    """The class that by_class names is not there, or is no estimator."""

    code = "PER-4108"
    exit_code = 2

    def __init__(self, name: str, what: str) -> None:
        """Name the class and what is wrong."""
        super().__init__(
            f"training.parameters.name: {name}: {what}. Write the dotted name of an installed class that follows "
            "scikit-learn, such as sklearn.ensemble.ExtraTrees (Classifier or Regressor is added by the task)."
        )


class TrainingTooLongError(PerennialError):
    """A single fit took longer than it may."""

    code = "PER-4109"

    def __init__(self, minutes: float) -> None:
        """Say how long, and what to change."""
        super().__init__(
            f"One fit took longer than {minutes:g} minutes (training.max_minutes) and was ended. Train on fewer rows "
            "(training.max_rows), choose smaller parameters, or allow more time."
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


class CannotReproduceError(PerennialError):
    """A version that was trained elsewhere cannot be trained again: its run is not recorded here."""

    code = "PER-4110"

    def __init__(self, model: str, version: str) -> None:
        """Say which version, and what can be checked instead."""
        super().__init__(
            f"Version {version} of {model} was trained elsewhere, so there is no run to repeat. That its bytes and "
            "predictions are as they were is checked whenever it is loaded."
        )


class NotReproducedError(PerennialError):
    """A version that serves was trained again and came out otherwise."""

    code = "PER-4115"

    def __init__(self, model: str, said: str) -> None:
        """Say what came of it, and what to do."""
        super().__init__(
            f"{model}: {said} It serves on as it is; train a new version (`perennial run {model} retrain`) if it "
            "must be possible to make it again."
        )
