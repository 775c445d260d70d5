"""What the layer learns from, and what it must not: promises about nights, kept night by night."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.adaptation.nights import FIRST, PAST, SETTINGS, World, mean_losses, pass_nights, truth

from perennial.adaptation.growth import grown, trainings_expected
from perennial.adaptation.layer import Layer
from perennial.adaptation.settings import Adaptation
from perennial.adaptation.state import Champion, State, begin, frozen, learn, renewed, thawed
from perennial.clock import after

LAG = 3


def test_labels_of_the_future_change_nothing() -> None:
    """With every label of later than tonight minus the delay turned around, tonight's bytes are the same."""
    settings, last = Adaptation(label_delay_nights=LAG), PAST + 12
    nights = [World().night(number) for number in range(last + 1)]
    poisoned = [
        replace(night, labels=1 - night.labels) if number > last - LAG else night
        for number, night in enumerate(nights)
    ]
    honest, lied = (pass_nights(told, settings=settings)[-1] for told in (nights, poisoned))
    assert honest.state.layer.as_json() == lied.state.layer.as_json()
    assert honest.served.scores.tobytes() == lied.served.scores.tobytes()


def test_a_night_that_cannot_be_known_is_refused() -> None:
    """Learning from tonight's own labels is an error, not a good result."""
    nights = [World().night(number) for number in range(PAST + 1)]
    state = begin(Champion("1", nights[-2].night), nights[:-1], nights[-1].night, "binary", SETTINGS)
    with pytest.raises(ValueError, match="are not known on"):
        learn(state, [replace(nights[-1], champion=truth(nights[-1].features))], nights[-1].night)


def test_without_unseen_nights_the_champion_serves_alone() -> None:
    """Before a night matured that the champion has not seen, its own scores are served, to the byte."""
    first, second, third = pass_nights([World().night(number) for number in range(PAST + 3)])
    assert first.served.scores.tobytes() == truth(first.night.features).tobytes()
    assert first.served.weights == {"raw": 1.0}
    assert second.served.weights["raw"] < 1
    again = renewed(third.state, Champion("2", second.night.night), third.night.night)
    said = truth(third.night.features)
    assert again.layer.serve(said, third.night.features).scores.tobytes() == said.tobytes()


def test_a_challenger_gets_a_layer_of_the_nights_that_passed_while_it_waited() -> None:
    """A new champion that is older than tonight is corrected from the nights after its own, with its scores."""
    passed = pass_nights(
        [World(shift=lambda n: 0.8 if n >= PAST else 0.0).night(n) for n in range(PAST + 20)]
    )
    state, tonight = passed[-1].state, passed[-1].night.night
    waited = [
        replace(one.night, champion=truth(one.night.features), served=one.served.members)
        for one in passed[5:-1]
    ]
    fresh = renewed(state, Champion("2", passed[4].night.night), tonight, waited)
    assert fresh.layer.champion == "2"
    assert fresh.layer.corrections["segments"].intercept > 0.3
    assert fresh.record == state.record
    assert fresh.layer.twin == state.layer.twin


def test_uncertified_nights_and_frozen_states_learn_nothing() -> None:
    """A broken feed leaves twin, corrections and weights as they were, and asks for no retraining."""
    passed = pass_nights([World().night(number) for number in range(PAST + 4)])
    state, last = passed[-1].state, passed[-1]
    night = replace(last.night, champion=last.served.members["raw"], served=last.served.members)
    tonight = after(night.night)
    assert learn(state, [replace(night, certified=False)], tonight) is state
    stopped = frozen(state, "feed broken since 2020-03-01")
    assert learn(stopped, [night], tonight).layer == state.layer
    assert grown(10**6, 1, frozen=stopped.frozen_reason).verdict.value == "fail"
    assert learn(thawed(stopped), [night], tonight).layer.learned_through == night.night


def test_a_night_is_learned_once() -> None:
    """A task that is tried again, or is told an old night again, changes nothing."""
    passed = pass_nights([World().night(number) for number in range(PAST + 4)])
    told = [
        replace(one.night, champion=one.served.members["raw"], served=one.served.members) for one in passed
    ]
    state = learn(passed[-1].state, told, after(passed[-1].night.night))
    assert learn(state, told, after(passed[-1].night.night)) is state


