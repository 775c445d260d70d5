"""Broken models before a model's own gates: what must be stopped is, and what was done to them is recorded."""

import numpy as np
import pytest
from tests.doubles.projects import MODEL, Project

from perennial.facts.mutants import MUTANTS, broken_answers
from perennial.stages.candidates import candidate
from perennial.stages.selftest import are_tested, keep_selftest
from perennial.workspace import Workspace

FATAL = {mutant.name for mutant in MUTANTS if mutant.catastrophic}


def test_catastrophes_are_stopped_and_a_model_is_never_better_than_itself(workspace: Workspace) -> None:
    """Shuffled, leaked, constant, inverted, in wrong units, judged on nothing: each is stopped by a gate that says why."""
    found = keep_selftest(workspace, candidate(workspace, MODEL, "1"))
    fates = {fate.mutant: fate for fate in found.fates}
    made = {name for name in FATAL if fates[name].killed is not None}
    assert {
        "labels_shuffled",
        "leaked_feature",
        "constant",
        "inverted",
        "unit_wrong",
        "holdout_empty",
    } <= made
    assert all(fates[name].killed and fates[name].by and fates[name].reason for name in made)
    assert found.itself == "equivalent"
    assert found.proven
    assert "leaks" in fates["leaked_feature"].by


def test_a_self_test_is_recorded_once_for_the_gates_as_they_are(
    served: Project, workspace: Workspace
) -> None:
    """The first version tests them; the same again says the same; other gates have not been tested."""
    assert are_tested(workspace, MODEL)
    first, again = (keep_selftest(workspace, candidate(workspace, MODEL, "1")) for _ in range(2))
    assert first == again
    assert len(workspace.ledger.entries(MODEL, kinds={"gates_tested"})) == 1
    folder = served.root / "include" / "models" / MODEL / "model.yaml"
    folder.write_text(
        folder.read_text()
        + "gates: [loads_and_predicts, minimum_quality, {against_champion: {alpha: 0.01}}]\n"
    )
    assert not are_tested(served.workspace(workspace.home / "mlflow" / "mlflow.db", "other"), MODEL)


@pytest.mark.parametrize("task", ["binary", "regression", "multiclass"])
@pytest.mark.parametrize("mutant", [one.name for one in MUTANTS if one.made == "answers"])
def test_every_broken_answer_is_one_that_a_model_could_give(task: str, mutant: str) -> None:
    """Finite, of the same shape, probabilities between 0 and 1; and it is another answer."""
    rng = np.random.default_rng(4)
    answers = {
        "binary": rng.random(500),
        "regression": rng.normal(size=500),
        "multiclass": rng.dirichlet([1, 1, 1], 500),
    }[task]
    made = broken_answers(mutant, answers, task, rng, np.arange(500) < 300)
    if made is None:
        assert (task, mutant) in {("multiclass", "too_high"), ("multiclass", "small_slice_high")} | {
            (other, "squared") for other in ("regression", "multiclass")
        }
        return
    assert made.shape == answers.shape
    assert np.isfinite(made).all()
    assert not np.array_equal(made, answers)
    if task != "regression":
        assert ((made >= 0) & (made <= 1)).all()
