"""What the quality gate would say of a version's holdout if some of its rows were not there: shown, decides nothing.

Asked by ``suspect_labels``; candidate and baselines are judged on the same rows, with all of them and without some.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.facts.evaluation import Evaluation, Tally
from perennial.stages import datasets
from perennial.stages.candidates import Candidate
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    Numbers = np.ndarray[Any, Any]

QUALITY = "minimum_quality"
BASELINE = "baseline:"


@dataclass(frozen=True)
class GateEffect:
    """What the quality gate says of the version's holdout with and without the suspects in it."""

    dropped: int
    before: str
    after: str
    reason: str
    """The gate's own sentence, without them."""


def quality_without(
    workspace: Workspace, version: Candidate, left_out: set[tuple[Any, ...]]
) -> GateEffect | None:
    """Ask the quality gate of the version's holdout, whole and without the rows of some keys; nothing where there is none."""
    from perennial.gates.minimum_quality import MinimumQuality
    from perennial.stages.evaluate import gates

    model = version.model
    if not workspace.store.version(datasets.holdout(model), version.version):
        return None
    held = workspace.store.read(datasets.holdout(model), version.version)
    keys = workspace.spec(model).scored.key
    kept = np.asarray(
        [tuple(row.values()) not in left_out for row in held.select(keys).to_pylist()], dtype=bool
    )
    if not held.num_rows:
        return None
    gate = gates(workspace, model).get(QUALITY) or MinimumQuality()
    before, without = (
        gate.decide(_evaluation(workspace, version, held.filter(part)))
        for part in (np.ones(len(kept), bool), kept)
    )
    return GateEffect(int((~kept).sum()), before.verdict.value, without.verdict.value, without.reason)


def _evaluation(workspace: Workspace, version: Candidate, held: pa.Table) -> Evaluation:
    """Sum the holdout's losses up by night, the version's and the baselines'."""
    spec = workspace.spec(version.model)
    groups = np.asarray(held["group"].to_pylist(), dtype=object)
    labels = as_numbers(held, version)
    losses = {
        name: np.asarray(spec.watched.row_loss(labels, np.asarray(held[name].to_pylist(), float)), float)
        for name in held.column_names
        if name == "prediction" or name.startswith(BASELINE)
    }
    tallies = tuple(_tally(key, groups == key, losses) for key in sorted(set(groups.tolist())))
    return Evaluation(
        spec.metric,
        "first",
        version.task,  # type: ignore[arg-type]
        spec.watched.loss_name,
        f"version {version.version}",
        challenger_cutoff=version.cutoff,
        tallies=tallies,
        no_time=version.cutoff is None,
        training_overlap_rows=0,
    )


def _tally(key: str, rows: Numbers, losses: Mapping[str, Numbers]) -> Tally:
    sums = {name.removeprefix(BASELINE): float(one[rows].sum()) for name, one in losses.items()}
    return Tally(key, int(rows.sum()), sums.pop("prediction"), baselines=sums)


def as_numbers(rows: pa.Table, version: Candidate) -> Numbers:
    """Return labels as a metric takes them: classes by their places."""
    labels = rows["label"].to_pylist()
    if version.task == "multiclass":
        return np.asarray([version.classes.index(label) for label in labels], dtype=np.int64)
    return np.asarray(labels, dtype=np.int64 if version.task == "binary" else float)
