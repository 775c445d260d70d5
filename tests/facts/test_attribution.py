"""The injected cause is named first, shares add up, and what cannot be said is said."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from perennial.facts.attributed_inputs import walk
from perennial.facts.attributed_rows import Pair, Rows, restored
from perennial.facts.attribution import Attribution, attribute

NIGHTS, A_NIGHT = 20, 150


def chance(frame: pd.DataFrame) -> np.ndarray:
    """Stand for a model that knows the law of ``side``."""
    at_jfk = (frame["origin"] == "JFK").to_numpy(float)
    score = frame["load"].fillna(0.5) + 0.5 * frame["wind"].to_numpy() + 0.5 * at_jfk - 1.0
    return np.asarray(1 / (1 + np.exp(-score)), dtype=float)


def side(seed: int, first: int, nights: int) -> Rows:
    """Draw nights whose labels follow the model's law."""
    draw = np.random.default_rng(seed)
    rows = nights * A_NIGHT
    frame = pd.DataFrame(
        {
            "origin": draw.choice(["EWR", "JFK", "LGA"], rows),
            "load": draw.normal(size=rows),
            "wind": draw.normal(size=rows),
            "noise": draw.normal(size=rows),
            "same": 1.0,
        }
    )
    labels = (draw.random(rows) < chance(frame)).astype(float)
    return Rows(frame, np.repeat(np.arange(first, first + nights), A_NIGHT), labels)


def changed(rows: Rows, **columns: Any) -> Rows:
    """Deliver some columns otherwise; labels stay."""
    return Rows(rows.features.assign(**columns), rows.nights, rows.labels, rows.segments)


def relabelled(rows: Rows, labels: np.ndarray | None) -> Rows:
    """Deliver other labels."""
    return Rows(rows.features, rows.nights, labels, rows.segments)


def explained(recent: Rows, seed: int = 0, **settings: Any) -> Attribution:
    """Attribute beside twenty ordinary nights."""
    return attribute(side(seed, 0, NIGHTS), recent, chance, seed=seed, **settings)


@pytest.mark.parametrize("seed", range(4))
def test_a_changed_unit_is_the_columns_doing(seed: int) -> None:
    """A column times three is first, though labels follow otherwise from it as well."""
    recent = side(100 + seed, NIGHTS, 5)
    first = explained(changed(recent, load=recent.features["load"] * 3), seed).causes[0]
    assert (first.kind, first.column, first.segment) == ("inputs", "load", "")


@pytest.mark.parametrize("seed", range(4))
def test_a_lost_category_is_its_columns_doing(seed: int) -> None:
    """JFK delivered as missing: a level that the model was fitted without."""
    recent = side(100 + seed, NIGHTS, 5)
    lost = recent.features["origin"].where(recent.features["origin"] != "JFK", None)
    first = explained(changed(recent, origin=lost), seed).causes[0]
    assert (first.kind, first.column) == ("inputs", "origin")


def test_a_category_lost_everywhere_is_not_one_segments_doing() -> None:
    """The carrier that is lost flies to Fort Lauderdale above all: there it is missed most, but not only there."""
    sides = []
    for rows, seed in ((side(0, 0, NIGHTS), 1), (side(100, NIGHTS, 5), 2)):
        draw = np.random.default_rng(seed)
        dest = draw.choice(["FLL", "BOS", "ORD", "SFO", "LAX", "MIA", "ATL", "DEN"], len(rows))
        ours = draw.random(len(rows)) < np.where(dest == "FLL", 0.6, 0.15)
        sides.append(changed(rows, dest=dest, carrier=np.where(ours, "B6", "AA")))
    past, now = sides

    def following(frame: pd.DataFrame) -> np.ndarray:
        return np.clip(chance(frame) + 0.2 * (frame["carrier"] == "B6").to_numpy(float), 0, 1)

    made = attribute(past, changed(now, carrier=now.features["carrier"].replace("B6", "other")), following)
    assert (made.causes[0].kind, made.causes[0].column, made.causes[0].segment) == ("inputs", "carrier", "")


