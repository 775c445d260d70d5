"""How far can tonight's estimate of the loss be believed? Told by what became of all earlier ones.

Every window is walked through as it came: an estimate is made from what was known that night, and judged when
its labels arrive. The verdict and its sentence are made of this in ``facts/estimated_loss.py``; nothing
read at parse time imports it, for it needs numpy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perennial.clock import Night

Numbers = NDArray[np.float64]

LEAST = 8
"""Matured estimates before any is shown, and matured windows for which a contradicted one stays muted."""
LEVEL_HALF_LIVES = (7, 30)
"""Windows after which a realised loss counts half in the two levels that ignore tonight's scores."""
ERROR_HALF_LIFE, SHARPNESS = 40, 6
"""Windows after which an error counts half in the weights, and how sharply weights follow the errors."""
RATIO_HALF_LIFE = 20
"""The same, where the estimate is compared with carrying the last realised loss forward."""
INTERVAL_HALF_LIFE, STEP, MISSED = 60, 0.02, 0.05
"""The same, in the interval; how fast its ends follow misses; and the share that may lie beyond either end."""
LEAST_SHARE, LARGEST_SHARE, BEYOND = 0.002, 0.25, 1.5
"""Between these shares the ends may move; what was never seen is taken to be so many times the largest miss."""
ALLOWANCE, ALARM, LARGEST = 0.5, 8.0, 4.0
"""CUSUM of misses in standard deviations: what each is allowed, the sum that mutes, the most one night adds."""
REFERENCE_WINDOWS = 60
NOTHING = 1e-9


@dataclass(frozen=True)
class Standing:
    """What the audit knew on the night of one window, before its labels."""

    value: float | None
    """Estimated loss; none where nothing has matured."""
    low: float | None
    """The 90 % interval, from the estimate's own past misses."""
    high: float | None
    audited: int
    """Earlier estimates whose labels had arrived."""
    ratio: float
    """Their mean error over that of carrying the last realised loss forward, recent ones counting more."""
    covered: float
    """Share of them that lay within their intervals; not a number before the first was."""
    contradicted: Night | None
    """The last window whose labels contradicted the estimates before it, by the CUSUM."""
    since: int
    """Windows that have matured after that one."""
    bias: float
    """Mean of realised minus estimated over the last eight, in units of the loss."""
    last: float | None
    """The last realised loss."""
    weights: Mapping[str, float]
    """Share of each forecast in the value."""


@dataclass(frozen=True)
class Promise:
    """One window's estimate with what it was made of, kept until its labels arrive."""

    forecasts: Numbers
    value: float
    unit: float
    low: float
    high: float

    def as_json(self) -> dict[str, Any]:
        """Write plain values."""
        return {**vars(self), "forecasts": self.forecasts.tolist()}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Promise:
        """Read what ``as_json`` wrote."""
        return cls(**{**kept, "forecasts": np.array(kept["forecasts"])})


