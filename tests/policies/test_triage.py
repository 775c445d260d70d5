"""A broken feed is told from a changed world, labels from inputs, and ignorance from peace."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from perennial.clock import after, between
from perennial.facts.edges import freeze_edges
from perennial.facts.feed_faults import find_faults
from perennial.facts.profile import profile
from perennial.facts.reading import Moved, Reading
from perennial.policies.retraining import Retraining, RetrainingFacts
from perennial.policies.triage import Triage, TriageFacts

TONIGHT = "2013-03-30"


def rows(seed, count=500):
    """Draw an ordinary night: four numbers and a category."""
    draw = np.random.default_rng(seed)
    return {
        "miles": draw.lognormal(6.5, 0.7, count),
        "celsius": draw.normal(15, 6, count),
        "age": draw.gamma(4, 3, count),
        "price": draw.lognormal(1, 0.5, count),
        "carrier": draw.choice(["UA", "AA", "DL", "B6"], count),
    }


def night(change=None, seed=999):
    """Draw a night and break or change it."""
    drawn = rows(seed)
    if change:
        change(drawn)
    return pa.table(drawn)


USUAL = {key: night(seed=i) for i, key in enumerate(between("2013-02-01", "2013-02-28"))}
EDGES = freeze_edges(pa.concat_tables(USUAL.values()))
REFERENCE = {key: profile(table, EDGES) for key, table in USUAL.items()}


def facts(change=None, nights=1, **readings):
    """Put together what is known when the last nights were changed."""
    recent = {after(TONIGHT, -i): profile(night(change, 999 + i), EDGES) for i in range(nights)}
    return TriageFacts(TONIGHT, EDGES, REFERENCE, recent, **readings)


def reading(arm, state="over"):
    """Make a reading of an arm."""
    moved = (Moved("miles", 5.0, "miles mean 900 -> 1400"),) if state == "over" else ()
    return Reading(TONIGHT, arm, state, f"{arm} says {state}.", 5.0, 4.0, columns=moved)


def nulls(drawn):
    """Lose a third of the prices."""
    drawn["price"] = pa.array(drawn["price"], mask=np.arange(500) % 3 == 0)


def lost(drawn):
    """Lose the column."""
    del drawn["price"]


def text(drawn):
    """Deliver a number as text."""
    drawn["miles"] = [str(value) for value in drawn["miles"]]


def stuck(drawn):
    """Deliver one value in all rows."""
    drawn["age"] = np.full(500, 12.0)


def swapped(drawn):
    """Exchange two columns."""
    drawn["miles"], drawn["age"] = drawn["age"], drawn["miles"]


def exchanged(drawn):
    """Exchange two columns whose ranges overlap."""
    drawn["celsius"], drawn["price"] = drawn["price"] * 1.0, drawn["celsius"]


def recoded(drawn):
    """Write every category another way."""
    drawn["carrier"] = [name.lower() for name in drawn["carrier"].tolist()]


def wild(drawn):
    """Send a sentinel in some rows."""
    drawn["miles"][::20] = 9_999_999.0


def times(column, factor, plus=0.0):
    """Deliver a column in another unit."""

    def change(drawn):
        drawn[column] = drawn[column] * factor + plus

    return change


@pytest.mark.parametrize(
    ("change", "column"),
    [
        (nulls, "price"),
        (lost, "price"),
        (text, "miles"),
        (stuck, "age"),
        (swapped, "miles"),
        (exchanged, "celsius"),
        (recoded, "carrier"),
        (wild, "miles"),
        (times("age", 1.609), "age"),
        (times("miles", 0.4536), "miles"),
        (times("price", 1000), "price"),
        (times("price", 0.01), "price"),
        (times("celsius", 1.8, 32), "celsius"),
    ],
)
def test_a_broken_feed_is_named_and_never_retrains(change, column):
    """Whatever else is over its threshold, a feed fault comes first and no training is asked for."""
    found = Triage().diagnose(
        facts(change, inputs=reading("night_shift"), residuals=reading("residual_drift"))
    )
    assert (found.cause, found.asks_for_training) == ("broken_feed", False)
    assert column in found.columns
    assert column in found.reason
    asked = RetrainingFacts(TONIGHT, "drift", cause=found.cause, new_labelled_rows=10**6)
    assert Retraining().decide(asked).verdict.value == "fail"


def test_ordinary_nights_hold_no_fault():
    """Two hundred nights in which nothing is wrong show a fault on at most two."""
    nights = [{TONIGHT: profile(night(seed=5000 + i), EDGES)} for i in range(200)]
    assert sum(bool(find_faults(EDGES, REFERENCE, recent)) for recent in nights) <= 2


@pytest.mark.parametrize(
    "change",
    [
        times("celsius", 1.0, 6.0),
        times("price", 1.15),
        times("miles", 0.9),
        lambda drawn: drawn.update(carrier=np.where(np.arange(500) % 2, "UA", drawn["carrier"])),
        lambda drawn: drawn.update(age=drawn["age"] ** 1.15),
    ],
)
def test_a_world_that_changed_is_no_broken_feed(change):
    """Warmer, dearer, shorter, another carrier more often: all real, none a fault of the feed."""
    found = Triage().diagnose(
        facts(change, 14, inputs=reading("night_shift"), residuals=reading("residual_drift", "quiet"))
    )
    assert (found.cause, found.asks_for_training) == ("changed_world", False)


def test_a_fault_on_few_of_the_nights_does_not_explain_a_lasting_drift():
    """Six broken nights of fourteen leave the slow arm's finding what it is; seven explain it."""
    good = {after(TONIGHT, -i): profile(night(seed=700 + i), EDGES) for i in range(14)}
    for broken, cause in ((6, "concept"), (7, "broken_feed")):
        bad = {after(TONIGHT, -i): profile(night(nulls, 800 + i), EDGES) for i in range(broken)}
        known = TriageFacts(TONIGHT, EDGES, REFERENCE, good | bad, residuals=reading("residual_drift"))
        assert Triage().diagnose(known).cause == cause


