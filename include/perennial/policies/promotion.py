"""May the challenger become champion? Every gate must have been asked, and none may object.

The evaluate stage asks the gates and hands their answers here; deploy starts only on a PASS.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from perennial.facts.decision import Decision, Verdict


class Promotion(BaseModel):
    """Combine the gates' answers: one FAIL fails, one HOLD holds, all PASS passes.

    All gates must pass, so asking many costs power but never raises the error of a promotion
    (intersection-union, Berger 1982).

    >>> answers = {
    ...     "loads_and_predicts": Decision.passed("It loads."),
    ...     "minimum_quality": Decision.passed("It beats the constant."),
    ...     "against_champion": Decision.held("Only 3 nights have labels."),
    ... }
    >>> Promotion().decide("v4", answers).reason
    'v4 waits for against_champion: Only 3 nights have labels.'
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    required: tuple[str, ...] = Field(
        ("loads_and_predicts", "minimum_quality", "against_champion"),
        description="Gates without whose answer nothing is promoted.",
    )

    def decide(
        self, challenger: str, answers: Mapping[str, Decision], *, frozen_reason: str | None = None
    ) -> Decision:
        """Decide from the gates' answers, by gate; a freeze holds whatever they say."""
        failed = _said(answers, Verdict.FAIL)
        if failed:
            return Decision.failed(f"{challenger} is refused by {_sentences(failed)}", **_evidence(answers))
        if frozen_reason is not None:
            return Decision.held(f"{challenger} waits: promotions are frozen ({frozen_reason}).")
        missing = [name for name in self.required if name not in answers]
        if missing:
            return Decision.held(
                f"{challenger} waits: {', '.join(missing)} has not been asked.", **_evidence(answers)
            )
        held = _said(answers, Verdict.HOLD)
        if held:
            return Decision.held(f"{challenger} waits for {_sentences(held)}", **_evidence(answers))
        return Decision.passed(
            f"{challenger} may go on: it passed {', '.join(answers)}.", **_evidence(answers)
        )


def _said(answers: Mapping[str, Decision], verdict: Verdict) -> dict[str, str]:
    return {name: answer.reason for name, answer in answers.items() if answer.verdict is verdict}


def _sentences(reasons: Mapping[str, str]) -> str:
    return " ".join(f"{name}: {reason}" for name, reason in reasons.items())


def _evidence(answers: Mapping[str, Decision]) -> dict[str, dict[str, str]]:
    return {
        "gates": {name: answer.verdict.value for name, answer in answers.items()},
        "evidence_hashes": {name: answer.evidence_hash for name, answer in answers.items()},
    }
