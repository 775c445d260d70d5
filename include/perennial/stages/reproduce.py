"""Train a version again from its recorded run, register nothing, and say whether it comes out the same.

Asked by ``perennial reproduce`` and by the scheduled check of champions. The kept training set, the recorded settings
and the seed go in; what is compared is the hash of the predictions for the version's fixed rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.errors import (
    CannotReproduceError,
    CorruptPartitionError,
    NotPublishedError,
    PerennialError,
)
from perennial.facts.evidence import Json, fingerprint
from perennial.facts.reproduction import Moved, Reproduction, changes
from perennial.ledger.base import NewEntry
from perennial.spec.training import TrainingSpec
from perennial.stages import datasets
from perennial.stages.candidates import Candidate, inputs
from perennial.stages.provenance import data_of, estimator_code, here, recorded_with, surroundings
from perennial.stages.recording import record_again
from perennial.stages.training_run import recipe_of, training_rows
from perennial.stages.usage import run_of
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

    from perennial.engine.fitting import Array, TrainingSet

KIND = "reproduced"
SAME = 1e-12
"""Predictions that lie no further apart count as the same: the last digits differ between processors."""


def reproduce(workspace: Workspace, version: Candidate) -> Reproduction:
    """Train a version again and compare; nothing is registered or published.

    Raises:
        CannotReproduceError: the version was trained elsewhere, so there is no run to repeat.
    """
    run = run_of(workspace, version.model, version.version)
    if run is None:
        raise CannotReproduceError(version.model, version.version)
    then = recorded_with(workspace, version.model, version.version)
    answer = Reproduction(version.version, "data gone", version.behaviour, here=surroundings_hash())
    try:
        rows = training_rows(workspace, version.model, run)
    except (NotPublishedError, CorruptPartitionError) as gone:
        return replace(answer, detail=f"the training set of its run is gone. {gone}")
    settings = _settings(workspace, version, then)
    if isinstance(settings, str):
        return replace(answer, outcome="recipe gone", detail=settings)
    return _compared(workspace, version, answer, _fitted(workspace, version, settings, rows), run, then)


def keep_reproduction(workspace: Workspace, version: Candidate) -> Reproduction:
    """Train a version again and record what came of it."""
    found = reproduce(workspace, version)
    entry = NewEntry(
        version.model,
        KIND,
        f"version-{version.version}",
        version.night,
        "reproduce",
        found.sentence(),
        found.as_json(),
    )
    record_again(workspace, entry, among=(KIND,))
    return found


def is_due(workspace: Workspace, version: Candidate) -> bool:
    """Whether a version was never made again by the code, libraries and machine of now; one made elsewhere cannot be."""
    if run_of(workspace, version.model, version.version) is None:
        return False
    said = workspace.ledger.entries(version.model, kinds={KIND}, first_night=version.night)
    now = surroundings_hash()
    return not any(
        entry.evidence["version"] == version.version and entry.evidence["here"] == now for entry in said
    )


def champions_due(workspace: Workspace) -> list[dict[str, str]]:
    """List the champions that have not been made again by the code, libraries and machine of now."""
    from perennial.spec.load import model_folders
    from perennial.stages.candidates import candidate

    due = []
    for folder in model_folders(workspace.models):
        serving = workspace.ledger.champion(folder.name)
        if serving and is_due(workspace, candidate(workspace, folder.name, serving.version)):
            due.append({"model": folder.name, "version": serving.version})
    return due


def named(workspace: Workspace, model: str, version: str | None) -> list[dict[str, str]]:
    """Name a version of a model to make again; without a number the one that serves, if one does."""
    workspace.folder(model)
    serving = workspace.ledger.champion(model)
    chosen = version or (serving.version if serving else None)
    return [{"model": model, "version": chosen}] if chosen else []


def surroundings_hash() -> str:
    """Identify the code, libraries and machine of now."""
    return fingerprint(surroundings())[:16]


def _settings(workspace: Workspace, version: Candidate, then: dict[str, Any]) -> TrainingSpec | str:
    """Return the settings that a version was trained with, or say why they are not known."""
    spec, model = workspace.spec(version.model), version.model
    if spec.task != version.task:
        return f"the task was {version.task} and is {spec.task}."
    if not then:
        if recipe_of(workspace, model) == version.recipe:
            return spec.training
        return "its settings were not recorded, and the folder's recipe is another one now."
    if then["training"]["estimator"] == "custom" and estimator_code(workspace, model) != then["estimator"]:
        return (
            "the folder's estimator.py is another one now; check out the commit that it was trained at "
            f"({then['commit'] or 'not known'}) and ask there."
        )
    return TrainingSpec.model_validate(then["training"])


def _fitted(
    workspace: Workspace, version: Candidate, settings: TrainingSpec, rows: TrainingSet
) -> tuple[Any, TrainingSet]:
    """Fit again as ``fit_and_register`` did."""
    from perennial.engine.fitting import fit
    from perennial.engine.folds import newest
    from perennial.engine.row_weights import row_weights
    from perennial.engine.time_limit import at_most
    from perennial.estimators import make

    weights = row_weights(
        rows.labels,
        rows.nights,
        class_weights=settings.class_weights if version.task != "regression" else None,
        half_life=settings.half_life_nights,
    )
    kept = newest(replace(rows, weights=weights), settings.max_rows)
    code = workspace.folder(version.model) / "estimator.py"
    chosen = make(settings.estimator, settings.parameters, code=code).tuned(dict(version.parameters))  # type: ignore[arg-type]
    with at_most(workspace.spec(version.model).training.max_minutes):
        return fit(chosen, kept, version.seed), kept


def _compared(
    workspace: Workspace,
    version: Candidate,
    answer: Reproduction,
    fitted: tuple[Any, TrainingSet],
    run: str,
    then: dict[str, Any],
) -> Reproduction:
    from perennial.engine.behaviour import behaviour

    pipeline, rows = fitted
    fixed = _fixed_rows(workspace, version, rows)
    again = behaviour(pipeline, fixed, task=rows.task, columns=rows.columns)
    now: dict[str, Json] = {**here(workspace), "data": data_of(workspace, version.model, run)}
    plans = changes({"plan": version.plan}, {"plan": workspace.plan(version.model).hash})
    same = again == version.behaviour
    return replace(
        answer,
        outcome="same" if same else "differs",
        again=again,
        rows=len(rows),
        moved=None if same else _moved(workspace, version, pipeline, rows),
        changed=(*changes(then, now), *plans),
    )


def _fixed_rows(workspace: Workspace, version: Candidate, rows: TrainingSet) -> pd.DataFrame:
    """Return the rows whose predictions are the version's behaviour; where MLflow has lost them, chosen again."""
    from perennial.engine.behaviour import fixed_rows

    try:
        return workspace.registry.fixed_rows(version.model, version.version)
    except PerennialError:
        return fixed_rows(rows, masked=workspace.spec(version.model).privacy.pii)


def _moved(workspace: Workspace, version: Candidate, pipeline: Any, rows: TrainingSet) -> Moved | None:
    """Measure by how much predictions moved on the rows that were kept back from the version."""
    from perennial.engine.fitting import predict

    if not workspace.store.version(datasets.holdout(version.model), version.version):
        return None
    holdout = workspace.store.read(datasets.holdout(version.model), version.version)
    now = predict(pipeline, inputs(holdout), task=rows.task, columns=rows.columns)
    then: Array = np.asarray(holdout["prediction"].to_pylist(), dtype=float)
    if not len(now) or now.shape != then.shape:
        return None
    apart = np.abs(now - then).reshape(len(now), -1).max(axis=1)
    return Moved(len(apart), float((apart > SAME).mean()), float(apart.mean()), float(apart.max()))
