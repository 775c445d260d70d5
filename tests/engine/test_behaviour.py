"""What a model does is one hash: the same for the same predictions, another for any other."""

import numpy as np
import pandas as pd

from perennial.engine.behaviour import behaviour, fixed_rows, rows_as_text, rows_from_text
from perennial.engine.fitting import TrainingSet, fit, kinds_of
from perennial.estimators import make

FRAME = pd.DataFrame(
    {
        "wind": np.random.default_rng(7).normal(10, 3, 800),
        "carrier": np.random.default_rng(8).choice(["UA", "é", None], 800),
        "name": [f"name {i}" for i in range(800)],
    }
)
FRAME.loc[3, "wind"] = np.nan
KINDS = kinds_of(FRAME, list(FRAME))
ROWS = TrainingSet(FRAME, (FRAME["wind"] > 10).to_numpy(), "binary", KINDS, np.arange(800).astype(str))


def of(rows: TrainingSet, seed: int = 7, **parameters) -> str:
    """Train and hash."""
    model = fit(make("linear", parameters), rows, seed=seed)
    return behaviour(model, fixed_rows(rows), task="binary", columns=KINDS)


def test_the_same_training_has_the_same_behaviour_and_another_has_not() -> None:
    """A hair's breadth of penalty is enough."""
    assert of(ROWS) == of(ROWS)
    assert of(ROWS) != of(ROWS, strength=1.0001)


def test_the_rows_do_not_depend_on_the_order_of_the_training_set() -> None:
    """They are chosen, and ordered, by the hashes of their keys."""
    turned = ROWS.take(np.arange(800)[::-1])
    pd.testing.assert_frame_equal(fixed_rows(ROWS), fixed_rows(turned))
    assert len(fixed_rows(ROWS)) == 256


def test_more_rows_replace_few_of_the_chosen() -> None:
    """A tenth more rows, about a tenth other ones: behaviours of later trainings stay comparable by eye."""
    fewer = set(fixed_rows(ROWS.take(np.arange(720)))["name"])
    assert len(fewer & set(fixed_rows(ROWS)["name"])) > 200


def test_masked_columns_are_empty() -> None:
    """A person is not kept beside the model."""
    assert fixed_rows(ROWS, masked=["name", "wind"])[["name", "wind"]].isna().all(axis=None)


def test_rows_come_back_from_text_as_they_were() -> None:
    """Every number to its last digit, what is missing as missing."""
    rows = fixed_rows(ROWS)
    pd.testing.assert_frame_equal(rows_from_text(rows_as_text(rows, KINDS)), rows)