@dataclass
class Audit:
    """What has been learned from the windows that matured so far; the names are those of the calibrations."""

    REMEMBERED: ClassVar[int] = 400
    """Misses that are kept when an audit is laid down."""
    ARRAYS: ClassVar[frozenset[str]] = frozenset({"_levels", "_errors", "_shares", "_sums"})

    names: tuple[str, ...]
    last: float | None = None
    contradicted: Night | None = None
    since: int = 0
    _levels: Numbers = field(default_factory=lambda: np.zeros((2, len(LEVEL_HALF_LIVES))))
    _errors: Numbers = field(default_factory=lambda: np.zeros(0))
    _judged: float = 0.0
    _own: float = 0.0
    _carried: float = 0.0
    _misses: list[float] = field(default_factory=list)
    _plain: list[float] = field(default_factory=list)
    _inside: list[bool] = field(default_factory=list)
    _shares: Numbers = field(default_factory=lambda: np.full(2, MISSED))
    _sums: Numbers = field(default_factory=lambda: np.zeros(2))

    def as_json(self) -> dict[str, Any]:
        """Lay it down as plain values, with the last misses only: older ones count nothing any more."""
        arrays = {name: getattr(self, name).tolist() for name in Audit.ARRAYS}
        lists = {name: getattr(self, name)[-self.REMEMBERED :] for name in ("_misses", "_plain", "_inside")}
        return {**vars(self), **arrays, **lists, "names": list(self.names)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Audit:
        """Take it up again."""
        arrays = {name: np.array(kept[name], dtype=np.float64) for name in Audit.ARRAYS}
        return cls(**{**kept, **arrays, "names": tuple(kept["names"])})

    def promise(self, expected: Sequence[float]) -> Promise | None:
        """Estimate a window's loss from each calibration's expectation and from what has matured."""
        if self.last is None:
            return None
        forecasts = np.array([*expected, self.last, *(self._levels[0] / self._levels[1])])
        value = max(float(self._weights() @ forecasts), 0.0)
        unit = math.sqrt(max(value, NOTHING))
        low, high = self._ends()
        return Promise(forecasts, value, unit, max(value + unit * low, 0.0), value + unit * high)

    def judge(self, night: Night, promised: Promise | None, realised: float) -> None:
        """Learn from a window whose labels arrived; the promise is the one made on its own night."""
        if promised is not None:
            self._weigh(promised, realised)
            self._watch(night, (realised - promised.value) / promised.unit)
            self._move_ends(promised, realised)
        fade = 0.5 ** (1 / np.array(LEVEL_HALF_LIVES))
        self._levels = self._levels * fade + np.array([[realised], [1.0]])
        self.last = realised

    def standing(self, promised: Promise | None) -> Standing:
        """Say what is known tonight."""
        shown = promised if self._misses else None
        return Standing(
            value=promised.value if promised else None,
            low=shown.low if shown else None,
            high=shown.high if shown else None,
            audited=len(self._misses),
            ratio=self._own / max(self._carried, NOTHING) if self._misses else math.inf,
            covered=float(np.mean(self._inside)) if self._inside else math.nan,
            contradicted=self.contradicted,
            since=self.since,
            bias=float(np.mean(self._plain[-LEAST:])) if self._plain else 0.0,
            last=self.last,
            weights=dict(zip(self._forecast_names(), map(float, self._weights()), strict=True)),
        )

    def _forecast_names(self) -> tuple[str, ...]:
        return (*self.names, "last realised", *(f"mean of {half} windows" for half in LEVEL_HALF_LIVES))

    def _weights(self) -> Numbers:
        """Weigh each forecast by a power of its discounted mean error; before any, calibrations alike."""
        count = len(self._forecast_names())
        if self._judged < 1:
            first = np.arange(count) < len(self.names)
            return np.asarray(first / first.sum(), dtype=np.float64)
        errors = np.maximum(self._errors / self._judged, NOTHING)
        sharp = (errors / errors.min()) ** -float(SHARPNESS)
        weights: Numbers = sharp / sharp.sum()
        return weights

    def _weigh(self, promised: Promise, realised: float) -> None:
        errors = np.abs(promised.forecasts - realised)
        fade, slow = 0.5 ** (1 / ERROR_HALF_LIFE), 0.5 ** (1 / RATIO_HALF_LIFE)
        self._errors = errors if not self._judged else self._errors * fade + errors
        self._judged = self._judged * fade + 1
        self._own = self._own * slow + abs(promised.value - realised)
        self._carried = self._carried * slow + float(errors[len(self.names)])

    def _watch(self, night: Night, miss: float) -> None:
        """Add a miss to the two-sided CUSUM; its unit is the spread of the misses before the last eight."""
        self.since += 1
        if len(self._misses) >= LEAST:
            known = self._misses[:-LEAST] if len(self._misses) >= 2 * LEAST else self._misses
            step = np.clip(miss / _spread(np.array(known[-REFERENCE_WINDOWS:])), -LARGEST, LARGEST)
            self._sums = np.maximum(self._sums + np.array([step, -step]) - ALLOWANCE, 0.0)
        if self._sums.max() > ALARM:
            self._sums, self.contradicted, self.since = np.zeros(2), night, 0

    def _move_ends(self, promised: Promise, realised: float) -> None:
        """Widen the end that was missed, narrow it a little otherwise (Gibbs and Candes 2021)."""
        if self._misses:
            missed = np.array([realised < promised.low, realised > promised.high])
            moved = self._shares + STEP * (MISSED - missed)
            self._shares = np.clip(moved, LEAST_SHARE, LARGEST_SHARE)
            self._inside.append(not missed.any())
        self._misses.append((realised - promised.value) / promised.unit)
        self._plain.append(realised - promised.value)

    def _ends(self) -> tuple[float, float]:
        """Take quantiles of past misses, recent ones counting more, with one at each end never yet seen."""
        if not self._misses:
            return 0.0, 0.0
        misses = np.array(self._misses)
        furthest = BEYOND * float(np.abs(misses).max())
        weights = 0.5 ** (np.arange(len(misses))[::-1] / INTERVAL_HALF_LIFE)
        values = np.append(misses, [-furthest, furthest])
        order = np.argsort(values, kind="stable")
        passed = np.append(weights, [0.5, 0.5])[order].cumsum()
        places = np.searchsorted(passed, np.array([self._shares[0], 1 - self._shares[1]]) * passed[-1])
        low, high = values[order][np.minimum(places, len(values) - 1)]
        return float(low), float(high)


def _spread(misses: Numbers) -> float:
    """Return a standard deviation that a few wild nights do not lift: they must not hide the next."""
    middle = float(np.median(misses))
    by_median = 1.4826 * float(np.median(np.abs(misses - middle)))
    return max(by_median, 0.6 * float(misses.std()), NOTHING)
