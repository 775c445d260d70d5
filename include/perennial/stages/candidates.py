"""What is known of a trained version, as the ledger records it: the one place that says which bytes it is.

Training writes it, scoring, gates, deployment and monitoring read it. The registry holds the bytes; whether
they are these bytes is decided by the hash here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from perennial.clock import Night
from perennial.errors import FormerVersionError, NoChampionError, UnknownVersionError
from perennial.facts.evidence import Json
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from perennial.engine.fitting import Array


@dataclass(frozen=True)
class Candidate:
    """A version: its bytes, what it eats, and what it was trained on."""

    model: str
    version: str
    sha256: str
    """Hash of the artefact's bytes."""
    behaviour: str
    """Hash of its predictions on fixed rows."""
    plan: str
    """Hash of the feature definitions it was trained on."""
    recipe: str
    """Hash of everything that defines the training except the data."""
    estimator: str
    task: str
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    classes: tuple[str, ...]
    night: Night
    """The night it was trained on; nothing known later went into it."""
    cutoff: Night | None
    """Last night whose rows it was trained on; none without time."""
    rows: int
    """Rows it was trained on."""
    parameters: Mapping[str, Json]
    seed: int
    change: str
    """How it differs from the champion of that night: first, refresh or recipe."""

    def as_json(self) -> dict[str, Json]:
        """Write plain values, for the ledger; without the bytes' hash, which no two trainings share."""
        return {name: value for name, value in asdict(self).items() if name != "sha256"}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], sha256: str) -> Candidate:
        """Read what the ledger kept of a training, and of its bytes."""
        lists = {name: tuple(value[name]) for name in ("numeric", "categorical", "classes")}
        return cls(**{**value, **lists, "sha256": sha256})


def trainings(workspace: Workspace, model: str, last_night: Night | None = None) -> list[Candidate]:
    """List every version trained or adopted up to a night, in the order of the ledger."""
    registered = workspace.ledger.entries(model, kinds={"registered"})
    bytes_of = {str(entry.evidence["version"]): str(entry.evidence["sha256"]) for entry in registered}
    trained = workspace.ledger.entries(model, kinds={"trained", "adopted"}, last_night=last_night)
    return [
        Candidate.from_json(entry.evidence, bytes_of[str(entry.evidence["version"])]) for entry in trained
    ]


def candidate(workspace: Workspace, model: str, version: str) -> Candidate:
    """Look a version up in the ledger.

    Raises:
        UnknownVersionError: nothing was trained under that number.
    """
    known = {one.version: one for one in trainings(workspace, model)}
    if version not in known:
        raise UnknownVersionError(model, version, list(known))
    return known[version]


def champion(workspace: Workspace, model: str, night: Night) -> Candidate:
    """Return the version that serves on a night.

    Raises:
        NoChampionError: none does yet.
        FormerVersionError: it was trained for another task than is declared now.
    """
    named = workspace.ledger.champion(model, night)
    if named is None:
        raise NoChampionError(model, night)
    reigning = candidate(workspace, model, named.version)
    task = workspace.spec(model).task
    if reigning.task != task:
        raise FormerVersionError(model, [f"the task is {task} and was {reigning.task}"])
    return reigning


def serving(workspace: Workspace, model: str, night: Night) -> Candidate | None:
    """Return the version that serves on a night; nothing where none does yet."""
    try:
        return champion(workspace, model, night)
    except NoChampionError:
        return None


def mirror_champion(workspace: Workspace, model: str) -> None:
    """Point the registry's alias at the version that the ledger's latest decision names."""
    named = workspace.ledger.champion(model)
    if named is not None:
        workspace.registry.set_alias(model, "champion", named.version)


class Predictor:
    """A version's verified artefact, ready to predict."""

    def __init__(self, workspace: Workspace, version: Candidate) -> None:
        """Load the bytes, refusing any others than those that the ledger names."""
        self.version = version
        self._registry = workspace.registry
        self.pipeline = workspace.registry.load(version.model, version.version, version.sha256)

    def predict(self, features: pa.Table) -> Array:
        """Predict rows of a feature partition: a probability, one column a class, or a number."""
        return self.predict_frame(inputs(features))

    def behaves(self) -> bool:
        """Whether it predicts its fixed rows as it did right after training."""
        from perennial.engine.behaviour import behaviour
        from perennial.estimators.base import ColumnKinds

        rows = self._registry.fixed_rows(self.version.model, self.version.version)
        columns = ColumnKinds(self.version.numeric, self.version.categorical)
        task: Any = self.version.task
        return behaviour(self.pipeline, rows, task=task, columns=columns) == self.version.behaviour

    def predict_frame(self, rows: pd.DataFrame) -> Array:
        """Predict rows whose columns are features by name."""
        from perennial.engine.fitting import predict
        from perennial.estimators.base import ColumnKinds

        columns = ColumnKinds(self.version.numeric, self.version.categorical)
        return predict(self.pipeline, rows, task=self.version.task, columns=columns)  # type: ignore[arg-type]


def inputs(features: pa.Table) -> pd.DataFrame:
    """Return a feature partition's features by their own names."""
    from perennial.engine.building import feature_column

    prefix = feature_column("")
    names = [name for name in features.column_names if name.startswith(prefix)]
    own: pd.DataFrame = (
        features.select(names).rename_columns([name.removeprefix(prefix) for name in names]).to_pandas()
    )
    return own
