"""Rows of nights with what a version said of them and what came true: what triage compares.

A bounded number of rows of each night is read, the same ones each time. Nights that a version had not seen when it
was trained come from its reference, later ones from what it served.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perennial.clock import Night, end_of
from perennial.facts.scaled_inputs import Scale
from perennial.facts.shared_ground import FEWEST_TO_SPREAD, Ground, Rows
from perennial.facts.situation import NightScores
from perennial.stages import datasets
from perennial.stages.candidates import Candidate
from perennial.stages.training_set import named_rows
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

Numbers = NDArray[np.float64]

ROWS_OF_A_NIGHT = 300
"""More rows of a night tell little: what they share is what is uncertain."""


@dataclass(frozen=True)
class ScoredNight:
    """One night's rows, in the order of its features."""

    night: Night
    inputs: dict[str, NDArray[Any]]
    scores: Numbers
    labels: Numbers
    """NaN where none has come."""
    told: NightScores
    names: tuple[str, ...] = ()
    """What each row is called."""
    known_at: tuple[int | None, ...] = ()
    """When each row's label became known, in microseconds; none where that is no longer known."""


Told = tuple[float, float, "int | None"]
"""Score and label of a row, and when the label became known."""


@dataclass(frozen=True)
class ScoredNights:
    """A version's view of nights, as known at the end of one of them."""

    workspace: Workspace
    version: Candidate
    columns: tuple[str, ...]
    by: Night
    _read: dict[Night, ScoredNight | None] = field(default_factory=dict)

    def of(self, nights: Sequence[Night]) -> list[ScoredNight]:
        """Read nights; those without features, or without predictions of this version, are left out."""
        return [one for night in nights if (one := self._night(night)) is not None]

    @cached_property
    def unseen(self) -> dict[Night, dict[str, Told]]:
        """Return score and label of each row, by night and name, of the nights that training had not seen."""
        table = self.workspace.store.read(datasets.reference(self.version.model), self.version.version)
        if "row" not in table.column_names:
            return {}  # a version from before rows were named
        found: dict[Night, dict[str, Told]] = {}
        columns = (table[name].to_pylist() for name in ("night", "row", "prediction", "label"))
        for night, row, score, label in zip(*columns, strict=True):
            found.setdefault(night, {})[row] = (float(score), float(label), None)
        return found

    def _night(self, night: Night) -> ScoredNight | None:
        if night not in self._read:
            self._read[night] = self._from_rows(night)
        return self._read[night]

    def _from_rows(self, night: Night) -> ScoredNight | None:
        store, dataset = self.workspace.store, datasets.features(self.version.model, self.version.plan)
        said = self.unseen.get(night) or self._served(night)
        if not said or not store.version(dataset, night):
            return None
        keys = self.workspace.spec(self.version.model).scored.key
        table = store.read(dataset, night, [*keys, *(f"f:{name}" for name in self.columns)])
        there = np.array([name in said for name in named_rows(table, keys)])
        rows = _bounded(table.filter(there))  # a reference holds the rows that had labels
        if not rows.num_rows:
            return None
        names = tuple(named_rows(rows, keys))
        scores, labels = np.array([said[name][:2] for name in names], float).reshape(-1, 2).T
        inputs = {name: as_values(rows[f"f:{name}"]) for name in self.columns}
        told = scores_of([score for score, _, _ in said.values()])
        return ScoredNight(night, inputs, scores, labels, told, names, tuple(said[name][2] for name in names))

    def _served(self, night: Night) -> dict[str, Told]:
        """Return what the version said when it served, beside the labels known by now."""
        import pyarrow.compute as pc

        store, model = self.workspace.store, self.version.model
        if not store.version(datasets.predictions(model), night):
            return {}
        spec = self.workspace.spec(model)
        keys = spec.scored.key
        said = store.read(datasets.predictions(model), night, [*keys, "prediction", "version"])
        own = said.filter(pc.equal(said["version"], self.version.version))
        labels: dict[str, tuple[float, int]] = {}
        if store.version(datasets.performance(model), night):
            known = store.read(datasets.performance(model), night, [*keys, "label", "known_at"])
            known = known.filter(pc.less_equal(known["known_at"], end_of(self.by, spec.timezone)))
            pairs = zip(known["label"].to_pylist(), moments(known["known_at"]), strict=True)
            labels = dict(zip(named_rows(known, keys), pairs, strict=True))
        return {
            name: (np.nan if score is None else float(score), *labels.get(name, (np.nan, None)))
            for name, score in zip(named_rows(own, keys), own["prediction"].to_pylist(), strict=True)
        }


def scores_of(scores: Sequence[float]) -> NightScores:
    """Say what a night's predictions looked like."""
    values = np.asarray(scores, float)
    finite = values[np.isfinite(values)]
    spread = float(finite.std()) if len(finite) else 0.0
    return NightScores(len(values), len(values) - len(finite), spread)


def ground_of(
    usual: Sequence[ScoredNight],
    recent: Sequence[ScoredNight],
    numbers: tuple[Numbers, Numbers] | None = None,
) -> Ground | None:
    """Put ordinary and recent nights side by side; none where ordinary ones are too few to show a spread.

    ``numbers`` are those behind the labels of both, as ``stages/label_numbers.py`` finds them.
    """
    if len(usual) < FEWEST_TO_SPREAD or not recent:
        return None
    scale = Scale.of(columns_of(usual))
    before, now = numbers or (None, None)
    return Ground(
        replace(as_rows(usual, scale), measured=before), replace(as_rows(recent, scale), measured=now)
    )


def as_rows(nights: Sequence[ScoredNight], scale: Scale) -> Rows:
    """Put nights together in the form that the tests of triage read."""
    inputs = columns_of(nights)
    counts = [len(night.scores) for night in nights]
    return Rows(
        np.repeat(np.arange(len(nights)), counts),
        scale.scaled(inputs),
        np.concatenate([night.scores for night in nights]),
        np.concatenate([night.labels for night in nights]),
        names=scale.names,
    )


def columns_of(nights: Sequence[ScoredNight]) -> dict[str, NDArray[Any]]:
    """Return the inputs of all nights; a column that came as text on some of them is text on all."""
    found = {}
    for name in nights[0].inputs:
        parts = [night.inputs[name] for night in nights]
        mixed = len({part.dtype.kind for part in parts}) > 1
        found[name] = np.concatenate([part.astype(object) for part in parts] if mixed else parts)
    return found


def moments(column: pa.ChunkedArray) -> list[int]:
    """Return moments in microseconds: to make thousands of dates of them takes longer than to read them."""
    import pyarrow as pa

    found: list[int] = column.cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_pylist()
    return found


def as_values(column: pa.ChunkedArray) -> NDArray[Any]:
    """Return numbers as floats, NaN where missing, and all else as names."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return np.asarray(column.cast(pa.float64()).to_numpy(), float)
    return np.array([None if value is None else str(value) for value in column.to_pylist()], object)


def _bounded(table: pa.Table) -> pa.Table:
    """Take rows at even distances: the same ones each time, whatever their order says."""
    if table.num_rows <= ROWS_OF_A_NIGHT:
        return table
    return table.take(np.linspace(0, table.num_rows - 1, ROWS_OF_A_NIGHT).astype(int))
