"""No row is ever predicted by a model that could have known its label, its night or its entity."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from perennial.clock import after, between, nights_apart
from perennial.engine.fitting import TrainingSet
from perennial.engine.folds import folds_of, forward_folds, forward_predictions, hashed_folds, newest
from perennial.estimators import make
from perennial.estimators.base import ColumnKinds

SEASON = between("2013-01-01", "2013-04-10")


def season(task="binary", *, delay=1, timed=True, people=40, rows_a_night=6) -> TrainingSet:
    """Make a hundred nights with a few rows each; labels are known a night later."""
    nights = np.repeat(np.asarray(SEASON), rows_a_night)
    generator = np.random.default_rng(7)
    rows = pd.DataFrame({"x": generator.normal(size=len(nights))})
    signal = rows["x"].to_numpy() + generator.normal(size=len(nights))
    labels = np.where(signal > 1, "late", "on time") if task == "multiclass" else signal > 0
    return TrainingSet(
        rows,
        labels,
        task,
        ColumnKinds(("x",)),
        keys=np.asarray([f"k{i}" for i in range(len(nights))]),
        nights=nights if timed else None,
        known=np.asarray([after(night, delay) for night in nights]) if timed else None,
        entities=np.asarray([f"p{i % people}" for i in range(len(nights))]),
    )


@given(
    nights=st.sets(st.sampled_from(SEASON), max_size=60),
    fold_nights=st.integers(1, 30),
    least=st.integers(1, 40),
    delay=st.integers(0, 10),
)
def test_a_fold_knows_only_what_was_known_before_its_first_night(nights, fold_nights, least, delay) -> None:
    """Whatever nights there are: labels are known before, each night is predicted at most once, the last ones are."""
    folds = forward_folds(list(nights), fold_nights=fold_nights, min_train_nights=least, delay_nights=delay)
    for fold in folds:
        assert nights_apart(fold.train[-1], fold.predicted[0]) > delay
        assert len(fold.train) >= least
        assert 1 <= len(fold.predicted) <= fold_nights
    predicted = [night for fold in folds for night in fold.predicted]
    assert predicted == sorted(set(predicted))
    assert predicted == sorted(nights)[len(nights) - len(predicted) :]


def test_a_row_whose_label_came_late_teaches_later_folds_only() -> None:
    """Labels known ten nights after their night leave a gap of ten nights."""
    rows = season(delay=10)
    for fold in folds_of(rows, fold_nights=14):
        assert max(rows.known[fold.train]) < min(rows.nights[fold.predicted])


def test_too_few_nights_give_no_fold() -> None:
    """The monitor then says that it is learning."""
    assert forward_folds(SEASON[:20], fold_nights=7) == []


def test_without_time_rows_of_one_entity_are_never_on_both_sides() -> None:
    """Else the model would recognise a person instead of predicting."""
    rows = season(timed=False)
    folds = folds_of(rows, fold_nights=28)
    for fold in folds:
        assert not set(rows.entities[fold.train]) & set(rows.entities[fold.predicted])
    assert sorted(np.concatenate([fold.predicted for fold in folds])) == list(range(len(rows)))


def test_rows_without_an_entity_are_dealt_one_by_one() -> None:
    """Not knowing who it was does not make it one person."""
    rows = season(timed=False)
    rows = TrainingSet(rows.rows, rows.labels, "binary", rows.columns, rows.keys, entities=np.full(600, None))
    assert len(hashed_folds(rows)) == 5


def test_every_night_after_the_first_folds_is_predicted_unseen() -> None:
    """These predictions are the reference of the monitor."""
    rows = season()
    unseen = forward_predictions(make("linear", {}), rows, folds_of(rows, fold_nights=28), seed=7)
    assert set(rows.nights[unseen.positions]) == set(SEASON[29:])
    assert list(unseen.positions) == sorted(unseen.positions)
    assert np.corrcoef(unseen.predictions, rows.labels[unseen.positions])[0, 1] > 0.4


def test_pure_chance_is_not_predicted_better_unseen_than_by_chance() -> None:
    """In sample, trees would explain a fifth of this noise; the reference must not be flattered so."""
    rows = season(rows_a_night=20)
    noise = np.random.default_rng(8).random(len(rows)) < 0.5
    rows = TrainingSet(rows.rows, noise, "binary", rows.columns, rows.keys, rows.nights, rows.known)
    estimator = make("gradient_boosting", {"leaf_rows": 5})
    unseen = forward_predictions(estimator, rows, folds_of(rows, fold_nights=28), seed=7)
    assert abs(np.corrcoef(unseen.predictions, noise[unseen.positions])[0, 1]) < 0.1


def test_a_class_that_a_fold_had_not_met_has_probability_zero() -> None:
    """Every fold's predictions have one column for each class there is."""
    rows = season("multiclass")
    labels = rows.labels.astype(object)
    labels[rows.nights > "2013-03-20"] = "cancelled"
    rows = TrainingSet(rows.rows, labels, "multiclass", rows.columns, rows.keys, rows.nights, rows.known)
    unseen = forward_predictions(make("linear", {}), rows, folds_of(rows, fold_nights=28), seed=7)
    assert unseen.classes == ("cancelled", "late", "on time")
    assert (unseen.predictions[0, 0], round(unseen.predictions[0].sum(), 9)) == (0, 1)


def test_a_fold_with_one_class_is_left_out() -> None:
    """It can teach nothing; the others still count."""
    rows = season()
    labels = rows.labels & (rows.nights > "2013-02-01")
    rows = TrainingSet(rows.rows, labels, "binary", rows.columns, rows.keys, rows.nights, rows.known)
    unseen = forward_predictions(make("linear", {}), rows, folds_of(rows, fold_nights=28), seed=7)
    assert min(rows.nights[unseen.positions]) > "2013-02-01"


def test_the_newest_rows_are_kept_and_within_a_night_a_fixed_choice() -> None:
    """Whatever order the rows come in, the same are kept."""
    rows = season()
    kept = newest(rows, 20)
    turned = newest(rows.take(np.arange(len(rows))[::-1]), 20)
    assert set(kept.nights) == set(SEASON[-4:])
    assert set(kept.keys) == set(turned.keys)
    assert len(newest(rows, None)) == len(rows)
