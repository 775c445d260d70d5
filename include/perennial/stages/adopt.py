"""A model that was fitted elsewhere becomes the first champion, by a person's word.

Its bytes are read as every artefact is: reviewed types only. Nights that it was fitted on cannot judge it; without
a word about them, every night so far counts as seen.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.clock import Night, after
from perennial.errors import (
    AdoptedOtherwiseError,
    AlreadyServedError,
    MisfitModelError,
    TooLittleToTrainError,
)
from perennial.facts.evidence import Json, fingerprint
from perennial.ledger.base import Entry, NewEntry
from perennial.stages import datasets
from perennial.stages.build_features import build_features
from perennial.stages.candidates import Candidate, inputs, mirror_champion, trainings
from perennial.stages.recording import record
from perennial.stages.training_set import labelled_rows, named_rows
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from perennial.engine.fitting import Array, TrainingSet
    from perennial.estimators.base import ColumnKinds
    from perennial.registry.adopting import Adopted
    from perennial.registry.artefacts import Artefact
    from perennial.registry.training import Training


def adopt(
    workspace: Workspace,
    model: str,
    source: str,
    night: Night,
    *,
    reason: str,
    actor: str,
    fitted_until: Night | None = None,
) -> Entry:
    """Register a fitted scikit-learn model and let it serve from the night after ``night``.

    The same artefact again, on whatever night, changes nothing and returns the line that lets it serve; an attempt
    that was cut off is finished as it was begun.

    ``fitted_until`` is the last night whose rows it was fitted on: labelled rows after it judge it, and tell
    monitoring what its errors look like. By default that is ``night``, so that no row judges it yet.

    Raises:
        AlreadyServedError: the model has had a champion; the way for the next one leads through the gates.
        AdoptedOtherwiseError: an attempt that was cut off was told another ``fitted_until``.
        MisfitModelError: it predicts something else, or eats columns that the model's features do not have.
        RefusedArtefactError: its bytes hold what nobody has reviewed.
    """
    from perennial.registry.adopting import adopt as read_artefact

    standing = workspace.ledger.champion(model)
    found = read_artefact(source, tracking_uri=workspace.tracking_uri)
    if standing is not None:
        return _adopted_before(workspace, model, found, standing.version)
    made = _take_in(workspace, model, source, found, night, fitted_until, actor)
    return _promote(workspace, made, night, found.artefact.sha256, reason=reason, actor=actor)


def take_in(workspace: Workspace, model: str, found: Artefact, night: Night, *, actor: str) -> Candidate:
    """Register a fitted model from elsewhere as a candidate, which serves no one until its gates let it pass.

    Every labelled night so far counts as seen by it.

    Raises:
        MisfitModelError: it predicts something else, or eats columns that the model's features do not have.
        RefusedArtefactError: its bytes hold what nobody has reviewed.
    """
    from perennial.registry.adopting import adopted

    return _take_in(workspace, model, found.which, adopted(found), night, None, actor)


def _take_in(
    workspace: Workspace,
    model: str,
    source: str,
    found: Adopted,
    night: Night,
    fitted_until: Night | None,
    actor: str,
) -> Candidate:
    plan = workspace.plan(model)
    build_features(workspace, model, night, plan)
    newest = workspace.store.keys(datasets.features(model, plan.hash), last=night)[-1]
    rows = workspace.store.read(datasets.features(model, plan.hash), newest)
    columns = _columns(workspace, model, found, rows)
    sample = _training_set(rows, workspace.spec(model).scored.key, found, columns)
    _try(model, found, sample)
    made = _register(workspace, model, found, sample, night, fitted_until or night)
    made = _as_begun(workspace, made, fitted_until) or made
    unseen = _unseen(workspace, made, found)
    workspace.store.publish(datasets.reference(model), made.version, unseen)
    _vouch(workspace, made, source, actor)
    return made


def _adopted_before(workspace: Workspace, model: str, found: Adopted, version: str) -> Entry:
    """Return the line that lets this very artefact serve, or refuse."""
    served = workspace.ledger.entries(model, {"promoted"})
    same = [one for one in served if one.evidence.get("artefact") == found.artefact.sha256]
    if same and same[-1].evidence["version"] == version:
        return same[-1]
    raise AlreadyServedError(model, version, str(same[-1].evidence["version"]) if same else None)


def _columns(workspace: Workspace, model: str, found: Adopted, rows: pa.Table) -> ColumnKinds:
    """Match what it eats to the features by name."""
    from perennial.engine.fitting import kinds_of

    spec, frame = workspace.spec(model), inputs(rows)
    if found.task != spec.task:
        raise MisfitModelError(model, f"it does {found.task}, and model.yaml declares {spec.task}")
    missing = [name for name in found.columns if name not in frame.columns]
    if missing:
        near = {name: difflib.get_close_matches(name, list(frame.columns), n=1) for name in missing}
        told = [f"{name}{f' (the features have {one[0]})' if one else ''}" for name, one in near.items()]
        raise MisfitModelError(
            model, f"it eats columns that are no features of this model: {', '.join(told)}"
        )
    return kinds_of(frame, list(found.columns))


def _training_set(rows: pa.Table, key: tuple[str, ...], found: Adopted, columns: ColumnKinds) -> TrainingSet:
    """Give the night's rows the form from which fixed rows are chosen; their labels play no part."""
    from perennial.engine.fitting import TrainingSet

    keys = zip(*(rows[name].to_pylist() for name in key), strict=True)
    names = np.asarray(["|".join(map(str, one)) for one in keys], dtype=object)
    return TrainingSet(inputs(rows), np.zeros(rows.num_rows), found.task, columns, names)


