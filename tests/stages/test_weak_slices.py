"""A group that nobody declared is found where it is served worse, on nights that did not choose it, and blocks nothing."""

import numpy as np
import pandas as pd
from benchmarks.simulated_gates import World
from benchmarks.simulated_weak_slices import weak_named
from tests.gates.nights import evaluation, group, nights

from perennial.engine.weak_groups import weak_groups
from perennial.facts.decision import Verdict
from perennial.gates.slices import Slices
from perennial.stages.weak_slices import searched_and_summed


def test_without_harm_hardly_any_holdout_names_a_group() -> None:
    """The family-wise error is .05; 200 holdouts allow for two standard errors."""
    assert weak_named(np.random.default_rng(11), World(14, 0.0), 0.0, 200) <= 200 * 0.08
    assert weak_named(np.random.default_rng(12), World(28, 0.3), 0.0, 200) <= 200 * 0.08


def test_a_tenth_of_the_rows_that_loses_a_fifth_is_named() -> None:
    """At least nine holdouts of ten name it, within two standard errors."""
    assert weak_named(np.random.default_rng(13), World(14, 0.0), 0.2, 100) >= 84
    assert weak_named(np.random.default_rng(14), World(28, 0.3), 0.2, 50) >= 45


def test_a_rule_says_which_rows_it_picks() -> None:
    """Read with the features at hand, the rule is the group."""
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"hour": rng.uniform(0, 24, 4000), "kind": rng.choice(["a", "b"], 4000)})
    rows.loc[:99, "hour"] = np.nan
    harmed = (rows["hour"] > 20).to_numpy()
    worst = weak_groups(rows, harmed + 0.01 * rng.standard_normal(4000), np.arange(4000) % 2 == 0)[0]
    assert worst.rule == "hour > 20"
    assert (worst.inside & harmed).sum() > 0.2 * harmed.sum()
    assert not (worst.inside & ~harmed)[100:].any()


def test_nothing_is_searched_without_a_champion_or_with_few_nights() -> None:
    """Half of thirteen nights are fewer than the gate judges by."""
    rows = pd.DataFrame({"x": np.arange(13_000.0)})
    names = np.repeat([f"2013-05-{day:02}" for day in range(1, 14)], 1000).astype(object)
    losses = {"challenger": rows["x"].to_numpy(), "champion": np.zeros(13_000)}
    assert searched_and_summed(rows, names, losses) == ()
    names[:1000] = [f"2013-06-{1 + row % 2:02}" for row in range(1000)]
    assert searched_and_summed(rows, names, losses)
    assert searched_and_summed(rows, names, {"challenger": losses["challenger"]}) == ()


def test_what_is_found_is_named_and_never_blocks() -> None:
    """With declared slices or without, the verdict is what it would be; the sentence and the evidence name the group."""
    for declared in ((), (group("day", 0.0),)):
        judged = evaluation(
            nights(0.05), slices=declared, found=(group("hour > 20", -0.3, rarest_class_rows=99),)
        )
        decision = Slices().decide(judged)
        assert decision.verdict is Verdict.PASS
        assert "shown only: v4 serves worse where hour > 20 (loses 0.3 a row)" in decision.reason
        assert "hour > 20" in decision.evidence["weak"]


def test_what_is_found_on_nights_that_trained_a_model_is_not_named() -> None:
    """An unfair holdout shows nothing."""
    found = (group("hour > 20", -0.3),)
    assert not Slices().weak(evaluation(nights(0.05), found=found, champion_cutoff="2013-05-20"))
