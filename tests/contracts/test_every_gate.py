"""What every gate must obey, whoever wrote it. A new file in gates/ is judged here by itself."""

import json
import math
from dataclasses import replace

import pytest
from pydantic import ValidationError
from tests.gates.nights import evaluation, group, nights

from perennial.catalogue import find
from perennial.errors import UnknownEntryError
from perennial.facts.decision import Verdict
from perennial.facts.evaluation import Evaluation, LoadCheck, Residuals
from perennial.gates import gates
from perennial.gates.base import Gate

every_gate = pytest.mark.parametrize("gate", gates().values(), ids=gates().keys())
every_kind = pytest.mark.parametrize("kind", ["first", "refresh", "recipe", "simplify"])


def complete(gain: float = 0.05) -> Evaluation:
    """Make an evaluation in which every gate finds what it looks for, all of it good."""
    calm = Residuals(0.1, 0.1)
    tallies = tuple(replace(t, challenger_residuals=calm, champion_residuals=calm) for t in nights(gain))
    return evaluation(
        tallies,
        slices=(group("new", gain),),
        load_check=LoadCheck(True, True, True, True),
        leaks=(),
        feed_faults=(),
    )


@every_gate
@every_kind
def test_no_evidence_holds(gate: type[Gate], kind) -> None:
    """An empty evaluation is neither good news nor bad news, whatever the kind of change."""
    assert gate().decide(Evaluation(metric="log_loss", kind=kind)).verdict is Verdict.HOLD


@every_gate
def test_a_clearly_better_healthy_challenger_passes(gate: type[Gate]) -> None:
    """A gate that nobody can pass guards nothing."""
    assert gate().decide(complete()).verdict is Verdict.PASS


@every_gate
def test_losses_that_are_not_numbers_never_pass_all_gates(gate: type[Gate]) -> None:
    """A model that predicts NaN must not look harmless to a gate that reads its losses."""
    broken = complete()
    tallies = tuple(
        replace(t, challenger=math.nan, challenger_residuals=Residuals(math.nan, math.nan))
        for t in broken.tallies
    )
    groups = tuple(replace(part, tallies=tallies) for part in broken.slices)
    unloadable = LoadCheck(True, False, True, True)
    unknown = replace(broken, leaks=None, feed_faults=None)  # nobody can examine what does not predict
    found = gate().decide(replace(unknown, tallies=tallies, slices=groups, load_check=unloadable))
    assert found.verdict is not Verdict.PASS


@every_gate
def test_the_reason_is_a_sentence_and_the_evidence_is_json(gate: type[Gate]) -> None:
    """Page, log, ledger and alert show that very sentence, and keep the numbers."""
    decision = gate().decide(complete())
    assert decision.reason.endswith(".")
    assert json.loads(json.dumps(decision.as_json(), allow_nan=False))["reason"] == decision.reason


@every_gate
def test_the_same_evaluation_gives_the_same_evidence(gate: type[Gate]) -> None:
    """A replayed night finds the hash that was written down, also through JSON."""
    first = complete()
    again = Evaluation.from_json(json.loads(json.dumps(first.as_json())))
    assert gate().decide(first).evidence_hash == gate().decide(again).evidence_hash


@every_gate
def test_every_parameter_is_explained(gate: type[Gate]) -> None:
    """The reference page is made from these descriptions."""
    assert not [name for name, field in gate.model_fields.items() if not field.description]


@every_gate
def test_an_unknown_parameter_is_refused(gate: type[Gate]) -> None:
    """A mistyped parameter must not leave a gate at its default in silence."""
    with pytest.raises(ValidationError):
        gate.model_validate({"tolerence": 1})


@every_gate
def test_the_class_is_named_after_its_file(gate: type[Gate]) -> None:
    """A name read in model.yaml is a file a reader can open."""
    assert gate.__name__.lower() == gate.__module__.rsplit(".", 1)[-1].replace("_", "")


def test_a_mistyped_gate_is_answered_with_the_right_name() -> None:
    """The reader's next step is in the message."""
    with pytest.raises(UnknownEntryError, match=r"Did you mean 'slices'\?"):
        find("slicse", gates(), noun="gate")
