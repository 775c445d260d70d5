"""What versions beside the champion say of a night's rows: kept apart in shadow, served to a share in a canary.

Called by ``score`` once the champion's predictions are published; those stay what monitoring and references look at.
While a canary stands, what is served lies beside them, each row with the version that answered it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perennial.clock import Night
from perennial.facts.canary import in_canary
from perennial.facts.evidence import Json
from perennial.stages import datasets
from perennial.stages.build_features import build_features, kept_plan, stale
from perennial.stages.candidates import Candidate, Predictor, candidate
from perennial.stages.rollout_state import Rolling, standing
from perennial.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    Loader = Callable[[Workspace, Candidate], Predictor]
    Say = Callable[[Predictor, pa.Table], pa.Table]

MOST_UNUSABLE = 0.01
"""Share of rows without a finite prediction above which a version is broken."""
FEWEST_ROWS = 30
"""On fewer rows one answer for all may be chance."""


def keep_shadow(
    workspace: Workspace, version: Candidate, night: Night, table: pa.Table, load: Loader, say: Say
) -> None:
    """Publish what versions beside the champion say of the night; a version that fails harms nobody but itself.

    ``table`` holds the champion's predictions, ``load`` and ``say`` are how scoring loads versions and asks them.
    """
    model = version.model
    now = standing(workspace, model, night)
    beside = [name for name in now.beside if name != version.version]
    if not beside:
        return
    parts: list[pa.Table] = []
    broken: dict[str, Json] = {}
    for name in beside:
        try:
            parts.append(_said(workspace, candidate(workspace, model, name), night, load, say))
        except Exception as error:  # noqa: BLE001 - nobody is served by it: whatever it does is about itself
            broken[name] = f"it failed on the rows of {night} ({error})"
    broken |= _broken([table, *parts])
    meta: dict[str, Json] = {"champion": version.version, "beside": beside, "broken": broken}
    import pyarrow as pa

    said = pa.concat_tables(parts, promote_options="default") if parts else table.slice(0, 0)
    workspace.store.publish(datasets.shadow(model), night, said, meta=meta)
    if now.rolling and now.rolling.step == "canary" and now.rolling.champion == version.version:
        _serve(workspace, model, now.rolling, night, table, parts)


def _said(workspace: Workspace, version: Candidate, night: Night, load: Loader, say: Say) -> pa.Table:
    model = version.model
    if stale(workspace, model, version.plan, night):
        build_features(workspace, model, night, kept_plan(workspace, model, version.plan))
    return say(load(workspace, version), workspace.store.read(datasets.features(model, version.plan), night))


def _broken(parts: list[pa.Table]) -> dict[str, Json]:
    """Say what is plainly wrong with a version's answers: no numbers, or one answer where others tell rows apart."""
    import numpy as np

    values = {
        str(part["version"][0].as_py()): np.asarray(part["prediction"].to_numpy(zero_copy_only=False), float)
        for part in parts
        if part.num_rows and not _names_classes(part)
    }
    varied = {name for name, one in values.items() if len(np.unique(one[np.isfinite(one)])) > 1}
    found: dict[str, Json] = {}
    for name, one in values.items():
        unusable = float((~np.isfinite(one)).mean())
        if unusable > MOST_UNUSABLE:
            found[name] = f"{100 * unusable:.3g} % of its rows have no finite prediction"
        elif name not in varied and varied and len(one) >= FEWEST_ROWS:
            found[name] = f"it answers the same for all {len(one)} rows"
    return found


def _names_classes(part: pa.Table) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(part["prediction"].type))


def _serve(
    workspace: Workspace, model: str, rolling: Rolling, night: Night, table: pa.Table, parts: list[pa.Table]
) -> None:
    """Publish what is served: of the canary's entities the challenger's answer, of all others the champion's."""
    import pyarrow as pa

    own = [part for part in parts if part.num_rows and part["version"][0].as_py() == rolling.version]
    chosen = answered_by_canary(workspace, model, table, rolling)
    served = table
    if own and own[0].num_rows == table.num_rows:
        names = _keys(workspace, model, table)
        at = {name: place for place, name in enumerate(_keys(workspace, model, own[0]))}
        places = [
            table.num_rows + at[name] if canary else place
            for place, (name, canary) in enumerate(zip(names, chosen, strict=True))
        ]
        served = pa.concat_tables([table, own[0]], promote_options="default").take(places)
    of = workspace.store.manifest(datasets.predictions(model), night)
    meta: dict[str, Json] = {
        "of": of.content if of else None,
        "champion": rolling.champion,
        "canary": rolling.version,
        "share": rolling.share,
        "salt": rolling.salt,
    }
    workspace.store.publish(datasets.served(model), night, served, meta=meta)


def answered_by_canary(workspace: Workspace, model: str, rows: pa.Table, rolling: Rolling) -> list[bool]:
    """Say of each row whether it is the canary's, by its entity; a row without one is told by its own key."""
    names = _keys(workspace, model, rows)
    if "entity" in rows.column_names:
        told = zip(rows["entity"].to_pylist(), names, strict=True)
        names = [key if entity is None else str(entity) for entity, key in told]
    return [in_canary(name, rolling.salt, rolling.share) for name in names]


def served_by_canary(workspace: Workspace, model: str, night: Night) -> pa.Table | None:
    """Return what a canary's night was answered with; nothing where none stood, or its rows were scored anew since."""
    served = workspace.store.manifest(datasets.served(model), night)
    of = workspace.store.manifest(datasets.predictions(model), night)
    if served is None or of is None or served.meta["of"] != of.content:
        return None
    return workspace.store.read(datasets.served(model), night)


def _keys(workspace: Workspace, model: str, rows: pa.Table) -> list[str]:
    from perennial.stages.training_set import named_rows

    return named_rows(rows, workspace.spec(model).scored.key)
