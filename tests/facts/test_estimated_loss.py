"""An estimate carries what it is worth, is muted where it has been wrong, and silent without labels."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from benchmarks.estimate import WITHIN, measured, muted_within
from benchmarks.scored_windows import World, windows

from perennial.clock import after, nights_apart
from perennial.facts.estimated_loss import Estimated, Window, estimate, estimates

FIRST = "2013-01-01"


def nights(expected: Sequence[float], realised: Sequence[float], delay: int = 1) -> list[Window]:
    """Make one window a night, whose labels come so many nights later."""
    return [
        Window(after(FIRST, i), 900, {"raw": float(e)}, float(r), after(FIRST, i + delay))
        for i, (e, r) in enumerate(zip(expected, realised, strict=True))
    ]


def moving(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw a loss that moves with its inputs, and labels' luck around it."""
    draw = np.random.default_rng(seed)
    expected = 0.5 + 0.1 * draw.normal(size=count).clip(-3, 3)
    return expected, expected + 0.02 * draw.normal(size=count)


def test_what_tracks_the_loss_is_shown_with_its_error() -> None:
    """A fifth of the moves are luck: the estimate errs by about a seventh of carrying forward."""
    made = nights(*moving(60))
    found = estimate(made[:-1], made[-1])
    assert found.state == "shown"
    assert found.evidence["error_over_carried"] == pytest.approx(0.15, abs=0.06)
    assert "if the relation has changed since, it is wrong" in found.reason


def test_eight_estimates_must_meet_their_labels_first() -> None:
    """The first night has nothing to carry, so nine windows are learning, and one more waits for labels."""
    states = [one.state for one in estimates(nights(*moving(14)))]
    assert states == ["learning"] * 9 + ["shown"] * 5


def test_labels_that_tonight_cannot_know_are_not_looked_at() -> None:
    """With labels a week late, another ending of the last week changes nothing."""
    made = nights(*moving(40), delay=7)
    other = [*made[:33], *(replace(one, realised=9.0) for one in made[33:])]
    assert estimate(made[:-1], made[-1]) == estimate(other[:-1], other[-1])


def test_tonights_own_labels_are_not_looked_at() -> None:
    """Labels that come on the night itself are later than the estimate."""
    made = nights(*moving(40), delay=0)
    assert estimate(made[:-1], made[-1]).value == estimate(made[:-1], replace(made[-1], realised=9.0)).value


def test_the_same_past_in_any_order_gives_the_same_hash() -> None:
    """What is kept in the ledger can be computed again."""
    made = nights(*moving(40))
    assert estimate(made[:-1], made[-1]).evidence_hash == estimate(made[-2::-1], made[-1]).evidence_hash


def test_a_contradicted_estimate_is_muted_and_says_so() -> None:
    """From the 41st night on the loss is a quarter higher than the scores say: silent within three labels."""
    expected, realised = moving(44)
    realised[40:] += 0.25
    found = estimates(nights(expected, realised))[-1]
    assert found.state == "muted"
    assert "below what came" in found.reason
    assert "the last realised loss is" in found.reason


def test_it_speaks_again_after_eight_windows_without_contradiction() -> None:
    """A loss that stays higher is learned, and then estimated."""
    expected, realised = moving(120)
    realised[40:] += 0.25
    assert estimates(nights(expected, realised))[-1].state == "shown"


def test_what_is_no_better_than_the_last_loss_is_muted() -> None:
    """A loss that wanders by itself is best carried forward; scores that ignore it earn no display."""
    draw = np.random.default_rng(3)
    realised = 2 + draw.normal(size=80).cumsum() * 0.05
    found = estimates(nights(draw.random(80), realised))[-1]
    assert found.state == "muted"


