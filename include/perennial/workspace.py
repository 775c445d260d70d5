"""A project opened once: its models, store, ledger and registry, from one place and the environment.

Stages get a workspace and nothing else; a notebook opens one to load a training set and compare models.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from perennial.engine.connections import address_in_environment, as_database
from perennial.errors import UnknownModelError

if TYPE_CHECKING:
    from perennial.engine.plan import FeaturePlan
    from perennial.ledger.sqlite import SqliteLedger
    from perennial.registry.registry import Registry
    from perennial.spec.model import ModelSpec
    from perennial.store.local import LocalStore


@dataclass(frozen=True)
class Workspace:
    """Where a project's models are declared (``project``) and where their state is kept (``home``)."""

    project: Path
    home: Path
    quiet: bool = False
    """Whether decisions are recorded without telling anybody: for looking back over nights that have passed."""
    address_of: Callable[[str], str] = address_in_environment
    """Looks up the address behind an Airflow connection's id; outside Airflow in ``AIRFLOW_CONN_<ID>``."""

    @classmethod
    def open(
        cls,
        home: Path | None = None,
        project: Path | None = None,
        *,
        address_of: Callable[[str], str] = address_in_environment,
    ) -> Workspace:
        """Open the project this package lies in, or the one the environment names.

        ``PERENNIAL_PROJECT`` is the folder that holds ``include/models``, ``PERENNIAL_HOME`` the state.
        """
        root = project or Path(os.environ.get("PERENNIAL_PROJECT") or Path(__file__).parents[2])
        state = home or Path(os.environ.get("PERENNIAL_HOME") or root / ".perennial" / "live")
        return cls(root.resolve(), state.resolve(), address_of=address_of)

    @property
    def models(self) -> Path:
        """The folder whose folders are models."""
        return self.project / "include" / "models"

    @cached_property
    def store(self) -> LocalStore:
        """Published partitions."""
        from perennial.store.local import LocalStore

        return LocalStore(self.home / "store")

    @cached_property
    def ledger(self) -> SqliteLedger:
        """The record of decisions."""
        from perennial.ledger.sqlite import SqliteLedger

        self.home.mkdir(parents=True, exist_ok=True)
        return SqliteLedger(self.home / "ledger.db")

    @cached_property
    def registry(self) -> Registry:
        """Models and runs, in MLflow."""
        from perennial.registry.registry import Registry

        return Registry(self.tracking_uri)

    @property
    def tracking_uri(self) -> str:
        """Address of the MLflow registry: an embedded database unless the environment names a server."""
        return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{self.home / 'mlflow' / 'mlflow.db'}"

    def database(self, connection: str | None) -> str | None:
        """Return the address of the database behind a source's or sink's connection; nothing where it names none.

        Raises:
            NoConnectionError: nothing is known under that id.
            UnreadableConnectionError: no address can be made of what is.
        """
        return as_database(self.address_of(connection), connection) if connection else None

    @cached_property
    def _specs(self) -> dict[str, ModelSpec]:
        return {}

    @cached_property
    def _plans(self) -> dict[str, FeaturePlan]:
        return {}

    def folder(self, model: str) -> Path:
        """Return a model's folder, or say which models there are."""
        folder = self.models / model
        if not (folder / "model.yaml").is_file():
            known = sorted(path.parent.name for path in self.models.glob("*/model.yaml"))
            raise UnknownModelError(model, known)
        return folder

    def spec(self, model: str) -> ModelSpec:
        """Read a model's declaration (once a workspace)."""
        from perennial.spec.load import load

        if model not in self._specs:
            self._specs[model] = load(self.folder(model))
        return self._specs[model]

    def plan(self, model: str) -> FeaturePlan:
        """Compile a model's feature views as they are written now (once a workspace)."""
        from perennial.engine.plan import compile_plan

        if model not in self._plans:
            self._plans[model] = compile_plan(self.spec(model), self.folder(model))
        return self._plans[model]
