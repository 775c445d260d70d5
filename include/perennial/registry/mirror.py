"""MLflow as a mirror of the ledger that people can bend: what stands in it, and the ways to put it right.

The reconciler looks here and mends here; so does the rebuilding of a registry that was lost. All of it goes through
MLflow's own interface, so that it works on a server as well.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from perennial.errors import RefusedArtefactError
from perennial.registry.artefacts import FILE_NAME
from perennial.registry.registry import NUMBER, Registry, numbered
from perennial.registry.server import RUN_KEY, inside, keep_files, make_name, registered, run_of
from perennial.registry.training import BEHAVIOUR_FILE

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion as Registered


@dataclass(frozen=True)
class Seen:
    """A version as it stands in MLflow."""

    number: str
    """Its number in MLflow."""
    version: str
    """The number by which the ledger knows it: the same, unless it was brought back."""
    tags: Mapping[str, str]
    made: datetime


@dataclass(frozen=True)
class Content:
    """What a version is made of."""

    artefact: bytes
    fixed_rows: str | None
    """The rows of its behaviour, as text; none where they are lost."""


class Mirror(Registry):
    """A registry that can be looked over and mended."""

    def seen(self, model: str) -> list[Seen]:
        """List a model's versions, oldest first, with their tags."""
        return [
            Seen(str(each.version), numbered(each), dict(each.tags), _instant(each.creation_timestamp))
            for each in registered(self._client, model)
        ]

    def aliases(self, model: str) -> dict[str, str]:
        """Return the aliases of a model, each with the number in MLflow that it points at."""
        from mlflow.exceptions import MlflowException

        try:
            found: Mapping[str, object] = self._client.get_registered_model(model).aliases
        except MlflowException as mistake:
            if mistake.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return {}
        return {alias: str(number) for alias, number in found.items()}

    def put_tags(self, model: str, number: str, tags: Mapping[str, str]) -> None:
        """Set tags of a version; others stay."""
        for name, value in tags.items():
            self._client.set_model_version_tag(model, number, name, value)

    def drop_alias(self, model: str, alias: str) -> None:
        """Take an alias away."""
        self._client.delete_registered_model_alias(model, alias)

    def drop(self, model: str, number: str) -> None:
        """Take a version out of the registry; its files stay where they lie."""
        self._client.delete_model_version(model, number)

    def bring_back(self, model: str, version: str, content: Content, tags: Mapping[str, str]) -> str:
        """Register a version anew from its bytes and return its number in MLflow.

        A new registry counts from 1: numbers that nothing can be brought back for are used up, so that no later
        training is given a number that the ledger knows already. Where the number is taken, a tag holds the one that
        the ledger knows.
        """
        make_name(self._client, model)
        run_id = run_of(self._client, model, tags[RUN_KEY], self._files)
        named = {
            **tags,
            NUMBER: version,
        }  # from the first moment on: whoever is cut off leaves no stranger behind
        with inside(self.tracking_uri, run_id):
            source = self._upload(run_id, content)
            made = self._register(model, source, run_id, named)
            while int(made.version) < int(version):
                self._client.delete_model_version(model, made.version)
                made = self._register(model, source, run_id, named)
        return str(made.version)

    def _upload(self, run_id: str, content: Content) -> str:
        """Write the files as a model of that run and return its address."""
        experiment = self._client.get_run(run_id).info.experiment_id
        logged = self._client.create_logged_model(experiment, name="model", source_run_id=run_id)
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / FILE_NAME).write_bytes(content.artefact)
            self._client.log_model_artifacts(logged.model_id, folder)
        self._client.finalize_logged_model(logged.model_id, "READY")
        if content.fixed_rows is not None:
            keep_files(self._client, run_id, {BEHAVIOUR_FILE: content.fixed_rows.encode()})
        return f"models:/{logged.model_id}"

    def _register(self, model: str, source: str, run_id: str, tags: Mapping[str, str]) -> Registered:
        logged = source.removeprefix("models:/")
        return self._client.create_model_version(model, source, run_id, tags=dict(tags), model_id=logged)

    def rows_text(self, model: str, version: str) -> str:
        """Return the fixed rows of a version as they are kept.

        Raises:
            RefusedArtefactError: they are not there any more.
        """
        run = self._client.get_run(self.version(model, version).run_id)
        return self._fetch(f"{run.info.artifact_uri}/{BEHAVIOUR_FILE}").decode()

    def lying(self, model: str) -> list[Path]:
        """List the artefacts of a model that lie on this machine, registered or not."""
        place = self._files / model if self._files else None
        return sorted(place.rglob(FILE_NAME)) if place and place.is_dir() else []

    def lying_rows(self, model: str) -> list[Path]:
        """List the fixed rows of a model that lie on this machine."""
        place = self._files / model if self._files else None
        return sorted(place.rglob(BEHAVIOUR_FILE)) if place and place.is_dir() else []

    def logged(self, model: str) -> Iterator[Content]:
        """Fetch what every training of a model has logged, registered or not; the newest first."""
        from mlflow.exceptions import MlflowException

        experiment = self._client.get_experiment_by_name(model)
        token = None
        while experiment is not None:
            page = self._client.search_logged_models([experiment.experiment_id], page_token=token)
            for each in page:
                with suppress(RefusedArtefactError, MlflowException, OSError):
                    rows = self._rows_of(each.source_run_id)
                    yield Content(self._fetch(f"{each.artifact_location}/{FILE_NAME}"), rows)
            token = page.token
            if not token:
                return

    def _rows_of(self, run_id: str | None) -> str | None:
        from mlflow.exceptions import MlflowException

        with suppress(RefusedArtefactError, MlflowException, OSError):
            run = self._client.get_run(str(run_id))
            return self._fetch(f"{run.info.artifact_uri}/{BEHAVIOUR_FILE}").decode()
        return None

    @property
    def is_local(self) -> bool:
        """Whether its files lie on this machine, where looking at them costs little."""
        return self.database is not None


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
