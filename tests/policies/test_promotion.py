"""All gates must have been asked, and none may object."""

from perennial.facts.decision import Decision, Verdict
from perennial.policies.promotion import Promotion

ALL = ("loads_and_predicts", "minimum_quality", "against_champion")
GOOD = {name: Decision.passed(f"{name} is fine.") for name in ALL}


def test_all_gates_passed_is_a_pass() -> None:
    """The sentence lists what was asked."""
    decision = Promotion().decide("v4", GOOD)
    assert decision.verdict is Verdict.PASS
    assert decision.reason == "v4 may go on: it passed loads_and_predicts, minimum_quality, against_champion."


def test_one_fail_fails_and_names_the_gate_even_when_others_hold() -> None:
    """What is known to be bad needs no more evidence."""
    answers = {**GOOD, "slices": Decision.held("?"), "calibration": Decision.failed("Biased by 0.1.")}
    decision = Promotion().decide("v4", answers)
    assert decision.verdict is Verdict.FAIL
    assert decision.reason == "v4 is refused by calibration: Biased by 0.1."


def test_one_hold_holds() -> None:
    """Nothing moves on too little evidence."""
    decision = Promotion().decide("v4", {**GOOD, "slices": Decision.held("Too few rows.")})
    assert decision.verdict is Verdict.HOLD
    assert decision.reason == "v4 waits for slices: Too few rows."


def test_a_gate_that_was_not_asked_holds() -> None:
    """No answer is not a yes, and no gates at all are no promotion."""
    assert Promotion().decide("v4", {}).verdict is Verdict.HOLD
    without = {name: answer for name, answer in GOOD.items() if name != "minimum_quality"}
    assert "minimum_quality has not been asked" in Promotion().decide("v4", without).reason


def test_a_freeze_holds_whatever_the_gates_say() -> None:
    """The reason of the freeze is in the sentence."""
    decision = Promotion().decide("v4", GOOD, frozen_reason="audit until 2013-06-01")
    assert decision.verdict is Verdict.HOLD
    assert "audit until 2013-06-01" in decision.reason


def test_the_evidence_names_every_answer() -> None:
    """The ledger can be traced from the promotion to each gate's evidence."""
    evidence = Promotion().decide("v4", GOOD).evidence
    assert evidence["evidence_hashes"]["minimum_quality"]
    assert set(evidence["gates"]) == set(ALL)
