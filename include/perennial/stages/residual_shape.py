"""What a version got wrong, by the height of its score, night by night: what the watch over labels is laid out from.

Stands between settled nights and the monitor. A relation that turns for some scores only may leave the mean
residual, which the slow arm reads, where it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennial.clock import Night, after
from perennial.facts.streams import LONGEST_WATCH, NightStreams, Stream, Watch
from perennial.stages import datasets
from perennial.stages.candidates import Candidate
from perennial.stages.performance import about, nights_until_final
from perennial.stages.profiling import holidays
from perennial.stages.residual_nights import unseen
from perennial.stages.set_aside import set_aside
from perennial.stages.stream_windows import StreamWindows
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

BINS = 10
"""Ranges of scores at most."""
FEWEST_BINS = 2
"""With one range, nothing is left once the night's level is taken out."""
ROWS_IN_BIN = 30
"""Fewer rows of a night in a range are too few for a share that is nearly normal: there are fewer ranges then."""
KEPT_EVERY = 5
"""So many nights are measured from their rows again before a new table is written: ten numbers a night are little."""
COLUMNS = ["label", "prediction"]


def score_residuals(workspace: Workspace, model: str, night: Night, version: Candidate) -> Watch | None:
    """Lay out a version's residuals by score up to the newest night whose labels are final.

    First the nights it had not seen when it was trained, then those it served. Nothing where labels are not yes or
    no, or where a night has too few rows to tell scores apart.
    """
    if version.task != "binary" or not unseen(workspace, model, version).nights:
        return None
    bins = _bins(workspace, model, version)
    if len(bins.edges) + 1 < FEWEST_BINS:
        return None
    spec = workspace.spec(model)
    newest = after(night, -nights_until_final(spec))
    windows = StreamWindows(workspace, model, f"residuals.v{version.version}")
    known = windows.known(night)
    new = list(_new(workspace, model, night, version, known, bins))
    found = [*known.values(), *new]
    if len(new) >= KEPT_EVERY:
        windows.keep(night, found)
    bad = set_aside(workspace, model, by=after(night, -1))
    kept = [one for one in found if one.night not in bad]
    return Watch.of(newest, kept, spec.monitoring.residual_shape.rate, holidays(spec, newest))


@dataclass(frozen=True)
class Bins:
    """Ranges of scores."""

    edges: tuple[float, ...]
    """Inner edges; a score that equals one belongs above it."""

    @classmethod
    def of(cls, reference: pa.Table) -> Bins:
        """Cut the unseen nights' scores into tenths, or fewer parts where a night has few rows or scores."""
        import numpy as np

        scores = reference["prediction"].to_numpy()
        rows = len(scores) / max(len(reference["night"].unique()), 1)
        bins = int(np.clip(rows // ROWS_IN_BIN, 1, BINS))
        cuts = np.quantile(scores, np.arange(1, bins) / bins) if len(scores) else np.zeros(0)
        return cls(tuple(np.unique(cuts[cuts > scores.min(initial=1.0)]).tolist()))

    def measure(self, night: Night, rows: pa.Table) -> NightStreams:
        """Return what labels say of each range, the night's level taken out."""
        import numpy as np

        from perennial.facts.residual_shape import levelled, shape

        label, score = (np.asarray(rows[column].to_numpy(), float) for column in COLUMNS)
        ones = np.ones_like(score)
        expected = levelled(score, ones, label.sum())
        place = np.searchsorted(self.edges, score, side="right")
        parts = (np.bincount(place, of, len(self.names)).astype(float) for of in (ones, label, expected))
        found = shape(*parts)
        return NightStreams(night, self.names, *(tuple(part.tolist()) for part in found))

    @property
    def names(self) -> tuple[Stream, ...]:
        """Name a stream for each range."""
        inner = [f"{edge:.3g}" for edge in self.edges]
        ranges = zip(["0", *inner], [*inner, "1"], strict=True)
        return tuple(
            Stream(
                f"label minus prediction for scores {low} to {high}", "location", str(place), "predictions"
            )
            for place, (low, high) in enumerate(ranges)
        )


def _bins(workspace: Workspace, model: str, version: Candidate) -> Bins:
    """Return a version's ranges, cut once: its reference is read on its first night only."""
    import pyarrow as pa

    store, dataset, key = workspace.store, datasets.edges(model), f"residuals.v{version.version}"
    rows, made = store.manifest(datasets.reference(model), version.version), store.manifest(dataset, key)
    if rows is None or made is None or made.meta.get("of") != rows.content:
        edges = Bins.of(_reference(workspace, model, version)).edges
        table = pa.table({"edge": pa.array(edges, pa.float64())})
        store.publish(dataset, key, table, meta={"of": rows.content if rows else None})
    return Bins(tuple(store.read(dataset, key)["edge"].to_pylist()))


def _reference(workspace: Workspace, model: str, version: Candidate) -> pa.Table:
    return workspace.store.read(datasets.reference(model), version.version, ["night", *COLUMNS])


def _new(
    workspace: Workspace,
    model: str,
    night: Night,
    version: Candidate,
    known: Collection[Night],
    bins: Bins,
) -> Iterator[NightStreams]:
    """Measure the nights that no table holds: from the rows of the reference, or of the settled night."""
    import pyarrow.compute as pc

    store, dataset = workspace.store, datasets.performance(model)
    newest = after(night, -nights_until_final(workspace.spec(model)))
    earliest = after(newest, 1 - LONGEST_WATCH)
    before = unseen(workspace, model, version).nights
    missing = [key for key in before if earliest <= key <= newest and key not in known]
    if missing:
        reference = _reference(workspace, model, version)
        for key in missing:
            yield bins.measure(key, reference.filter(pc.equal(reference["night"], key)))
    for key in store.keys(dataset, max(after(before[-1]), earliest), newest):
        if key in known or (about(workspace, model, key).get("mature_since") or "~") > night:
            continue
        rows = store.read(dataset, key, ["version", *COLUMNS])
        own = rows.filter(pc.equal(rows["version"], version.version))
        if own.num_rows:
            yield bins.measure(key, own)
