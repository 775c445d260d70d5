"""A training becomes one run and one version, and comes back as the very model it was."""

import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import mlflow
import numpy as np
import pytest

from perennial.engine.behaviour import behaviour
from perennial.engine.fitting import predict
from perennial.errors import (
    RefusedArtefactError,
    RegistryDatabaseError,
    UnknownVersionError,
    UnsafeNameError,
    UnsavableModelError,
)
from perennial.registry.registry import Registry


def test_a_recorded_model_predicts_to_the_last_bit_what_it_did(registry, trained, flights) -> None:
    """What ships is the evaluated artefact."""
    version = registry.record_training(trained)
    loaded = registry.load("flight_delay", version.version, version.sha256)
    given = predict(loaded, flights.rows, task="binary", columns=flights.columns)
    wanted = predict(trained.pipeline, flights.rows, task="binary", columns=flights.columns)
    assert given.tobytes() == wanted.tobytes()


def test_the_fixed_rows_kept_beside_a_model_give_its_behaviour_again(registry, trained) -> None:
    """Staging can ask, without the training set, whether the model still does the same."""
    version = registry.record_training(trained)
    loaded = registry.load("flight_delay", version.version, version.sha256)
    rows = registry.fixed_rows("flight_delay", version.version)
    assert behaviour(loaded, rows, task="binary", columns=trained.columns) == version.behaviour


def test_recording_a_training_again_gives_the_same_version(registry, trained) -> None:
    """A retried task never registers twice."""
    assert registry.record_training(trained) == registry.record_training(trained)
    assert len(registry.versions("flight_delay")) == 1


def test_a_training_that_stopped_half_way_goes_on_in_its_run(registry, trained) -> None:
    """The run that an attempt left behind is the run of the next attempt."""
    client = registry._client
    experiment = client.create_experiment("flight_delay", (registry.home / "artifacts").as_uri())
    left = client.create_run(experiment, tags={"perennial.run_key": trained.run_key})
    assert registry.record_training(trained).run_id == left.info.run_id


def test_of_two_attempts_at_once_the_first_version_stays(registry, trained) -> None:
    """Airflow runs a task at least once: two attempts give one version."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        record = Registry(registry.tracking_uri).record_training
        attempts = [processes.submit(record, trained) for _ in range(2)]
        told = {attempt.result(timeout=120).version for attempt in attempts}
    assert told == {registry.versions("flight_delay")[0].version}
    assert len(registry.versions("flight_delay")) == 1


def test_the_run_tells_what_the_model_was_trained_with(registry, trained) -> None:
    """Parameters, figures, data and pictures are found in MLflow; what is not finite is left out."""
    version = registry.record_training(trained)
    registry.set_tags(version.run_id, {"ledger": "17"})
    registry.describe(version, "Trained on 90 rows.")
    run = registry._client.get_run(version.run_id)
    assert run.data.params["iterations"] == "10"
    assert run.data.metrics == {"log_loss": 0.5}
    assert run.data.tags["perennial.night"] == "2013-07-01"
    assert run.data.tags["perennial.ledger"] == "17"
    assert run.data.tags["mlflow.note.content"] == "Trained on 90 rows."
    assert run.inputs.dataset_inputs[0].dataset.source == "f" * 64
    assert run.info.status == "FINISHED"
    assert (registry.home / "artifacts/flight_delay" / version.run_id / "artifacts/figures").is_dir()


def test_masked_columns_are_nowhere_in_what_is_kept_beside_the_model(registry, trained) -> None:
    """Input example and fixed rows hold no person."""
    registry.record_training(trained)
    files = [each for each in (registry.home / "artifacts").rglob("*.json") if each.is_file()]
    assert files
    assert not [file for file in files if "name 1" in file.read_text()]


def test_an_alias_points_where_it_was_set(registry, trained) -> None:
    """MLflow shows who serves as the ledger says."""
    version = registry.record_training(trained)
    assert registry.alias("flight_delay", "champion") is None
    registry.set_alias("flight_delay", "champion", version.version)
    assert registry.alias("flight_delay", "champion") == version


def test_a_version_that_was_never_registered_is_named_with_those_there_are(registry, trained) -> None:
    """A wrong number is answered with the right ones."""
    registry.record_training(trained)
    with pytest.raises(UnknownVersionError, match="Versions: 1"):
        registry.load("flight_delay", "7", "0" * 64)


def test_other_bytes_than_the_ledgers_are_refused(registry, trained) -> None:
    """MLflow's word for what a version is counts for nothing."""
    version = registry.record_training(trained)
    (file,) = registry.home.rglob("model.skops")
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(RefusedArtefactError, match="SHA-256"):
        registry.load("flight_delay", version.version, version.sha256)


