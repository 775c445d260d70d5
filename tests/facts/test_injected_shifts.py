"""What is injected changes what its name says, and nothing for few rows fails."""

import numpy as np
import pytest

from perennial.facts.injected_shifts import CONCEPTS, SHIFTS, as_column, night_before

NUMBERS = [name for name, shift in SHIFTS.items() if shift.target == "number"]
CATEGORIES = [name for name, shift in SHIFTS.items() if shift.target == "category"]


def changed(name, values, kind, day=0, before=None):
    """Put a change into a column."""
    draw = np.random.default_rng(3)
    column = as_column(values, kind)
    first = column if before is None else as_column(before, kind)
    return SHIFTS[name].change(column, night_before(first, day, draw))


@pytest.mark.parametrize("rows", [0, 1, 2])
@pytest.mark.parametrize("name", [*NUMBERS, *CATEGORIES])
def test_few_rows_stay_as_many(name, rows) -> None:
    """Also where none of them has a value."""
    kind = "number" if name in NUMBERS else "category"
    for value in (None, 1.0 if kind == "number" else "UA"):
        assert len(changed(name, [value] * rows, kind)) == rows


def test_a_mean_moves_by_the_spread_of_the_night_before() -> None:
    """And a leak by more every night."""
    values = list(np.random.default_rng(1).normal(5, 2, 4000))
    sd = float(np.std(values))
    assert np.mean(changed("mean +0.5 sd", values, "number")) == pytest.approx(np.mean(values) + 0.5 * sd)
    leaked = changed("slow leak, .05 sd a night", values, "number", day=3)
    assert np.mean(leaked) == pytest.approx(np.mean(values) + 0.2 * sd)


def test_what_is_lost_is_lost_and_what_is_frozen_stays() -> None:
    """The most frequent category goes to others; a frozen column repeats the night before."""
    values = ["UA"] * 60 + ["AA"] * 40
    assert set(changed("lost category", values, "category")) == {"AA"}
    assert (changed("category share +.1", values, "category") == "UA").mean() > 0.6
    assert list(changed("frozen feed", [1.0, 2.0, 3.0], "number", before=[7.0, 8.0])) == [7.0, 8.0, 7.0]
    assert np.isnan(changed("nulls 20 %", [1.0] * 1000, "number")).mean() == pytest.approx(0.2, abs=0.04)


def test_a_permuted_column_keeps_its_values() -> None:
    """Only its link to the others is gone."""
    values = [float(value) for value in range(100)]
    assert sorted(changed("permuted within the night", values, "number")) == values


def test_the_relation_changes_as_its_name_says() -> None:
    """Labels rise by so much, or follow the score the other way round with their mean kept; numbers move by spreads."""
    draw = np.random.default_rng(5)
    said = draw.random(20_000)
    labels = (draw.random(20_000) < said).astype(float)
    more = CONCEPTS["labels +.1"](labels, said, draw)
    assert more.mean() - labels.mean() == pytest.approx(0.1, abs=0.01)
    turned = CONCEPTS["labels turned around"](labels, said, draw)
    assert turned.mean() == labels.mean()
    assert np.corrcoef(turned, said)[0, 1] < -0.4 < 0.4 < np.corrcoef(labels, said)[0, 1]
    numbers = draw.normal(0, 4, 1000)
    assert (CONCEPTS["labels +.1"](numbers, said[:1000], draw) - numbers).mean() == pytest.approx(
        0.1 * numbers.std()
    )


@pytest.mark.parametrize("rows", [0, 1, 2])
@pytest.mark.parametrize("name", CONCEPTS)
def test_few_labels_stay_as_many(name, rows) -> None:
    """Nothing is drawn from nothing."""
    draw = np.random.default_rng(0)
    assert len(CONCEPTS[name](np.zeros(rows), np.full(rows, 0.5), draw)) == rows
