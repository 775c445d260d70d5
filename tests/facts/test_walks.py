"""An audit that was laid down and taken up again goes on as if it had never stopped."""

import json
import math

import numpy as np
import pytest
from tests.facts.test_estimated_loss import moving, nights

from perennial.facts.estimated_loss import Walk, estimates
from perennial.facts.estimated_performance import estimated_since
from perennial.facts.night_loss import ALL, GroupLoss, NightLoss


@pytest.mark.parametrize("stop", [0, 1, 9, 60, 99])
def test_a_walk_taken_up_says_what_an_unbroken_one_says(stop: int) -> None:
    """To the last digit, wherever it was laid down, with labels that were still awaited."""
    made = nights(*moving(100), delay=3)
    walk = Walk.of(made[0].expected)
    before = [walk.say(one) for one in made[:stop]]
    again = Walk.from_json(json.loads(json.dumps(walk.as_json())))
    assert (*before, *(again.say(one) for one in made[stop:])) == estimates(made)


def test_what_is_laid_down_stays_small() -> None:
    """Ten years of nights take the room of four hundred."""
    draw = np.random.default_rng(1)
    walk = Walk.of(["raw"])
    for one in nights(draw.random(1200), draw.random(1200)):
        walk.say(one)
    kept = json.dumps(walk.as_json())
    assert len(kept) < 40_000
    assert Walk.from_json(json.loads(kept)).audit.standing(None).audited == 400


def test_a_night_is_written_to_the_last_digit() -> None:
    """Manifests keep ten digits of a number, so numbers are written as text; what is not finite survives."""
    one = NightLoss(
        "2013-01-01",
        "3",
        {ALL: GroupLoss(9, {"raw": 0.1 + 0.2, "isotonic": math.nan}, 7, 1 / 3, 2 / 3)},
        8,
        1 / 7,
    )
    assert repr(NightLoss.from_json(json.loads(json.dumps(one.as_json())))) == repr(one)


def test_a_night_without_labels_is_a_window_that_waits() -> None:
    """Also a settled one none of whose rows got a label: nothing was realised, and nothing is known."""
    expected = {"raw": 0.5}
    waiting = NightLoss("2013-01-01", "3", {ALL: GroupLoss(9, expected)})
    never = NightLoss("2013-01-01", "3", {ALL: GroupLoss(9, expected)}, matured="2013-01-05")
    assert [one.window(ALL).realised for one in (waiting, never)] == [None, None]
    told = NightLoss("2013-01-01", "3", {ALL: GroupLoss(9, expected, 4, 3.0, 2.0)}, 4, matured="2013-01-05")
    assert (told.window(ALL).realised, told.window(ALL).matured) == (0.5, "2013-01-05")
    assert told.window("nobody knows").rows == 0


def test_nights_that_wait_are_put_together_by_their_rows() -> None:
    """The mean of their estimates and of their ends; nights without rows count nothing."""
    made = nights(*moving(42))
    said = estimates(made)[-3:]
    found = estimated_since("2013-02-12", "3", list(zip((100, 0, 300), said, strict=True)))
    assert (found.nights, found.rows, found.state) == (2, 400, "shown")
    assert found.value == pytest.approx((100 * said[0].value + 300 * said[2].value) / 400)
    assert found.low <= found.value <= found.high
    assert f"From {said[0].night} to {said[2].night}" in found.reason
    assert estimated_since("2013-02-12", "3", []).state == "not_assessable"
