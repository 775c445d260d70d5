"""A model fitted elsewhere is taken as it is, if it is scikit-learn's own and says what it eats."""

import pickle
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from perennial.errors import RefusedArtefactError
from perennial.registry.adopting import adopt

ROWS = pd.DataFrame(np.random.default_rng(7).normal(size=(60, 2)), columns=["wind", "delay"])
LATE = (ROWS["wind"] > 0).astype(int)


def kept(model, folder: Path) -> str:
    """Write a model as its owner would."""
    skops.io.dump(model, folder / "mine.skops")
    return str(folder / "mine.skops")


@pytest.mark.parametrize(
    ("model", "labels", "task"),
    [
        (LogisticRegression(), LATE, "binary"),
        (RandomForestClassifier(n_estimators=3), LATE + (ROWS["delay"] > 0), "multiclass"),
        (LinearRegression(), ROWS["wind"], "regression"),
    ],
)
def test_a_fitted_model_is_taken_as_it_is(model, labels, task, tmp_path) -> None:
    """Its predictions are the same to the last bit, and it says what it predicts from what."""
    model.fit(ROWS, labels)
    adopted = adopt(kept(model, tmp_path))
    assert (adopted.task, adopted.columns) == (task, ("wind", "delay"))
    assert np.array_equal(adopted.pipeline.predict(ROWS), model.predict(ROWS))
    assert adopted.artefact.data == (tmp_path / "mine.skops").read_bytes()


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (LogisticRegression().fit(ROWS.to_numpy(), LATE), "named columns"),
        (LogisticRegression().fit(ROWS, np.where(LATE, "late", "on time")), "positive one"),
        (StandardScaler().fit(ROWS), "predicts nothing"),
        (LinearSVC().fit(ROWS, LATE), "without probabilities"),
    ],
)
def test_a_model_we_could_not_serve_is_refused_with_the_way_out(model, said, tmp_path) -> None:
    """Better now than on its first night."""
    with pytest.raises(RefusedArtefactError, match=said):
        adopt(kept(model, tmp_path))


@pytest.mark.parametrize("name", ["mine.pkl", "mine.joblib", "mine.skops"])
def test_a_pickle_is_refused_with_the_line_that_converts_it(name, tmp_path) -> None:
    """Whatever it calls itself."""
    (tmp_path / name).write_bytes(pickle.dumps(LogisticRegression().fit(ROWS, LATE)))
    with pytest.raises(RefusedArtefactError, match=r"skops\.io\.dump\(model, 'model\.skops'\)"):
        adopt(str(tmp_path / name))


@pytest.mark.parametrize(
    "source", ["models:/a@champion", "models:/a/latest", "models:/../../etc/1", "nowhere.skops"]
)
def test_what_names_no_one_version_is_refused(source) -> None:
    """An alias may point elsewhere tomorrow."""
    with pytest.raises(RefusedArtefactError, match="is refused"):
        adopt(source)


def log(registry, name: str, **how) -> str:
    """Log a model to MLflow as its users do."""
    mlflow.set_tracking_uri(registry.tracking_uri)
    mlflow.set_registry_uri(registry.tracking_uri)
    there = mlflow.create_experiment(name, (registry.home / "theirs").as_uri())
    with mlflow.start_run(experiment_id=there):
        model = LogisticRegression().fit(ROWS, LATE)
        mlflow.sklearn.log_model(model, name="m", registered_model_name=name, pip_requirements=[], **how)
    return f"models:/{name}/1"


def test_a_version_of_mlflow_is_taken_by_its_number(registry) -> None:
    """From the registry that people already have."""
    trusted = ["numpy.dtype", "os.system"]  # what it says of itself is not read
    source = log(registry, "theirs", serialization_format="skops", skops_trusted_types=trusted)
    assert adopt(source, tracking_uri=registry.tracking_uri).columns == ("wind", "delay")


def test_a_version_that_is_a_pickle_is_refused(registry) -> None:
    """What most registries hold today; the answer says how to convert it."""
    source = log(registry, "old", serialization_format="cloudpickle")
    with pytest.raises(RefusedArtefactError, match="it is a pickle"):
        adopt(source, tracking_uri=registry.tracking_uri)


def test_a_version_that_is_not_there_is_refused(registry) -> None:
    """With the registry that was asked in mind."""
    with pytest.raises(RefusedArtefactError, match="MLFLOW_TRACKING_URI"):
        adopt("models:/nobody/1", tracking_uri=registry.tracking_uri)
