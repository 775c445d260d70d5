"""Was a night scored on what training would assemble for it now, and are its predictions still the version's own?

Asked by the monitor of one recent night in fourteen, since it costs as much as building that night's features, and
by hand of any. Reads only; what the monitor finds is published by the night that asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.clock import Night, after, nights_apart
from perennial.engine.building import feature_column
from perennial.engine.plan import FeaturePlan
from perennial.errors import PerennialError
from perennial.facts.evidence import as_text, fingerprint
from perennial.facts.manifest import Manifest
from perennial.facts.skew import Cause, Difference, Example, FeatureSkew, Skew, differences, told
from perennial.stages import datasets
from perennial.stages.build_features import built_nights, kept_plan
from perennial.stages.candidates import Candidate
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLED_ROWS = 200
"""Rows that the monitor compares."""
EVERY_NIGHTS = 14
"""The monitor asks once in so many nights, of one of the last so many."""
ROW = "the row itself"
"""Stands for a row that training would not find at all."""
CHANGED_WORDS: Mapping[Cause, str] = {
    "not_repeatable": "built twice from the same tables it comes out differently: chance, the clock or the order of "
    "rows is in it",
    "outside": "it is a view in Python, and reads something besides the tables it is given: a file, the clock, or "
    "rows of later nights, which is a look ahead",
    "unknown": "the same definition and the same deliveries gave another value: the engine is another, or a file "
    "was changed by hand",
}


def watch_skew(workspace: Workspace, model: str, night: Night, version: Candidate) -> Skew | None:
    """Compare one of the last nights that the version scored, once in fourteen nights; publish what was found."""
    import pyarrow as pa

    place = _number(model, "")
    if (nights_apart("2000-01-03", night) + place) % EVERY_NIGHTS:
        return None
    first = max(version.night, after(night, 1 - EVERY_NIGHTS))
    scored = workspace.store.keys(datasets.predictions(model), first, night)
    if not scored:
        return None
    found = skew_of(workspace, model, scored[_number(model, night) % len(scored)], version)
    table = pa.table({"skew": [as_text(found.as_json())]})
    workspace.store.publish(datasets.skews(model), night, table, meta={"outcome": found.outcome})
    return found


def skew_of(
    workspace: Workspace, model: str, night: Night, version: Candidate, rows: int | None = SAMPLED_ROWS
) -> Skew:
    """Compare what a version was given and said on a night with what training and the version would give now.

    Args:
        workspace: The project.
        model: Its model.
        night: The night that was scored.
        version: The version that scored it.
        rows: Rows to compare, chosen by a hash of model and night; none compares all of them, and the definitions
            of ``features.py`` as it is written now as well.
    """
    try:
        served = _served(workspace, model, night, version, rows)
    except _NotAssessableError as why:
        return Skew(night, version.version, "not assessable", f"Skew on {night} cannot be told: {why}.")
    features, unread = _features(workspace, model, served, version, definitions=rows is None)
    said = _predictions(workspace, served, version)
    verdict = "differs" if features or said else "not assessable" if unread else "match"
    found = Skew(
        night,
        version.version,
        verdict,  # type: ignore[arg-type]  # one of the three just listed
        "",
        served.of_rows,
        served.features.num_rows,
        tuple(features),
        said,
        unread,
    )
    return replace(found, reason=_sentence(found))


class _NotAssessableError(Exception):
    """Why nothing can be compared, as the end of a sentence."""


@dataclass(frozen=True)
class _Served:
    """Rows of a night as they were scored."""

    night: Night
    keys: tuple[str, ...]
    of_rows: int
    features: pa.Table
    predictions: pa.Table
    manifest: Manifest

    @property
    def names(self) -> list[str]:
        """Name each row by its key."""
        return ["|".join(map(str, row)) for row in _rows(self.features, self.keys)]


def _served(workspace: Workspace, model: str, night: Night, version: Candidate, rows: int | None) -> _Served:
    scored = workspace.store.manifest(datasets.predictions(model), night)
    if scored is None or not scored.rows:
        raise _NotAssessableError(f"{'no row was' if scored else 'nothing was'} scored on it")
    if scored.meta.get("version") != version.version:
        raise _NotAssessableError(f"version {scored.meta.get('version')} scored it, not {version.version}")
    dataset = datasets.features(model, version.plan)
    manifest = _published_as(workspace, dataset, night, str(scored.meta.get("features")))
    if manifest is None or not workspace.store.version(datasets.plans(model), version.plan):
        raise _NotAssessableError("the features it was scored on are not kept any more")
    features = _read(workspace, manifest)
    predictions = workspace.store.read(datasets.predictions(model), night)
    chosen = _sample(model, night, features.num_rows, rows)
    keys = workspace.spec(model).scored.key
    return _Served(night, keys, scored.rows, features.take(chosen), predictions.take(chosen), manifest)


def _published_as(workspace: Workspace, dataset: str, night: Night, content: str) -> Manifest | None:
    """Find the publication of a partition with this content: the newest, or one it has replaced since."""
    newest = workspace.store.manifest(dataset, night)
    if newest is None or newest.content == content:
        return newest
    return next((one for one in workspace.store.manifests(dataset, night) if one.content == content), None)


def _read(workspace: Workspace, manifest: Manifest) -> pa.Table:
    import pyarrow.parquet as pq

    (path,) = workspace.store.verified(manifest)
    return pq.read_table(path, use_threads=False)


def _sample(model: str, night: Night, of: int, rows: int | None) -> np.ndarray[Any, Any]:
    if rows is None or of <= rows:
        return np.arange(of)
    return np.sort(np.random.default_rng(_number(model, night)).choice(of, rows, replace=False))


def _number(model: str, night: Night) -> int:
    return int(fingerprint([model, night])[:8], 16)


def _features(
    workspace: Workspace, model: str, served: _Served, version: Candidate, *, definitions: bool
) -> tuple[list[FeatureSkew], str]:
    """Compare served features with what the views give now; say why where the views cannot run."""
    plan = kept_plan(workspace, model, version.plan)
    try:
        now = _aligned(workspace, model, plan, served)
        found = _differing(served, now)
        again = _aligned(workspace, model, plan, served) if found else now
        chance = {one.column for one in _differing(now, again)}
        explained = [_explained(workspace, model, plan, served, one, chance) for one in found]
        other = _defined_otherwise(workspace, model, served, plan) if definitions else []
    except PerennialError as error:
        return [], f"the feature views cannot be run now: {error}"
    known = {one.difference.column for one in explained}
    return [*explained, *(one for one in other if one.difference.column not in known)], ""


def _aligned(workspace: Workspace, model: str, plan: FeaturePlan, served: _Served) -> _Served:
    """Build the night's features anew, in the order of the served rows; a row that is gone has none."""
    import pyarrow as pa

    ((_, table),) = built_nights(workspace, model, plan, [served.night])
    places: dict[tuple[Any, ...], list[int]] = {}
    for place, key in reversed(list(enumerate(_rows(table, served.keys)))):
        places.setdefault(key, []).append(place)
    found = [places[key].pop() if places.get(key) else None for key in _rows(served.features, served.keys)]
    there = pa.array([None if place is None else "there" for place in found], pa.string())
    return replace(served, features=table.take(pa.array(found, pa.int64())).append_column(ROW, there))


