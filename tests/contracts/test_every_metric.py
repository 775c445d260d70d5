"""What every metric must obey. A new file in metrics/ is judged here by itself."""

import numpy as np
import pytest

from perennial.metrics import metrics
from perennial.metrics.base import Metric

RNG = np.random.default_rng(71)
CASES = {
    "binary": (Y := RNG.integers(0, 2, 400), Y.astype(float), RNG.random(400)),
    "multiclass": (C := RNG.integers(0, 3, 400), np.eye(3)[C], RNG.dirichlet([1, 1, 1], 400)),
    "regression": (R := RNG.normal(size=400), R, RNG.normal(size=400)),
}
every_metric = pytest.mark.parametrize("metric", metrics().values(), ids=metrics().keys())
every_use = pytest.mark.parametrize(
    ("metric", "task"), [(metric, task) for metric in metrics().values() for task in sorted(metric.tasks)]
)


@every_use
def test_the_truth_scores_better_than_noise(metric: type[Metric], task) -> None:
    """The direction that is declared is the direction of the number."""
    y, perfect, noise = CASES[task]
    better, worse = metric().score(y, perfect), metric().score(y, noise)
    assert (better > worse) is metric.higher_is_better


@every_use
def test_row_losses_are_lower_for_the_truth(metric: type[Metric], task) -> None:
    """Gates read losses, and a loss is always lower-is-better."""
    y, perfect, noise = CASES[task]
    if metric.additive:
        losses = metric().row_loss(y, noise)
        assert losses.shape == (400,)
        assert metric().row_loss(y, perfect).mean() < losses.mean()


@every_use
def test_a_prediction_that_is_not_a_number_is_never_dropped(metric: type[Metric], task) -> None:
    """A model must not gain by refusing to answer the hard rows."""
    y, _, noise = CASES[task]
    broken = noise.copy()
    broken[0] = np.nan
    if metric.additive:
        assert np.isnan(metric().row_loss(y, broken)[0])
        assert np.isnan(metric().score(y, broken))


@every_use
def test_sums_per_night_come_to_the_loss_of_all_rows(metric: type[Metric], task) -> None:
    """What the gates add up is what the metric says of all rows together, for a mean over rows and for any other."""
    y, _, noise = CASES[task]
    nights = np.arange(400) % 7
    whole = metric().night_losses(y, noise, np.zeros(400, int), 1)
    assert metric().night_losses(y, noise, nights, 7).sum() == pytest.approx(whole[0])
    if not metric.additive:
        assert whole[0] / 400 == pytest.approx(1 - metric().score(y, noise))
        assert metrics()[metric.watched_as].additive


@every_use
def test_the_order_of_rows_does_not_matter(metric: type[Metric], task) -> None:
    """A shuffled table has the same quality."""
    y, _, noise = CASES[task]
    order = RNG.permutation(400)
    assert metric().score(y[order], noise[order]) == pytest.approx(metric().score(y, noise))


@every_use
def test_no_rows_have_no_score(metric: type[Metric], task) -> None:
    """An empty night is not a perfect one."""
    y, _, noise = CASES[task]
    assert np.isnan(metric().score(y[:0], noise[:0]))


@every_metric
def test_the_class_is_named_after_its_file(metric: type[Metric]) -> None:
    """A name read in model.yaml is a file a reader can open."""
    assert metric.__name__.lower() == metric.__module__.rsplit(".", 1)[-1].replace("_", "")