def test_a_factor_that_differs_every_night_is_no_unit():
    """A unit is one factor; a quantity that grows night by night is a changing world."""
    growing = {
        after(TONIGHT, i - 6): profile(night(times("price", 1.5 + 0.3 * i), 40 + i), EDGES) for i in range(7)
    }
    faults = find_faults(EDGES, REFERENCE, growing)
    assert not [fault for fault in faults if fault.sign == "unit"]


def test_labels_that_no_longer_follow_ask_for_a_training():
    """A residual over its threshold is a concept change; its sentence is kept word for word."""
    found = Triage().diagnose(facts(residuals=reading("residual_drift")))
    assert (found.cause, found.asks_for_training) == ("concept", True)
    assert "residual_drift says over." in found.reason


@pytest.mark.parametrize(("before", "asks"), [(0, False), (1, True)])
def test_the_first_night_of_the_watch_by_score_asks_for_no_training(before, asks):
    """It is told with its cause; the second night it shows asks."""
    once = replace(reading("residual_shape"), evidence={"crossed_before": before})
    found = Triage().diagnose(facts(residuals=once))
    assert (found.cause, found.asks_for_training) == ("concept", asks)


@pytest.mark.parametrize("residuals", [None, reading("residual_drift", "learning")])
@pytest.mark.parametrize("inputs", [None, reading("night_shift"), reading("night_shift", "quiet")])
def test_without_labels_a_concept_change_is_never_ruled_out(inputs, residuals):
    """No labels, or too few, is said to be not assessable, never "none"."""
    found = Triage().diagnose(facts(inputs=inputs, residuals=residuals))
    assert found.cause == "unknown"
    assert "not assessable" in found.reason
    assert not found.asks_for_training


def test_labels_that_follow_and_inputs_that_stay_are_none():
    """With both arms quiet there is nothing to explain."""
    known = facts(inputs=reading("night_shift", "quiet"), residuals=reading("residual_drift", "quiet"))
    assert Triage().diagnose(known).cause == "none"


def test_columns_that_jump_by_nature_can_be_left_out():
    """An ignored column is no fault, so the finding is judged by the rest."""
    known = facts(nulls, residuals=reading("residual_drift"))
    assert Triage(ignore_columns=("price",)).diagnose(known).cause == "concept"


def test_an_empty_night_and_a_first_night_are_no_fault():
    """No rows, or nothing to compare with, says nothing about columns."""
    empty = {TONIGHT: profile(night().slice(0, 0), EDGES)}
    assert find_faults(EDGES, REFERENCE, empty) == []
    assert Triage().diagnose(TriageFacts(TONIGHT, EDGES, {}, empty)).cause == "unknown"


def test_the_same_facts_give_the_same_hash():
    """A replayed night gives the same diagnosis, as plain JSON."""
    one, two = (Triage().diagnose(facts(nulls, 3)) for _ in range(2))
    assert one.evidence_hash == two.evidence_hash
    assert json.loads(json.dumps(one.as_json()))["cause"] == "broken_feed"
