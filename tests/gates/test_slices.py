"""No group may pay for the overall gain, and many groups may not raise a false alarm by their number."""

import numpy as np
import pytest
from benchmarks.simulated_gates import World, slices_blocked
from tests.gates.nights import evaluation, group, nights

from perennial.facts.decision import Verdict
from perennial.facts.evaluation import Slice, Tally
from perennial.gates.slices import Slices


def judge(*groups: Slice, gate: Slices | None = None, **changes):
    """Judge groups under an overall gain."""
    return (gate or Slices()).decide(evaluation(nights(0.05), slices=groups, **changes))


def test_one_losing_slice_fails_even_when_the_others_gain() -> None:
    """The sentence names the slice and its loss."""
    decision = judge(group("day", 0.2), group("night", -0.1))
    assert decision.verdict is Verdict.FAIL
    assert decision.reason.startswith("night: v4 loses 0.1 a row")


def test_slices_that_keep_their_loss_pass() -> None:
    """Nothing shown is a pass when every slice could be judged."""
    assert judge(group("day", 0.0), group("night", 0.01)).verdict is Verdict.PASS


def test_a_small_slice_is_shown_and_never_passed_in_silence() -> None:
    """The sentence counts what could not be judged."""
    decision = judge(group("day", 0.1), group("new", -0.5, count=1))
    assert decision.verdict is Verdict.PASS
    assert "1 of 2 slices judged, new not assessable" in decision.reason


def test_no_assessable_slice_holds() -> None:
    """All too small is no evidence at all."""
    assert judge(group("new", -0.5, count=1)).verdict is Verdict.HOLD


def test_a_critical_slice_that_cannot_be_judged_holds() -> None:
    """Not knowing is not good enough for a group that was declared critical."""
    assert judge(group("day", 0.1), group("ward", 0.1, count=3, critical=True)).verdict is Verdict.HOLD
    named = Slices(critical=("ward",))
    assert judge(group("day", 0.1), group("ward", 0.1, count=3), gate=named).verdict is Verdict.HOLD


def test_a_rare_class_makes_a_slice_unassessable_except_for_numbers() -> None:
    """Five positive rows cannot judge a probability."""
    rare = group("rare", -0.5, rarest_class_rows=5)
    assert judge(rare, group("day", 0.0)).verdict is Verdict.PASS
    assert judge(rare, group("day", 0.0), task="regression").verdict is Verdict.FAIL


def test_without_slices_or_champion_it_does_not_apply() -> None:
    """The gate says so in its sentence."""
    assert judge().reason == "Does not apply: no slices are declared."
    first = evaluation(nights(0.0), "first", champion=None, slices=(group("day", 0.0),))
    assert Slices().decide(first).reason.startswith("Does not apply: there is no champion")


def test_an_unfair_holdout_holds() -> None:
    """Slices are no fairer than the nights they come from."""
    assert judge(group("day", 0.1), champion_cutoff="2013-05-03").verdict is Verdict.HOLD


def drawn(rng: np.random.Generator, harm: float = 0.0) -> tuple[Slice, ...]:
    """Draw twenty slices of 14 nights with no true difference but ``harm`` to the first."""
    luck = rng.standard_normal((20, 14)) * 2.0
    luck[0] += 100 * harm
    names = [f"2013-05-{day:02}" for day in range(1, 15)]
    return tuple(
        Slice(f"s{i:02}", tuple(Tally(name, 100, 50.0 + x, 50.0) for name, x in zip(names, row, strict=True)))
        for i, row in enumerate(luck)
    )


def test_twenty_slices_without_harm_are_rarely_blocked() -> None:
    """At most .07 blocks in 300 evaluations at margin 0; a plain threshold would block most of them."""
    rng, gate = np.random.default_rng(41), Slices(margin=0.0)
    groups = [drawn(rng) for _ in range(300)]
    blocked = sum(judge(*each, gate=gate).verdict is Verdict.FAIL for each in groups)
    assert blocked / 300 <= 0.07
    point = sum(any(sum(t.challenger - 50.0 for t in s.tallies) > 14 for s in each) for each in groups)
    assert point / 300 > 0.3


def test_a_slice_that_is_harmed_is_found_among_twenty() -> None:
    """Harm of five points a row, night sd two points: found in at least .9 of 100 evaluations."""
    rng, gate = np.random.default_rng(42), Slices()
    found = [judge(*drawn(rng, harm=0.05), gate=gate) for _ in range(100)]
    assert sum(each.verdict is Verdict.FAIL and each.reason.startswith("s00") for each in found) >= 90


@pytest.mark.parametrize(
    ("world", "groups", "most"),
    [
        (World(14), 3, 0.07),
        (World(14, 0.6), 3, 0.08),
        (World(14, 0.3), 20, 0.06),
        (World(14, 0.6), 20, 0.06),
        (World(7, 0.6), 20, 0.06),
    ],
)
def test_groups_of_nights_that_resemble_each_other_are_rarely_blocked(world, groups, most) -> None:
    """Each group loses its margin exactly, the hardest case; at most about .05 blocks, whatever their number."""
    draws = 2000 // groups
    assert slices_blocked(np.random.default_rng(43), world, 1.0, draws, groups=groups) / draws <= most
