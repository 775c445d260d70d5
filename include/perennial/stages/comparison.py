"""The sums a gate judges: losses and residuals of candidate, champion and baselines over the same unseen rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.clock import Night
from perennial.engine.duck import arrow, connect, quoted
from perennial.errors import NoChampionError, PerennialError
from perennial.facts.evaluation import Evaluation, LoadCheck, Residuals, Slice, Tally
from perennial.metrics.base import Metric
from perennial.spec.expression import parse
from perennial.spec.model import ModelSpec
from perennial.stages import datasets
from perennial.stages.candidates import Candidate, Predictor, champion
from perennial.stages.fed_as_trained import feed_faults
from perennial.stages.leaks import signs_of
from perennial.stages.tables import tables
from perennial.stages.unseen import unseen_by
from perennial.stages.weak_slices import weak_slices
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from perennial.engine.fitting import Array

BASELINE = "baseline:"
"""Prefix of the baselines' columns in a holdout."""


@dataclass(frozen=True)
class _Judged:
    """Holdout rows with everybody's predictions, grouped by night."""

    labels: Array
    groups: Array
    predictions: Mapping[str, Array]


def compare_on_holdout(workspace: Workspace, version: Candidate, night: Night) -> Evaluation:
    """Evaluate a version on the nights after its own cut-off and the champion's."""
    reigning = _champion(workspace, version, night)
    holdout, overlap_rows = _holdout(workspace, version, reigning)
    check, own = _load_check(workspace, version, holdout)
    own = own if holdout.num_rows else {}
    predictions = {**own, **_others(workspace, version, reigning, holdout)}
    judged = _judged(holdout, predictions)
    spec = workspace.spec(version.model)
    tallies, slices = summed_up(workspace, version, holdout, predictions) if own else ((), ())
    return Evaluation(
        metric=spec.metric,
        loss=spec.judge.loss_name,
        kind=version.change if reigning else "first",  # type: ignore[arg-type]
        task=version.task,  # type: ignore[arg-type]
        challenger=f"version {version.version}",
        champion=f"version {reigning.version}" if reigning else None,
        challenger_cutoff=version.cutoff,
        champion_cutoff=_seen_up_to(version, reigning) if reigning else None,
        tallies=tallies,
        slices=slices,
        found=weak_slices(spec.watched, holdout, _numbered(version, judged.labels), predictions)
        if version.cutoff
        else (),
        scores=_scores(spec, version, judged) if own else {},
        load_check=check,
        no_time=version.cutoff is None,
        training_overlap_rows=overlap_rows,
        feed_faults=feed_faults(workspace, version, holdout),
        leaks=signs_of(workspace, version),
    )


def _judged(holdout: pa.Table, predictions: Mapping[str, Array]) -> _Judged:
    """Put everybody's predictions beside the labels and nights of the rows."""
    return _Judged(
        holdout["label"].to_numpy(zero_copy_only=False),
        np.asarray(holdout["group"].to_pylist(), dtype=object),
        predictions,
    )


def summed_up(
    workspace: Workspace, version: Candidate, holdout: pa.Table, predictions: Mapping[str, Array]
) -> tuple[tuple[Tally, ...], tuple[Slice, ...]]:
    """Sum the losses of ``challenger``, ``champion`` and ``baseline:`` up by night, of all rows and of each slice."""
    judged, metric = _judged(holdout, predictions), workspace.spec(version.model).judge
    slices = _slices(workspace, version, holdout, judged, metric)
    return _tallies(metric, version, judged), slices


def _champion(workspace: Workspace, version: Candidate, night: Night) -> Candidate | None:
    try:
        reigning = champion(workspace, version.model, night)
    except NoChampionError:
        return None
    return None if reigning.version == version.version else reigning


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


def _others(
    workspace: Workspace, version: Candidate, reigning: Candidate | None, holdout: pa.Table
) -> dict[str, Array]:
    found = {name: _values(holdout[name]) for name in holdout.column_names if name.startswith(BASELINE)}
    if reigning:
        found["champion"] = Predictor(workspace, reigning).predict(
            _as_eaten(workspace, reigning, version, holdout)
        )
    return found


def _as_eaten(workspace: Workspace, reigning: Candidate, version: Candidate, holdout: pa.Table) -> pa.Table:
    """Give the champion the same rows in the features it was trained on."""
    if reigning.plan == version.plan or not holdout.num_rows:
        return holdout
    from perennial.stages.build_features import build_features, kept_plan
    from perennial.stages.training_set import features_of

    last = max(holdout["night"].to_pylist())
    build_features(workspace, version.model, last, kept_plan(workspace, version.model, reigning.plan))
    return features_of(workspace, version.model, reigning.plan, holdout)


def _values(column: Any) -> Array:
    import pyarrow as pa

    if pa.types.is_list(column.type):
        return np.asarray(column.to_pylist(), dtype=float)
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=float)


