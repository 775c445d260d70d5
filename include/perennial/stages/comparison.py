"""Candidate, champion and baselines on the same unseen rows, with what was found about the rows themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from perennial.clock import Night
from perennial.errors import FormerVersionError, PerennialError
from perennial.facts.evaluation import Evaluation, LoadCheck
from perennial.spec.model import ModelSpec
from perennial.stages import datasets
from perennial.stages.candidates import Candidate, Predictor, serving
from perennial.stages.fed_as_trained import feed_faults
from perennial.stages.holdout_sums import Judged, baselines, numbered, rows_inside, summed_up
from perennial.stages.leaks import signs_of
from perennial.stages.unseen import unseen_by
from perennial.stages.weak_slices import weak_slices
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from perennial.engine.fitting import Array


def compare_on_holdout(workspace: Workspace, version: Candidate, night: Night) -> Evaluation:
    """Evaluate a version on the nights after its own cut-off and the champion's."""
    reigning = _champion(workspace, version, night)
    holdout, overlap_rows = _holdout(workspace, version, reigning)
    check, own = _load_check(workspace, version, holdout)
    beside, trouble = _of_champion(workspace, version, reigning, holdout)
    spec = workspace.spec(version.model)
    judged = {**own, **beside, **baselines(holdout)} if own and holdout.num_rows else {}
    made = Evaluation(
        metric=spec.metric,
        loss=spec.judge.loss_name,
        kind=version.change if reigning else "first",  # type: ignore[arg-type]
        task=version.task,  # type: ignore[arg-type]
        challenger=f"version {version.version}",
        champion=f"version {reigning.version}" if reigning else None,
        champion_trouble=trouble,
        challenger_cutoff=version.cutoff,
        champion_cutoff=_seen_up_to(version, reigning) if reigning else None,
        load_check=check,
        no_time=version.cutoff is None,
        training_overlap_rows=overlap_rows,
        feed_faults=feed_faults(workspace, version, holdout),
        leaks=signs_of(workspace, version),
    )
    return _with_losses(workspace, version, made, holdout, judged) if judged else made


def _with_losses(
    workspace: Workspace,
    version: Candidate,
    made: Evaluation,
    holdout: pa.Table,
    predictions: Mapping[str, Array],
) -> Evaluation:
    """Add what everybody lost on the rows, by night, by slice, and by groups that nobody declared."""
    spec, judged = workspace.spec(version.model), Judged.of(holdout, predictions)
    inside = rows_inside(workspace, version, holdout)
    tallies, slices = summed_up(spec.judge, version, judged, inside)
    labels = numbered(version, judged.labels)
    found = weak_slices(spec.watched, holdout, labels, predictions) if version.cutoff else ()
    scores = _scores(spec, version, judged)
    return replace(made, tallies=tallies, slices=slices, found=found, scores=scores)


def _champion(workspace: Workspace, version: Candidate, night: Night) -> Candidate | None:
    reigning = serving(workspace, version.model, night)
    return None if reigning and reigning.version == version.version else reigning


def _holdout(
    workspace: Workspace, version: Candidate, reigning: Candidate | None
) -> tuple[pa.Table, int | None]:
    """Read the rows kept back that trained neither; of nights that the champion may have learned, only those after.

    Counts with them the rows that trained one of the two all the same, as ``unseen_by`` does.
    """
    import pyarrow.compute as pc

    table = workspace.store.read(datasets.holdout(version.model), version.version)
    last = _seen_up_to(version, reigning) if reigning else None
    later = table.filter(pc.greater(table["night"], last)) if last else table
    return unseen_by(workspace, [version, reigning] if reigning else [version], later)


def _seen_up_to(version: Candidate, reigning: Candidate) -> Night | None:
    """Name the last night that trained the champion; none where both were trained on the same hashed split.

    A champion of a hashed split may have learned rows of every night up to its own.
    """
    if version.cutoff is None and reigning.cutoff is None:
        return None
    return reigning.cutoff or reigning.night


def _load_check(
    workspace: Workspace, version: Candidate, holdout: pa.Table
) -> tuple[LoadCheck, dict[str, Array]]:
    try:
        predictor = Predictor(workspace, version)
        predictions = predictor.predict(holdout)
    except PerennialError as error:
        return LoadCheck(loads=False, detail=str(error)), {}
    same = predictor.behaves()
    finite = bool(np.isfinite(predictions).all())
    return LoadCheck(loads=True, predictions_finite=finite, same_behaviour=same, same_bytes=True), {
        "challenger": predictions
    }


def _of_champion(
    workspace: Workspace, version: Candidate, reigning: Candidate | None, holdout: pa.Table
) -> tuple[dict[str, Array], str]:
    """Ask the champion about the same rows; where it cannot answer, say why: then nothing is compared."""
    if reigning is None:
        return {}, ""
    try:
        predictor = Predictor(workspace, reigning)
        return {"champion": predictor.predict(_as_eaten(workspace, reigning, version, holdout))}, ""
    except FormerVersionError:
        raise  # what model.yaml declares now must be settled first, by the person who declared it
    except PerennialError as error:
        return {}, str(error)


def _as_eaten(workspace: Workspace, reigning: Candidate, version: Candidate, holdout: pa.Table) -> pa.Table:
    """Give the champion the same rows in the features it was trained on."""
    if reigning.plan == version.plan or not holdout.num_rows:
        return holdout
    from perennial.stages.build_features import build_features, kept_plan
    from perennial.stages.training_set import features_of

    last = max(holdout["night"].to_pylist())
    build_features(workspace, version.model, last, kept_plan(workspace, version.model, reigning.plan))
    return features_of(workspace, version.model, reigning.plan, holdout)


def _scores(spec: ModelSpec, version: Candidate, judged: Judged) -> dict[str, dict[str, float]]:
    """Scores to show; they decide nothing."""
    labels = numbered(version, judged.labels)
    return {
        name: {who: metric.score(labels, values) for who, values in judged.predictions.items()}
        for name, metric in spec.shown.items()
        if len(labels)
    }
