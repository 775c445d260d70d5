"""What a rolling backtest showed: a recipe and its baselines on stretches of nights that none of them had seen.

Made by ``stages/backtest.py``; told by the command line and, on request, recorded in the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from perennial.clock import Night
from perennial.facts.evidence import Json
from perennial.facts.paired import Interval

LEAST_FOLDS, FOLD_NIGHTS = 4, 28
"""With less, no other window than all history is chosen: 14 nights were too noisy to choose by."""


@dataclass(frozen=True)
class Fold:
    """One stretch of unseen nights, and what everybody lost there."""

    first: Night
    last: Night
    nights: int
    rows: int
    learned_rows: int
    """Rows that the model learned from: known before the first of these nights."""
    losses: Mapping[str, float]
    """Mean loss of a row: of the ``model``, of each baseline, and of the recipe on other windows, by name."""


@dataclass(frozen=True)
class Beside:
    """The model's gain over somebody else on the same rows, by nights."""

    name: str
    gain: Interval | None
    """Their loss minus the model's, a row; none with too few nights."""


@dataclass(frozen=True)
class Window:
    """Training on so many nights, beside all history."""

    nights: int
    gain: Interval | None
    """Loss with all history minus loss with this window, a row."""
    p: float
    """One-sided p-value of no gain, before the correction for several windows."""
    better: bool
    """Whether it is better than all history, Holm's correction made."""


@dataclass(frozen=True)
class Backtest:
    """A recipe on folds that roll forward."""

    model: str
    night: Night
    """Nothing known later went into it."""
    loss: str
    """What the loss of a row is called."""
    folds: tuple[Fold, ...]
    beside: tuple[Beside, ...]
    windows: tuple[Window, ...] = ()
    asked_folds: int = LEAST_FOLDS
    timed: bool = True
    unseen_entities: bool = False
    """Whether rows are predicted by models that had never met their entity."""
    left_out: tuple[str, ...] = ()
    """Folds, by their first night, that somebody could not be trained for."""

    @property
    def enough(self) -> bool:
        """Whether there are nights enough to choose a window by."""
        return sum(fold.nights >= FOLD_NIGHTS for fold in self.folds) >= LEAST_FOLDS

    @property
    def chosen(self) -> int | None:
        """The window to train on; none is all history, which it is unless shown otherwise."""
        better = [one for one in self.windows if one.better and one.gain is not None]
        best = max(better, key=lambda one: one.gain.estimate if one.gain else 0.0, default=None)
        return best.nights if best and self.enough else None

    def as_json(self) -> dict[str, Json]:
        """Write plain values, for the ledger and the command line."""
        return {**asdict(self), "enough": self.enough, "chosen": self.chosen, "sentences": self.sentences()}

    def sentences(self) -> list[str]:
        """Say what was shown, and how sure it is."""
        told = [self._extent()]
        told += [f"Beside {one.name}: {_gain(one.gain)}." for one in self.beside]
        told += [
            f"Trained on {one.nights} nights, beside all history: {_gain(one.gain)}"
            f"{'; better.' if one.better else '; not shown to be better.'}"
            for one in self.windows
        ]
        return [*told, self._advice()] if self.windows else told

    def _extent(self) -> str:
        nights, rows = (sum(getattr(fold, name) for fold in self.folds) for name in ("nights", "rows"))
        noun = "nights" if self.timed else "buckets of entities"
        said = f"{len(self.folds)} folds, {nights} unseen {noun}, {rows} rows"
        if self.timed and len(self.folds) < self.asked_folds:
            said += f"; {self.asked_folds} were asked for, and there are not nights enough"
        if self.unseen_entities:
            said += "; every row was predicted by a model that had never met its entity"
        missing = (
            f" Left out, as not everybody could be trained: {', '.join(self.left_out)}."
            if self.left_out
            else ""
        )
        return f"{said}.{missing}"

    def _advice(self) -> str:
        if not self.enough:
            return f"Train on all history: under {LEAST_FOLDS} folds of {FOLD_NIGHTS} nights nothing else is chosen."
        if self.chosen is None:
            return "Train on all history: no other window is shown to be better."
        return f"Train on {self.chosen} nights (training.window_nights): that is shown to be better than all history."


def _gain(found: Interval | None) -> str:
    if found is None:
        return "too few nights to say"
    return (
        f"gain {found.estimate:.4g} a row, one-sided 95% limits {found.low:.4g} and {found.high:.4g} "
        f"({found.clusters} nights, {found.rows} rows)"
    )