def test_values_far_out_everywhere_are_not_one_segments_doing() -> None:
    """A unit changed in a column that is often empty but at JFK: what is far out elsewhere counts as well."""
    sides = []
    for rows, draw in ((side(0, 0, NIGHTS), 1), (side(100, NIGHTS, 7), 2)):
        empty = np.random.default_rng(draw).random(len(rows)) < 0.15
        empty &= (rows.features["origin"] != "JFK").to_numpy()
        load = 1000 + rows.features["load"] + 3 * np.sin(rows.nights)
        sides.append(changed(rows, load=load.where(~empty)))
    past, now = sides

    def following(frame: pd.DataFrame) -> np.ndarray:
        return chance(frame.assign(load=np.clip(frame["load"] - 1000, -3, 3)))

    made = attribute(past, changed(now, load=now.features["load"] * 0.6), following)
    assert (made.causes[0].kind, made.causes[0].column, made.causes[0].segment) == ("inputs", "load", "")


def test_odd_values_that_did_little_come_after_a_relation_that_did_much() -> None:
    """Wind is a little off, as a season makes it; at JFK every label is one."""
    recent = side(100, NIGHTS, 7)
    at_jfk = (recent.features["origin"] == "JFK").to_numpy()
    windy = changed(recent, wind=recent.features["wind"] + 0.4)
    made = explained(relabelled(windy, np.where(at_jfk, 1.0, recent.labels)))
    assert [(one.kind, one.segment or one.column) for one in made.causes[:1]] == [
        ("relation", "origin = JFK")
    ]
    assert next(one for one in made.inputs if one.column == "wind").is_plain
    far = explained(
        relabelled(changed(recent, wind=recent.features["wind"] + 4), np.where(at_jfk, 1.0, recent.labels))
    )
    assert (far.causes[0].kind, far.causes[0].column) == ("inputs", "wind")


@pytest.mark.parametrize("seed", range(4))
def test_a_feed_frozen_at_one_airport_is_named_with_its_airport(seed: int) -> None:
    """Wind stands still at JFK for one night."""
    recent = side(100 + seed, NIGHTS, 1)
    still = recent.features["wind"].where(recent.features["origin"] != "JFK", 1.2)
    first = explained(changed(recent, wind=still), seed).causes[0]
    assert (first.kind, first.column, first.segment) == ("inputs", "wind", "origin = JFK")


@pytest.mark.parametrize("seed", range(4))
def test_a_label_rule_of_one_segment_is_a_relation_there(seed: int) -> None:
    """At LGA half of the zeros become ones; no input changed."""
    recent = side(100 + seed, NIGHTS, 7)
    there = (recent.features["origin"] == "LGA").to_numpy()
    flipped = there & (np.random.default_rng(seed).random(len(recent)) < 0.5)
    made = explained(relabelled(recent, np.where(flipped, 1.0, recent.labels)), seed)
    assert (made.causes[0].kind, made.causes[0].segment) == ("relation", "origin = LGA")
    assert made.split is not None
    assert made.split.relation.low > 0
    assert abs(made.split.inputs.value) < 0.1 * made.split.total.value


@pytest.mark.parametrize("seed", range(4))
def test_a_columns_changed_relation_is_named(seed: int) -> None:
    """Labels that followed wind follow its opposite."""
    recent = side(100 + seed, NIGHTS, 7)
    opposite = recent.features.assign(wind=-recent.features["wind"])
    labels = (np.random.default_rng(seed).random(len(recent)) < chance(opposite)).astype(float)
    first = explained(relabelled(recent, labels), seed).causes[0]
    assert (first.kind, first.column) == ("relation", "wind")


@pytest.mark.slow
def test_where_nothing_changed_no_relation_moved_and_no_value_is_plainly_wrong() -> None:
    """Twenty-four draws in which nothing happened: 5 % may name a moved relation, and two standard errors more."""
    made = [explained(side(500 + seed, NIGHTS, 7), seed) for seed in range(24)]
    assert sum(one.causes[0].kind == "relation" for one in made if one.causes) <= 3
    assert not any(one.is_plain for found in made for one in found.inputs)


def test_a_declared_segment_can_be_the_cause() -> None:
    """A segment that no column names."""
    past, recent = side(0, 0, NIGHTS), side(1, NIGHTS, 7)
    night_flights = [{"night flights": (rows.features["noise"] > 0.5).to_numpy()} for rows in (past, recent)]
    labels = np.where(night_flights[1]["night flights"], 1.0, recent.labels)
    made = attribute(
        Rows(past.features, past.nights, past.labels, night_flights[0]),
        Rows(recent.features, recent.nights, labels, night_flights[1]),
        chance,
    )
    assert (made.causes[0].kind, made.causes[0].segment) == ("relation", "night flights")
    assert made.loss_segments[0].segment == "night flights"


