"""The registry: trainings in, verified models out; MLflow behind it.

Stages record a training, load a version that the ledger vouches for, and mirror the ledger's word in
an alias. Nothing is loaded through MLflow, which would believe what an artefact says of itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial.engine.behaviour import behaviour, rows_from_text
from perennial.errors import RefusedArtefactError, UnknownVersionError
from perennial.registry.artefacts import FILE_NAME, Artefact, read, write
from perennial.registry.database import check_database
from perennial.registry.moving import follow
from perennial.registry.server import (
    RUN_KEY,
    connect,
    fetch,
    inside,
    keep_files,
    register,
    registered,
    run_of,
)
from perennial.registry.training import BEHAVIOUR_FILE, Training, log_model, tell
from perennial.registry.trusted_types import trusted_for

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion as Registered

SQLITE = "sqlite:///"
NUMBER = "perennial.version"
"""Tag of a version that was brought back under another number of MLflow's: the number that the ledger knows."""


@dataclass(frozen=True)
class ModelVersion:
    """A registered version, as MLflow tells of it: to show and to find, not to trust."""

    model: str
    version: str
    run_id: str
    estimator: str
    """Entry of the catalogue of estimators, or ``adopted``."""
    sha256: str
    """Hash of the artefact's bytes when it was recorded; the ledger's is the one to load by."""
    behaviour: str
    """Hash of its predictions for its fixed rows."""
    number: str
    """Its number in MLflow: another one only where it was brought back after somebody had deleted it."""


