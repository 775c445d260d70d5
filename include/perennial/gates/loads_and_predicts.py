"""Can the registered bytes be served at all? They must load, predict, and be what training left.

A model that is excellent in memory and broken on disk fails on its first night in production.
"""

from __future__ import annotations

from perennial.facts.decision import Decision
from perennial.facts.evaluation import Evaluation, LoadCheck
from perennial.gates.base import Gate

QUESTIONS = {
    "same_bytes": "its bytes are those in the ledger",
    "loads": "it loads",
    "predictions_finite": "its predictions are finite numbers",
    "same_behaviour": "it predicts what it predicted after training",
}
"""Asked in this order: bytes that were exchanged must be reported before what they do."""


class LoadsAndPredicts(Gate):
    """Require that the artefact in the registry loads and behaves as it did after training.

    >>> from perennial.facts.evaluation import LoadCheck
    >>> checked = LoadCheck(loads=True, predictions_finite=True, same_behaviour=True, same_bytes=True)
    >>> LoadsAndPredicts().decide(Evaluation("log_loss", challenger="v4", load_check=checked)).reason
    'v4 can be served: its bytes are those in the ledger, it loads, its predictions are finite numbers, \
it predicts what it predicted after training.'
    """

    def decide(self, evaluation: Evaluation) -> Decision:
        """Fail on the first answer that is no; hold while one is missing."""
        check = evaluation.load_check
        if check is None:
            return Decision.held(f"{evaluation.challenger} has not been loaded from the registry yet.")
        answers = {name: getattr(check, name) for name in QUESTIONS}
        for name, answer in answers.items():
            if answer is False:
                return _broken(evaluation.challenger, name, check)
        unasked = [QUESTIONS[name] for name, answer in answers.items() if answer is None]
        if unasked:
            return Decision.held(
                f"It is not known whether {' and '.join(unasked)} ({evaluation.challenger}).", **answers
            )
        return Decision.passed(
            f"{evaluation.challenger} can be served: {', '.join(QUESTIONS.values())}.", **answers
        )


def _broken(challenger: str, name: str, check: LoadCheck) -> Decision:
    said = f"{challenger} cannot be served: it is not true that {QUESTIONS[name]}"
    return Decision.failed(f"{said}{f' ({check.detail})' if check.detail else ''}.", **{name: False})
