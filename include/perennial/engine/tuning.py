"""Tuning in fixed generations: which parameters to try next, and how good each was.

All trials of a generation are proposed before any is told, and told in the order of their numbers, so
the outcome does not depend on which task finished first. The study travels as JSON between tasks.
"""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from perennial.engine.fitting import Array, TrainingSet
from perennial.engine.folds import RowFold, forward_predictions
from perennial.errors import CannotTrainError
from perennial.estimators.base import Estimator, Interval, Space, Value

if TYPE_CHECKING:
    import optuna

STARTING_TRIALS = 4
"""Trials drawn at random before the sampler begins to lean on what they showed."""
SMALLEST_PROBABILITY = 1e-15
Loss = Callable[[Array, Array], float]
"""Mean loss of predictions for labels; lower is better."""


class Trial(BaseModel):
    """One choice of parameters, and the loss it had once it has been tried."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    number: int
    """Position in the study, from 0."""
    parameters: dict[str, Value]
    """What was chosen, over the recipe as it is written; trial 0 changes nothing."""
    loss: float | None = None
    """Mean loss on unseen rows; none when it was not tried yet or could not be fitted."""


class Study(BaseModel):
    """The trials told so far, in order; written and read as JSON between tasks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trials: tuple[Trial, ...] = ()
    """Every trial, by number."""

    def told(self, trials: Sequence[Trial]) -> Study:
        """Return the study with a generation's trials, whatever order they came in; telling twice changes nothing."""
        known = {trial.number: trial for trial in (*trials, *self.trials)}
        return Study(trials=tuple(known[number] for number in sorted(known)))

    @property
    def best(self) -> Trial:
        """The trial with the least loss, the earlier of equal ones.

        Raises:
            CannotTrainError: no trial could be fitted.
        """
        tried = [trial for trial in self.trials if trial.loss is not None and math.isfinite(trial.loss)]
        if not tried:
            raise CannotTrainError(f"none of {len(self.trials)} trials could be fitted")
        return min(tried, key=lambda trial: (trial.loss, trial.number))


def propose(
    study: Study, space: Space, *, size: int, seed: int, written: Mapping[str, Value] | None = None
) -> list[Trial]:
    """Propose the next generation, from the trials told before and the seed alone.

    Trial 0 is the recipe as it is ``written`` (the estimator's own parameters): tuning never returns
    something worse on the same folds.

    Reference: Bergstra et al. 2011, Algorithms for hyper-parameter optimization (tree-structured
    Parzen estimator), as in Optuna.

    >>> [trial.parameters for trial in propose(Study(), {"depth": (2, 3)}, size=1, seed=7)]
    [{}]
    """
    first = len(study.trials)
    numbers = range(first, first + size)
    own = {name: value for name, value in (written or {}).items() if name in space}
    proposed = [Trial(number=0, parameters=own)] if first == 0 else []
    if not space:
        return proposed
    searched = [number for number in numbers if number > 0]
    asked = _ask(study, space, len(searched), seed)
    return proposed + [
        Trial(number=number, parameters=parameters)
        for number, parameters in zip(searched, asked, strict=True)
    ]


def evaluate_trial(
    trial: Trial,
    estimator: Estimator,
    training_set: TrainingSet,
    folds: Sequence[RowFold],
    *,
    seed: int,
    loss: Loss | None = None,
) -> Trial:
    """Try one trial: mean loss over the unseen rows of the folds (log loss; squared error for numbers)."""
    unseen = forward_predictions(estimator.tuned(trial.parameters), training_set, folds, seed=seed)
    if not len(unseen.positions):
        return trial
    labels = training_set.labels[unseen.positions]
    if training_set.task == "multiclass":
        labels = np.asarray([unseen.classes.index(str(label)) for label in labels])
    measured = (loss or default_loss(training_set.task))(labels, unseen.predictions)
    return trial.model_copy(update={"loss": float(measured)})


def default_loss(task: str) -> Loss:
    """Return what is minimised when nothing else is asked for: log loss, or squared error for numbers.

    Labels of more than two classes are positions in the columns of the predictions.
    """
    return {"binary": _log_loss, "multiclass": _multiclass_log_loss, "regression": _squared_error}[task]


def _log_loss(labels: Array, predictions: Array) -> float:
    likely = np.where(labels.astype(bool), predictions, 1 - predictions)
    return float(-np.log(np.clip(likely, SMALLEST_PROBABILITY, 1)).mean())


def _multiclass_log_loss(labels: Array, predictions: Array) -> float:
    likely = predictions[np.arange(len(labels)), labels]
    return float(-np.log(np.clip(likely, SMALLEST_PROBABILITY, 1)).mean())


def _squared_error(labels: Array, predictions: Array) -> float:
    return float(((labels.astype(float) - predictions) ** 2).mean())


def _ask(study: Study, space: Space, count: int, seed: int) -> list[dict[str, Value]]:
    import optuna

    distributions = {name: _distribution(searched) for name, searched in space.items()}
    generation = hashlib.sha256(f"{seed}:{len(study.trials)}".encode()).digest()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(
            seed=int.from_bytes(generation[:4], "big"), multivariate=True, n_startup_trials=STARTING_TRIALS
        )
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        rebuilt = optuna.create_study(sampler=sampler)
        rebuilt.add_trials([_told(trial, distributions) for trial in study.trials if _lies_in(trial, space)])
        return [dict(rebuilt.ask(distributions).params) for _ in range(count)]
    finally:
        optuna.logging.set_verbosity(verbosity)


def _lies_in(trial: Trial, space: Space) -> bool:
    """Tell whether the sampler can learn from a trial: a recipe may be written outside the space searched."""
    return set(trial.parameters) == set(space) and all(
        value in searched
        if isinstance(searched := space[name], tuple)
        else isinstance(value, int | float) and searched.low <= value <= searched.high
        for name, value in trial.parameters.items()
    )


def _told(trial: Trial, distributions: Mapping[str, Any]) -> optuna.trial.FrozenTrial:
    import optuna

    failed = trial.loss is None or not math.isfinite(trial.loss)
    return optuna.trial.create_trial(
        params=dict(trial.parameters),
        distributions=dict(distributions),
        value=None if failed else trial.loss,
        state=optuna.trial.TrialState.FAIL if failed else optuna.trial.TrialState.COMPLETE,
    )


def _distribution(searched: Interval | tuple[Value, ...]) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(searched, tuple):
        return CategoricalDistribution(searched)
    if searched.integer:
        return IntDistribution(round(searched.low), round(searched.high), log=searched.log)
    return FloatDistribution(searched.low, searched.high, log=searched.log)
