"""Train a candidate in three steps that can each be repeated: assemble the rows, try parameters, fit and register.

Starts from ``retrain``; ends with a version in the registry and a line in the ledger. Each step leaves its result
in the store under the run's key, so a killed task goes on where it stopped and says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from perennial.clock import Night
from perennial.errors import NoChampionError
from perennial.facts.evidence import Json, fingerprint
from perennial.stages import datasets
from perennial.stages.build_features import build_features
from perennial.stages.candidates import Candidate, champion
from perennial.stages.freezing import refuse_while_frozen
from perennial.stages.restarting import learned_from
from perennial.stages.training_run import about_run, declared, recipe_of, space, training_rows
from perennial.stages.training_set import labelled_rows, split
from perennial.stages.usage import keep, measured, recorded
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from perennial.engine.fitting import TrainingSet
    from perennial.engine.folds import RowFold
    from perennial.engine.tuning import Study, Trial

TUNING_FOLDS = 3
"""Newest forward folds on which a trial is judged."""


def assemble(workspace: Workspace, model: str, night: Night) -> str:
    """Publish the labelled rows known at the end of ``night``, split; return the key of the run.

    Raises:
        FrozenModelError: a person has frozen the model.
    """
    refuse_while_frozen(workspace, model, night)
    with measured() as usage:
        run = _assembled(workspace, model, night)
    keep(workspace, model, run, "assemble", usage)
    return run


def _assembled(workspace: Workspace, model: str, night: Night) -> str:
    plan = workspace.plan(model)
    build_features(workspace, model, night, plan)
    since = learned_from(workspace, model, night)
    rows, divided = split(workspace, model, labelled_rows(workspace, model, plan.hash, night, since))
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
    about |= {"learn_from": since} if since else {}
    run = f"{night}-{fingerprint({**about, 'labels': _identity(rows)})[:12]}"
    workspace.store.publish(datasets.training(model), run, rows, meta=about)
    return run


def generations(workspace: Workspace, model: str) -> list[int]:
    """Batches of each generation of trials."""
    search = workspace.spec(model).training.search
    return [search.batches] * search.generations


def tune(workspace: Workspace, model: str, run: str, generation: int, batch: int) -> str:
    """Try this batch's share of a generation; say what was tried.

    A refresh keeps the champion's parameters, so that what is compared is newer data and nothing else.
    """
    import pyarrow as pa

    about = about_run(workspace, model, run)
    if about["inherited"] is not None:
        return "the champion's parameters are kept"
    batches = workspace.spec(model).training.search.batches
    trials = _proposed(workspace, model, run, generation)[batch::batches]
    key = f"{run}-g{generation}-b{batch}"
    if not workspace.store.version(_trials(model), key):
        with recorded(workspace, model, run, f"tune-{generation}-{batch}"):
            tried = _tried(workspace, model, run, trials)
        workspace.store.publish(
            _trials(model), key, pa.table({"trial": [one.model_dump_json() for one in tried]})
        )
    return ", ".join(f"trial {trial.number}" for trial in trials) or "nothing left to try"


def fit(workspace: Workspace, model: str, run: str) -> Candidate:
    """Fit the candidate with the best parameters, its baselines and its forward folds; register and record it."""
    from perennial.stages.fitting_run import fit_and_register

    about = about_run(workspace, model, run)
    with recorded(workspace, model, run, "fit"):
        return fit_and_register(workspace, model, run, about, best_parameters(workspace, model, run))


def best_parameters(workspace: Workspace, model: str, run: str) -> dict[str, Any]:
    """Return what tuning found best over the declared parameters; the champion's for a refresh.

    Where no trial could be judged, nothing is changed: the fit itself says if even that cannot be trained.
    """
    inherited = about_run(workspace, model, run)["inherited"]
    if inherited is not None:
        return dict(inherited)
    study = _study(workspace, model, run, len(generations(workspace, model)))
    judged = any(trial.loss is not None for trial in study.trials)
    return study.best.parameters if judged else {}


def _study(workspace: Workspace, model: str, run: str, before: int) -> Study:
    """Read the trials of all generations before ``before``."""
    from perennial.engine.tuning import Study, Trial

    batches = workspace.spec(model).training.search.batches
    keys = [f"{run}-g{generation}-b{batch}" for generation in range(before) for batch in range(batches)]
    told = workspace.store.read_many(
        _trials(model), [key for key in keys if workspace.store.version(_trials(model), key)]
    )
    texts = told["trial"].to_pylist() if told is not None else []
    return Study().told([Trial.model_validate_json(text) for text in texts])


def _proposed(workspace: Workspace, model: str, run: str, generation: int) -> list[Trial]:
    from perennial.engine.tuning import propose

    training = workspace.spec(model).training
    size = min(training.search.generation, training.search.trials - generation * training.search.generation)
    study = _study(workspace, model, run, generation)
    return propose(study, space(workspace, model), size=size, seed=training.seed)


def _tried(workspace: Workspace, model: str, run: str, trials: Sequence[Trial]) -> list[Trial]:
    from perennial.engine.folds import newest
    from perennial.engine.time_limit import at_most
    from perennial.engine.tuning import evaluate_trial

    training = workspace.spec(model).training
    rows = newest(training_rows(workspace, model, run), training.max_rows)
    folds = tuning_folds(rows, training.fold_nights)
    recipe = declared(workspace, model)
    tried = []
    for trial in trials:
        with at_most(training.max_minutes):
            tried.append(evaluate_trial(trial, recipe, rows, folds, seed=training.seed))
    return tried


def tuning_folds(rows: TrainingSet, fold_nights: int) -> list[RowFold]:
    """Fold forward for tuning; a history too short for the usual folds gets shorter ones, from its half on."""
    from perennial.engine.folds import folds_of

    folds = folds_of(rows, fold_nights=fold_nights)
    if not folds and rows.nights is not None:
        nights = len(set(rows.nights.tolist()))
        half = max(nights // 2, 1)
        folds = folds_of(rows, fold_nights=max(half // TUNING_FOLDS, 1), min_train_nights=half)
    return folds[-TUNING_FOLDS:]


def _trials(model: str) -> str:
    return f"{model}/trials"


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