def _try(model: str, found: Adopted, sample: TrainingSet) -> Array:
    """Let it predict tonight's rows, which shows what no declaration can."""
    from perennial.engine.fitting import predict

    if not len(sample):
        raise MisfitModelError(model, "there is no row yet on which it could be tried")
    try:
        values = predict(found.pipeline, sample.rows, task=found.task, columns=sample.columns)
    except (ValueError, TypeError, KeyError) as error:
        said = str(error).splitlines()[0]
        raise MisfitModelError(model, f"it cannot predict the rows of this model ({said})") from error
    if not np.isfinite(values).all():
        raise MisfitModelError(model, "it gives no finite prediction for some rows of this model")
    return values


def _register(
    workspace: Workspace, model: str, found: Adopted, sample: TrainingSet, night: Night, cutoff: Night
) -> Candidate:
    """Record it in the registry as if it had been trained tonight, under the hash of its bytes."""
    from perennial.engine.fitting import classes

    version = workspace.registry.record_training(_told(workspace, model, found, sample, night))
    return Candidate(
        model=model,
        version=version.version,
        sha256=version.sha256,
        behaviour=version.behaviour,
        plan=workspace.plan(model).hash,
        recipe=fingerprint({"adopted": found.artefact.sha256})[:16],
        estimator="adopted",
        task=found.task,
        numeric=sample.columns.numeric,
        categorical=sample.columns.categorical,
        classes=tuple(classes(found.pipeline)) if found.task == "multiclass" else (),
        night=night,
        cutoff=cutoff,
        rows=0,
        parameters={},
        seed=workspace.spec(model).training.seed,
        change="first",
    )


def _as_begun(workspace: Workspace, made: Candidate, fitted_until: Night | None) -> Candidate | None:
    """Return what an attempt that was cut off has recorded of this very artefact, on whatever night that was.

    Raises:
        AdoptedOtherwiseError: the person then named another last night of its training rows.
    """
    begun = [one for one in trainings(workspace, made.model) if one.version == made.version]
    if begun and fitted_until not in (None, begun[-1].cutoff):
        raise AdoptedOtherwiseError(made.model, made.version, str(begun[-1].cutoff), str(fitted_until))
    return begun[-1] if begun else None


def _told(workspace: Workspace, model: str, found: Adopted, sample: TrainingSet, night: Night) -> Training:
    from perennial.engine.behaviour import behaviour, fixed_rows
    from perennial.registry.training import Training

    fixed = fixed_rows(sample, masked=workspace.spec(model).privacy.pii)
    artefact = found.artefact.sha256
    return Training(
        model=model,
        run_key=f"adopted-{artefact[:16]}",
        estimator="adopted",
        pipeline=found.pipeline,
        task=found.task,
        columns=sample.columns,
        fixed_rows=fixed,
        behaviour=behaviour(found.pipeline, fixed, task=found.task, columns=sample.columns),
        tags={"night": night, "change": "first", "artefact": artefact},
    )


def _unseen(workspace: Workspace, made: Candidate, found: Adopted) -> pa.Table:
    """Return night, row, label and prediction of the labelled rows that it was not fitted on."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from perennial.engine.fitting import predict
    from perennial.estimators.base import ColumnKinds

    text = made.task == "multiclass"
    kinds = [("night", pa.string()), ("row", pa.string()), ("label", pa.string() if text else pa.float64())]
    kinds.append(("prediction", pa.list_(pa.float64()) if text else pa.float64()))
    empty = pa.schema(kinds).empty_table()
    try:
        rows = labelled_rows(workspace, made.model, made.plan, made.night)
    except TooLittleToTrainError:
        return empty
    rows = rows.filter(pc.greater(rows["night"], made.cutoff))
    if not rows.num_rows:
        return empty
    columns = ColumnKinds(made.numeric, made.categorical)
    task: Any = made.task
    values = predict(found.pipeline, inputs(rows), task=task, columns=columns)
    names = named_rows(rows, workspace.spec(made.model).scored.key)
    columns_of = [rows["night"], names, rows["label"], values.tolist()]
    return pa.table(columns_of, names=empty.schema.names).cast(empty.schema)


def _vouch(workspace: Workspace, made: Candidate, source: str, actor: str) -> None:
    """Record which bytes the version is, and what is known of it."""
    night, version, model = made.night, made.version, made.model
    sealed = f"Version {version} of {model} is the artefact with SHA-256 {made.sha256}."
    bytes_of = {"version": version, "sha256": made.sha256}
    record(workspace, NewEntry(model, "registered", f"version-{version}", night, actor, sealed, bytes_of))
    taken = f"{actor} adopted {source} as version {version} of {model}, fitted on nights up to {made.cutoff}."
    record(workspace, NewEntry(model, "adopted", f"version-{version}", night, actor, taken, made.as_json()))


def _promote(
    workspace: Workspace, made: Candidate, night: Night, artefact: str, *, reason: str, actor: str
) -> Entry:
    """Let it serve: a person's word stands where the gates would."""
    version, model = made.version, made.model
    evidence: dict[str, Json] = {
        "version": version,
        "behaviour": made.behaviour,
        "plan": made.plan,
        "replaces": None,
        "said": reason,
        "artefact": artefact,
    }
    sentence = (
        f"Version {version} of {model} serves from the night after {night} as the first champion, adopted by the "
        f"word of {actor}: {reason} Its gates were not asked."
    )
    entry = record(
        workspace,
        NewEntry(model, "promoted", f"{night}-{version}", after(night), actor, sentence, evidence),
    )
    mirror_champion(workspace, model)
    workspace.registry.set_tags(workspace.registry.version(model, version).run_id, {"promoted": entry.id})
    return entry
