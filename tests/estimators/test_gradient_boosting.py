"""The default estimator learns from categories as sets, also when there are thousands."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from perennial.engine.fitting import TrainingSet, fit, kinds_of, predict
from perennial.estimators import make


def planes(rows: int = 6000) -> TrainingSet:
    """Make flights of 3,000 aircraft, of which the 50 that fly most often decide who is late."""
    generator = np.random.default_rng(7)
    often = generator.random(rows) < 0.5
    number = np.where(often, generator.integers(0, 50, rows), generator.integers(50, 3000, rows))
    frame = pd.DataFrame({"tailnum": [f"N{each}" for each in number]})
    late = generator.random(rows) < np.where(often & (number % 2 == 0), 0.9, 0.2)
    return TrainingSet(frame, late, "binary", kinds_of(frame, ["tailnum"]), np.arange(rows).astype(str))


def test_thousands_of_categories_are_learned_where_there_are_rows_enough() -> None:
    """An aircraft seen often is told apart; the rare ones, and one never seen, share their rate."""
    rows = planes()
    model = fit(make("gradient_boosting", {}), rows, seed=7)
    asked = pd.DataFrame({"tailnum": ["N2", "N3", "N2999"]})
    often_late, seldom_late, rare = predict(model, asked, task="binary", columns=rows.columns)
    assert often_late > 0.75
    assert seldom_late < 0.35
    assert rare < 0.35


def test_an_unknown_parameter_is_refused() -> None:
    """A typing error in model.yaml is not silently the default."""
    with pytest.raises(ValidationError, match="iteration"):
        make("gradient_boosting", {"iteration": 10})


def test_absolute_errors_are_made_small_by_the_median() -> None:
    """Where a few rows are far off, the absolute loss predicts what is typical and the squared loss the mean."""
    generator = np.random.default_rng(7)
    frame = pd.DataFrame({"x": generator.normal(size=2000)})
    delays = np.where(generator.random(2000) < 0.1, 200.0, -5.0)
    rows = TrainingSet(frame, delays, "regression", kinds_of(frame, ["x"]), np.arange(2000).astype(str))
    made = {
        loss: fit(make("gradient_boosting", {"loss": loss}), rows, seed=7) for loss in ("squared", "absolute")
    }
    typical = {
        name: np.median(predict(model, frame, task="regression", columns=rows.columns))
        for name, model in made.items()
    }
    assert typical["absolute"] < 0 < typical["squared"]
    assert (
        predict(
            fit(make("constant", {"centre": "median"}), rows, 7),
            frame,
            task="regression",
            columns=rows.columns,
        )[0]
        == -5
    )
