"""Score a night's rows with the champion, and deliver what was predicted.

Stands after ``build_features``; ``monitor`` compares the predictions with what came true.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from perennial.clock import Night
from perennial.facts.evidence import Json
from perennial.stages import datasets
from perennial.stages.build_features import build_features, kept_plan, stale
from perennial.stages.candidates import Candidate, Predictor, champion
from perennial.stages.estimate import keep_estimate
from perennial.stages.shadow import keep_shadow, served_by_canary
from perennial.stages.steering import refuse_unless_free, refuse_without_rows
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Scored:
    """What scoring came to."""

    night: Night
    version: str
    rows: int
    mean: float | None
    """Mean prediction; none for classes."""
    fresh: bool
    """Whether these predictions were not there before."""
    layer: str | None = None
    """What the nightly layer says of tonight: who serves, and why; nothing without one."""

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        return asdict(self)


def score(workspace: Workspace, model: str, night: Night) -> Scored:
    """Publish the champion's predictions for the rows of a night; none where the whole table has not changed.

    Raises:
        NoChampionError: no version serves on that night.
        HeldNightError: a person holds the night.
        SkippedNightError: its rows never came, and a person skipped them.
    """
    version = champion(workspace, model, night)
    refuse_unless_free(workspace, model, night)
    if nothing_new(workspace, model, night):
        return Scored(night, version.version, 0, None, fresh=False)
    dataset = datasets.features(model, version.plan)
    if stale(workspace, model, version.plan, night):
        build_features(workspace, model, night, kept_plan(workspace, model, version.plan))
    if not workspace.store.version(dataset, night):
        refuse_without_rows(workspace, model, night)
    features = workspace.store.read(dataset, night)
    table = predictions(loaded_predictor(workspace, version), features)
    built = workspace.store.manifest(dataset, night)
    meta = {
        "version": version.version,
        "behaviour": version.behaviour,
        "features": built.content if built else None,
    }
    done = workspace.store.publish(datasets.predictions(model), night, table, meta=meta)
    keep_estimate(workspace, model, night, version, table)
    keep_shadow(workspace, version, night, table, loaded_predictor, predictions)
    layer = _adapted(workspace, version, night, features, table)
    return Scored(night, version.version, table.num_rows, mean_of(table), done.fresh, layer)


def _adapted(
    workspace: Workspace, version: Candidate, night: Night, features: pa.Table, table: pa.Table
) -> str | None:
    """Let the nightly layer answer where one is declared, or say that it no longer does; nothing without one."""
    declared = workspace.spec(version.model).adapt == "nightly"
    if not declared and not workspace.store.version(datasets.adapted(version.model), night):
        return None
    from perennial.stages.adapt import Tonight, adapt, switched_off

    tonight = Tonight(workspace, version, loaded_predictor(workspace, version), night)
    return adapt(tonight, features, table) if declared else switched_off(tonight)


def loaded_predictor(workspace: Workspace, version: Candidate) -> Predictor:
    """Load a version once a process: what was verified stays in memory, out of anybody's reach."""
    identity = (workspace.tracking_uri, version.model, version.version, version.sha256)
    if identity not in _loaded:
        if len(_loaded) >= MOST_LOADED:
            _loaded.pop(next(iter(_loaded)))
        _loaded[identity] = Predictor(workspace, version)
    return _loaded[identity]


_loaded: dict[tuple[str, ...], Predictor] = {}
MOST_LOADED = 3
"""The champion, a challenger and the version before."""


def nothing_new(workspace: Workspace, model: str, night: Night) -> bool:
    """Whether the rows to score come as one whole table, and this night brought no new one."""
    table = datasets.table(model, workspace.spec(model).rows_source)
    whole = datasets.whole(workspace.spec(model).scored)
    return (
        whole and bool(workspace.store.keys(table, last=night)) and not workspace.store.version(table, night)
    )


def predictions(predictor: Predictor, features: pa.Table) -> pa.Table:
    """Put predictions beside the keys and times of their rows, and the version that made them."""
    import pyarrow as pa

    values = predictor.predict(features)
    fixed = features.select([name for name in features.column_names if not name.startswith("f:")])
    if predictor.version.task == "multiclass":
        for place, name in enumerate(predictor.version.classes):
            fixed = fixed.append_column(f"p:{name}", pa.array(values[:, place]))
        best = [predictor.version.classes[place] for place in values.argmax(axis=1)]
        fixed = fixed.append_column("prediction", pa.array(best, pa.string()))
    else:
        fixed = fixed.append_column("prediction", pa.array(values))
    return fixed.append_column("version", pa.array([predictor.version.version] * len(values), pa.string()))


def mean_of(table: pa.Table) -> float | None:
    """Mean prediction of a night; none for classes or without rows."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_floating(table["prediction"].type) or not table.num_rows:
        return None
    return float(pc.mean(table["prediction"]).as_py())


def deliver(workspace: Workspace, model: str, night: Night) -> dict[str, Json]:
    """Bring a night's predictions to the declared sink; again is harmless."""
    from perennial.engine.intake import resolved
    from perennial.stages.adapt import served_table
    from perennial.stages.sink import upsert

    spec = workspace.spec(model)
    if spec.sink is None:
        return {"delivered": 0, "reason": "model.yaml declares no sink"}
    if nothing_new(workspace, model, night):
        return {"delivered": 0, "reason": f"nothing new came on {night}"}
    canary = served_by_canary(workspace, model, night)
    table = served_table(workspace, model, night) if canary is None else canary
    place = resolved(workspace.database(spec.sink.connection) or spec.sink.uri or "", workspace.project)
    rows = upsert(table, place, table=spec.sink.table or model, keys=spec.scored.key, night=night)
    return {"delivered": rows, "night": night}