def _differing(served: _Served, now: _Served) -> list[Difference]:
    """List the features that differ; rows that are gone are one thing that differs, and not each of their values."""
    names = served.names
    before, still = _flags(served), _flags(now)
    kept = np.flatnonzero(before & still)
    then, today = (_values(one.features.take(kept)) for one in (served, now))
    found = differences(then, today, [names[at] for at in kept])
    gone = [names[at] for at in np.flatnonzero(before & ~still)]
    examples = tuple(Example(name, "there", "gone") for name in gone[:3])
    return [Difference(ROW, len(gone), None, examples), *found] if gone else found


def _flags(table: _Served) -> np.ndarray[Any, Any]:
    if ROW not in table.features.column_names:
        return np.ones(table.features.num_rows, bool)
    return np.asarray([one is not None for one in table.features[ROW].to_pylist()], bool)


def _values(table: pa.Table) -> dict[str, Sequence[Any]]:
    prefix = feature_column("")
    names = [name for name in table.column_names if name.startswith(prefix)]
    return {name.removeprefix(prefix): table[name].to_pylist() for name in names}


def _explained(
    workspace: Workspace,
    model: str,
    plan: FeaturePlan,
    served: _Served,
    difference: Difference,
    chance: set[str],
) -> FeatureSkew:
    """Say why a feature likely differs: other data first, since they explain it without anybody's fault."""
    if difference.column in chance:
        return FeatureSkew(difference, "not_repeatable", CHANGED_WORDS["not_repeatable"])
    view = next((one for one in plan.views if one.name == difference.column), None)
    sources = view.sources if view else (plan.rows,)
    for cause, why in _other_data(workspace, model, plan, served, sources):
        return FeatureSkew(difference, cause, why)
    cause = "outside" if view is not None and view.engine == "python" else "unknown"
    return FeatureSkew(difference, cause, CHANGED_WORDS[cause])


