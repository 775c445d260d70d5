"""How MLflow is spoken to: one client, one run a training, one version a run, and files from one place only.

The registry's verbs are in ``registry.py``; here are the calls they need, with what MLflow does by
itself turned off: telemetry, logging everything, writing into the current folder.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from perennial.errors import RefusedArtefactError, UnsafeNameError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion as Registered

REMOTE = frozenset({"mlflow-artifacts", "s3", "gs", "abfss", "wasbs"})
"""Where a tracking server may keep files; a path or a web address from a server is never followed."""
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # stdout is data
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
ADDRESSES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")
"""Environment variables that name a server."""
RUN_KEY = "perennial.run_key"


def connect(tracking_uri: str) -> MlflowClient:
    """Open a client; MLflow's own defaults (a database in the current folder, telemetry) never apply."""
    quieten()
    import mlflow

    # It says at each model that it knows no version of pip, which nothing here needs.
    logging.getLogger("mlflow.utils.environment").setLevel(logging.ERROR)
    return mlflow.MlflowClient(tracking_uri, tracking_uri)


def quieten() -> None:
    """Turn off what MLflow would do by itself; before its import, when it reads these once.

    A person who set them otherwise is left alone.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)


@contextmanager
def inside(tracking_uri: str, run_id: str) -> Iterator[None]:
    """Make the run the active one for as long as its model is written; a failure is told in MLflow as well.

    MLflow also writes the address into the environment, where the next workspace of this process would take
    it for its own; there it is put back.
    """
    import mlflow

    before = {name: os.environ.get(name) for name in ADDRESSES}
    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_registry_uri(tracking_uri)
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    with mlflow.start_run(run_id=run_id):
        yield


def run_of(client: MlflowClient, model: str, run_key: str, files: Path | None) -> str:
    """Return the run of this training: the one an earlier attempt began, or a new one."""
    experiment = _experiment(client, model, files)
    query = f"tags.`{RUN_KEY}` = '{_plain('run key', run_key)}'"
    begun = client.search_runs([experiment], query, order_by=["attributes.start_time ASC"], max_results=1)
    if begun:
        return str(begun[0].info.run_id)
    tags = {RUN_KEY: run_key, "perennial.model": model}
    return str(client.create_run(experiment, run_name=run_key, tags=tags).info.run_id)


def register(
    client: MlflowClient, model: str, source: str, run_id: str, tags: Mapping[str, str]
) -> Registered:
    """Register a version; of two attempts at one training the first version stays and the other goes."""
    make_name(client, model)
    logged = source.removeprefix("models:/")  # a server believes a source only with the model that it names
    mine = client.create_model_version(model, source, run_id, tags=dict(tags), model_id=logged)
    first = registered(client, model, tags[RUN_KEY])[0]
    if first.version != mine.version:
        client.delete_model_version(model, mine.version)
    return first


def make_name(client: MlflowClient, model: str) -> None:
    """Make sure that versions can be registered under a model's name."""
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(model)
    except MlflowException as there_is:
        if there_is.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def registered(client: MlflowClient, model: str, run_key: str | None = None) -> list[Registered]:
    """List a model's versions, oldest first; with a run key, those of that training."""
    query = f"name = '{_plain('model', model)}'"
    if run_key is not None:
        query += f" and tags.`{RUN_KEY}` = '{_plain('run key', run_key)}'"
    found: list[Registered] = []
    token = None
    while True:
        page = client.search_model_versions(query, page_token=token)
        found.extend(page)
        token = page.token
        if not token:
            return sorted(found, key=lambda each: int(each.version))


def fetch(address: str, files: Path | None, tracking_uri: str) -> bytes:
    """Read one stored file, from the registry's own place only.

    Raises:
        RefusedArtefactError: the address leads elsewhere, or nothing is there.
    """
    parts = urlsplit(address)
    if parts.scheme in {"", "file"}:
        return _local(Path(unquote(parts.path)), address, files)
    if parts.scheme not in REMOTE:
        raise RefusedArtefactError(address, "it does not lie where the registry keeps its files")
    from mlflow.artifacts import download_artifacts

    with tempfile.TemporaryDirectory() as private:  # made readable for us alone
        return Path(
            download_artifacts(artifact_uri=address, dst_path=private, tracking_uri=tracking_uri)
        ).read_bytes()


def keep_files(client: MlflowClient, run_id: str, files: Mapping[str, bytes]) -> None:
    """Keep files with a run, each under its name; a file of the same name is replaced."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            file = Path(folder) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        client.log_artifacts(run_id, folder)


def _local(path: Path, address: str, files: Path | None) -> bytes:
    if files is None or not path.resolve().is_relative_to(files.resolve()):
        raise RefusedArtefactError(address, "it does not lie where the registry keeps its files")
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:  # noqa: PTH123 -- no link is followed
            return file.read()
    except OSError as mistake:
        raise RefusedArtefactError(address, f"it cannot be read ({mistake.strerror})") from mistake


def _experiment(client: MlflowClient, model: str, files: Path | None) -> str:
    from mlflow.exceptions import MlflowException

    found: Any = client.get_experiment_by_name(model)
    if found is None:
        try:
            return str(client.create_experiment(model, (files / model).as_uri() if files else None))
        except MlflowException:  # another training of this model was faster
            found = client.get_experiment_by_name(model)
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _plain(noun: str, text: str) -> str:
    if not text or "'" in text or not text.isprintable():
        raise UnsafeNameError(noun, text)
    return text
