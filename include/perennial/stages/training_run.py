"""What is settled about a run of training before anything is fitted: its estimator, its space, its rows, its recipe.

Written by ``assemble`` and model.yaml; read by every later step of ``train``, so that all of them work on the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perennial.errors import NotPublishedError
from perennial.facts.evidence import Json, fingerprint
from perennial.spec.model import ModelSpec
from perennial.spec.training import TrainingSpec
from perennial.stages import datasets
from perennial.stages.training_set import as_training_set
from perennial.workspace import Workspace

if TYPE_CHECKING:
    from perennial.engine.fitting import TrainingSet
    from perennial.estimators.base import Estimator, Space

LATER = frozenset({"value", "class_weights", "half_life_nights"})
"""Settings of ``training`` that came after the first models were trained."""


def declared(workspace: Workspace, model: str) -> Estimator:
    """Make the estimator that model.yaml declares."""
    from perennial.estimators import make

    training = workspace.spec(model).training
    return make(training.estimator, training.parameters, code=workspace.folder(model) / "estimator.py")


def space(workspace: Workspace, model: str) -> Space:
    """Return what is searched: what model.yaml names, or the estimator's own space."""
    from perennial.estimators.base import Interval

    spec = workspace.spec(model)
    named = spec.training.search.space
    if named is None:
        return declared(workspace, model).space(spec.task)
    return {
        name: one if isinstance(one, tuple) else Interval(**one.model_dump()) for name, one in named.items()
    }


def training_rows(workspace: Workspace, model: str, run: str) -> TrainingSet:
    """Read the rows of a run that train."""
    import pyarrow.compute as pc

    table = workspace.store.read(datasets.training(model), run)
    rows = table.filter(pc.invert(table["holdout"]))
    return as_training_set(workspace, model, rows, timed=bool(about_run(workspace, model, run)["timed"]))


def about_run(workspace: Workspace, model: str, run: str) -> dict[str, Any]:
    """Read what ``assemble`` decided about a run."""
    manifest = workspace.store.manifest(datasets.training(model), run)
    if manifest is None:
        raise NotPublishedError(datasets.training(model), run)
    return dict(manifest.meta)


def recipe_of(workspace: Workspace, model: str) -> str:
    """Hash everything that defines a training except its data."""
    spec: ModelSpec = workspace.spec(model)
    custom = workspace.folder(model) / "estimator.py"
    return fingerprint(
        {
            "plan": workspace.plan(model).hash,
            "training": _trained_with(spec.training),
            "label": spec.label.model_dump(mode="json"),
            "task": spec.task,
            "version": spec.version,
            "estimator": custom.read_text() if custom.is_file() else None,
        }
    )[:16]


def _trained_with(training: TrainingSpec) -> dict[str, Json]:
    """Write the settings that change what is trained; one that came later counts where it is set, not before.

    So the recipes of models that were trained before it existed keep their names.
    """
    written = training.model_dump(mode="json", exclude={"leaks", "max_minutes"})
    plain = TrainingSpec().model_dump(mode="json")
    return {name: value for name, value in written.items() if name not in LATER or value != plain[name]}