def _other_data(
    workspace: Workspace, model: str, plan: FeaturePlan, served: _Served, sources: Sequence[str]
) -> Iterator[tuple[Cause, str]]:
    """Name deliveries that are not what they were when the night was scored."""
    before: Any = served.manifest.meta.get("deliveries") or {}
    for source in sorted({*sources, plan.rows}):
        manifest = workspace.store.manifest(datasets.table(model, source), served.night)
        if source in before and (manifest.content if manifest else None) != before[source]:
            cause: Cause = "corrected" if before[source] else "late"
            came = "was corrected" if before[source] else "arrived"
            yield cause, f"the delivery of {source} for {served.night} {came} after it was scored"
    for source in sources:
        first = after(served.night, -plan.look_back_nights(source))
        for key in workspace.store.keys(datasets.table(model, source), first, served.night):
            manifest = workspace.store.manifest(datasets.table(model, source), key)
            if manifest is not None and manifest.meta.get("precedes"):
                yield "late", f"older nights of {source}, such as {key}, were brought in afterwards"
                break


def _defined_otherwise(
    workspace: Workspace, model: str, served: _Served, kept: FeaturePlan
) -> list[FeatureSkew]:
    """Compare with the definitions as they are written now: what the next training would assemble."""
    written = workspace.plan(model)
    if written.hash == kept.hash:
        return []
    found = _differing(served, _aligned(workspace, model, written, served))
    why = f"features.py defines it otherwise now than when version {kept.hash} of the views was trained on"
    return [FeatureSkew(one, "definition", why) for one in found if one.column != ROW]


def _predictions(workspace: Workspace, served: _Served, version: Candidate) -> Difference | None:
    """Compare stored predictions with what the stored version says of the features they were made from."""
    from perennial.stages.score import loaded_predictor, predictions

    now = predictions(loaded_predictor(workspace, version), served.features)
    names = [name for name in now.column_names if name == "prediction" or name.startswith("p:")]
    said, says = ({name: one[name].to_pylist() for name in names} for one in (served.predictions, now))
    found = differences(said, says, served.names)
    return found[0] if found else None


def _rows(table: pa.Table, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    return list(zip(*(table[name].to_pylist() for name in columns), strict=True))


def _sentence(found: Skew) -> str:
    of = f"{found.rows} of the {found.of_rows} rows of {found.night}"
    if found.verdict == "match":
        return (
            f"Served is what training would assemble, and stored is what version {found.version} says: {of}."
        )
    parts = [f"{told(one.difference, found.rows)}: {one.why}" for one in found.features]
    if found.predictions is not None:
        parts.append(
            f"version {found.version} says otherwise of the same features: {told(found.predictions, found.rows)}"
        )
    if found.not_compared:
        parts.append(found.not_compared)
    told_as = "Skew" if found.verdict == "differs" else "Skew cannot be told"
    return f"{told_as} in {of}: {'; '.join(parts)}."
