"""Rows of nights as attribution compares them: features, what was known of labels, and the declared slices.

Read by ``attribute`` once a finding stands; a bounded number of rows of each night is drawn, by a seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.clock import Night
from perennial.facts.attributed_rows import Numbers, Rows
from perennial.facts.attribution import MOST_REFERENCE_ROWS
from perennial.stages import datasets
from perennial.stages.candidates import Candidate, Predictor, inputs
from perennial.stages.labels import labels_known
from perennial.stages.performance import join_labels
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True)
class AttributedNights:
    """A version's view of nights."""

    workspace: Workspace
    model: str
    version: Candidate
    known_by: Night
    """Labels count as they were known at the end of this night."""
    seed: int

    def rows(self, nights: Sequence[Night]) -> Rows:
        """Read nights, at most 20,000 rows in all and as many of each; a night without features is left out."""
        import pyarrow as pa

        parts = [part for night in nights if (part := self._drawn(night, len(nights))) is not None]
        if not parts:
            return Rows(inputs(pa.table({})), np.zeros(0, str), np.zeros(0), {})
        table = self._with_labels(pa.concat_tables(parts, promote_options="default"), nights[0])
        labels = self._labels(table)
        return Rows(inputs(table), np.asarray(table["@night"].to_pylist(), str), labels, {})

    def predict(self, frame: pd.DataFrame) -> Any:
        """Predict rows of a frame of features."""
        return self._predictor.predict_frame(frame)

    def of_class(self, rows: Rows, name: str) -> Rows:
        """Let labels say whether a row is of one class."""
        if rows.labels is None:
            return rows
        place = self.version.classes.index(name)
        return replace(rows, labels=np.where(np.isnan(rows.labels), np.nan, rows.labels == place))

    @cached_property
    def _predictor(self) -> Predictor:
        return Predictor(self.workspace, self.version)

    def _drawn(self, night: Night, nights: int) -> pa.Table | None:
        import pyarrow as pa

        store, dataset = self.workspace.store, datasets.features(self.model, self.version.plan)
        if not store.version(dataset, night):
            return None
        part, most = store.read(dataset, night), MOST_REFERENCE_ROWS // nights
        if part.num_rows > most:
            draw = np.random.default_rng([self.seed, int(night.replace("-", ""))])
            part = part.take(np.sort(draw.choice(part.num_rows, most, replace=False)))
        return part.append_column("@night", pa.repeat(night, part.num_rows))

    def _with_labels(self, table: pa.Table, first: Night) -> pa.Table:
        labels = labels_known(self.workspace, self.model, by=self.known_by, first=first)
        return join_labels(table, labels, self.workspace.spec(self.model).scored.key)

    def _labels(self, table: pa.Table) -> Numbers:
        """Read labels as numbers, of classes their place; none for rows that trained the version.

        What a model was fitted to it predicts better than it can: such residuals would make every later night odd.
        """
        labels = table["label"].to_pylist()
        if self.version.task == "multiclass":
            places: dict[Any, float] = {name: float(k) for k, name in enumerate(self.version.classes)}
            labels = [places.get(label, -1.0) if label is not None else None for label in labels]
        known = np.asarray([np.nan if label is None else float(label) for label in labels], np.float64)
        cutoff = self.version.cutoff
        learned = [cutoff is None or night <= cutoff for night in table["@night"].to_pylist()]
        return np.where(np.asarray(learned, bool), np.nan, known)
