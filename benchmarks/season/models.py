"""Full models and small ones, trained once for all policies: what a model says depends only on its nights.

Scores and CPU seconds are kept in a folder, so a replay that is stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.season.nights import LAG, Table
from perennial.adaptation.rows import Sample, row_hashes
from perennial.adaptation.scale import Scale
from perennial.adaptation.settings import Adaptation
from perennial.adaptation.twin import Twin, encode, fit_twin
from perennial.estimators.gradient_boosting import GradientBoosting

Numbers = NDArray[np.float64]

CHUNK = 28
"""Nights scored together."""
MODELS_KEPT = 30
_DEFAULTS = GradientBoosting()
SHIPPED: dict[str, Any] = {
    "learning_rate": _DEFAULTS.learning_rate,
    "max_iter": _DEFAULTS.iterations,
    "max_leaf_nodes": _DEFAULTS.leaves,
    "min_samples_leaf": _DEFAULTS.leaf_rows,
    "l2_regularization": _DEFAULTS.l2,
    "max_features": _DEFAULTS.column_share,
    "early_stopping": False,
    "random_state": 0,
}
"""The full model: what `perennial new` would train, without its search."""
RECENT_NIGHTS = 14
"""Nights of the small model that knows only the latest ones."""


@dataclass
class Models:
    """What every model says of a table's nights, and what it cost to train."""

    table: Table
    folder: Path
    settings: Adaptation
    _fitted: dict[tuple[int, int], Any] = field(default_factory=dict)
    _scores: dict[tuple[int, int, int], Numbers] = field(default_factory=dict)
    _twins: dict[str, tuple[Twin | None, float]] = field(default_factory=dict)

    def champion(self, made: int, since: int, night: int) -> Numbers:
        """Score a night with the model made on night ``made`` from all that had matured since ``since``."""
        start = made - LAG + 1
        chunk = (night - start) // CHUNK
        first = start + chunk * CHUNK
        key = (made, since, chunk)
        if key not in self._scores:
            self._scores[key] = self._kept(
                f"champion-{made}-{since}-{chunk}.npy",
                lambda: self._predicted(made, since, first),
            )
        within = self.table.rows(night)
        offset = int(self.table.starts[first])
        return self._scores[key][within.start - offset : within.stop - offset]

    def training_cpu(self, made: int, since: int) -> float:
        """Return the CPU seconds of one full training."""
        path = self.folder / f"training-{made}-{since}.json"
        if not path.exists():
            self._fit(made, since)
        return float(json.loads(path.read_text()))

    def training_rows(self, made: int, since: int) -> int:
        """Count the labelled rows of one full training."""
        return int(np.isfinite(self.table.labels[self.table.rows(since, made - LAG)]).sum())

    def twin(self, rows: Sample, scale: Scale, settings: Adaptation) -> Twin | None:
        """Train a twin, or remember the one of these very rows; ``twin_cpu`` says what it cost."""
        bytes_of = hashlib.blake2b(rows["hash"].tobytes(), digest_size=12)
        bytes_of.update(rows["label"].tobytes())
        key = bytes_of.hexdigest()
        if key not in self._twins:
            self._twins[key] = self._trained_twin(key, rows, scale, settings)
        self.twin_cpu += self._twins[key][1]
        return self._twins[key][0]

    twin_cpu: float = 0.0
    """CPU seconds of the twins asked for, as if each had been trained."""

    def recent(self, night: int) -> tuple[Numbers, float]:
        """Score a night with a small model of the last nights that had matured, and say what it cost."""
        costs = self.folder / f"recent-{night}.json"
        scores = self._kept(f"recent-{night}.npy", lambda: self._recent(night, costs))
        return scores, float(json.loads(costs.read_text()))

    def _recent(self, night: int, costs: Path) -> Numbers:
        began = process_time()
        chosen = self.table.rows(max(night - LAG - RECENT_NIGHTS + 1, 0), night - LAG)
        inputs, labels = self.table.features[chosen], self.table.labels[chosen]
        known = np.isfinite(labels)
        hashes = row_hashes(self.table.keys[chosen], 0)[known]
        sample = Sample({"hash": hashes, "features": inputs[known], "label": labels[known]})
        unit = float(labels[known].std()) if self.table.task == "regression" else 1.0
        scale = Scale(self.table.task, unit or 1.0, np.zeros(inputs.shape[1]), np.ones(inputs.shape[1]))
        twin = fit_twin(sample.smallest(self.settings.twin_rows), scale, self.settings)
        tonight = self.table.features[self.table.rows(night)]
        scores = (
            np.full(len(tonight), labels[known].mean()) if twin is None else scale.score(twin.link(tonight))
        )
        costs.write_text(json.dumps(process_time() - began))
        return scores

    def _trained_twin(
        self, key: str, rows: Sample, scale: Scale, settings: Adaptation
    ) -> tuple[Twin | None, float]:
        path = self.folder / f"twin-{key}.json"
        if not path.exists():
            began = process_time()
            twin = fit_twin(rows, scale, settings)
            cpu = process_time() - began
            path.write_text(json.dumps({"twin": twin and twin.as_json(), "cpu": cpu}))
            return twin, cpu
        told = json.loads(path.read_text())
        return (Twin.from_json(told["twin"]) if told["twin"] else None), float(told["cpu"])

    def _kept(self, name: str, make: Callable[[], Numbers]) -> Numbers:
        path = self.folder / name
        if path.exists():
            return np.asarray(np.load(path))
        made = make()
        draft = path.with_suffix(".draft.npy")
        np.save(draft, made)
        draft.rename(path)
        return made

    def _predicted(self, made: int, since: int, first: int) -> Numbers:
        last = min(first + CHUNK, len(self.table.nights)) - 1
        model, categories = self._fit(made, since)
        inputs = encode(self.table.features[self.table.rows(first, last)], categories)
        if self.table.task == "regression":
            return np.asarray(model.predict(inputs), float)
        return np.asarray(model.predict_proba(inputs)[:, 1])

    def _fit(self, made: int, since: int) -> Any:
        """Train on everything that had matured, with the defaults that the project ships, no search."""
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        if (made, since) in self._fitted:
            return self._fitted[made, since]
        began = process_time()
        rows = self.table.rows(since, made - LAG)
        features, labels = self.table.features[rows], self.table.labels[rows]
        known = np.isfinite(labels)
        categories = {place: np.unique(features[known, place]) for place in self.table.categorical}
        kind = (
            HistGradientBoostingRegressor
            if self.table.task == "regression"
            else HistGradientBoostingClassifier
        )
        model = kind(categorical_features=list(range(len(categories))) or None, **SHIPPED)
        model.fit(encode(features[known], categories), labels[known])
        (self.folder / f"training-{made}-{since}.json").write_text(json.dumps(process_time() - began))
        if len(self._fitted) >= MODELS_KEPT:
            self._fitted.pop(next(iter(self._fitted)))
        self._fitted[made, since] = (model, categories)
        return self._fitted[made, since]