def test_a_version_registered_under_another_name_is_refused(registry, trained) -> None:
    """The right bytes of the wrong model are the wrong model."""
    version = registry.record_training(trained)
    client = registry._client
    source = client.get_model_version("flight_delay", "1").source
    client.create_registered_model("flight_cancelled")
    client.create_model_version("flight_cancelled", source, tags={"perennial.model": "flight_delay"})
    with pytest.raises(RefusedArtefactError, match="trained as 'flight_delay'"):
        registry.load("flight_cancelled", "1", version.sha256)


def test_a_link_or_a_path_out_of_the_registry_is_not_followed(registry, trained, tmp_path) -> None:
    """A registry entry cannot make us read another file of the machine."""
    version = registry.record_training(trained)
    (file,) = registry.home.rglob("model.skops")
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere.skops"
    elsewhere.write_bytes(file.read_bytes())
    file.unlink()
    file.symlink_to(elsewhere)
    with pytest.raises(RefusedArtefactError, match="does not lie where"):
        registry.load("flight_delay", version.version, version.sha256)


def test_a_registry_nobody_made_is_an_error_and_not_a_new_database(tmp_path) -> None:
    """A task never makes or migrates the database."""
    registry = Registry(f"sqlite:///{tmp_path / 'mlflow.db'}")
    with pytest.raises(RegistryDatabaseError, match="no registry yet"):
        registry.versions("flight_delay")
    assert not list(tmp_path.iterdir())


def test_a_pipeline_of_unreviewed_parts_is_refused_before_anything_is_recorded(registry, trained) -> None:
    """Better no run than a version that can never be loaded."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    with pytest.raises(UnsavableModelError, match="system"):
        registry.record_training(
            replace(trained, pipeline=make_pipeline(FunctionTransformer(os.system), trained.pipeline))
        )
    assert registry.versions("flight_delay") == []


def test_a_name_that_could_change_a_query_is_refused(registry) -> None:
    """Names never become part of a question to the database."""
    with pytest.raises(UnsafeNameError):
        registry.versions("a' or name = 'b")


def test_nothing_is_written_where_the_process_stands(registry, trained, tmp_path) -> None:
    """MLflow would leave a database and a folder in the current one."""
    script = (
        "import sys; from perennial.registry.registry import Registry\n"
        "print(len(Registry(sys.argv[1]).versions('flight_delay')))\n"
        "import mlflow.telemetry; print(mlflow.telemetry.get_telemetry_client())"
    )
    registry.record_training(trained)
    place = tmp_path / "empty"
    place.mkdir()
    told = subprocess.run(
        [sys.executable, "-c", script, registry.tracking_uri],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(Path(mlflow.__file__).parents[1]) + ":" + _library()},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["1", "None"]
    assert list(place.iterdir()) == []


def test_a_run_has_an_address(registry, trained) -> None:
    """Airflow's pages link to it."""
    version = registry.record_training(trained)
    url = registry.run_url("http://127.0.0.1:5000/", version.run_id)
    assert url == f"http://127.0.0.1:5000/#/experiments/1/runs/{version.run_id}"


def test_predictions_are_probabilities(registry, trained, flights) -> None:
    """MLflow's own serving gives what ours gives."""
    registry.record_training(trained)
    mlmodel = next(registry.home.rglob("MLmodel")).read_text()
    assert "predict_fn: predict_proba" in mlmodel
    assert np.all(predict(trained.pipeline, flights.rows, task="binary", columns=flights.columns) <= 1)


def _library() -> str:
    import perennial

    return str(Path(perennial.__file__).parents[1])
