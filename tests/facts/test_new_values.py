"""What lies between values that ordinary nights show again and again came in another unit; a world that moved did not."""

import numpy as np
import pytest

from perennial.facts.new_values import inputs_of_new_values
from perennial.facts.scaled_inputs import Scale
from perennial.facts.shared_ground import Ground, Rows

NIGHTS, RECENT, ROWS = 56, 14, 60


def nights(draw, count):
    """Draw nights of a price in cents, a weekday, a month, a length that is never twice the same, and a carrier."""
    night = np.repeat(np.arange(count), ROWS)
    return night, {
        "price": np.round(draw.lognormal(1.0, 0.3, len(night)), 2),
        "weekday": (night % 7).astype(float),
        "month": (night // 28).astype(float),
        "length": draw.normal(20, 5, len(night)),
        "carrier": draw.choice(np.array(["UA", "AA"], object), len(night)),
    }


def found(seed, change):
    """Change fourteen nights and list the inputs that have new values."""
    draw = np.random.default_rng(seed)
    usual, now = nights(draw, NIGHTS), nights(draw, RECENT)
    change(now[1])
    scale = Scale.of(usual[1])
    sides = [
        Rows(night, scale.scaled(columns), np.full(len(night), 0.5), np.zeros(len(night)), None, scale.names)
        for night, columns in (usual, now)
    ]
    return [name for name, _, _ in inputs_of_new_values(Ground(*sides))]


def times(name, factor):
    """Deliver a column in another unit."""
    return lambda columns: columns.update({name: columns[name] * factor})


@pytest.mark.parametrize(
    ("name", "factor"), [("price", 1.609), ("price", 0.4536), ("weekday", 0.1), ("weekday", 0.77)]
)
def test_another_unit_has_none_of_the_usual_values(name, factor):
    """Even where mean and spread stay within what the world does by itself."""
    assert found(0, times(name, factor)) == [name]


@pytest.mark.parametrize(
    "change",
    [
        times("price", 1.0),
        lambda columns: columns.update(price=np.round(columns["price"] * 1.2, 2)),
        lambda columns: columns.update(month=columns["month"] + 2),
        times("length", 1.609),
    ],
    ids=["nothing", "dearer", "a month that begins", "what is never twice the same"],
)
def test_a_world_that_moved_brings_usual_values_or_shows_nothing(change):
    """Dearer by a fifth but still in cents, later in the year, or of a kind that is new every night."""
    assert not any(found(seed, change) for seed in range(20))
