"""Sums per night: exact, whatever the order of rows, and never over rows that one model missed."""

import numpy as np
import pytest

from perennial.facts.evaluation import Evaluation
from perennial.facts.tally import buckets, calibration_terms, tally
from perennial.gates.against_champion import AgainstChampion


def rows(seed: int, count: int = 4000):
    """Draw fourteen nights of row losses for two models."""
    rng = np.random.default_rng(seed)
    nights = np.array([f"2013-05-{day:02}" for day in rng.integers(1, 15, count)])
    return nights, rng.random(count), rng.random(count) + 0.02


def judge(nights, challenger, champion):
    """Ask whether the challenger may go on."""
    tallies = tally(nights, challenger, champion=champion)
    cutoffs = {"challenger_cutoff": "2013-04-30", "champion_cutoff": "2013-04-02"}
    return AgainstChampion().decide(Evaluation("log_loss", champion="v3", tallies=tallies, **cutoffs))


def test_the_order_of_rows_changes_no_digit() -> None:
    """The same rows in another order give the same evidence hash."""
    nights, challenger, champion = rows(21)
    order = np.random.default_rng(22).permutation(len(nights))
    first = judge(nights, challenger, champion)
    assert judge(nights[order], challenger[order], champion[order]).as_json() == first.as_json()


def test_nights_come_in_order_with_their_rows() -> None:
    """Autocorrelation needs neighbours to be neighbours."""
    found = tally(
        ["2013-05-03", "2013-05-01", "2013-05-03"], [1.0, 2.0, 3.0], baselines={"constant": [1, 1, 1]}
    )
    assert [(t.night, t.rows, t.challenger) for t in found] == [
        ("2013-05-01", 1, 2.0),
        ("2013-05-03", 2, 4.0),
    ]
    assert found[1].baselines == {"constant": 2.0}


def test_a_row_that_one_model_missed_is_an_error() -> None:
    """Dropping it would compare the models on different rows."""
    with pytest.raises(ValueError, match="every model must score the same rows"):
        tally(["2013-05-01", "2013-05-01"], [0.1, 0.2], champion=[0.1])


def test_a_loss_that_is_not_a_number_stays_visible() -> None:
    """Skipping NaN would reward a model for refusing to answer."""
    assert np.isnan(tally(["2013-05-01"] * 2, [0.1, np.nan])[0].challenger)


def test_residual_terms_of_a_calibrated_model_average_to_nothing() -> None:
    """Bias and slope are both about zero when labels follow the probabilities."""
    rng = np.random.default_rng(23)
    p = rng.uniform(0.05, 0.95, 200_000)
    residual, slope = calibration_terms(rng.random(200_000) < p, p, probability=True)
    assert abs(residual.mean()) < 0.004
    assert abs(slope.mean()) < 0.004


def test_a_constant_prediction_has_no_slope() -> None:
    """Nothing can be said of confidence when every score is the same."""
    _, slope = calibration_terms([0, 1], [0.5, 0.5], probability=True)
    assert slope.tolist() == [0.0, 0.0]


def test_an_entity_is_always_in_the_same_bucket() -> None:
    """Without time an entity's rows stay together, on every machine."""
    assert buckets([7, 8, 7]) == buckets(["7", "8", "7"])


def test_an_evaluation_survives_json_with_everything_in_it() -> None:
    """What the ledger keeps is what the gates saw."""
    nights, challenger, champion = rows(24, 200)
    terms = {"challenger": calibration_terms(challenger > 0.5, challenger, probability=True)}
    tallies = tally(nights, challenger, champion=champion, anchor=champion, residuals=terms)
    written = Evaluation("log_loss", tallies=tallies, scores={"auc": {"v4": 0.7}})
    assert Evaluation.from_json(written.as_json()) == written


def test_no_rows_have_no_nights() -> None:
    """A group that nobody of the nights belongs to is empty, and no error."""
    assert tally([], [], champion=[]) == ()
    assert tally(np.array([], dtype=object), np.zeros(0), champion=np.zeros(0)) == ()