class Registry:
    """Model versions in MLflow, at ``tracking_uri``; with an embedded database, files lie beside it."""

    def __init__(self, tracking_uri: str, home: Path | None = None) -> None:
        """Remember where the registry is; nothing is opened or imported yet."""
        self.tracking_uri = tracking_uri
        self.database = Path(tracking_uri.removeprefix(SQLITE)) if tracking_uri.startswith(SQLITE) else None
        beside = self.database.parent if self.database else None
        self.home = home or beside

    def record_training(self, training: Training) -> ModelVersion:
        """Record a training as one MLflow run and register its model; the same ``run_key`` does so once.

        Raises:
            UnsavableModelError: the pipeline holds a type that nobody reviewed; nothing is recorded.
            RegistryDatabaseError: the registry's database was never made, or is damaged.
        """
        trusted = trusted_for(training.estimator)
        write(training.pipeline, trusted)
        done = registered(self._client, training.model, training.run_key)
        if done:
            return _told(done[0])
        run_id = run_of(self._client, training.model, training.run_key, self._files)
        with inside(self.tracking_uri, run_id):
            tell(self._client, run_id, training)
            logged = log_model(training)
        kept = self._client.get_logged_model(logged.model_id).artifact_location
        artefact = Artefact(self._fetch(f"{kept}/{FILE_NAME}"), f"run {run_id} of {training.model}")
        _check_behaviour(training, read(artefact, trusted))
        tags = {
            RUN_KEY: training.run_key,
            "perennial.model": training.model,
            "perennial.estimator": training.estimator,
            "perennial.sha256": artefact.sha256,
            "perennial.behaviour": training.behaviour,
        }
        return _told(register(self._client, training.model, logged.model_uri, run_id, tags))

    def version(self, model: str, version: str) -> ModelVersion:
        """Look a version up.

        Raises:
            UnknownVersionError: it was never registered.
        """
        return _told(self._registered(model, version))

    def versions(self, model: str) -> list[ModelVersion]:
        """List a model's versions, oldest first."""
        return [_told(each) for each in registered(self._client, model)]

    def artefact(self, model: str, version: str) -> Artefact:
        """Read a version's bytes, unverified.

        Raises:
            RefusedArtefactError: they do not lie where the registry keeps its files.
        """
        number = self._registered(model, version).version
        address = self._client.get_model_version_download_uri(model, number)
        return Artefact(self._fetch(f"{address}/{FILE_NAME}"), f"version {version} of {model}")

    def load(self, model: str, version: str, expected_sha256: str) -> Any:
        """Load a version's pipeline from exactly the bytes that the ledger vouches for.

        Raises:
            UnknownVersionError: it was never registered.
            RefusedArtefactError: other bytes, or unreviewed types in them; nothing of it is run.
        """
        tags = self._registered(model, version).tags
        artefact = self.artefact(model, version)
        if tags.get("perennial.model") != model:
            raise RefusedArtefactError(artefact.which, f"it was trained as {tags.get('perennial.model')!r}")
        return read(artefact, trusted_for(tags["perennial.estimator"]), expected_sha256=expected_sha256)

    def fixed_rows(self, model: str, version: str) -> pd.DataFrame:
        """Return the rows whose predictions are the version's behaviour."""
        run = self._client.get_run(self.version(model, version).run_id)
        return rows_from_text(self._fetch(f"{run.info.artifact_uri}/{BEHAVIOUR_FILE}").decode())

    def set_alias(self, model: str, alias: str, version: str) -> None:
        """Point an alias at a version: a mirror of the ledger for those who look into MLflow."""
        self._client.set_registered_model_alias(model, alias, self.version(model, version).number)

    def alias(self, model: str, alias: str) -> ModelVersion | None:
        """Return the version that an alias points at; none when there is no such alias."""
        from mlflow.exceptions import MlflowException

        try:
            return _told(self._client.get_model_version_by_alias(model, alias))
        except MlflowException:
            return None

    def keep_files(self, model: str, run_key: str, files: Mapping[str, bytes], sentence: str) -> str:
        """Keep files in a run that is no training, at the head of its page a sentence; return the run."""
        run_id = run_of(self._client, model, run_key, self._files)
        keep_files(self._client, run_id, files)
        self._client.set_tag(run_id, "mlflow.note.content", sentence)
        return run_id

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Tag a run, for example with the id of the ledger's entry about it."""
        for name, value in tags.items():
            self._client.set_tag(run_id, f"perennial.{name}", value)

    def describe(self, version: ModelVersion, sentence: str) -> None:
        """Put a sentence at the head of a version's page and of its run's."""
        self._client.set_tag(version.run_id, "mlflow.note.content", sentence)
        self._client.update_model_version(version.model, version.number, description=sentence)

    def run_url(self, base_url: str, run_id: str) -> str:
        """Return the address of a run's page in the MLflow that is served at ``base_url``."""
        experiment = self._client.get_run(run_id).info.experiment_id
        return f"{base_url.rstrip('/')}/#/experiments/{experiment}/runs/{run_id}"

    def _registered(self, model: str, version: str) -> Registered:
        from mlflow.exceptions import MlflowException

        try:
            found = self._client.get_model_version(model, version)
        except MlflowException as mistake:
            if mistake.error_code not in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
                raise
            found = None
        if found is not None and numbered(found) == version:
            return found
        known = registered(self._client, model)
        for each in known:
            if numbered(each) == version:
                return each
        raise UnknownVersionError(model, version, [numbered(each) for each in known])

    def _fetch(self, address: str) -> bytes:
        return fetch(address, self._files, self.tracking_uri)

    @cached_property
    def _client(self) -> MlflowClient:
        # Before MLflow sees the file: it would begin to migrate whatever it finds.
        if self.database:
            check_database(self.database)
        if self.database and self._files:
            follow(self.database, self._files)
        return connect(self.tracking_uri)

    @property
    def _files(self) -> Path | None:
        return self.home / "artifacts" if self.home else None


def numbered(version: Registered) -> str:
    """Return the number by which the ledger knows a version."""
    return str(version.tags.get(NUMBER) or version.version)


def _told(registered_version: Registered) -> ModelVersion:
    tags = registered_version.tags
    return ModelVersion(
        model=registered_version.name,
        version=numbered(registered_version),
        run_id=registered_version.run_id or "",
        estimator=tags.get("perennial.estimator", ""),
        sha256=tags.get("perennial.sha256", ""),
        behaviour=tags.get("perennial.behaviour", ""),
        number=str(registered_version.version),
    )


def _check_behaviour(training: Training, loaded: Any) -> None:
    found = behaviour(loaded, training.fixed_rows, task=training.task, columns=training.columns)
    if found != training.behaviour:
        raise RefusedArtefactError(training.model, "written and read again, the model predicts otherwise")
