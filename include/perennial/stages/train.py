"""Train a candidate in three steps that can each be repeated: assemble the rows, try parameters, fit and register.

Starts from ``retrain``; ends with a version in the registry and a line in the ledger. Each step leaves its result
in the store under the run's key, so a killed task goes on where it stopped and says the same.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from perennial.clock import Night
from perennial.errors import NoChampionError
from perennial.facts.evidence import Json, as_text, fingerprint
from perennial.spec.model import ModelSpec
from perennial.stages import datasets
from perennial.stages.build_features import build_features
from perennial.stages.candidates import Candidate, champion
from perennial.stages.training_set import as_training_set, labelled_rows, split
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from perennial.engine.fitting import TrainingSet

BATCHES = 2
"""Tasks that share the trials of a generation: as many as a small machine has cores."""


def assemble(workspace: Workspace, model: str, night: Night) -> str:
    """Publish the labelled rows known at the end of ``night``, split; return the key of the run."""
    plan = workspace.plan(model)
    build_features(workspace, model, night, plan)
    rows, divided = split(workspace, model, labelled_rows(workspace, model, plan.hash, night))
    recipe = recipe_of(workspace, model)
    reigning = _champion(workspace, model, night)
    about: dict[str, Json] = {
        "night": night,
        "plan": plan.hash,
        "recipe": recipe,
        "timed": divided.timed,
        "cutoff": divided.cutoff,
        "change": _change(reigning, recipe),
        "inherited": dict(reigning.parameters) if reigning and reigning.recipe == recipe else None,
    }
    run = f"{night}-{fingerprint({**about, 'labels': _identity(rows)})[:12]}"
    workspace.store.publish(datasets.training(model), run, rows, meta=about)
    return run


def generations(workspace: Workspace, model: str) -> list[int]:
    """Batches of each generation of trials."""
    search = workspace.spec(model).training.search
    return [BATCHES] * -(-search.trials // search.generation)


def tune(workspace: Workspace, model: str, run: str, generation: int, batch: int) -> str:
    """Try this batch's share of a generation; say what was tried.

    A refresh keeps the champion's parameters, so that what is compared is newer data and nothing else.
    """
    import pyarrow as pa

    from perennial.engine.tuning import evaluate_trial

    about = _about(workspace, model, run)
    key = f"{run}-g{generation}-b{batch}"
    if about["inherited"] is not None:
        return "the champion's parameters are kept"
    trials = _proposed(workspace, model, run, generation)[batch::BATCHES]
    if not workspace.store.version(_trials(model), key):
        training_set = _training_rows(workspace, model, run)
        spec = workspace.spec(model)
        tried = [
            {"parameters": trial, "loss": evaluate_trial(_estimator(workspace, model, trial), training_set, spec)}
            for trial in trials
        ]
        workspace.store.publish(_trials(model), key, pa.table({"trial": [as_text(one) for one in tried]}))
    return f"{len(trials)} trials"


def fit(workspace: Workspace, model: str, run: str) -> Candidate:
    """Fit the candidate with the best parameters, its baselines and its forward folds; register and record it."""
    from perennial.stages.fitting_run import fit_and_register

    return fit_and_register(workspace, model, run, best_parameters(workspace, model, run), _about(workspace, model, run))


def best_parameters(workspace: Workspace, model: str, run: str) -> dict[str, Json]:
    """Return the parameters of the trial with the least loss; the champion's for a refresh."""
    about = _about(workspace, model, run)
    if about["inherited"] is not None:
        return dict(about["inherited"])
    told = told_trials(workspace, model, run, len(generations(workspace, model)))
    if not told:
        return dict(workspace.spec(model).training.parameters)
    return dict(min(told, key=lambda trial: trial["loss"])["parameters"])


def told_trials(workspace: Workspace, model: str, run: str, before: int) -> list[dict[str, Any]]:
    """List the trials of all generations before ``before``, in the order in which they were proposed."""
    told: list[dict[str, Any]] = []
    for generation in range(before):
        batches = [_read_batch(workspace, model, f"{run}-g{generation}-b{batch}") for batch in range(BATCHES)]
        longest = max((len(batch) for batch in batches), default=0)
        told += [batch[place] for place in range(longest) for batch in batches if place < len(batch)]
    return told


def recipe_of(workspace: Workspace, model: str) -> str:
    """Hash everything that defines a training except its data."""
    spec: ModelSpec = workspace.spec(model)
    custom = workspace.folder(model) / "estimator.py"
    return fingerprint(
        {
            "plan": workspace.plan(model).hash,
            "training": spec.training.model_dump(mode="json"),
            "label": spec.label.model_dump(mode="json"),
            "task": spec.task,
            "version": spec.version,
            "estimator": custom.read_text() if custom.is_file() else None,
        }
    )[:16]


def _proposed(workspace: Workspace, model: str, run: str, generation: int) -> Sequence[dict[str, Json]]:
    from perennial.engine.tuning import propose

    return propose(
        workspace.spec(model), _estimator(workspace, model, {}), told_trials(workspace, model, run, generation), generation
    )


def _training_rows(workspace: Workspace, model: str, run: str) -> TrainingSet:
    import pyarrow.compute as pc

    table = workspace.store.read(datasets.training(model), run)
    rows = table.filter(pc.invert(table["holdout"]))
    return as_training_set(workspace, model, rows, timed=bool(_about(workspace, model, run)["timed"]))


def _estimator(workspace: Workspace, model: str, parameters: dict[str, Json]) -> Any:
    from perennial.engine.tuning import estimator_of

    return estimator_of(workspace.spec(model), parameters, workspace.folder(model))


def _about(workspace: Workspace, model: str, run: str) -> dict[str, Any]:
    manifest = workspace.store.manifest(datasets.training(model), run)
    return dict(manifest.meta) if manifest else {}


def _trials(model: str) -> str:
    return f"{model}/trials"


def _read_batch(workspace: Workspace, model: str, key: str) -> list[dict[str, Any]]:
    return [json.loads(text) for text in workspace.store.read(_trials(model), key)["trial"].to_pylist()]


def _champion(workspace: Workspace, model: str, night: Night) -> Candidate | None:
    try:
        return champion(workspace, model, night)
    except NoChampionError:
        return None


def _change(reigning: Candidate | None, recipe: str) -> str:
    if reigning is None:
        return "first"
    return "refresh" if reigning.recipe == recipe else "recipe"


def _identity(rows: pa.Table) -> str:
    """Identify the rows by their keys' order, labels and split."""
    import hashlib

    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows.combine_chunks())
    return hashlib.sha256(sink.getvalue()).hexdigest()
