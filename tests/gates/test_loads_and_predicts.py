"""What cannot be loaded, or is not what training left, is never served."""

from dataclasses import replace

import pytest

from perennial.facts.decision import Verdict
from perennial.facts.evaluation import Evaluation, LoadCheck
from perennial.gates.loads_and_predicts import LoadsAndPredicts

GOOD = LoadCheck(loads=True, predictions_finite=True, same_behaviour=True, same_bytes=True)
every_answer = pytest.mark.parametrize(
    "name", ["loads", "predictions_finite", "same_behaviour", "same_bytes"]
)


def decide(check: LoadCheck | None):
    """Judge a load check."""
    return LoadsAndPredicts().decide(Evaluation("log_loss", challenger="v4", load_check=check))


def test_four_good_answers_pass() -> None:
    """Nothing else is asked."""
    assert decide(GOOD).verdict is Verdict.PASS


@every_answer
def test_one_bad_answer_fails_and_is_explained(name) -> None:
    """The loader's own words are in the sentence."""
    decision = decide(replace(GOOD, **{name: False}, detail="unknown type foo.Bar"))
    assert decision.verdict is Verdict.FAIL
    assert decision.reason.endswith("(unknown type foo.Bar).")


@every_answer
def test_one_missing_answer_holds(name) -> None:
    """A question that was not asked is not answered yes."""
    assert decide(replace(GOOD, **{name: None})).verdict is Verdict.HOLD


def test_exchanged_bytes_are_reported_before_what_they_do() -> None:
    """A tampered artefact that also crashes is first of all tampered."""
    assert "ledger" in decide(LoadCheck(loads=False, same_bytes=False)).reason
