"""Labels that were turned around come first; where all are right, none is claimed; few rows claim nothing."""

import numpy as np
import pytest

from perennial.facts.suspect_labels import LEAST_ROWS, Ranking, rank_classes, rank_numbers, sentence

SEEDS = range(20)
ROWS = 6_000


def world(seed, classes=2):
    """Draw what is true of each row, its label, and its night; nights share their luck."""
    draw = np.random.default_rng([seed, classes])
    odds = draw.normal(0, 2, (ROWS, classes))
    odds[:, 0] += np.repeat(draw.normal(0, 0.2, 60), ROWS // 60)
    chances = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    labels = (draw.random((ROWS, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, classes - 1)
    return draw, chances, labels, [f"night-{row // 100:02}" for row in range(ROWS)]


def turned(draw, labels, classes, *, first=0):
    """Give 5 % of the rows from a place on another label."""
    wrong = (draw.random(len(labels)) < 0.05) & (np.arange(len(labels)) >= first)
    return wrong, np.where(wrong, (labels + draw.integers(1, classes, len(labels))) % classes, labels)


@pytest.mark.parametrize(("classes", "least"), [(2, 0.85), (3, 0.7)])
def test_turned_labels_come_first(classes, least) -> None:
    """Of 50 listed most are among the 5 % that were turned; of three classes fewer, for each gets half of them."""
    precision = []
    for seed in SEEDS:
        draw, chances, labels, nights = world(seed, classes)
        wrong, given = turned(draw, labels, classes)
        found = rank_classes(given, chances, nights, 50)
        precision.append(wrong[[one.place for one in found.suspects]].mean())
    assert np.mean(precision) >= least


@pytest.mark.parametrize("classes", [2, 3])
def test_errors_that_began_are_counted_and_never_too_many(classes) -> None:
    """Turned on the newer half of the nights, some are claimed in every world, and no more than there are."""
    for seed in SEEDS:
        draw, chances, labels, nights = world(seed, classes)
        wrong, given = turned(draw, labels, classes, first=ROWS // 2)
        assert 0 < rank_classes(given, chances, nights, 50).claimed <= wrong.sum()


@pytest.mark.parametrize("classes", [2, 3])
def test_where_all_labels_are_right_nothing_is_claimed(classes) -> None:
    """In at most one of twenty worlds, also by a model that is too sure; the rule of confident learning alone counts hundreds of rare events."""
    found = [
        rank_classes(labels, chances, nights, 50)
        for _, chances, labels, nights in (world(seed, classes) for seed in SEEDS)
    ]
    too_sure = [
        rank_classes(labels, chances**2 / (chances**2).sum(axis=1, keepdims=True), nights, 50)
        for _, chances, labels, nights in (world(seed, classes) for seed in SEEDS)
    ]
    assert sum(one.claimed > 0 for one in found) <= 1
    assert sum(one.claimed > 0 for one in too_sure) <= 1
    assert min(one.confident for one in found) > 200
    assert all(one.by_chance > 20 for one in found)


def test_gross_errors_in_numbers_come_first_and_ordinary_tails_are_not_claimed() -> None:
    """Residuals with the tails of Student's t with four degrees of freedom are ordinary; a lost comma is not."""
    clean, dirty, precision = [], [], []
    for seed in SEEDS:
        draw = np.random.default_rng([seed, 4])
        told = draw.normal(50, 20, ROWS)
        labels = told + (1 + np.abs(told) / 50) * draw.standard_t(4, ROWS)
        clean.append(rank_numbers(labels, told, 50).claimed)
        wrong = draw.random(ROWS) < 0.01
        found = rank_numbers(np.where(wrong, labels * 100, labels), told, 50)
        dirty.append(found.claimed)
        precision.append(wrong[[one.place for one in found.suspects]].mean())
    assert sum(one > 0 for one in clean) <= 2
    assert min(dirty) > 20
    assert np.mean(precision) >= 0.95


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_rows_are_said_to_be_too_few(rows) -> None:
    """Nothing can be ranked."""
    told = sentence(Ranking(rows, (), 0, 0, 0.0), 0, "version 1")
    assert told.startswith("Suspect labels cannot be told")
    assert str(LEAST_ROWS) in told


def test_one_class_constant_predictions_and_equal_numbers_are_ranked_without_an_error() -> None:
    """What says nothing is doubted by nobody."""
    sure = np.tile([1.0, 0.0], (60, 1))
    assert rank_classes(np.zeros(60, dtype=np.int64), sure, ["n"] * 60, 5).suspects == ()
    assert rank_numbers(np.ones(60), np.ones(60), 5).claimed == 0


def test_the_same_rows_give_the_same_ranking() -> None:
    """Nothing is drawn."""
    _, chances, labels, nights = world(1)
    assert rank_classes(labels, chances, nights, 50) == rank_classes(labels, chances, nights, 50)
