"""The past is left out when it misleads, and only then."""

import numpy as np

from perennial.adaptation.restart import restart


def losses(
    draw: np.random.Generator, level: float, nights: int, changed: float = 0.0, since: int = 0
) -> list:
    """Draw mean losses of nights; they share luck, so the caller adds it."""
    series = level + draw.normal(scale=0.01, size=nights)
    series[nights - since :] += changed
    return series.tolist()


def test_a_past_that_still_teaches_is_kept() -> None:
    """Where the model of the latest nights is worse on average, 300 nights of looking restart at most once in 20."""
    restarts = 0
    for seed in range(20):
        draw = np.random.default_rng(seed)
        luck = draw.normal(scale=0.05, size=300)
        served, twin, latest = (np.array(losses(draw, level, 300)) + luck for level in (0.5, 0.505, 0.515))
        looked = range(30, 300)
        restarts += any(restart(served[:t], twin[:t], latest[:t], t).verdict.value == "pass" for t in looked)
    assert restarts <= 1


def test_a_change_is_dated() -> None:
    """Sixteen nights after the old relation stopped holding, the restart leaves out what came before it."""
    draw = np.random.default_rng(0)
    served, twin = (losses(draw, 0.5, 60, changed=0.4, since=16) for _ in range(2))
    decision = restart(served, twin, losses(draw, 0.55, 60), nights_since_last=60)
    assert decision.verdict.value == "pass"
    assert 15 <= decision.evidence["from_latest_nights"] <= 17


def test_a_twin_that_has_learned_the_change_is_enough() -> None:
    """Where only the champion is old, a training on everything will do: nothing is left out."""
    draw = np.random.default_rng(0)
    served = losses(draw, 0.5, 60, changed=0.4, since=16)
    decision = restart(served, losses(draw, 0.5, 60), losses(draw, 0.55, 60), nights_since_last=60)
    assert decision.verdict.value == "hold"


def test_two_restarts_are_two_weeks_apart() -> None:
    """Right after a restart nothing is asked for, whatever the losses."""
    decision = restart([2.0] * 60, [2.0] * 60, [0.1] * 60, nights_since_last=13)
    assert decision.verdict.value == "hold"


def test_a_night_without_a_loss_decides_nothing() -> None:
    """A night whose loss is not a number is no evidence for a change."""
    served = [0.5] * 40 + [0.9] * 20
    assert restart([*served[:-1], float("nan")], served, [0.5] * 60, 60).verdict.value == "hold"


def test_an_upheaval_of_a_week_is_not_a_change() -> None:
    """What is gone after a week is waited out: one good week of the latest nights is not enough."""
    draw = np.random.default_rng(0)
    latest = losses(draw, 0.55, 60)
    before = losses(draw, 0.5, 53)
    bad = [*before, *losses(draw, 0.6, 7)]
    assert restart(bad, bad, latest, nights_since_last=60).verdict.value == "hold"
