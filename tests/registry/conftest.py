"""A registry to test with: its database is made once, and each test has a copy."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from perennial.engine.behaviour import behaviour, fixed_rows
from perennial.engine.fitting import TrainingSet, fit, kinds_of
from perennial.estimators import make
from perennial.registry.database import create_database
from perennial.registry.registry import Registry
from perennial.registry.training import Training


@pytest.fixture(scope="session")
def whole_database(tmp_path_factory) -> Path:
    """Make one whole database for the session."""
    return create_database(tmp_path_factory.mktemp("registry") / "mlflow.db")


@pytest.fixture
def registry(whole_database: Path, tmp_path: Path) -> Registry:
    """Open an empty registry."""
    shutil.copy(whole_database, tmp_path / "mlflow.db")
    return Registry(f"sqlite:///{tmp_path / 'mlflow.db'}")


@pytest.fixture(scope="session")
def flights() -> TrainingSet:
    """Make six hundred flights, late when it is windy."""
    generator = np.random.default_rng(7)
    rows = pd.DataFrame(
        {
            "wind": generator.normal(10, 3, 600),
            "carrier": generator.choice(["UA", "B6", None], 600),
            "passenger": [f"name {i}" for i in range(600)],
        }
    )
    late = (rows["wind"] + generator.normal(0, 2, 600) > 11).to_numpy()
    columns = kinds_of(rows, ["wind", "carrier", "passenger"])
    return TrainingSet(rows, late, "binary", columns, np.arange(600).astype(str))


@pytest.fixture(scope="session")
def trained(flights: TrainingSet) -> Training:
    """Fit a small model and tell everything of it."""
    estimator = make("gradient_boosting", {"iterations": 10})
    model = fit(estimator, flights, seed=7)
    rows = fixed_rows(flights, masked=["passenger"])
    return Training(
        model="flight_delay",
        run_key="2013-07-01/abc",
        estimator="gradient_boosting",
        pipeline=model,
        task="binary",
        columns=flights.columns,
        fixed_rows=rows,
        behaviour=behaviour(model, rows, task="binary", columns=flights.columns),
        parameters=estimator.parameters,
        metrics={"log_loss": 0.5, "undefined": float("nan")},
        tags={"night": "2013-07-01"},
        datasets={"features": "f" * 64},
        figures={"calibration.png": b"picture"},
    )
