"""The last step of a training: fit, predict what was not seen, register, record.

Split from ``train`` because it is long, not because it stands alone. What it leaves behind is enough for the gates
(holdout with the baselines' predictions) and for monitoring (references on nights the version had not seen).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.engine.behaviour import behaviour, fixed_rows
from perennial.engine.fitting import Array, TrainingSet, classes, fit, predict
from perennial.engine.folds import folds_of, forward_predictions, newest
from perennial.engine.kept_folds import KnownFolds
from perennial.engine.time_limit import at_most
from perennial.estimators import make
from perennial.estimators.base import Estimator
from perennial.facts.evidence import Json
from perennial.ledger.base import NewEntry
from perennial.registry.registry import ModelVersion
from perennial.registry.training import Training
from perennial.spec.model import ModelSpec
from perennial.stages import datasets
from perennial.stages.candidates import Candidate
from perennial.stages.importance import keep_importance
from perennial.stages.kept_folds import KeptFolds
from perennial.stages.provenance import MADE_WITH, made_with, recorded_with
from perennial.stages.recording import record
from perennial.stages.training_run import declared, training_rows
from perennial.stages.training_set import as_training_set, named_rows
from perennial.stages.usage import Usage, measured
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

BASELINES = ("constant", "linear")
"""Always trained beside the candidate: what does not beat them is not worth serving."""
MEDIAN_METRICS = {"mae"}
"""Metrics whose best constant is the median: the mean would be beaten by any model for nothing."""


@dataclass(frozen=True)
class Fitted:
    """A run of training once its candidate is fitted."""

    model: str
    run: str
    """Key of the run."""
    about: Mapping[str, Any]
    """What ``assemble`` decided about the run."""
    chosen: Estimator
    """The declared estimator with the parameters that were chosen."""
    pipeline: Any
    """The candidate: what is registered, and what would serve."""
    rows: TrainingSet
    """Rows that it was fitted on."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes in the order of the predictions' columns; none for numbers."""
        return classes(self.pipeline) if self.rows.task == "multiclass" else ()


def fit_and_register(
    workspace: Workspace, model: str, run: str, about: Mapping[str, Any], parameters: Mapping[str, Json]
) -> Candidate:
    """Fit the candidate and everything it will be compared with; the same run again registers nothing new."""
    training = workspace.spec(model).training
    with measured() as usage:
        rows = newest(training_rows(workspace, model, run), training.max_rows)
        chosen = declared(workspace, model).tuned(dict(parameters))  # type: ignore[arg-type]
        with at_most(training.max_minutes):
            pipeline = fit(chosen, rows, training.seed)
        fitted = Fitted(model, run, about, chosen, pipeline, rows)
        kept_back = _holdout(workspace, fitted)
        unseen = _reference(workspace, fitted, kept_back)
    version = workspace.registry.record_training(_told(workspace, fitted, usage, kept_back))
    workspace.store.publish(datasets.holdout(model), version.version, kept_back)
    workspace.store.publish(datasets.reference(model), version.version, unseen)
    keep_importance(workspace, model, version.version, fitted.pipeline, rows)
    made = _candidate(workspace, fitted, version, parameters)
    _record(workspace, made, run, version)
    return made


def _holdout(workspace: Workspace, fitted: Fitted) -> pa.Table:
    """Put the predictions of candidate and baselines beside the rows that were kept back."""
    import pyarrow as pa

    model, rows = fitted.model, fitted.rows
    whole = workspace.store.read(datasets.training(model), fitted.run)
    table = whole.filter(whole["holdout"])
    held = as_training_set(workspace, model, table, timed=bool(fitted.about["timed"]))
    seed = workspace.spec(model).training.seed
    metric = workspace.spec(model).metric
    even = replace(rows, weights=None)  # a baseline is what the data say, not what a model is asked to heed
    baselines = {f"baseline:{name}": fit(_baseline(name, metric), even, seed) for name in BASELINES}
    for name, pipeline in (baselines | {"prediction": fitted.pipeline}).items():
        values = predict(pipeline, held.rows, task=rows.task, columns=rows.columns)
        table = table.append_column(name, pa.array(values.tolist()))
    return table


def _baseline(name: str, metric: str) -> Estimator:
    """Make the baseline that is best by the metric that judges."""
    return make(name, {"centre": "median"} if name == "constant" and metric in MEDIAN_METRICS else {})


def _reference(workspace: Workspace, fitted: Fitted, kept_back: pa.Table) -> pa.Table:
    """Collect predictions for nights that the model that made them had not seen: forward folds, then the holdout."""
    import pyarrow as pa

    training, rows = workspace.spec(fitted.model).training, fitted.rows
    folds = folds_of(rows, fold_nights=training.fold_nights)
    known = KnownFolds(fitted.chosen, rows, training.seed, KeptFolds(workspace, fitted.model))
    unseen = forward_predictions(fitted.chosen, rows, folds, seed=training.seed, known=known.predictions)
    nights = (
        rows.nights if rows.nights is not None else np.full(len(rows), kept_back["night"][0].as_py(), object)
    )
    before = pa.table(
        {
            "night": pa.array(nights[unseen.positions].tolist(), pa.string()),
            "row": pa.array(rows.keys[unseen.positions].tolist(), pa.string()),
            "label": pa.array(rows.labels[unseen.positions].tolist(), kept_back.schema.field("label").type),
            "prediction": pa.array(unseen.predictions.tolist(), kept_back.schema.field("prediction").type),
        }
    )
    named = named_rows(kept_back, workspace.spec(fitted.model).scored.key)
    later = kept_back.select(["night", "label", "prediction"]).add_column(
        1, "row", pa.array(named, pa.string())
    )
    return pa.concat_tables([before, later]).sort_by("night")


