"""The question beside the champion depends on the kind of change, and on evidence that is fair."""

import math
from dataclasses import replace

import numpy as np
import pytest
from benchmarks.simulated_gates import World, beside_champion
from tests.gates.nights import evaluation, nights

from perennial.facts.decision import Verdict
from perennial.facts.evaluation import Tally
from perennial.gates.against_champion import AgainstChampion


def verdict(gain: float, kind: str, **changes) -> Verdict:
    """Judge fourteen nights with this gain a row."""
    return AgainstChampion().decide(evaluation(nights(gain), kind, **changes)).verdict


@pytest.mark.parametrize(
    ("kind", "gain", "expected"),
    [
        ("refresh", 0.05, Verdict.PASS),
        ("refresh", 0.0, Verdict.PASS),
        ("refresh", -0.0005, Verdict.PASS),
        ("refresh", -0.05, Verdict.FAIL),
        ("recipe", 0.05, Verdict.PASS),
        ("recipe", 0.0, Verdict.FAIL),
        ("recipe", -0.05, Verdict.FAIL),
        ("simplify", 0.05, Verdict.PASS),
        ("simplify", -0.0005, Verdict.PASS),
        ("simplify", -0.05, Verdict.FAIL),
    ],
)
def test_each_kind_of_change_asks_its_own_question(kind, gain, expected) -> None:
    """A refresh must not be worse, a recipe must be better, a simplification must cost under the margin."""
    assert verdict(gain, kind) is expected


def test_a_recipe_that_might_be_better_waits_and_says_for_how_long() -> None:
    """Undecided is HOLD, with about how many more nights would tell."""
    noisy = tuple(
        Tally(f"2013-05-{day:02}", 100, 50.0 - 1.5 + 8 * math.sin(2.4 * day), 50.0) for day in range(1, 15)
    )
    decision = AgainstChampion().decide(evaluation(noisy))
    assert decision.verdict is Verdict.HOLD
    assert "more nights" in decision.reason


def test_the_first_model_has_nobody_to_be_compared_with() -> None:
    """The gate says that it has no champion to ask about, and lets the baseline gate judge."""
    decision = AgainstChampion().decide(evaluation(nights(0.0), "first", champion=None, champion_cutoff=None))
    assert decision.verdict is Verdict.PASS
    assert "no champion" in decision.reason


def test_a_champion_that_was_not_scored_holds() -> None:
    """A lost champion is missing evidence, not a first model."""
    assert verdict(0.05, "refresh", champion=None) is Verdict.HOLD


@pytest.mark.parametrize("role", ["challenger_cutoff", "champion_cutoff"])
def test_a_holdout_that_trained_either_model_is_not_fair(role) -> None:
    """A night in anybody's training set cannot judge, even if it is only the first night."""
    decision = AgainstChampion().decide(evaluation(nights(0.05), **{role: "2013-05-01"}))
    assert decision.verdict is Verdict.HOLD
    assert decision.reason.startswith("No fair holdout")


@pytest.mark.parametrize("role", ["challenger_cutoff", "champion_cutoff"])
def test_an_unknown_cutoff_holds(role) -> None:
    """Fairness is shown, not assumed."""
    assert verdict(0.05, "recipe", **{role: None}) is Verdict.HOLD


def test_six_nights_hold() -> None:
    """Too little evidence is neither good nor bad news."""
    decision = AgainstChampion().decide(evaluation(nights(0.05, 6)))
    assert decision.verdict is Verdict.HOLD
    assert "6 nights" in decision.reason


def test_small_allowed_losses_may_not_add_up() -> None:
    """A simplification within the margin of the champion fails when the best version was far better."""
    creeping = evaluation(nights(-0.0005, anchor=0.02), "simplify", anchor="v1")
    decision = AgainstChampion().decide(creeping)
    assert decision.verdict is Verdict.FAIL
    assert "cumulative loss" in decision.reason


def test_an_anchor_that_was_not_scored_holds() -> None:
    """A named best version must have answered."""
    assert verdict(-0.0005, "simplify", anchor="v1") is Verdict.HOLD


def test_without_time_independence_is_said_to_be_assumed() -> None:
    """Hashed buckets are no nights, and the sentence admits it."""
    static = {"no_time": True, "challenger_cutoff": None, "champion_cutoff": None}
    decision = AgainstChampion().decide(evaluation(nights(0.05), training_overlap_rows=0, **static))
    assert decision.verdict is Verdict.PASS
    assert "no time: independence assumed" in decision.reason
    assert verdict(0.05, "recipe", **static) is Verdict.HOLD
    assert verdict(0.05, "recipe", training_overlap_rows=3, **static) is Verdict.HOLD


def test_an_equal_recipe_is_promoted_about_as_often_as_declared() -> None:
    """Five hundred whole decisions at no true gain, 14 nights: at most .07 promotions at a declared .05."""
    rng = np.random.default_rng(31)
    gate, promoted = AgainstChampion(), 0
    for luck in rng.standard_normal((500, 14)):
        drawn = tuple(Tally(f"2013-05-{d + 1:02}", 100, 50.0 + x, 50.0) for d, x in enumerate(luck))
        promoted += gate.decide(evaluation(drawn)).verdict is Verdict.PASS
    assert 0.01 <= promoted / 500 <= 0.07


@pytest.mark.parametrize(
    ("world", "most"), [(World(14), 0.05), (World(14, 0.3), 0.065), (World(7, 0.6), 0.11)]
)
def test_a_simplification_that_loses_the_margin_rarely_passes(world, most) -> None:
    """Three hundred whole decisions at a true loss of just the margin, which is declared not to be allowed."""
    rng = np.random.default_rng(32)
    assert beside_champion(rng, world, "simplify", 1.0, 300) / 300 <= most


@pytest.mark.parametrize(("behind", "least", "most"), [(0.0, 0.95, 1.0), (2.0, 0.35, 0.65), (3.0, 0.0, 0.03)])
def test_how_far_behind_the_best_a_chain_of_simplifications_comes(behind, least, most) -> None:
    """Two margins behind the best version ever are a matter of luck, three are refused."""
    passes = beside_champion(np.random.default_rng(33), World(14), "simplify", -1.0, 200, behind_best=behind)
    assert least <= passes / 200 <= most


@pytest.mark.parametrize(("loss", "least", "most"), [(0.0, 0.91, 0.99), (1.0, 0.0, 0.25), (2.0, 0.0, 0.03)])
def test_how_often_a_refresh_that_is_worse_goes_ahead(loss, least, most) -> None:
    """Equal refreshes are refused one time in twenty; a loss of four standard errors hardly ever passes."""
    passes = beside_champion(np.random.default_rng(34), World(14), "refresh", loss, 300)
    assert least <= passes / 300 <= most


def test_a_champion_beside_itself_is_never_better() -> None:
    """Equal losses on every row are as good, whatever the kind; a new recipe that changes nothing does not pass."""
    same = tuple(replace(night, challenger=night.champion or 0.0) for night in nights(0.0))
    for kind in ("refresh", "recipe", "simplify"):
        decision = AgainstChampion(margin=0.0).decide(evaluation(same, kind))
        assert decision.evidence["outcome"] != "better"
    assert AgainstChampion().decide(evaluation(same)).verdict is not Verdict.PASS
