"""What needs no model: each baseline learns from the rows it is given alone, and says what it should."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from perennial.clock import after
from perennial.engine.baselines import BASELINES, answers, names_of, one_feature, seasonal
from perennial.engine.fitting import TrainingSet, kinds_of
from perennial.errors import CannotTrainError


def rows(count: int = 40, *, task: str = "regression", a_night: int = 30, seed: int = 1) -> TrainingSet:
    """Rows of many nights: the label follows the weekday, the customer and one of three columns."""
    rng = np.random.default_rng(seed)
    nights = np.repeat([after("2024-01-01", day) for day in range(count)], a_night).astype(object)
    weekday = np.repeat(np.arange(count) % 7, a_night)
    customer = rng.integers(0, 9, len(nights))
    told = pd.DataFrame(
        {
            "noise": rng.normal(size=len(nights)),
            "signal": rng.normal(size=len(nights)),
            "colour": rng.choice(["red", "blue"], len(nights)),
        }
    )
    height = 2.0 * weekday + customer + 6 * (told["signal"].to_numpy() > 0) + rng.normal(size=len(nights))
    labels = height if task == "regression" else (height > np.median(height)).astype(int)
    labels = np.asarray(["low", "high"], dtype=object)[labels] if task == "multiclass" else labels
    return TrainingSet(
        rows=told,
        labels=labels,
        task=task,
        columns=kinds_of(told, list(told.columns)),
        keys=np.asarray([str(number) for number in range(len(nights))], dtype=object),
        nights=nights,
        entities=np.asarray([f"c{each}" for each in customer], dtype=object),
    )


def error(made: np.ndarray, asked: TrainingSet) -> float:
    """Mean squared error."""
    return float(((made - asked.labels) ** 2).mean())


def test_the_seasonal_value_follows_weekdays_and_entities_into_nights_it_never_saw() -> None:
    """Better than the constant; better with the entity than without; a week later it answers the same."""
    whole = rows()
    train, asked = (
        whole.take(np.flatnonzero(whole.nights < "2024-02-02")),
        whole.take(np.flatnonzero(whole.nights >= "2024-02-02")),
    )
    alone = seasonal(replace(train, entities=None), replace(asked, entities=None))
    of_customers = seasonal(train, asked)
    constant = answers("constant", train, asked, seed=1, metric="rmse")
    assert error(of_customers, asked) < error(alone, asked) < error(constant, asked)
    later = replace(asked, nights=np.asarray([after(night, 7) for night in asked.nights], dtype=object))
    assert np.array_equal(seasonal(train, later), of_customers)


def test_a_stranger_gets_the_value_of_the_weekday() -> None:
    """An entity that was never met, or is not known, is nobody's."""
    train = rows()
    asked = replace(train.take(np.arange(3)), entities=np.asarray(["new", None, float("nan")], dtype=object))
    alone = seasonal(replace(train, entities=None), replace(asked, entities=None))
    assert np.allclose(seasonal(train, asked), alone)


def test_one_feature_finds_the_column_that_says_most() -> None:
    """And names it; categories and missing numbers are bins like others."""
    train, asked = rows(), rows(seed=2)
    made, chosen = one_feature(train, asked)
    assert chosen == "signal"
    assert error(made, asked) < error(answers("constant", train, asked, seed=1, metric="rmse"), asked)
    gone = replace(asked, rows=asked.rows.assign(signal=np.nan, colour="green"))
    assert np.isfinite(one_feature(train, gone)[0]).all()


@pytest.mark.parametrize("task", ["binary", "regression", "multiclass"])
@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_answers_every_task_with_finite_numbers(name: str, task: str) -> None:
    """A probability, a number, or one column a class that add up to one; the same again for the same rows."""
    train, asked = rows(task=task), rows(task=task, seed=3)
    made, again = (answers(name, train, asked, seed=5, metric="brier") for _ in range(2))
    assert np.array_equal(made, again)
    assert np.isfinite(made).all()
    assert made.shape == ((len(asked), 2) if task == "multiclass" else (len(asked),))
    if task == "multiclass":
        assert names_of(train) == ("high", "low")
        assert np.allclose(made.sum(axis=1), 1)
    if task == "binary":
        assert ((made > 0) & (made < 1)).all()


def test_without_nights_there_is_no_season() -> None:
    """It says so, as a model does that cannot be trained."""
    with pytest.raises(CannotTrainError, match="nights"):
        seasonal(replace(rows(), nights=None), rows())