@pytest.mark.parametrize("regression", [False, True])
def test_a_stored_night_is_replayed_to_the_byte(*, regression: bool) -> None:
    """Layer and state go through JSON and serve, and learn, the same bytes."""
    model = (lambda x: x @ np.array([1.0, -0.7, 0.4, 0.0])) if regression else truth
    world = World(regression=regression, shift=lambda n: 0.5 if n > PAST else 0.0)
    passed = pass_nights([world.night(number) for number in range(PAST + 9)], model)[-1]
    night = passed.night
    layer = Layer.from_json(json.loads(json.dumps(passed.state.layer.as_json())))
    assert layer.identity == passed.state.layer.identity
    again = layer.serve(model(night.features), night.features, night.segments)
    assert again.scores.tobytes() == passed.served.scores.tobytes()
    told = [replace(night, champion=passed.served.members["raw"], served=passed.served.members)]
    state = State.from_json(json.loads(json.dumps(passed.state.as_json())))
    one, other = (learn(s, told, after(night.night)).layer.identity for s in (state, passed.state))
    assert one == other


def test_the_order_of_rows_does_not_matter() -> None:
    """Rows delivered in another order give the same twin."""
    nights = [World(rows=150).night(number) for number in range(PAST)]
    turned = [
        replace(n, keys=n.keys[::-1], features=n.features[::-1], labels=n.labels[::-1], segments=None)
        for n in nights
    ]
    champion, tonight = Champion("1", nights[-1].night), after(nights[-1].night)
    one, other = (begin(champion, told, tonight, "binary", SETTINGS).layer for told in (nights, turned))
    assert one.twin is not None
    assert other.twin is not None
    assert one.twin.identity == other.twin.identity


def test_labels_that_are_not_numbers_are_left_out() -> None:
    """Cancelled rows have no label: they are served, and nothing is learned from them."""
    holes = [World().night(number) for number in range(PAST + 6)]
    for night in holes:
        night.labels[::5] = np.nan
        night.features[::7, 1] = np.nan
        night.features[3, 2] = np.inf
    passed = pass_nights(holes, lambda features: truth(np.nan_to_num(features, posinf=0.0)))[-1]
    assert np.isfinite(passed.served.scores).all()
    assert np.isfinite(list(passed.served.weights.values())).all()
    assert not np.isnan(passed.state.history["label"]).any()


@pytest.mark.parametrize(("rows", "last"), [(900, 365), (48, 944), (24, 2000)])
def test_growth_asks_for_as_many_trainings_as_its_formula(rows: int, last: int) -> None:
    """ln(N / N0) / ln 1.5 trainings after the first, give or take one."""
    trained, trainings = 56 * rows, 0
    for night in range(57, last):
        if grown(night * rows, trained).verdict.value == "pass":
            trained, trainings = night * rows, trainings + 1
    assert abs(trainings - trainings_expected(last * rows, 56 * rows)) <= 1


def test_settings_say_what_is_wrong_with_them() -> None:
    """A layer without its champion, or a blend without a twin, is refused."""
    with pytest.raises(ValueError, match="`raw` is one of them"):
        Adaptation(members=("twin",))
    with pytest.raises(ValueError, match="name `twin` as well"):
        Adaptation(members=("raw", "blend"))


def test_nothing_to_begin_with_is_said() -> None:
    """A layer over no matured night cannot know its units."""
    with pytest.raises(ValueError, match="at least one matured"):
        begin(Champion("1", FIRST), [], after(FIRST), "binary", SETTINGS)


def test_members_can_be_left_out() -> None:
    """A layer of champion, twin and blend serves like the others; what is left out is not there."""
    settings = Adaptation(label_delay_nights=1, members=("raw", "blend", "twin"))
    world = World(shift=lambda n: 1.0 if n >= PAST else 0.0)
    passed = pass_nights([world.night(number) for number in range(PAST + 30)], settings=settings)
    assert set(passed[-1].served.weights) == {"raw", "blend", "twin"}
    layer, raw = mean_losses(passed[15:])
    assert layer < raw
