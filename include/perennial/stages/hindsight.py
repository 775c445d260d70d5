"""What decisions about training brought, once labels have settled: each is judged by the 28 nights that followed.

A challenger, promoted or refused, is laid beside the champion it met: both predict the same nights, which neither has
seen. After a "no" there is no such pair: it is told how the champion fared. The retraining policy learns from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from perennial.clock import Night, after, end_of
from perennial.errors import PerennialError
from perennial.facts.evidence import Json
from perennial.facts.expected_gain import JUDGED_NIGHTS
from perennial.facts.paired import Interval, mean_per_row
from perennial.stages import datasets
from perennial.stages.candidates import Candidate, Predictor
from perennial.stages.performance import settled_nights
from perennial.stages.set_aside import set_aside
from perennial.stages.training_set import features_of
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from perennial.engine.fitting import Array

LEAST_NIGHTS = 7
"""With fewer settled nights nothing is said."""


@dataclass(frozen=True)
class Change:
    """By which share of a loss something changed, over settled nights; above zero is a gain."""

    gain: float
    low: float
    high: float
    """Limits of 90 %, by nights; the loss that is divided by is taken as known."""
    nights: int
    rows: int
    last: Night
    """The youngest night it rests on."""

    @property
    def loss(self) -> str:
        """Say what it did to the loss."""
        return (
            f"{-100 * self.gain:+.2g} % loss ({-100 * self.high:+.2g} to {-100 * self.low:+.2g} %) on "
            f"{self.nights} nights up to {self.last}"
        )

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        return dict(vars(self))


def nights_after(workspace: Workspace, model: str, decided: Night, night: Night) -> list[Night]:
    """List the first 28 nights after a decision that have settled at the end of ``night``, but those set aside."""
    return _sound(workspace, model, settled_nights(workspace, model, after(decided), night), night)[
        :JUDGED_NIGHTS
    ]


def _sound(workspace: Workspace, model: str, nights: list[Night], night: Night) -> list[Night]:
    """Leave out nights whose feed was found broken: a fault says nothing of a model."""
    broken = set_aside(workspace, model, by=night)
    return [key for key in nights if key not in broken]


def beside(
    workspace: Workspace, challenger: Candidate, met: Candidate, night: Night, *, build: bool = True
) -> Change | None:
    """Compare a challenger with the champion that it met, on the nights after its training that have settled.

    Nothing where there are too few nights, where a table comes whole, or where one of the two cannot predict.
    """
    model = challenger.model
    nights = nights_after(workspace, model, challenger.night, night)
    if len(nights) < LEAST_NIGHTS or datasets.whole(workspace.spec(model).scored):
        return None
    rows = _labelled(workspace, model, nights, night)
    try:
        losses = [_losses(workspace, one, rows, build=build) for one in (challenger, met)]
    except PerennialError:
        return None
    if any(found is None for found in losses):
        return None
    return _change(rows, *losses)  # type: ignore[arg-type]


def fared(workspace: Workspace, model: str, decided: Night, night: Night) -> Change | None:
    """Compare the loss as it was served on the 28 nights after a decision with that of the nights before it."""
    nights = nights_after(workspace, model, decided, night)
    earlier = settled_nights(workspace, model, None, decided, most=JUDGED_NIGHTS)
    earlier = _sound(workspace, model, earlier, night)
    if min(len(nights), len(earlier)) < LEAST_NIGHTS:
        return None
    later, former = (_served(workspace, model, keys, night) for keys in (nights, earlier))
    if later is None or former is None or not former.estimate > 0:
        return None
    reach = math.hypot(later.high - later.estimate, former.high - former.estimate)
    change = former.estimate - later.estimate
    gain, low, high = (number / former.estimate for number in (change, change - reach, change + reach))
    return Change(gain, low, high, len(nights), later.rows, nights[-1])


def _labelled(workspace: Workspace, model: str, nights: list[Night], night: Night) -> pa.Table:
    """Read predicted rows and the labels that were known at the end of ``night``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = []
    for key in nights:
        part = workspace.store.read(datasets.performance(model), key)
        parts.append(part.append_column("night", pa.repeat(key, part.num_rows)))
    rows = pa.concat_tables(parts, promote_options="default")
    moment = end_of(night, workspace.spec(model).timezone)
    return rows.filter(pc.less_equal(rows["known_at"], moment))


def _losses(workspace: Workspace, version: Candidate, rows: pa.Table, *, build: bool) -> Array | None:
    """Let a version predict rows, and return what each costs; nothing where a row's features are missing."""
    from perennial.stages.build_features import build_features, kept_plan

    nights = sorted(set(rows["night"].to_pylist()))
    if build and nights:
        build_features(
            workspace, version.model, nights[-1], kept_plan(workspace, version.model, version.plan)
        )
    built = workspace.store.keys(datasets.features(version.model, version.plan))
    if not nights or not set(nights) <= set(built):
        return None
    features = features_of(workspace, version.model, version.plan, rows)
    if features.num_rows != rows.num_rows:
        return None
    predicted = Predictor(workspace, version).predict(features)
    return _row_losses(workspace, version, rows, predicted)


def _row_losses(workspace: Workspace, version: Candidate, rows: pa.Table, predicted: Array) -> Array:
    loss = workspace.spec(version.model).watched
    labels = rows["label"].to_pylist()
    if version.task == "multiclass":
        places = {name: place for place, name in enumerate(version.classes)}
        labels = [places.get(str(label), -1) for label in labels]
    return np.asarray(loss.row_loss(np.asarray(labels, dtype=float), predicted), dtype=float)


def _change(rows: pa.Table, own: Array, met: Array) -> Change | None:
    whole = float(met.mean())
    gained = _by_night(rows, met - own)
    if gained is None or not (math.isfinite(whole) and whole > 0):
        return None
    gain, low, high = (number / whole for number in (gained.estimate, gained.low, gained.high))
    return Change(gain, low, high, gained.clusters, gained.rows, max(rows["night"].to_pylist()))


def _by_night(rows: pa.Table, values: Array) -> Interval | None:
    keys, place = np.unique(np.asarray(rows["night"].to_pylist(), dtype=str), return_inverse=True)
    sums, counts = np.bincount(place, values, len(keys)), np.bincount(place, minlength=len(keys))
    return mean_per_row(sums.tolist(), counts.tolist())


def _served(workspace: Workspace, model: str, nights: list[Night], night: Night) -> Interval | None:
    """Return the loss of what was served, by nights; nothing for classes without a number."""
    if workspace.spec(model).task == "multiclass":
        return None
    rows = _labelled(workspace, model, nights, night)
    loss: Callable[..., Any] = workspace.spec(model).watched.row_loss
    labels, predicted = (
        np.asarray(rows[name].to_numpy(zero_copy_only=False), float) for name in ("label", "prediction")
    )
    return _by_night(rows, np.asarray(loss(labels, predicted), dtype=float)) if len(labels) else None
