"""A page without consequences is recorded; whatever may have some pages as before."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from perennial.facts.decision import Decision
from perennial.facts.reading import Reading
from perennial.policies.severity import Consequences, Tolerance, weigh

PAGE = Decision.failed("distance moved.", outcome="page", ratio=1.4)
QUIET = Decision.passed("As before.", outcome="quiet")
CALM = Reading("2013-05-12", "night_shift", "quiet", "Predictions stayed.", 1.0, 2.0)
IDLE = Consequences(
    None, QUIET, CALM, loss_moved=False, harmless={"distance": "the model hardly looks at it"}
)


def outcome(found: Consequences, decision: Decision = PAGE) -> str:
    """Say what a page becomes."""
    return str(weigh(decision, found).evidence["outcome"])


def test_what_nobody_uses_is_recorded_with_its_reason() -> None:
    """The sentence of the page stays, and says why nobody is paged."""
    lowered = weigh(PAGE, IDLE)
    assert lowered.reason.startswith("distance moved. Nobody is paged: distance")
    assert lowered.evidence["ratio"] == 1.4
    assert lowered.evidence["set_aside"]["columns"] == IDLE.harmless


@pytest.mark.parametrize(
    "found",
    [
        replace(IDLE, loss_moved=True),
        replace(IDLE, predictions=None),
        replace(IDLE, predictions=replace(CALM, state="over")),
        replace(IDLE, predictions=replace(CALM, state="learning")),
        replace(IDLE, used=PAGE),
        replace(IDLE, used=Decision.held("Learning.", outcome="learning")),
        replace(IDLE, used=None),
    ],
    ids=[
        "loss",
        "no version",
        "predictions",
        "predictions learning",
        "the rest pages",
        "the rest learns",
        "none",
    ],
)
def test_a_page_that_may_have_consequences_stays(found: Consequences) -> None:
    """Loss or predictions moved, or cannot be told; or the night would page without the column as well."""
    assert weigh(PAGE, found) is PAGE


def test_what_a_person_declared_harmless_needs_no_proof() -> None:
    """Whatever predictions did: where they alone would page, the rest does."""
    declared = replace(IDLE, declared=QUIET, used=None, predictions=None, loss_moved=True)
    assert outcome(declared) == "notice"
    assert outcome(replace(declared, declared=PAGE)) == "page"


@pytest.mark.parametrize("decision", [QUIET, Decision.held("Raised bar.", outcome="notice")])
def test_only_pages_are_weighed(decision: Decision) -> None:
    """A quiet night stays quiet, a notice a notice: nothing here makes a page."""
    assert weigh(decision, replace(IDLE, used=PAGE)) is decision


@pytest.mark.parametrize("wrong", [{"worse_when": "sideways"}, {"tolerated": -1}, {"tolerated_share": 2}])
def test_a_tolerance_that_means_nothing_is_refused(wrong: dict[str, object]) -> None:
    """A direction is up, down or both; a change is not negative; a share is at most one."""
    with pytest.raises(ValidationError):
        Tolerance.model_validate(wrong)
