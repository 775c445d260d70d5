"""What a training set knows that a prediction could not: found once a run, and answered for in model.yaml."""

from tests.doubles.projects import MODEL

from perennial.facts.decision import Verdict
from perennial.gates.leaks import Leaks
from perennial.stages import datasets
from perennial.stages.candidates import candidate
from perennial.stages.comparison import compare_on_holdout
from perennial.stages.leaks import signs_of
from perennial.workspace import Workspace


def test_the_best_honest_column_of_a_first_model_is_no_leak(workspace: Workspace) -> None:
    """Nothing is new to a first model, and nothing in it predicts the label alone."""
    version = candidate(workspace, MODEL, "1")
    assert signs_of(workspace, version) == ()
    assert Leaks().decide(compare_on_holdout(workspace, version, version.night)).verdict is Verdict.PASS


def test_signs_are_found_once_a_run(workspace: Workspace) -> None:
    """They are published beside the run: asking again reads them, and finds the same."""
    version = candidate(workspace, MODEL, "1")
    kept = workspace.store.keys(datasets.leaks(MODEL))
    assert len(kept) == 1
    again = Workspace(workspace.project, workspace.home, quiet=True)
    assert signs_of(again, version) == signs_of(workspace, version)
    assert again.store.version(datasets.leaks(MODEL), kept[0]) == 1
