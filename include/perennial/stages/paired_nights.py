"""The nightly gain of one version over another on the same rows, counted once the labels of a night are mature.

Rollouts and watches go on from the nights that the verdict before kept, so that a night pays for its own rows only. A
night enters with the labels known when it matured, and nights enter in order: one that is not mature stops the clock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from perennial.clock import Night, after, end_of
from perennial.stages import datasets
from perennial.stages.performance import about
from perennial.stages.set_aside import set_aside
from perennial.stages.training_set import named_rows
from perennial.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Pair:
    """Two versions that score the same nights."""

    version: str
    against: str
    """A gain is what this one loses more than the other."""
    first: Night
    """First night that counts."""
    min_rows: int


@dataclass(frozen=True)
class PairedNight:
    """What a mature night says of a pair."""

    night: Night
    rows: int
    gain: float
    """Mean per labelled row."""


@dataclass(frozen=True)
class PairedNights:
    """All mature nights of a pair so far."""

    nights: tuple[PairedNight, ...] = ()
    through: Night = ""
    """Last night that was looked at for good: counted, or left out for its feed or its few rows."""
    waiting: int = 0
    """Nights that both have scored and whose labels are awaited."""

    @property
    def gains(self) -> list[float]:
        """The gains, oldest first."""
        return [one.gain for one in self.nights]

    def as_text(self) -> str:
        """Write it for a partition."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> PairedNights:
        """Read what ``as_text`` wrote."""
        kept = json.loads(text)
        return cls(tuple(PairedNight(**one) for one in kept["nights"]), kept["through"], kept["waiting"])


def with_matured(
    workspace: Workspace, model: str, pair: Pair, known: PairedNights, night: Night
) -> PairedNights:
    """Add the nights that have matured by the end of ``night`` to those known before."""
    first = max(after(known.through), pair.first) if known.through else pair.first
    nights = workspace.store.keys(datasets.shadow(model), first, night)
    broken = set_aside(workspace, model, by=night) if nights else frozenset()
    found, through = list(known.nights), known.through
    for place, key in enumerate(nights):
        since = about(workspace, model, key).get("mature_since")
        if not since or since > night:
            return PairedNights(tuple(found), through, len(nights) - place)
        counted = None if key in broken else _paired(workspace, model, pair, key, night)
        found += [counted] if counted and counted.rows >= pair.min_rows else []
        through = key
    return replace(known, nights=tuple(found), through=through, waiting=0)


def _paired(workspace: Workspace, model: str, pair: Pair, key: Night, night: Night) -> PairedNight | None:
    """Compare the two on the rows of a night that have a label; nothing where either has not scored it."""
    import numpy as np

    both = [_said(workspace, model, name, key) for name in (pair.version, pair.against)]
    labels = _labels(workspace, model, key, night)
    if None in [*both] or not labels:
        return None
    names = [name for name in labels if all(name in one for one in both if one is not None)]
    told = [labels[name] for name in names]
    losses = [_losses(workspace, model, told, [one[name] for name in names]) for one in both if one]
    if not names:
        return None
    gain = float(np.mean(losses[1] - losses[0]))
    return PairedNight(key, len(names), gain) if np.isfinite(gain) else None


def _said(workspace: Workspace, model: str, version: str, key: Night) -> Mapping[str, Any] | None:
    """Return a version's answer to each row of a night, as the champion or beside it."""
    import pyarrow.compute as pc

    for dataset in (datasets.predictions(model), datasets.shadow(model)):
        table = workspace.store.read(dataset, key)
        own = table.filter(pc.equal(table["version"], version))
        if own.num_rows:
            return dict(zip(_names(workspace, model, own), _answers(own), strict=True))
    return None


def _answers(own: pa.Table) -> list[Any]:
    """Return one number a row, or the chance of each class by its name."""
    classes = [name for name in own.column_names if name.startswith("p:")]
    if not classes:
        return list(own["prediction"].to_pylist())
    chances = zip(*(own[name].to_pylist() for name in classes), strict=True)
    named = [name.removeprefix("p:") for name in classes]
    return [dict(zip(named, row, strict=True)) for row in chances]


def _labels(workspace: Workspace, model: str, key: Night, night: Night) -> dict[str, Any]:
    """Return the labels of a night as known at the end of ``night``."""
    import pyarrow.compute as pc

    spec = workspace.spec(model)
    table = workspace.store.read(datasets.performance(model), key, [*spec.scored.key, "label", "known_at"])
    table = table.filter(pc.less_equal(table["known_at"], end_of(night, spec.timezone)))
    return dict(zip(_names(workspace, model, table), table["label"].to_pylist(), strict=True))


def _losses(
    workspace: Workspace, model: str, labels: Sequence[Any], answers: Sequence[Any]
) -> NDArray[np.float64]:
    import numpy as np

    from perennial.metrics.base import places

    spec = workspace.spec(model)
    row_loss = spec.watched.row_loss
    if spec.task != "multiclass" or not labels:
        return np.asarray(row_loss(np.asarray(labels, float), np.asarray(answers, float)), float)
    classes = sorted({*map(str, labels), *(name for row in answers for name in row)})
    chances = np.array([[row.get(name) or 0.0 for name in classes] for row in answers], float)
    return np.asarray(row_loss(places(labels, classes), chances), float)


def _names(workspace: Workspace, model: str, rows: pa.Table) -> list[str]:
    return named_rows(rows, workspace.spec(model).scored.key)