def _told(workspace: Workspace, fitted: Fitted, usage: Usage, kept_back: pa.Table) -> Training:
    """Say to the registry what was trained, on what, how it behaves and how well it does."""
    spec, rows = workspace.spec(fitted.model), fitted.rows
    fixed = fixed_rows(rows, masked=spec.privacy.pii)
    manifest = workspace.store.manifest(datasets.training(fitted.model), fitted.run)
    scores = _scores(spec, kept_back, fitted.classes)
    return Training(
        model=fitted.model,
        run_key=fitted.run,
        estimator=spec.training.estimator,
        pipeline=fitted.pipeline,
        task=spec.task,
        columns=rows.columns,
        fixed_rows=fixed,
        behaviour=behaviour(fitted.pipeline, fixed, task=spec.task, columns=rows.columns),
        parameters=fitted.chosen.parameters,
        metrics={"rows": len(rows), **usage.as_metrics(), **scores},
        tags=_tags(fitted.about),
        datasets={"training": manifest.content if manifest else ""},
        figures=_figures(kept_back, spec.task, fitted.classes),
    )


def _tags(about: Mapping[str, Any]) -> dict[str, str]:
    """Choose what a version is looked up by in the registry."""
    return {
        "night": about["night"],
        "change": about["change"],
        "recipe": about["recipe"],
        "cutoff": str(about["cutoff"]),
    }


def _scores(spec: ModelSpec, kept_back: pa.Table, names: tuple[str, ...]) -> dict[str, float]:
    labels = np.asarray(kept_back["label"].to_pylist())
    if names:
        places = {name: place for place, name in enumerate(names)}
        labels = np.asarray([places.get(str(label), -1) for label in labels])
    values = np.asarray(kept_back["prediction"].to_pylist(), dtype=float)
    return {
        f"holdout_{name}": metric.score(labels, values) for name, metric in spec.shown.items() if len(labels)
    }


def _figures(kept_back: pa.Table, task: str, names: tuple[str, ...]) -> dict[str, bytes]:
    from perennial.registry.figures import calibration

    labels: Array = np.asarray(kept_back["label"].to_pylist())
    values = np.asarray(kept_back["prediction"].to_pylist(), dtype=float)
    if not len(labels):
        return {}
    return {"calibration.png": calibration(labels, values, task=task, classes=names)}  # type: ignore[arg-type]


def _candidate(
    workspace: Workspace, fitted: Fitted, version: ModelVersion, parameters: Mapping[str, Json]
) -> Candidate:
    """Write down what the gates, scoring and monitoring will ask of this version."""
    spec, about, rows = workspace.spec(fitted.model), fitted.about, fitted.rows
    return Candidate(
        model=fitted.model,
        version=version.version,
        sha256=version.sha256,
        behaviour=version.behaviour,
        plan=about["plan"],
        recipe=about["recipe"],
        estimator=spec.training.estimator,
        task=spec.task,
        numeric=rows.columns.numeric,
        categorical=rows.columns.categorical,
        classes=fitted.classes,
        night=about["night"],
        cutoff=about["cutoff"],
        rows=len(rows),
        parameters=dict(parameters),
        seed=spec.training.seed,
        change=about["change"],
    )


def _record(workspace: Workspace, made: Candidate, run: str, version: ModelVersion) -> None:
    """Vouch for the bytes in a line of their own: their hash is this training's alone, the rest is repeatable."""
    _vouch(workspace, made, run)
    entry = record(
        workspace,
        NewEntry(
            model=made.model,
            kind="trained",
            key=run,
            night=made.night,
            actor="train",
            reason=(
                f"Version {made.version} of {made.model} was trained on {made.rows} rows up to "
                f"{made.cutoff or 'a hashed split'} ({made.change})."
            ),
            evidence=made.as_json(),
        ),
    )
    workspace.registry.set_tags(version.run_id, {"ledger": entry.id})
    workspace.registry.describe(version, entry.reason)


def _vouch(workspace: Workspace, made: Candidate, run: str) -> None:
    """Say which bytes a version is, and what they were made with; an attempt that was cut off is not contradicted."""
    made_of = recorded_with(workspace, made.model, made.version) or made_with(workspace, made.model, run)
    record(
        workspace,
        NewEntry(
            model=made.model,
            kind="registered",
            key=f"version-{made.version}",
            night=made.night,
            actor="train",
            reason=f"Version {made.version} of {made.model} is the artefact with SHA-256 {made.sha256}.",
            evidence={"version": made.version, "sha256": made.sha256, MADE_WITH: made_of},
        ),
    )
