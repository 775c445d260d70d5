"""The watch over labels by score keeps its budget where nothing is wrong, and sees a relation that turned."""

import numpy as np
import pytest
from benchmarks.residual_shape import LIVE, SCENARIOS, Labels, seen_within, watched
from benchmarks.simulated_nights import interval

from perennial.detectors.residual_shape import ResidualShape
from perennial.facts.residual_shape import levelled, shape


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_budget_holds_where_nothing_is_wrong(scenario: str) -> None:
    """At most one page in a year, within two standard errors of 100 histories, and rarely more than one.

    Reference nights scored by models of forward folds; ``benchmarks/residual_shape.py`` draws 400 of every size.
    """
    count = watched(Labels(scenario), 100, 3).pages.sum(axis=0)
    assert interval(count)[1] <= ResidualShape().rate * LIVE, count.mean()
    assert np.mean(count > 1) <= 0.05


@pytest.mark.parametrize("scenario", ["iid", "ar3"])
def test_a_relation_that_turns_for_some_scores_is_seen_within_a_week(scenario: str) -> None:
    """In nine histories of ten at 400 rows a night, also where the level wanders; nothing, in one of ten at most."""
    found = {
        change: seen_within(Labels(scenario, live=44, change=change), 60, 3)
        for change in ("turned", "nothing")
    }
    assert found["turned"]["pages"]["7"] >= 0.85
    assert found["turned"]["asks"]["7"] >= 0.8
    assert found["nothing"]["pages"]["14"] <= 0.1
    assert found["nothing"]["asks"]["14"] == 0


def test_a_night_on_which_everything_is_likelier_has_no_shape() -> None:
    """A level on the logit is taken out exactly; the tenth that moves alone stays."""
    scores, rows = np.linspace(0.05, 0.7, 10), np.full(10, 10_000.0)
    odds = scores / (1 - scores) * np.exp(0.8)
    came_true = rows * odds / (1 + odds)
    expected = rows * levelled(scores, rows, came_true.sum())
    assert np.abs(shape(rows, came_true, expected).plain).max() < 1e-3
    came_true[6] -= 2000
    expected = rows * levelled(scores, rows, came_true.sum())
    moved = shape(rows, came_true, expected)
    assert int(np.abs(moved.plain).argmax()) == 6
    assert moved.plain[6] < -0.15


@pytest.mark.parametrize("came_true", [0.0, 50.0])
def test_a_night_of_one_outcome_is_still_a_number(came_true: float) -> None:
    """Nothing came true, or everything did: also then, and at scores of 0 and 1, each range has a value."""
    scores, rows = np.array([0.0, 0.2, 0.5, 0.9, 1.0]), np.full(5, 10.0)
    expected = levelled(scores, rows, np.array(came_true))
    assert ((expected > 0) & (expected < 1)).all()
    found = shape(rows, np.full(5, came_true / 5), rows * expected)
    assert np.isfinite(found.values).all()
    assert np.isnan(shape(rows * 0, rows * 0, rows * 0).values).all()