def test_labels_that_stay_away_make_it_not_assessable() -> None:
    """The labels of eight windows are overdue the ninth night: a changed relation could not be seen."""
    made = nights(*moving(50))
    silent = [replace(one, realised=None, matured=None) if i >= 40 else one for i, one in enumerate(made)]
    states = [one.state for one in estimates(silent)]
    assert states[47:] == ["shown", "shown", "not_assessable"]
    assert "overdue" in estimates(silent)[-1].reason


@pytest.mark.parametrize(("rows", "expected"), [(0, 0.5), (900, math.nan)])
def test_a_night_without_an_expectation_is_not_assessable(rows: int, expected: float) -> None:
    """No rows, or an expected loss that is no number: nothing is made up."""
    made = nights(*moving(40))
    found = estimate(made, Window(after(FIRST, 40), rows, {"raw": expected}))
    assert (found.state, found.value) == ("not_assessable", None)


def test_a_night_without_labels_teaches_nothing() -> None:
    """A realised loss that is not a number is as good as none."""
    made = nights(*moving(40))
    gap = [*made[:20], replace(made[20], realised=math.nan), *made[21:]]
    gone = [*made[:20], replace(made[20], realised=None, matured=None), *made[21:]]
    assert estimate(gap[:-1], made[-1]).value == estimate(gone[:-1], made[-1]).value


def test_only_a_shown_estimate_may_hold_anything() -> None:
    """It holds where its whole interval is beyond the limit, and never where it is muted."""
    shown = Estimated("2013-01-01", 0.6, 0.5, 0.7, "shown", "")
    assert [shown.exceeds(limit) for limit in (0.4, 0.5, 0.6)] == [True, False, False]
    assert not replace(shown, state="muted").exceeds(0.4)


@pytest.mark.parametrize("serial", [0.0, 0.6])
def test_nine_in_ten_intervals_hold(serial: float) -> None:
    """Between .85 and .95, where misses are heavy-tailed, and where they resemble their neighbours."""
    inside = []
    for seed in range(12):
        draw = np.random.default_rng(seed)
        misses = draw.standard_t(4, size=200) * 0.02
        for night in range(1, 200):
            misses[night] += serial * misses[night - 1]
        expected = 0.5 + 0.1 * draw.normal(size=200)
        for window, told in zip(made := nights(expected, expected + misses), estimates(made), strict=True):
            if told.low is not None and told.high is not None and told.state == "shown":
                inside.append(told.low <= (window.realised or 0.0) <= told.high)
    assert 0.85 <= np.mean(inside) <= 0.95


def test_a_loss_known_before_its_night_is_refused() -> None:
    """Labels cannot come before scores, and a realised loss has a night on which it was known."""
    with pytest.raises(ValueError, match="labels before its scores"):
        Window("2013-01-02", 5, {"raw": 0.5}, 0.5, "2013-01-01")
    with pytest.raises(ValueError, match="go together"):
        Window("2013-01-02", 5, {"raw": 0.5}, 0.5)


def test_under_pure_covariate_shift_the_estimate_is_shown_and_right() -> None:
    """A fast part of ``benchmarks/estimate``: 2,000 rows a night, at most a fifth of the error, nine in ten shown."""
    made = windows(World(2000).scored(7), 1, 2)
    found = measured(made, estimates(made))
    assert found["off_shown"]["ours"] <= 0.2 * found["off_shown"]["carried"]
    assert found["shown"] >= 0.9 * found["windows"]


@pytest.mark.parametrize("change", ["labels", "turned", "half replaced", "easier"])
def test_after_a_changed_relation_it_is_silent_within_eight_matured_windows(change: str) -> None:
    """Also where labels become easier than expected: an estimate too high is as wrong."""
    said = estimates(windows(World(500, change, 0.2).scored(7), 1, 2))
    assert (muted_within(said) or math.inf) <= WITHIN


def test_windows_of_a_week_know_when_their_labels_come() -> None:
    """Seven nights a window, labels seven nights later: the one before is known, not more."""
    made = windows(World(200).scored(1), 7, 7)
    assert [nights_apart(one.night, one.matured or "") for one in made] == [7] * len(made)
