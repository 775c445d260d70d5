"""A broken feed is told from a changed world, labels from inputs, and ignorance from peace."""

import json

import numpy as np
import pyarrow as pa
import pytest

from perennial.clock import after, between
from perennial.facts.edges import freeze_edges
from perennial.facts.exact_signs import find_exact_signs
from perennial.facts.feed_faults import find_faults
from perennial.facts.likely_cause import likely_cause
from perennial.facts.profile import profile
from perennial.facts.reading import Moved, Reading
from perennial.facts.situation import LikelyCause, Situation
from perennial.facts.training_request import RetrainingFacts
from perennial.policies.retraining import Retraining
from perennial.policies.triage import ACTIONS, triage

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
    """Put together what is known when the last nights were changed, where no rows can be read."""
    recent = {after(TONIGHT, -i): profile(night(change, 999 + i), EDGES) for i in range(nights)}
    return known(recent, **readings)


def known(recent, reference=REFERENCE, **more):
    """Put together what profiles and detectors say of nights."""
    return Situation(EDGES, reference, recent, (), (), **more)


def diagnosed(situation):
    """Name the cause and what follows."""
    return triage(TONIGHT, likely_cause(situation))


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
    found = diagnosed(facts(change, inputs=reading("night_shift"), residuals=reading("residual_drift")))
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
    quiet = reading("residual_drift", "quiet")
    found = diagnosed(facts(change, 14, inputs=reading("night_shift"), residuals=quiet))
    assert (found.cause, found.asks_for_training) == ("harmless_shift", False)


def test_a_fault_on_few_of_the_nights_does_not_explain_a_lasting_drift():
    """Six broken nights of fourteen leave the slow arm's finding what it is; seven explain it."""
    good = {after(TONIGHT, -i): profile(night(seed=700 + i), EDGES) for i in range(14)}
    for broken, cause in ((6, "concept"), (7, "broken_feed")):
        bad = {after(TONIGHT, -i): profile(night(nulls, 800 + i), EDGES) for i in range(broken)}
        found = diagnosed(known(good | bad, residuals=reading("residual_drift")))
        assert found.cause == cause
        assert found.set_aside == (tuple(sorted(bad)) if cause == "broken_feed" else ())


def test_a_factor_that_differs_every_night_is_no_unit():
    """A unit is one factor; a quantity that grows night by night is a changing world."""
    growing = {
        after(TONIGHT, i - 6): profile(night(times("price", 1.5 + 0.3 * i), 40 + i), EDGES) for i in range(7)
    }
    faults = find_faults(EDGES, REFERENCE, growing)
    assert not [fault for fault in faults if fault.sign == "unit"]


def test_labels_that_no_longer_follow_ask_for_a_training():
    """A residual over its threshold is a concept change; its sentence is kept word for word."""
    found = diagnosed(facts(residuals=reading("residual_drift")))
    assert (found.cause, found.asks_for_training) == ("concept", True)
    assert "residual_drift says over." in found.reason


@pytest.mark.parametrize("lasts", [False, True])
def test_the_first_night_of_the_watch_by_score_asks_for_no_training(lasts):
    """It is told with its cause; the second night it shows asks."""
    found = triage(TONIGHT, likely_cause(facts(residuals=reading("residual_shape"))), lasts=lasts)
    assert (found.cause, found.asks_for_training) == ("concept", lasts)


@pytest.mark.parametrize("cause", ACTIONS)
@pytest.mark.parametrize("known_relation", [False, True])
@pytest.mark.parametrize("labels_say", [False, True])
def test_only_what_a_training_can_mend_asks_for_one(cause, known_relation, labels_say):
    """A relation that moved, and harm that labels show and can teach; never a feed, a model or labels that broke."""
    told = LikelyCause(cause, 0.9, "It is so.", known_relation, nights=(TONIGHT,))
    found = triage(TONIGHT, told, labels_say=labels_say)
    harm = cause == "harmful_shift" and known_relation and labels_say
    assert found.asks_for_training == (cause == "concept" or harm)
    assert ("asked for" in found.action) == (cause not in ("broken_feed", "model", "labels", "none"))
    assert found.set_aside == ((TONIGHT,) if cause == "broken_feed" else ())


@pytest.mark.parametrize("residuals", [None, reading("residual_drift", "learning")])
@pytest.mark.parametrize("inputs", [None, reading("night_shift"), reading("night_shift", "quiet")])
def test_without_labels_a_concept_change_is_never_ruled_out(inputs, residuals):
    """No labels, or too few, is said to be not assessable, never "none"."""
    found = diagnosed(facts(inputs=inputs, residuals=residuals))
    assert found.cause == "not_assessable"
    assert "not assessable" in found.reason
    assert not found.asks_for_training


def test_labels_that_follow_and_inputs_that_stay_are_none():
    """With both arms quiet there is nothing to explain."""
    quiet = facts(inputs=reading("night_shift", "quiet"), residuals=reading("residual_drift", "quiet"))
    assert diagnosed(quiet).cause == "none"


def test_what_may_be_another_unit_asks_for_no_training():
    """A column that grew by nearly a known factor is told beside the cause, and nothing learns from it unasked."""
    moved = facts(
        lambda drawn: drawn.update(age=drawn["age"] ** 1.15), 14, residuals=reading("residual_drift")
    )
    suspected = likely_cause(moved)
    assert (suspected.cause, suspected.suspect) == ("concept", "age")
    assert "age may have come in another unit" in suspected.reason
    found = triage(TONIGHT, LikelyCause("concept", 0.9, "It is so.", relation_known=True, suspect="age"))
    assert not found.asks_for_training
    assert "age" in found.action


