"""A metric that is no mean over rows, told as sums per night: leaving a night out is leaving its rows out."""

import numpy as np
import pytest
from sklearn import metrics as oracle

from perennial.facts.left_out import BINS, by_score
from perennial.facts.paired import pseudo_values
from perennial.metrics import metrics

SCORES = {
    "auc": oracle.roc_auc_score,
    "average_precision": oracle.average_precision_score,
    "f1": lambda y, p: oracle.f1_score(y, p >= 0.5),
}


def drawn(rows: int, nights: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw labels, scores that follow them, and the night of each row."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(rows) < 0.3).astype(float)
    return labels, np.clip(rng.normal(0.4 + 0.2 * labels, 0.2), 0, 1), rng.integers(0, nights, rows)


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("seed", range(5))
def test_without_a_night_a_metric_is_what_it_is_of_the_other_rows(name: str, seed: int) -> None:
    """The sums' delete-one pseudo-values vary as those computed from rows, and their ratio is the metric."""
    labels, told, nights = drawn(2000, 14, seed)
    sums = metrics()[name]().night_losses(labels, told, nights, 14)
    rows = np.bincount(nights)
    assert sums.sum() / rows.sum() == pytest.approx(1 - SCORES[name](labels, told))
    found = pseudo_values(sums, rows)
    without = [1 - SCORES[name](labels[nights != one], told[nights != one]) for one in range(14)]
    further = 1 + metrics()[name].caution / 14
    expected = 14 * (1 - SCORES[name](labels, told)) - 13 * np.array(without)
    assert found - found.mean() == pytest.approx(
        further * (expected - expected.mean()), abs=0.01 * expected.std()
    )


@pytest.mark.parametrize("name", ["auc", "average_precision"])
def test_more_scores_than_are_told_apart_move_a_ranking_little(name: str) -> None:
    """Neighbours that count as ties cost less than .0003."""
    labels, told, nights = drawn(50_000, 28, 9)
    sums = metrics()[name]().night_losses(labels, told, nights, 28)
    assert sums.sum() / len(labels) == pytest.approx(1 - SCORES[name](labels, told), abs=3e-4)


@pytest.mark.parametrize("name", SCORES)
def test_one_class_or_a_score_that_is_no_number_is_not_assessable(name: str) -> None:
    """Sums are then not numbers, which no gate passes."""
    labels, told, nights = drawn(300, 7, 3)
    metric = metrics()[name]()
    assert np.isnan(metric.night_losses(labels, np.where(told > 0.5, told, np.nan), nights, 7)).all()
    assert np.isnan(metric.night_losses(np.zeros(300), np.zeros(300), nights, 7)).all()


def test_counts_add_up_to_the_rows_whatever_their_order() -> None:
    """Each row is counted once, in its night, and at most 2,048 scores are told apart."""
    labels, told, nights = drawn(20_000, 28, 4)
    order = np.random.default_rng(1).permutation(len(labels))
    one, other = (
        by_score(told[way], labels[way] == 1, nights[way], 28) for way in (np.arange(len(labels)), order)
    )
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert one[0].shape[1] <= BINS
    assert (one[0] + one[1]).sum(axis=1).tolist() == np.bincount(nights).tolist()