def _tallies(
    metric: Metric, version: Candidate, judged: _Judged, where: Array | None = None
) -> tuple[Tally, ...]:
    chosen = np.ones(len(judged.labels), bool) if where is None else where
    keys, nights = np.unique(judged.groups[chosen].astype(str), return_inverse=True)
    labels = _numbered(version, judged.labels[chosen])
    sums = {
        name: metric.night_losses(labels, values[chosen], nights, len(keys)).tolist()
        for name, values in judged.predictions.items()
    }
    rows = np.bincount(nights, minlength=len(keys)).tolist()
    residuals = {
        name: _residuals(version, judged.labels, judged.predictions[name])
        for name in ("challenger", "champion")
        if name in judged.predictions
    }
    calibration = {
        name: [np.bincount(nights, part[chosen], len(keys)).tolist() for part in parts]
        for name, parts in residuals.items()
        if parts
    }
    return tuple(_tally(str(key), at, rows[at], sums, calibration) for at, key in enumerate(keys))


def _numbered(version: Candidate, labels: Array) -> Array:
    """Number the classes as the columns of their predictions are."""
    if version.task != "multiclass":
        return labels.astype(float)
    places = {name: place for place, name in enumerate(version.classes)}
    return np.asarray([places[str(label)] for label in labels])


def _residuals(version: Candidate, labels: Array, values: Array) -> tuple[Array, Array] | None:
    if version.task == "multiclass":
        return None
    errors = labels.astype(float) - values
    if version.task == "binary":
        clipped = np.clip(values, 1e-6, 1 - 1e-6)
        scores = np.log(clipped / (1 - clipped))
    else:
        scores = values
    spread = scores.std() or 1.0
    return errors, errors * (scores - scores.mean()) / spread


def _tally(
    key: str,
    at: int,
    rows: int,
    sums: Mapping[str, list[float]],
    calibration: Mapping[str, list[list[float]]],
) -> Tally:
    def residuals(name: str) -> Residuals | None:
        return Residuals(*(part[at] for part in calibration[name])) if name in calibration else None

    return Tally(
        night=key,
        rows=rows,
        challenger=sums["challenger"][at],
        champion=sums["champion"][at] if "champion" in sums else None,
        baselines={
            name.removeprefix(BASELINE): values[at]
            for name, values in sums.items()
            if name.startswith(BASELINE)
        },
        challenger_residuals=residuals("challenger"),
        champion_residuals=residuals("champion"),
    )


def _slices(
    workspace: Workspace, version: Candidate, holdout: pa.Table, judged: _Judged, metric: Metric
) -> tuple[Slice, ...]:
    found = []
    for name, inside in rows_inside(workspace, version, holdout).items():
        counts = np.unique(judged.labels[inside].astype(str), return_counts=True)[1]
        rarest = int(counts.min()) if version.task != "regression" and len(counts) > 1 else 0
        found.append(
            Slice(
                name,
                _tallies(metric, version, judged, inside),
                rarest_class_rows=rarest if version.task != "regression" else None,
            )
        )
    return tuple(found)


def rows_inside(workspace: Workspace, version: Candidate, holdout: pa.Table) -> dict[str, Array]:
    """Tell for each declared slice which rows are in it."""
    spec = workspace.spec(version.model)
    return {
        name: _inside(workspace, version, holdout, parse(expression, spec.scored.columns))
        for name, expression in spec.slices.items()
    }


def _inside(workspace: Workspace, version: Candidate, holdout: pa.Table, condition: str) -> Array:
    import pyarrow as pa

    spec = workspace.spec(version.model)
    nights = sorted(set(holdout["night"].to_pylist()))
    rows = pa.concat_tables(tables(workspace, version.model, spec.rows_source, nights))
    keys = ", ".join(quoted(key) for key in spec.scored.key)
    with connect({"rows": rows, "given": holdout}) as connection:
        table = arrow(
            connection,
            f"""SELECT coalesce(i.inside, false) AS inside
            FROM (SELECT {keys}, row_number() OVER () AS "@place" FROM given) g
            LEFT JOIN (SELECT {keys}, any_value({condition}) AS inside FROM rows GROUP BY ALL) i USING ({keys})
            ORDER BY g."@place\"""",  # noqa: S608 - quoted names and a parsed expression
        )
    return np.asarray(table["inside"].to_numpy(zero_copy_only=False), dtype=bool)


def _scores(spec: ModelSpec, version: Candidate, judged: _Judged) -> dict[str, dict[str, float]]:
    """Scores to show; they decide nothing."""
    labels = _numbered(version, judged.labels)
    return {
        name: {who: metric.score(labels, values) for who, values in judged.predictions.items()}
        for name, metric in spec.shown.items()
        if len(labels)
    }
