"""What every estimator obeys: a new file in the catalogue is tested by these without being named here."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io

from perennial.engine.behaviour import behaviour, fixed_rows
from perennial.engine.fitting import TrainingSet, fit, kinds_of, predict
from perennial.estimators import estimators, make
from perennial.estimators.base import Estimator, Interval
from perennial.registry.artefacts import Artefact, read, write
from perennial.registry.trusted_types import EVERYWHERE, trusted_for

RECIPE = """
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline

def build(task, columns, parameters, seed):
    numbers = (SimpleImputer(keep_empty_features=True), list(columns.numeric))
    model = Ridge(**parameters) if task == "regression" else LogisticRegression(**parameters)
    return make_pipeline(make_column_transformer(numbers), model)
"""
CASES = [(name, task) for name, entry in estimators().items() for task in sorted(entry.tasks)]
every_case = pytest.mark.parametrize(("name", "task"), CASES)


def built(name: str, folder: Path) -> Estimator:
    """Make an estimator as it is by default; the custom one from a small recipe."""
    code = folder / "estimator.py"
    code.write_text(RECIPE)
    return make(name, {}, code=code)


def awkward(task: str, rows: int = 3000) -> TrainingSet:
    """Make rows with every nuisance that a clean batch may still hold."""
    generator = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "number": generator.normal(size=rows),
            "whole": generator.integers(0, 9, rows),
            "missing": np.where(generator.random(rows) < 0.5, np.nan, 1.5),
            "empty": np.full(rows, np.nan),
            "constant": np.ones(rows),
            "yes": generator.random(rows) < 0.5,
            "few": generator.choice(["a", "b", None], rows),
            "many": [f"N{number}" for number in generator.integers(0, 2000, rows)],
            "nothing": np.full(rows, None, dtype=object),
            "same": ["x"] * rows,
            "day": pd.Timestamp("2013-05-12"),
        }
    )
    frame.loc[5, "number"] = np.inf
    signal = frame["whole"] + generator.normal(size=rows)
    labels = {
        "binary": (signal > 4).to_numpy(),
        "multiclass": np.where(signal > 6, "late", np.where(signal > 2, "on time", "early")),
        "regression": signal.to_numpy(),
    }[task]
    keys = np.arange(rows).astype(str)
    return TrainingSet(frame, labels, task, kinds_of(frame, list(frame)), keys)


@every_case
def test_it_takes_rows_as_they_come(name, task, tmp_path) -> None:
    """Missing, constant, empty, infinite, unseen: one finite prediction a row, and no warning."""
    rows = awkward(task)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = fit(built(name, tmp_path), rows, seed=7)
        unseen = rows.rows.head(50).assign(few="new", many="new", nothing="new", empty=1.0, missing=np.nan)
        given = predict(model, unseen, task=task, columns=rows.columns)
    assert given.shape == ((50, 3) if task == "multiclass" else (50,))
    assert np.isfinite(given).all()


@every_case
def test_probabilities_are_probabilities(name, task, tmp_path) -> None:
    """Between 0 and 1, and over all classes 1."""
    rows = awkward(task)
    given = predict(fit(built(name, tmp_path), rows, seed=7), rows.rows, task=task, columns=rows.columns)
    if task != "regression":
        assert given.min() >= 0
        assert given.max() <= 1
    if task == "multiclass":
        assert np.allclose(given.sum(axis=1), 1)


@every_case
def test_one_row_is_predicted_as_among_others(name, task, tmp_path) -> None:
    """A served row gets what it got in its batch; neither the other rows nor the columns' order matter."""
    rows = awkward(task)
    model = fit(built(name, tmp_path), rows, seed=7)
    together = predict(model, rows.rows.head(20), task=task, columns=rows.columns)
    turned = rows.rows.iloc[[7], ::-1]
    assert np.allclose(predict(model, turned, task=task, columns=rows.columns)[0], together[7], rtol=1e-12)


@every_case
def test_no_rows_give_no_predictions(name, task, tmp_path) -> None:
    """An empty night is not an error here."""
    rows = awkward(task)
    model = fit(built(name, tmp_path), rows, seed=7)
    assert len(predict(model, rows.rows.head(0), task=task, columns=rows.columns)) == 0


@every_case
def test_it_comes_back_from_its_bytes_as_it_was(name, task, tmp_path) -> None:
    """Written, verified and read again, it predicts the same to the last bit."""
    rows = awkward(task)
    model = fit(built(name, tmp_path), rows, seed=7)
    trusted = trusted_for(name)
    loaded = read(Artefact(write(model, trusted), "x"), trusted)
    given = predict(loaded, rows.rows, task=task, columns=rows.columns)
    assert given.tobytes() == predict(model, rows.rows, task=task, columns=rows.columns).tobytes()


@pytest.mark.parametrize("name", estimators())
def test_its_reviewed_types_are_those_it_needs(name, tmp_path) -> None:
    """The list is made anew here: what nothing needs is not trusted."""
    held: set[str] = set()
    for task in estimators()[name].tasks:
        data = skops.io.dumps(fit(built(name, tmp_path), awkward(task), seed=7))
        held |= set(skops.io.get_untrusted_types(data=data))
    assert set(estimators()[name].trusted_types) == held - set(EVERYWHERE)


@every_case
def test_what_it_searches_are_its_parameters(name, task, tmp_path) -> None:
    """Both ends of every range are values that it takes."""
    estimator = built(name, tmp_path)
    for parameter, searched in estimator.space(task).items():
        ends = (searched.low, searched.high) if isinstance(searched, Interval) else searched
        whole = isinstance(searched, Interval) and searched.integer
        for end in ends:
            value = int(end) if whole else end
            assert estimator.tuned({parameter: value}).parameters[parameter] == value


def behaviours(folder: Path) -> list[str]:
    """Train every case and return the hashes of what the models do."""
    found = []
    for name, task in CASES:
        rows = awkward(task, rows=1000)
        model = fit(built(name, folder), rows, seed=7)
        found.append(behaviour(model, fixed_rows(rows), task=task, columns=rows.columns))
    return found


def test_two_processes_train_the_same_model(tmp_path) -> None:
    """Same rows, code and seed, another process, another hash seed, another number of threads: same behaviour."""
    script = (
        "import importlib.util, pathlib, sys\n"
        "spec = importlib.util.spec_from_file_location('contract', sys.argv[1])\n"
        "contract = importlib.util.module_from_spec(spec); spec.loader.exec_module(contract)\n"
        "print(*contract.behaviours(pathlib.Path(sys.argv[2])))"
    )
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, __file__, str(tmp_path)],
        env={
            **os.environ,
            "OMP_NUM_THREADS": "2",
            "OPENBLAS_NUM_THREADS": "2",
            "PYTHONHASHSEED": "17",
            "OMP_WAIT_POLICY": "passive",
        }
        | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == behaviours(tmp_path)


def test_importing_the_catalogue_loads_nothing_heavy() -> None:
    """DAG files read the catalogue at every parse."""
    script = "import sys, perennial.estimators as e; e.estimators(); print(*sys.modules)"
    command = [sys.executable, "-c", script]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert not {"numpy", "pandas", "sklearn", "scipy", "mlflow", "optuna"} & set(told.stdout.split())
