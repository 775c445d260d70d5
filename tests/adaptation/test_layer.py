"""What the layer does to the loss, in worlds whose truth is known: it helps, or it does no harm."""

from dataclasses import replace

import numpy as np
import pytest
from tests.adaptation.nights import (
    PAST,
    SETTINGS,
    SLOPES,
    World,
    logistic,
    mean_losses,
    pass_nights,
    truth,
)

from perennial.adaptation.correction import Correction
from perennial.adaptation.mixture import Record
from perennial.adaptation.settings import Adaptation
from perennial.adaptation.state import Champion, begin, learn
from perennial.clock import after


def test_where_nothing_moves_the_layer_does_no_harm() -> None:
    """Over a champion that knows the truth, the layer's loss is at most half a per cent above it."""
    for seed in range(3):
        passed = pass_nights([World(seed=seed).night(number) for number in range(PAST + 90)])
        layer, raw = mean_losses(passed)
        assert layer <= 1.005 * raw


def test_a_constant_shift_is_removed() -> None:
    """Fourteen mature nights after the logit moved by .8, a correction has removed 70 per cent of it."""
    world = World(shift=lambda night: 0.8 if night >= PAST else 0.0)
    last = pass_nights([world.night(number) for number in range(PAST + 16)])[-1]
    moved = {
        name: np.mean(_logit(last.served.members[name]) - _logit(last.served.members["raw"]))
        for name in ("segments", "blend")
    }
    assert max(moved.values()) >= 0.7 * 0.8


def test_a_poisoned_member_loses_its_weight() -> None:
    """A twin of random scores weighs less than .05 after 28 mature nights, and costs at most one per cent."""
    nights = [World().night(number) for number in range(PAST + 29)]
    draw = np.random.default_rng(5)
    champion, tonight = Champion("1", nights[PAST - 1].night), nights[PAST].night
    settings = Adaptation(members=("raw", "segments", "twin"))
    state = begin(champion, nights[:PAST], tonight, "binary", settings)
    losses = []
    for number in range(PAST, PAST + 29):
        night = nights[number]
        said = truth(night.features)
        served = state.layer.serve(said, night.features, night.segments)
        poisoned = {**served.members, "twin": logistic(draw.normal(size=len(said)) * 1.5)}
        mixed = sum(weight * poisoned[name] for name, weight in served.weights.items())
        losses.append([state.layer.scale.loss(p, night.labels) for p in (mixed, said)])
        state = learn(
            state, [replace(night, champion=said, served=poisoned)], after(night.night), fit=_same(state)
        )
    assert state.layer.weights["twin"] < 0.05
    layer, raw = np.mean(losses[1:], axis=0)
    assert layer <= 1.01 * raw


def test_the_layer_follows_a_relation_that_turned() -> None:
    """After an abrupt reversal the twin and the corrections take over, and the champion counts as overtaken."""
    world = World(turn=lambda night: -1.0 if night >= PAST + 10 else 1.0, rows=300)
    passed = pass_nights([world.night(number) for number in range(PAST + 70)])
    layer, raw = mean_losses(passed[-20:])
    assert layer < 0.75 * raw
    assert not passed[5].served.overtaken
    before, _ = mean_losses(passed[:10])
    assert layer > before  # a layer is no retraining


def test_a_regression_is_corrected_in_units_of_its_label() -> None:
    """An additive shift of a number is followed, and the mixture is one of predictions."""
    world = World(shift=lambda n: 1.5 if n >= PAST else 0.0, regression=True)
    passed = pass_nights(
        [world.night(number) for number in range(PAST + 40)], lambda features: features @ SLOPES
    )
    layer, raw = mean_losses(passed[14:])
    assert layer < 0.5 * raw
    calm = pass_nights(
        [World(regression=True).night(number) for number in range(PAST + 60)], lambda x: x @ SLOPES
    )
    layer, raw = mean_losses(calm)
    assert layer <= 1.005 * raw


def test_scores_that_are_not_believed_fall_back_row_by_row() -> None:
    """A correction that goes too far, or is not a number, gives the champion's own score, to the byte."""
    passed = pass_nights([World().night(number) for number in range(PAST + 5)])[-1]
    night, layer = passed.night, passed.state.layer
    said = truth(night.features)
    wild = replace(
        layer, corrections={"segments": Correction(intercept=9.0)}, weights={"raw": 0.01, "segments": 0.99}
    )
    served = wild.serve(said, night.features)
    assert served.fallen_back_rows > 0
    far = _logit(served.members["segments"]) > 6
    assert served.scores[far].tobytes() == said[far].tobytes()
    broken = replace(wild, corrections={"segments": Correction(intercept=float("nan"))})
    assert broken.serve(said, night.features).scores.tobytes() == said.tobytes()


def test_a_champion_that_is_sure_and_wrong_is_not_fallen_back_to() -> None:
    """Where the layer says less than four logits either way, it is believed however far the champion is."""
    layer = pass_nights([World().night(number) for number in range(PAST + 5)])[-1].state.layer
    sure = np.full(3, 1 - 1e-6)
    served = replace(layer, weights={"raw": 0.1, "twin": 0.9}).serve(sure, np.zeros((3, 4)))
    assert served.fallen_back_rows == 0
    assert (served.scores < 0.9).all()


def test_an_unknown_segment_is_corrected_like_the_average() -> None:
    """A segment that no learned night had gets no coefficient of its own, and no error."""
    world = World(shift=lambda night: 0.8 if night >= PAST else 0.0)
    passed = pass_nights([world.night(number) for number in range(PAST + 20)])[-1]
    served = passed.state.layer.serve(
        truth(passed.night.features), passed.night.features, ["HKG"] * len(passed.night.keys)
    )
    assert np.isfinite(served.scores).all()
    assert served.scores.mean() > served.members["raw"].mean()


def test_weights_depend_on_shares_of_the_loss() -> None:
    """Ten times the loss everywhere gives the same weights; the best member gets the most."""
    small, large = Record(), Record()
    for night in range(20):
        losses = {"raw": 0.5, "segments": 0.49, "features": 0.6, "blend": 0.45, "twin": 0.7}
        small = small.with_night(night, losses, SETTINGS)
        large = large.with_night(night, {name: 10 * loss for name, loss in losses.items()}, SETTINGS)
    weights = small.weights(SETTINGS)
    assert weights == pytest.approx(large.weights(SETTINGS))
    assert max(weights, key=weights.__getitem__) == "blend"
    assert sum(weights.values()) == pytest.approx(1)


def _same(state):
    return lambda *_: state.layer.twin


def _logit(p: np.ndarray) -> np.ndarray:
    return np.log(p / (1 - p))
