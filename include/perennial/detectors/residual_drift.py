"""Has the relation between inputs and labels moved? The slow arm of the monitor, for small lasting shifts.

It compares what the champion got wrong lately with what models like it got wrong on nights they had
not seen. Only labels can show this: a check of inputs has no power against it. The page budget
(``policies/paging.py``) turns its readings into pages; a page may trigger a retraining.
"""

from __future__ import annotations

import math
from bisect import bisect_left

from pydantic import Field, field_validator

from perennial.detectors.base import Detector
from perennial.facts.evidence import Json
from perennial.facts.reading import Moved, Reading, State
from perennial.facts.residuals import Residuals
from perennial.facts.shift import LIVE_STRETCH, Shift, largest_by_chance, shifts

ARM = "residual_drift"

BUDGET_AIMED_AT = 0.75
"""Share of the budget the threshold is set for: the reference's autocorrelation is only estimated, and a
mean that falls back under its threshold may cross it again."""

LEAST_THRESHOLD = 2.0
"""Fewer standard errors than this are never drift, however calm the reference."""

TWO_SIDED = 1.96
"""Normal quantile of the 95 % interval that sentences show."""


class ResidualDrift(Detector[Residuals]):
    """Compare the mean residual of the last matured nights with its reference, nights being the unit of luck.

    For each window of w live nights: D = mean(live) - mean(reference), over its standard error, in which
    nights resemble their neighbours as in an AR(1) process and the reference's own error counts. The
    threshold is a quantile of the largest such ratio in a stretch of 90 live nights over all windows,
    among resamples of an AR(1) process with the reference's own shocks (``facts/shift.py``). So looking
    every night, through two windows, with a short reference, is inside the budget. It is not where the
    level wanders from month to month by itself: each page is then true, and not news. ``level_wander``
    takes so much wandering for ordinary; ``benchmarks/slow_arm.py`` shows what it saves and what it hides.

    >>> from perennial.clock import between
    >>> from perennial.facts.residuals import NightResidual
    >>> def nights(keys, level):
    ...     return tuple(NightResidual(key, 900, level + 0.1 * (i % 3 - 1)) for i, key in enumerate(keys))
    >>> seen = nights(between("2013-04-01", "2013-06-29"), 0.0)
    >>> served = nights(between("2013-07-01", "2013-07-21"), -0.2)
    >>> reading = ResidualDrift().read(Residuals("2013-07-21", seen, served))
    >>> reading.state, round(reading.evidence["shift"], 1)
    ('over', -0.2)
    >>> ResidualDrift().read(Residuals("2013-07-21", seen[:40], served)).state
    'learning'
    """

    windows: tuple[int, ...] = Field(
        (14, 28), min_length=1, description="Matured live nights whose mean is compared; each is tried."
    )
    false_pages: float = Field(1, gt=0, description="False pages of this arm to accept, in `per_nights`.")
    per_nights: int = Field(365, ge=28, description="Nights over which `false_pages` are counted.")
    effect_floor: float = Field(
        0.03,
        ge=0,
        description="A smaller shift of the mean residual is never drift: probability for classes, standard "
        "deviations of the label for a regression.",
    )
    level_wander: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Standard deviation of the level's own slow wandering that is no drift, in standard "
        "deviations of a night. With 0.3 a wandering level keeps the budget, and a season's change is missed.",
    )
    min_reference_nights: int = Field(
        60, ge=28, description="With fewer nights that the model had not seen, it is still learning."
    )
    resamples: int = Field(1000, ge=200, description="Resampled histories the threshold rests on.")
    seed: int = Field(0, ge=0, description="Seed of the resamples.")

    @field_validator("windows")
    @classmethod
    def _windows_are_nights(cls, windows: tuple[int, ...]) -> tuple[int, ...]:
        if not all(7 <= nights <= LIVE_STRETCH for nights in windows):  # noqa: PLR2004
            raise ValueError(f"a window has 7 to {LIVE_STRETCH} nights")
        return tuple(sorted(set(windows)))

    def read(self, watch: Residuals) -> Reading:
        """Read the champion's residuals as known tonight; too few nights give ``learning``, never ``quiet``."""
        reference = len(watch.reference_means)
        why = self._why_learning(watch)
        if why:
            return Reading(watch.night, ARM, "learning", why, scored_nights=reference)
        maxima, threshold = self._maxima(watch.reference_means), self.threshold(watch.reference_means)
        found = self._largest(watch, threshold)
        p = (len(maxima) - bisect_left(maxima, abs(found.ratio))) / len(maxima)
        numbers = self._evidence(watch, found) | {"stretches_as_strange": p}
        moved = Moved("", found.ratio, f"mean residual {found.reference:.3f} -> {found.live:.3f}")
        said = self._sentence(watch, found, threshold)
        state = self._state(found, threshold)
        return Reading(
            watch.night,
            ARM,
            state,
            said,
            abs(found.ratio),
            threshold,
            tail=_tail(maxima),
            scored_nights=reference,
            columns=(moved,) if state == "over" else (),
            evidence=numbers,
        )

    def threshold(self, reference: tuple[float, ...]) -> float:
        """Return the ratio that so few stretches exceed that the budget holds (pages are nearly Poisson)."""
        maxima = self._maxima(reference)
        share = 1 - math.exp(-BUDGET_AIMED_AT * self.allowed(LIVE_STRETCH))
        rank = min(math.ceil((1 - share) * len(maxima)), len(maxima) - 1)
        return max(maxima[rank], LEAST_THRESHOLD)

    def allowed(self, nights: int) -> float:
        """Return the false pages this arm may send in so many nights."""
        return self.false_pages * nights / self.per_nights

    def _why_learning(self, watch: Residuals) -> str | None:
        seen, served, wrong = len(watch.reference_means), len(watch.live_means), watch.not_numbers()
        if wrong:
            return (
                f"No verdict on residuals: that of {wrong[0]} is not a number, so nothing can be concluded."
            )
        if seen < self.min_reference_nights:
            return (
                f"Still learning: {seen} nights show how models like this one err on nights they have not seen, "
                f"and {self.min_reference_nights} are needed."
            )
        if served < self.windows[0]:
            return (
                f"Still learning: the labels of {served} nights of this champion are known, and "
                f"{self.windows[0]} are needed."
            )
        return None

    def _maxima(self, reference: tuple[float, ...]) -> tuple[float, ...]:
        return largest_by_chance(reference, self.windows, self.resamples, self.seed, self.level_wander)

    def _largest(self, watch: Residuals, threshold: float) -> Shift:
        """Return the shift furthest over the threshold; one too small to matter only if there is no other."""
        tried = shifts(watch.reference_means, watch.live_means, self.windows)
        return max(tried, key=lambda shift: (self._state(shift, threshold) == "over", abs(shift.ratio)))

    def _state(self, shift: Shift, threshold: float) -> State:
        return "over" if abs(shift.ratio) > threshold and abs(shift.by) > self.effect_floor else "quiet"

    def _sentence(self, watch: Residuals, found: Shift, threshold: float) -> str:
        low, high = found.by - TWO_SIDED * found.error, found.by + TWO_SIDED * found.error
        return (
            f"Over the last {found.window} matured nights labels lay {_beside(found.live)} predictions, against "
            f"{_beside(found.reference)} on the {len(watch.reference_means)} nights the model had not seen: a "
            f"shift of {found.by:+.3f} (95% interval {low:+.3f} to {high:+.3f}), {abs(found.ratio):.2f} standard "
            f"errors, {self._against(found, threshold)}."
        )

    def _against(self, found: Shift, threshold: float) -> str:
        allowed = f"{threshold:.2f}, which allows {self.false_pages:g} false page in {self.per_nights} nights"
        if abs(found.ratio) <= threshold:
            return f"within the threshold of {allowed}"
        if abs(found.by) <= self.effect_floor:
            return (
                f"over the threshold of {allowed}, but not more than the {self.effect_floor:g} that matters"
            )
        return f"over the threshold of {allowed}"

    def _evidence(self, watch: Residuals, found: Shift) -> dict[str, Json]:
        seen, served = sorted(p.night for p in watch.reference), sorted(p.night for p in watch.live)
        return {
            "shift": found.by,
            "standard_error": found.error,
            "low": found.by - TWO_SIDED * found.error,
            "high": found.by + TWO_SIDED * found.error,
            "window": found.window,
            "live_mean": found.live,
            "reference_mean": found.reference,
            "serial": found.serial,
            "reference_nights": len(watch.reference_means),
            "reference_span": [seen[0], seen[-1]],
            "live_nights": len(watch.live_means),
            "live_span": [served[0], served[-1]],
            "rows": sum(past.rows for past in watch.live),
            "scale": watch.scale,
            "effect_floor": self.effect_floor,
            "level_wander": self.level_wander,
            "budget": [self.false_pages, self.per_nights],
            "resamples": self.resamples,
            "seed": self.seed,
        }


def _tail(maxima: tuple[float, ...]) -> float:
    """Return how heavy the resampled maxima are tailed (``Reading.tail``): their order is increasing."""
    greatest = maxima[len(maxima) * 4 // 5 :]
    return math.fsum(math.log(one / greatest[0]) for one in greatest) / len(greatest) if greatest[0] else 0.0


def _beside(mean: float) -> str:
    return f"{abs(mean):.3f} {'below' if mean < 0 else 'above'}"