def test_a_fault_that_a_person_accepted_is_none():
    """What was released is how it is now, so the finding is judged by the rest; another sign still counts."""
    for sign, cause in (("missing", "concept"), ("unit", "broken_feed")):
        accepted = frozenset({(sign, "price")})
        found = diagnosed(facts(nulls, residuals=reading("residual_drift"), accepted=accepted))
        assert found.cause == cause


def coded(values):
    """Profile nights of one number that is a code; each night has the values given."""
    tables = [pa.table({"code": np.repeat(np.array(night, float), 30)}) for night in values]
    edges = freeze_edges(pa.concat_tables(tables))
    nights = {after("2013-01-01", i): profile(table, edges) for i, table in enumerate(tables)}
    return edges, nights


@pytest.mark.parametrize(
    ("usual", "tonight", "recoded"),
    [
        ([[i % 7] for i in range(56)], [0.3], True),
        ([[i % 7] for i in range(56)], [3], False),
        ([[i // 30] for i in range(56)], [2], False),
        ([[i + 0.5, i] for i in range(56)], [99.0], False),
    ],
    ids=["a weekday in tenths", "a weekday", "a month that begins", "a value that is new every night"],
)
def test_a_code_with_none_of_its_values_is_a_fault(usual, tonight, recoded):
    """Only where ordinary nights had settled on a few values; a month, or the weather, brings new ones by nature."""
    edges, nights = coded([*usual, tonight])
    *before, last = nights
    found = find_faults(edges, {key: nights[key] for key in before}, {last: nights[last]})
    assert [fault.sign for fault in found if fault.sign == "recoded"] == (["recoded"] if recoded else [])


def shares(nights, factor=1.0, begin=0):
    """Profile nights of a number that all rows of a night share, such as yesterday's share of late flights."""
    draw = np.random.default_rng(begin)
    tables = [pa.table({"late": np.full(50, factor * draw.uniform(0.05, 0.5))}) for _ in range(nights)]
    return {after("2013-01-01", begin + i): table for i, table in enumerate(tables)}


def test_a_tenth_of_a_number_that_a_night_shares_is_a_unit():
    """Its nights have no spread of their own, so their means must tell; ordinary nights tell nothing."""
    usual, broken, sound = shares(56), shares(14, 0.1, begin=56), shares(14, begin=57)
    edges = freeze_edges(pa.concat_tables(usual.values()))
    before, *after_it = (
        {key: profile(table, edges) for key, table in one.items()} for one in (usual, broken, sound)
    )
    signs = [[fault.sign for fault in find_exact_signs(edges, before, nights)] for nights in after_it]
    assert signs == [["unit"], []]


def test_a_column_that_repeats_the_night_before_is_stale_however_many_rows_there_are():
    """Its values come again, cut off or begun anew; ordinary nights of as many rows never look so."""
    draw = np.random.default_rng(3)
    tables = [pa.table({"miles": draw.choice(120, int(draw.integers(150, 280))) * 17.0}) for _ in range(70)]
    edges = freeze_edges(pa.concat_tables(tables[:56]))
    usual = {after("2013-01-01", i): profile(table, edges) for i, table in enumerate(tables[:56])}
    last = tables[55]["miles"].to_numpy()
    stale = [pa.table({"miles": np.resize(last, len(table))}) for table in tables[56:]]
    for nights, signs in ((stale, ["stale"]), (tables[56:], [])):
        recent = {after("2013-03-01", i): profile(table, edges) for i, table in enumerate(nights)}
        assert [fault.sign for fault in find_exact_signs(edges, usual, recent)] == signs


def test_rain_in_another_unit_is_told_by_two_nights_of_rain():
    """Most of its values stay nothing; values ten usual ranges away on two nights are enough, on one they are not."""
    dry = {after(TONIGHT, -i): pa.table({"rain": np.zeros(50)}) for i in range(20)}
    wet = pa.table({"rain": np.linspace(0, 0.4, 50)})
    edges = freeze_edges(wet)
    usual = {after("2013-01-01", i): profile(wet, edges) for i in range(28)}
    for nights, signs in ((2, ["out_of_range"]), (1, [])):
        far = {key: pa.table({"rain": np.full(50, 100.0)}) for key in list(dry)[:nights]}
        recent = {key: profile(table, edges) for key, table in (dry | far).items()}
        assert [fault.sign for fault in find_exact_signs(edges, usual, recent)] == signs


@pytest.mark.parametrize(("count", "signs"), [(0, ["cut_short"]), (40, ["cut_short"]), (60, [])])
def test_a_night_with_less_than_a_tenth_of_the_fewest_rows_broke_off(count, signs):
    """Of so few rows nothing else can be said; where few nights are known, or some were as short, it is no fault."""
    short = {TONIGHT: profile(night().slice(0, count), EDGES)}
    assert [fault.sign for fault in find_faults(EDGES, REFERENCE, short)] == signs
    few = dict(list(REFERENCE.items())[:20])
    assert "cut_short" not in [fault.sign for fault in find_faults(EDGES, few, short)]
    as_short = REFERENCE | {after(TONIGHT, -200): profile(night().slice(0, count), EDGES)}
    assert "cut_short" not in [fault.sign for fault in find_faults(EDGES, as_short, short)]


def test_a_first_night_is_no_fault():
    """Nothing to compare with says nothing about columns."""
    empty = {TONIGHT: profile(night().slice(0, 0), EDGES)}
    assert diagnosed(known(empty, reference={})).cause == "not_assessable"


def test_the_same_facts_give_the_same_hash():
    """A replayed night gives the same diagnosis, as plain JSON."""
    one, two = (diagnosed(facts(nulls, 3)) for _ in range(2))
    assert one.evidence_hash == two.evidence_hash
    assert json.loads(json.dumps(one.as_json()))["cause"] == "broken_feed"
