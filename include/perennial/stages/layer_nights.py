"""Nights as the nightly layer sees them: inputs as numbers, labels as known tonight, and what was said then.

Only nights are learned that nobody found bad: one that is set aside is left out, one that was scored and not yet
watched is waited for.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from perennial.adaptation.rows import MatureNight, Numbers
from perennial.clock import Night, after
from perennial.stages import datasets
from perennial.stages.candidates import Candidate, Predictor, inputs
from perennial.stages.labels import labels_known
from perennial.stages.performance import join_labels
from perennial.stages.set_aside import set_aside
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

BEGIN_NIGHTS = 200
"""The layer begins with at most so many nights of history."""
PATIENT_NIGHTS = 7
"""After so many nights a night that was never watched is not waited for, and not learned."""


def delay(workspace: Workspace, model: str) -> int:
    """Return after how many nights a night's labels may be learned; never its own."""
    return max(workspace.spec(model).label.delay_days, 1)


def to_learn(workspace: Workspace, model: str, plan: str, since: Night | None, night: Night) -> list[Night]:
    """List nights that may be learned on ``night`` and have not been, oldest first, up to one not yet watched."""
    newest = after(night, -delay(workspace, model))
    first = after(since) if since else None
    broken = set_aside(workspace, model, by=night)
    found = []
    for key in workspace.store.keys(datasets.features(model, plan), first, newest):
        scored = workspace.store.version(datasets.predictions(model), key)
        if scored and not workspace.store.version(datasets.verdicts(model), key):
            if key > after(newest, -PATIENT_NIGHTS):
                break
            continue
        if key not in broken:
            found.append(key)
    return found if since else found[-BEGIN_NIGHTS:]


def matured(
    workspace: Workspace, version: Candidate, predictor: Predictor, keys: list[Night], night: Night
) -> list[MatureNight]:
    """Read nights with the labels known at the end of ``night`` and what the champion says of those it has not seen."""
    if not keys:
        return []
    labels = labels_known(workspace, version.model, by=night, first=keys[0])
    return [_matured(workspace, version, predictor, key, labels) for key in keys]


def _matured(
    workspace: Workspace, version: Candidate, predictor: Predictor, key: Night, labels: pa.Table
) -> MatureNight:
    names = workspace.spec(version.model).scored.key
    features = workspace.store.read(datasets.features(version.model, version.plan), key)
    joined = join_labels(features, labels, names)
    known = joined["label"].to_numpy(zero_copy_only=False).astype(float)
    said = said_then(workspace, version.model, key, features)
    unseen = key > saw_through(version)
    return MatureNight(
        night=key,
        keys=row_names(features, names),
        features=matrix(version, features),
        labels=known,
        champion=np.asarray(predictor.predict(features), float) if unseen else None,
        served=said,
    )


def said_then(workspace: Workspace, model: str, key: Night, features: pa.Table) -> dict[str, Numbers]:
    """Return what was served, and what layer and members said then; nothing where it was before the layer."""
    dataset = datasets.adapted(model)
    if not workspace.store.version(dataset, key):
        return {}
    table = workspace.store.read(dataset, key)
    names = workspace.spec(model).scored.key
    if row_names(table, names) != row_names(features, names):
        return {}  # the night's rows were corrected since: what was said is of others
    said = {name.removeprefix("m:"): name for name in table.column_names if name.startswith("m:")}
    said["served"] = "prediction"
    return {name: table[column].to_numpy(zero_copy_only=False) for name, column in said.items()}


def saw_through(version: Candidate) -> Night:
    """Name the youngest night whose labels may have trained a version."""
    return version.cutoff or version.night


def row_names(table: pa.Table, names: tuple[str, ...]) -> list[str]:
    """Name each row by its key."""
    return ["|".join(map(str, row)) for row in zip(*(table[name].to_pylist() for name in names), strict=True)]


def matrix(version: Candidate, features: pa.Table) -> Numbers:
    """Write a version's inputs as numbers: those that are, then a stable code of each category."""
    frame = inputs(features)
    numeric = frame[list(version.numeric)].apply(lambda column: column.astype(float))
    codes = [_codes(frame[name].astype("object").to_numpy()) for name in version.categorical]
    return np.column_stack([numeric.to_numpy(dtype=float), *codes])


def _codes(values: np.ndarray) -> Numbers:
    import pandas as pd

    place, known = pd.factorize(values)
    numbers = [
        float(int.from_bytes(hashlib.blake2b(str(one).encode(), digest_size=6).digest())) for one in known
    ]
    return np.asarray([*numbers, np.nan])[place]