def test_the_parts_of_the_split_add_up_to_the_change() -> None:
    """Three terms of DISDE; inputs are two of them."""
    recent = side(1, NIGHTS, 7)
    made = explained(changed(recent, load=recent.features["load"] + 1)).split
    assert made is not None
    assert made.inputs.value == pytest.approx(made.harder.value + made.unseen.value)
    assert made.total.value == pytest.approx(made.inputs.value + made.relation.value)


def test_steps_add_up_to_the_movement_of_each_prediction() -> None:
    """Shapley shares leave nothing over, row by row."""
    recent = side(1, NIGHTS, 5)
    moved = changed(recent, load=recent.features["load"] * 3, wind=recent.features["wind"] + 1)
    found = walk(Pair.of(side(0, 0, NIGHTS), moved, ()), chance, 0)
    np.testing.assert_allclose(found.before + found.steps.sum(axis=0), found.after)


def test_a_restored_column_has_the_values_of_the_reference_again() -> None:
    """Numbers keep their order, missing values and lost levels are given back, other rows keep theirs."""
    past, recent = side(0, 0, NIGHTS), side(1, NIGHTS, 5)
    load = (recent.features["load"] * 3).where(np.arange(len(recent)) % 4 != 0)
    origin = recent.features["origin"].replace("JFK", "EWR")
    pair = Pair.of(past, changed(recent, load=load, origin=origin), ())
    pool = pd.concat([past.features, pair.recent.features], ignore_index=True)
    draw = np.random.default_rng(0)
    again = pool["load"].take(restored(pair, pair.column("load"), None, draw)).reset_index(drop=True)
    assert again.isna().mean() < 0.01
    assert again.std() == pytest.approx(1.0, abs=0.1)
    assert again[load.notna()].corr(load[load.notna()], method="spearman") > 0.999
    places = pool["origin"].take(restored(pair, pair.column("origin"), None, draw)).reset_index(drop=True)
    assert places.eq("JFK").mean() == pytest.approx(1 / 3, abs=0.02)
    assert (places[origin == "LGA"] == "LGA").mean() > 0.9


def test_without_labels_only_predictions_are_explained() -> None:
    """A changed relation is never ruled out where nothing could show it."""
    recent = relabelled(side(1, NIGHTS, 5), None)
    made = explained(changed(recent, load=recent.features["load"] * 3))
    assert (made.split, made.relations, made.causes[0].column) == (None, (), "load")
    assert any(
        "whether the relation of inputs and labels changed is not assessable" in s for s in made.sentences
    )


def test_too_few_rows_are_not_assessable() -> None:
    """Forty-nine rows say nothing."""
    recent = side(1, NIGHTS, 1)
    made = explained(recent.take(np.arange(49)))
    assert (made.state, made.causes) == ("not_assessable", ())
    assert made.sentences[0].startswith("Not assessable: 3,000 reference and 49 recent rows")


def test_a_model_that_gives_no_numbers_is_not_assessable() -> None:
    """What NaN moved cannot be told."""
    made = attribute(side(0, 0, NIGHTS), side(1, NIGHTS, 1), lambda frame: chance(frame) * np.nan)
    assert made.state == "not_assessable"


def test_single_nights_and_unseen_levels_are_explained_with_a_note() -> None:
    """One night beside one night, a level never seen, a column that is missing throughout."""
    past, recent = side(0, 0, 1), side(1, 1, 1)
    nothing = np.full(len(recent), np.nan)
    made = attribute(past, changed(recent, origin="SFO", noise=nothing), chance)
    assert made.causes[0].column == "origin"
    assert "intervals cover chance among rows" in made.sentences[-1]


def test_inputs_that_have_nothing_in_common_are_not_split() -> None:
    """Values far from all that were seen: the split says so, and the column is named."""
    recent = side(1, NIGHTS, 7)
    made = explained(changed(recent, load=recent.features["load"] + 100))
    assert (made.split, made.causes[0].column) == (None, "load")
    assert any("too little to tell" in sentence for sentence in made.sentences)


def test_a_large_side_is_sampled() -> None:
    """Cost is bounded: at most 20,000 and 8,000 rows reach the model."""
    assert attribute(side(0, 0, 140), side(1, 140, 60), chance).rows == (20_000, 8_000)


def test_the_same_rows_give_the_same_evidence() -> None:
    """Orders, folds and resamples are seeded."""
    recent = changed(side(1, NIGHTS, 5), wind=0.3)
    assert explained(recent).evidence_hash == explained(recent).evidence_hash


