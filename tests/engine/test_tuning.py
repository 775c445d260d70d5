"""Tuning gives the same answer whoever runs it and whichever trial ends first."""

import numpy as np
import pandas as pd
import pytest

from perennial.clock import between
from perennial.engine.fitting import TrainingSet
from perennial.engine.folds import folds_of
from perennial.engine.tuning import Study, Trial, default_loss, evaluate_trial, propose
from perennial.errors import CannotTrainError
from perennial.estimators import make
from perennial.estimators.base import ColumnKinds, Interval

SPACE = {"rate": Interval(0.001, 1.0, log=True), "leaves": Interval(2, 64, integer=True), "kind": ("a", "b")}
WRITTEN = {"rate": 0.5, "leaves": 8, "kind": "b", "other": 7}


def loss(parameters) -> float:
    """Be best at rate 0.03, 20 leaves, kind a."""
    far = abs(np.log10(parameters["rate"] / 0.03)) + abs(parameters["leaves"] - 20) / 20
    return float(far + (parameters["kind"] == "b"))


def tuned(seed: int, *, trials=24, size=4, turn=False) -> Study:
    """Run a whole study, its state written and read between generations as tasks do."""
    study = Study()
    while len(study.trials) < trials:
        asked = propose(study, SPACE, size=size, seed=seed, written=WRITTEN)
        told = [trial.model_copy(update={"loss": loss(trial.parameters)}) for trial in asked]
        study = Study.model_validate_json(study.told(told[::-1] if turn else told).model_dump_json())
    return study


def test_a_study_is_the_same_however_its_trials_end() -> None:
    """Asked together and told in the order of their numbers: which task was faster does not matter."""
    assert tuned(7) == tuned(7, turn=True)


def test_another_seed_tries_other_parameters() -> None:
    """The seed is the only chance there is."""
    assert tuned(7).trials[1] != tuned(8).trials[1]


def test_the_first_trial_is_the_recipe_as_it_is_written() -> None:
    """Tuning never returns something worse on the same folds."""
    first = tuned(7).trials[0]
    assert first.parameters == {"rate": 0.5, "leaves": 8, "kind": "b"}
    assert tuned(7).best.loss <= first.loss


def test_proposals_lie_in_the_space() -> None:
    """Whole numbers are whole, and values are among those to choose from."""
    for trial in tuned(7).trials:
        assert 0.001 <= trial.parameters["rate"] <= 1
        assert trial.parameters["leaves"] in range(2, 65)
        assert trial.parameters["kind"] in ("a", "b")


def test_later_generations_lean_on_what_the_earlier_ones_showed() -> None:
    """Over ten seeds, the last twelve of 36 trials are better than the first twelve, by the median."""
    studies = [tuned(seed, trials=36) for seed in range(10)]
    early = np.median([trial.loss for study in studies for trial in study.trials[1:13]])
    late = np.median([trial.loss for study in studies for trial in study.trials[-12:]])
    assert late < 0.7 * early


def test_a_trial_that_could_not_be_fitted_is_told_and_passed_over() -> None:
    """One impossible choice costs one trial."""
    asked = propose(Study(), SPACE, size=4, seed=7, written=WRITTEN)
    study = Study().told([asked[0], *(t.model_copy(update={"loss": 1.0 + t.number}) for t in asked[1:])])
    assert study.best.number == 1
    assert [trial.number for trial in propose(study, SPACE, size=4, seed=7)] == [4, 5, 6, 7]
    with pytest.raises(CannotTrainError, match="none of 1 trials"):
        _ = Study().told(asked[:1]).best


def test_with_nothing_to_search_there_is_one_trial() -> None:
    """The recipe as it is."""
    assert propose(Study(), {}, size=4, seed=7) == [Trial(number=0, parameters={})]
    assert propose(Study(trials=(Trial(number=0, parameters={}, loss=1.0),)), {}, size=4, seed=7) == []


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_trial_is_judged_on_rows_it_had_not_seen(task) -> None:
    """A real model: the penalty that is far too strong loses to the one as written."""
    generator = np.random.default_rng(7)
    nights = np.repeat(np.asarray(between("2013-01-01", "2013-03-11")), 6)
    rows = pd.DataFrame({"x": generator.normal(size=len(nights))})
    signal = rows["x"].to_numpy() + generator.normal(size=len(nights))
    labels = {"binary": signal > 0, "multiclass": np.where(signal > 0, "b", "a"), "regression": signal}[task]
    training_set = TrainingSet(
        rows, labels, task, ColumnKinds(("x",)), np.arange(len(rows)).astype(str), nights
    )
    folds = folds_of(training_set, fold_nights=14)
    as_written, strong = (
        evaluate_trial(Trial(number=0, parameters=p), make("linear", {}), training_set, folds, seed=7)
        for p in ({}, {"strength": 1e5})
    )
    assert as_written.loss < strong.loss


def test_the_losses_are_the_textbooks() -> None:
    """Half is worth a bit; an error of two is four."""
    half = default_loss("binary")(np.array([1, 0]), np.array([0.5, 0.5]))
    assert half == pytest.approx(np.log(2))
    third = default_loss("multiclass")(np.array([2]), np.array([[0.5, 0.25, 0.25]]))
    assert third == pytest.approx(np.log(4))
    assert default_loss("regression")(np.array([1.0]), np.array([3.0])) == 4
