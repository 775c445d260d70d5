"""Retrain when there is half as much again to learn from: the rule that goes with the nightly layer.

The layer keeps an old champion good for a long time, so the date of a training matters little; what a
training adds is what the new rows hold. The number of trainings then grows with the logarithm of the rows.
"""

from __future__ import annotations

import math

from perennial.facts.decision import Decision

GROWTH = 1.5
"""Mature rows over the rows of the last training; 1.25 and 2 were no worse on the tuning sets."""


def grown(
    mature_rows: int, trained_rows: int, *, growth: float = GROWTH, frozen: str | None = None
) -> Decision:
    """Ask for a training when the mature rows have grown enough; a freeze stands against it.

    >>> grown(1500, 1000).reason
    'Retrain: 1500 rows have matured, 1.50 times the 1000 of the last training (1.5 is enough).'
    >>> grown(1400, 1000).verdict.value
    'hold'
    """
    ratio = mature_rows / max(trained_rows, 1)
    numbers = {"mature_rows": mature_rows, "trained_rows": trained_rows, "growth": growth}
    if frozen is not None:
        return Decision.failed(f"No retraining: the layer is frozen ({frozen}).", **numbers)
    measured = f"{mature_rows} rows have matured, {ratio:.2f} times the {trained_rows} of the last training"
    if mature_rows >= growth * trained_rows:
        return Decision.passed(f"Retrain: {measured} ({growth:g} is enough).", **numbers)
    return Decision.held(f"No retraining yet: {measured}, and {growth:g} times are needed.", **numbers)


def trainings_expected(rows: int, first_rows: int, growth: float = GROWTH) -> int:
    """Count the trainings that the rule asks for while the mature rows grow from ``first_rows`` to ``rows``.

    >>> trainings_expected(8000, 1000)
    5
    """
    return math.floor(math.log(rows / first_rows) / math.log(growth))