def with_carriers(rows: Rows, seed: int) -> Rows:
    """Let each airport have a carrier that flies nine in ten of its rows, and a third of nobody else's."""
    draw = np.random.default_rng([seed, 5])
    home = rows.features["origin"].map({"EWR": "UA", "JFK": "B6", "LGA": "DL"})
    stays = draw.random(len(rows)) < 0.9
    carrier = np.where(stays, home, draw.choice(["UA", "B6", "DL"], len(rows)))
    return changed(rows, carrier=carrier)


@pytest.mark.parametrize("seed", range(6))
def test_of_segments_that_overlap_the_one_that_changed_is_named(seed: int) -> None:
    """Labels of the airport's own carrier move almost as much: they are its shadow, and the other way round."""
    past, recent = with_carriers(side(seed, 0, NIGHTS), seed), with_carriers(side(99 - seed, NIGHTS, 7), seed)
    name, level = [("origin", "LGA"), ("carrier", "DL")][seed % 2]
    labels = np.where(recent.features[name] == level, 1.0, recent.labels)
    first = attribute(past, relabelled(recent, labels), chance, seed=seed).causes[0]
    assert (first.kind, first.segment, first.is_sure) == ("relation", f"{name} = {level}", True)


def test_a_change_everywhere_is_not_taken_for_a_segments() -> None:
    """Labels become ones at random, wherever a row belongs."""
    recent = side(3, NIGHTS, 7)
    flipped = np.random.default_rng(3).random(len(recent)) < 0.4
    first = explained(relabelled(recent, np.where(flipped, 1.0, recent.labels))).causes[0]
    assert (first.kind, first.column, first.segment) == ("relation", "", "")


def test_what_a_column_is_made_of_comes_before_it() -> None:
    """A sum over a window moves with its summand: the summand is the cause."""
    past, recent = side(0, 0, NIGHTS), side(1, NIGHTS, 1)
    past, recent = (changed(rows, noise=rows.features["load"] * 2) for rows in (past, recent))
    tripled = changed(recent, load=recent.features["load"] * 30, noise=recent.features["noise"] * 90)

    def both(frame: pd.DataFrame) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-0.1 * frame["load"] - frame["noise"])), dtype=float)

    assert attribute(past, tripled, both).causes[0].column == "noise"
    assert attribute(past, tripled, both, made_of={"noise": ["load"]}).causes[0].column == "load"


def test_what_a_changed_column_did_to_the_loss_is_told() -> None:
    """A column times three makes predictions worse by as much as walking back says; without labels nothing is said."""
    recent = side(1, NIGHTS, 5)
    tripled = changed(recent, load=recent.features["load"] * 3)
    first = explained(tripled).inputs[0]
    assert recent.labels is not None
    worse = np.mean(
        (recent.labels - chance(tripled.features)) ** 2 - (recent.labels - chance(recent.features)) ** 2
    )
    assert first.loss == pytest.approx(worse, abs=0.005)
    assert first.loss_low is not None
    assert 0 < first.loss_low < first.loss
    assert explained(relabelled(tripled, None)).inputs[0].loss is None


def test_labels_of_one_class_are_attributed() -> None:
    """A feed that writes zeros only: labels follow otherwise everywhere or along what they followed."""
    recent = side(1, NIGHTS, 7)
    made = explained(relabelled(recent, np.zeros(len(recent))))
    assert (made.state, made.causes[0].kind, made.causes[0].is_sure) == ("assessed", "relation", True)


def test_infinite_values_and_columns_of_one_side_are_survived_and_told() -> None:
    """An infinity counts as missing; a new column is not compared."""
    recent = side(1, NIGHTS, 1)
    endless = recent.features["load"].where(np.arange(len(recent)) % 2 == 0, np.inf)
    made = explained(changed(recent, load=endless, gate=1.0))
    assert made.causes[0].column == "load"
    assert "Only one side has gate: not compared." in made.sentences


def test_the_headline_says_whether_a_cause_is_plain() -> None:
    """Plainly wrong values, a mere candidate, and nothing to assess are three sentences."""
    recent = side(1, NIGHTS, 5)
    assert explained(changed(recent, load=recent.features["load"] * 3)).headline.startswith("Most of it: ")
    quiet = explained(recent).headline
    assert quiet.startswith(("No cause is plain", "No column changed"))
    assert explained(recent.take(np.arange(10))).headline.startswith("Not assessable")
