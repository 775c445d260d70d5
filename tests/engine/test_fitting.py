"""A model sees its columns in one order and one form, wherever its rows come from."""

import numpy as np
import pandas as pd
import pytest

from perennial.engine.fitting import TrainingSet, as_inputs, classes, fit, kinds_of, predict
from perennial.errors import CannotTrainError, MissingColumnsError
from perennial.estimators import make
from perennial.estimators.base import ColumnKinds


def small(labels, task="binary", **columns) -> TrainingSet:
    """Make a training set of one column, or of those given."""
    rows = pd.DataFrame(columns or {"x": np.arange(len(labels), dtype=float)})
    return TrainingSet(
        rows, np.asarray(labels), task, kinds_of(rows, list(rows)), np.arange(len(rows)).astype(str)
    )


def test_instants_are_no_inputs() -> None:
    """A moment in time never comes again; views make of it an hour, a weekday, an age."""
    rows = pd.DataFrame({"at": [pd.Timestamp("2013-01-01")], "for": [pd.Timedelta(1)], "x": [1]})
    assert kinds_of(rows, ["at", "for", "x"]) == ColumnKinds(numeric=("x",))


@pytest.mark.parametrize("kind", ["Int64", "Float64", "float32", "object", "boolean", "int64[pyarrow]"])
def test_a_number_is_the_same_number_in_every_type(kind) -> None:
    """Parquet, DuckDB and pandas each have their own."""
    column = pd.Series([1, 0, 1]).astype("boolean" if kind == "boolean" else "int64").astype(kind)
    made = as_inputs(pd.DataFrame({"x": column}), ColumnKinds(numeric=("x",)))
    assert made["x"].dtype == np.float64
    assert made["x"].tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("kind", ["str", "object", "category", "string", "string[pyarrow]"])
def test_a_category_is_the_same_text_in_every_type(kind) -> None:
    """A missing one is None in all of them."""
    made = as_inputs(pd.DataFrame({"x": pd.Series(["a", None], dtype=kind)}), ColumnKinds(categorical=("x",)))
    assert made["x"].astype(object).tolist()[0] == "a"
    assert made["x"].isna().tolist() == [False, True]


def test_what_is_not_a_finite_number_is_missing() -> None:
    """A ratio with nothing below it is not an enormous number."""
    rows = pd.DataFrame({"x": [np.inf, -np.inf, np.nan, 1.0]})
    assert as_inputs(rows, ColumnKinds(numeric=("x",)))["x"].isna().tolist() == [True, True, True, False]


def test_rows_without_a_column_are_refused_by_its_name() -> None:
    """Before the model is asked."""
    with pytest.raises(MissingColumnsError, match="wind, gust"):
        as_inputs(pd.DataFrame({"x": [1]}), ColumnKinds(numeric=("x", "wind", "gust")))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (small([]), "no labelled row"),
        (small([1, 1, 1]), "all 3 labels are 1"),
        (small([1, 0], empty=[np.nan, np.nan]), "every input column is empty"),
        (small([1, 0], at=pd.to_datetime(["2013-01-01", "2013-01-02"])), "no input column"),
    ],
)
def test_rows_that_cannot_teach_are_refused(rows, said) -> None:
    """The sentence says what is missing, and that waiting may help."""
    with pytest.raises(CannotTrainError, match=said):
        fit(make("constant", {}), rows, seed=7)


def test_the_constant_predicts_the_share_of_the_positive_class() -> None:
    """One of four flights was late."""
    rows = small([0, 0, 1, 0])
    model = fit(make("constant", {}), rows, seed=7)
    assert predict(model, rows.rows, task="binary", columns=rows.columns).tolist() == [0.25] * 4


def test_classes_are_named_in_the_order_of_the_columns() -> None:
    """The share of each class stands under its name."""
    rows = small(["late", "early", "late", "late"], "multiclass")
    model = fit(make("constant", {}), rows, seed=7)
    assert classes(model) == ("early", "late")
    assert predict(model, rows.rows, task="multiclass", columns=rows.columns)[0].tolist() == [0.25, 0.75]


def test_parts_of_different_lengths_are_refused() -> None:
    """They would be joined by position."""
    with pytest.raises(ValueError, match="labels has 1 values for 2 rows"):
        TrainingSet(
            pd.DataFrame({"x": [1, 2]}), np.ones(1), "binary", ColumnKinds(("x",)), np.array(["a", "b"])
        )
