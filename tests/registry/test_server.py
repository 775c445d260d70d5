"""The registry behind a real MLflow server, over HTTP, as in production; and with no server named at all."""

import os
import pickle
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import pytest
from tests.doubles.receivers import free_port

from perennial.engine.fitting import TrainingSet, predict
from perennial.registry.registry import Registry
from perennial.registry.server import inside, run_of
from perennial.registry.training import Training, log_model, tell

RECORD = """
import pickle, sys
from pathlib import Path
from perennial.registry.registry import Registry
version = Registry(sys.argv[1]).record_training(pickle.loads(Path(sys.argv[2]).read_bytes()))
print(version.version, version.sha256)
"""
LOAD = """
import sys
from perennial.registry.registry import Registry
registry = Registry(sys.argv[1])
print(type(registry.load("flight_delay", *sys.argv[2:])).__name__, len(registry.fixed_rows("flight_delay", sys.argv[2])))
"""
HEALTHY_WITHIN_SECONDS = 90
LIBRARY = Path(__file__).parents[2] / "include"


@pytest.fixture(scope="module")
def address(whole_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a whole, empty database on a free port; the server hands out the files itself."""
    home = tmp_path_factory.mktemp("server")
    shutil.copy(whole_database, home / "mlflow.db")
    url = f"http://127.0.0.1:{free_port()}"
    words = ["--backend-store-uri", f"sqlite:///{home / 'mlflow.db'}", "--workers", "1"]
    words += ["--artifacts-destination", str(home / "files"), "--default-artifact-root", "mlflow-artifacts:/"]
    words += ["--host", "127.0.0.1", "--port", url.rpartition(":")[2]]
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", *words],
        cwd=home,
        env=without_addresses() | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(f"{url}/health")
        yield url
    finally:
        os.killpg(server.pid, 15)
        server.wait(timeout=30)


def wait_for(url: str) -> None:
    """Ask until somebody answers."""
    until = time.monotonic() + HEALTHY_WITHIN_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310  our own server
                return
        except (URLError, ConnectionError, TimeoutError):
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def without_addresses() -> dict[str, str]:
    """Copy the environment without what it says of any MLflow."""
    kept = {name: value for name, value in os.environ.items() if "MLFLOW" not in name}
    return kept | {"PYTHONPATH": str(LIBRARY)}


def run(script: str, place: Path, *words: str) -> str:
    """Run a script in an empty folder, in an environment that names no MLflow, and return what it says."""
    place.mkdir(exist_ok=True)
    told = subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=place,
        env=without_addresses(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr[-3000:]
    return told.stdout


@pytest.mark.slow
@pytest.mark.parametrize("served", [False, True], ids=["embedded", "served"])
def test_nothing_is_left_where_a_process_stands_that_names_no_mlflow(
    registry: Registry, address: str, trained: Training, tmp_path: Path, *, served: bool
) -> None:
    """Recording and loading, each in a fresh process, ask the registry's own address and make no other database."""
    place, kept = tmp_path / "empty", tmp_path / "training.pickle"
    kept.write_bytes(pickle.dumps(trained))
    uri = address if served else registry.tracking_uri
    version = run(RECORD, place, uri, str(kept)).split()
    assert run(LOAD, place, uri, *version).split() == ["Pipeline", str(len(trained.fixed_rows))]
    assert list(place.iterdir()) == []


@pytest.mark.slow
def test_a_training_recorded_over_http_comes_back_as_the_very_model_it_was(
    address: str, trained: Training, flights: TrainingSet
) -> None:
    """A real server asks more than the embedded database: it must accept the version and hand out its files."""
    registry = Registry(address)
    version = registry.record_training(trained)
    assert registry.record_training(trained) == version
    loaded = registry.load(trained.model, version.version, version.sha256)
    given = predict(loaded, flights.rows, task="binary", columns=flights.columns)
    wanted = predict(trained.pipeline, flights.rows, task="binary", columns=flights.columns)
    assert given.tobytes() == wanted.tobytes()
    assert len(registry.fixed_rows(trained.model, version.version)) == len(trained.fixed_rows)


def test_a_training_that_died_before_it_was_registered_is_recorded_by_the_next_attempt(
    registry: Registry, trained: Training
) -> None:
    """The second attempt measured its own seconds; figures that the run has already are not told twice."""
    client = registry._client
    first = replace(trained, metrics={**trained.metrics, "cpu_seconds": 1.0})
    run_id = run_of(client, first.model, first.run_key, registry._files)
    with inside(registry.tracking_uri, run_id):
        tell(client, run_id, first)
        log_model(first)
    again = replace(trained, metrics={**trained.metrics, "cpu_seconds": 2.0, "roc_auc": 0.7})
    version = registry.record_training(again)
    assert version.run_id == run_id
    assert client.get_run(run_id).data.metrics == {"log_loss": 0.5, "cpu_seconds": 1.0, "roc_auc": 0.7}
    assert [len(client.get_metric_history(run_id, name)) for name in ("cpu_seconds", "roc_auc")] == [1, 1]
