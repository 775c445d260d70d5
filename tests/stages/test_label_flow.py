"""Labels that stay away or come late are found among ordinary nights, and ordinary nights rarely are."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from perennial.clock import after
from perennial.facts.night_loss import ALL, GroupLoss, NightLoss
from perennial.stages.label_flow import label_flow, label_reading

FIRST, ROWS = "2013-01-01", 400
RATE = 1 / 90
LEARNING, SCORED, HISTORIES = 100, 50, 24


def night(place: int, delivered: int, delay: float = 1.0, rows: int = ROWS) -> NightLoss:
    """Make a settled night."""
    key = after(FIRST, place)
    whole = GroupLoss(rows, {"raw": 0.5}, delivered, 0.5 * delivered, 0.5 * delivered)
    return NightLoss(key, "1", {ALL: whole}, delivered, delay, 0.2, matured=after(key, 3))


def history(seed: int, count: int) -> list[NightLoss]:
    """Draw nights whose coverage differs by weekday, has a luck of its own, and resembles its neighbours (.3)."""
    draw = np.random.default_rng([seed, 77])
    luck, found = 0.0, []
    for place in range(count):
        luck = 0.3 * luck + math.sqrt(1 - 0.3**2) * float(draw.normal())
        chance = 1 / (1 + math.exp(-(2.2 - 0.4 * (place % 7 == 6) + 0.25 * luck)))
        delay = 1.0 + 0.1 * (place % 7 == 6) + 0.03 * float(draw.normal())
        found.append(night(place, int(draw.binomial(ROWS, chance)), delay))
    return found


def crossings(nights: Sequence[NightLoss]) -> int:
    """Count the nights after the learning period that would be findings."""
    read = [
        label_reading(nights[:end], nights[end - 1].night, RATE)
        for end in range(LEARNING + 1, len(nights) + 1)
    ]
    assert all(one.state in ("quiet", "over") for one in read)
    return sum(one.state == "over" for one in read)


@pytest.mark.slow
def test_ordinary_nights_cross_no_more_often_than_declared() -> None:
    """Over 24 histories of 50 nights after the learning, within two standard errors of one in 90."""
    found = sum(crossings(history(seed, LEARNING + SCORED)) for seed in range(HISTORIES))
    expected = RATE * HISTORIES * SCORED
    assert found <= expected + 2 * math.sqrt(expected)


def test_a_fall_of_coverage_is_found_the_same_night() -> None:
    """From nine in ten to seven in ten: the sentence has both."""
    nights = [*history(3, 120), night(120, int(0.7 * ROWS), 1.0)]
    found = label_flow(nights, after(FIRST, 124), after(FIRST, 120))
    assert found.strange
    assert (found.reading.arm, found.reading.night) == ("labels", after(FIRST, 124))
    assert "70.0% have their outcome (usually" in found.reason


def test_outcomes_that_come_a_day_later_are_found() -> None:
    """All of them come, but late."""
    nights = [*history(3, 120), night(120, int(0.9 * ROWS), 2.0)]
    assert label_reading(nights, nights[-1].night, RATE).state == "over"


@pytest.mark.parametrize(("share", "delay"), [(1.0, 1.0), (0.9, 0.2)])
def test_more_or_sooner_outcomes_are_no_finding(share: float, delay: float) -> None:
    """What gets better is read, and nobody is told."""
    nights = [*history(3, 120), night(120, int(share * ROWS), delay)]
    assert label_reading(nights, nights[-1].night, RATE).state == "quiet"


def test_no_night_settled_is_said() -> None:
    """Before the first labels are final nothing is compared with nothing."""
    found = label_flow([], "2013-01-05", "2013-01-01")
    assert (found.strange, found.night) == (False, None)
    assert "No night is settled" in found.reason


def test_labels_that_never_came_are_said_to_be_missing() -> None:
    """Coverage of nought is told, whatever was usual; the delay is none."""
    nights = [
        NightLoss(after(FIRST, i), "1", {ALL: GroupLoss(ROWS, {"raw": 0.5})}, matured=after(FIRST, i + 3))
        for i in range(120)
    ]
    found = label_flow(nights, after(FIRST, 123), after(FIRST, 119))
    assert (found.coverage, found.delay, found.strange) == (0.0, None, False)
    assert "No outcome of the 400 predictions" in found.reason


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_a_night_of_hardly_any_rows_is_judged_by_what_so_few_can_say(rows: int) -> None:
    """Neither an exception nor a finding."""
    found = label_flow(
        [*history(3, 120), night(120, rows, math.nan if not rows else 1.0, rows)], "2013-05-05", "2013-05-01"
    )
    assert not found.strange
    assert found.coverage == (None if not rows else 1.0)
