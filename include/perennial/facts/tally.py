"""Rows in, sums per night out: the one place where an evaluation touches rows.

The evaluate stage calls this with each model's row losses, all on the same rows in the same order.
Sums are exact, so the order of rows changes no digit of a verdict.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from perennial.facts.evaluation import Residuals, Tally

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]

FURTHEST_LOGIT = 20.0
"""Scores are kept within this many logits: one sure prediction must not decide a slope alone."""


def tally(
    nights: Sequence[str] | NDArray[np.str_],
    challenger: ArrayLike,
    *,
    champion: ArrayLike | None = None,
    anchor: ArrayLike | None = None,
    baselines: Mapping[str, ArrayLike] | None = None,
    residuals: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
) -> tuple[Tally, ...]:
    """Sum row losses by night, in order of nights.

    ``residuals`` holds what ``calibration_terms`` returns, for ``challenger`` and ``champion``.

    >>> tally(["2013-05-02", "2013-05-01", "2013-05-02"], [0.5, 1.0, 0.25], champion=[1, 1, 1])[1]
    Tally(night='2013-05-02', rows=2, challenger=0.75, champion=2.0, anchor=None, baselines={}, \
challenger_residuals=None, champion_residuals=None)
    """
    columns: dict[str, ArrayLike] = {"challenger": challenger}
    columns |= {} if champion is None else {"champion": champion}
    columns |= {} if anchor is None else {"anchor": anchor}
    columns |= {f"baseline {name}": losses for name, losses in (baselines or {}).items()}
    for model, (residual, slope) in (residuals or {}).items():
        columns |= {f"{model} residual": residual, f"{model} slope": slope}
    return tuple(_as_tally(night, rows, sums) for night, rows, sums in _sums(nights, columns))


def calibration_terms(y: ArrayLike, prediction: ArrayLike, *, probability: bool) -> tuple[Numbers, Numbers]:
    """Return each row's residual, and its product with the standardised logit (or the prediction).

    Both have mean zero for a calibrated model. Standardised over the rows given, so give all of them.
    """
    import numpy as np

    truth, score = np.asarray(y, float), np.asarray(prediction, float)
    residual = truth - score
    if probability:
        tiny = 1 / (1 + math.exp(FURTHEST_LOGIT))
        kept = np.clip(score, tiny, 1 - tiny)
        score = np.log(kept / (1 - kept))
    spread = float(score.std()) if score.size else 0.0
    standard = (score - score.mean()) / spread if spread > 0 else np.zeros_like(score)
    return residual, residual * standard


def buckets(entities: Sequence[object], count: int = 40) -> list[str]:
    """Put each entity into one of ``count`` buckets by its hash: the clusters when rows have no time.

    >>> buckets(["a", "b", "a"])
    ['bucket 10', 'bucket 26', 'bucket 10']
    """
    names = {text: f"bucket {_place(text, count):02}" for text in {str(entity) for entity in entities}}
    return [names[str(entity)] for entity in entities]


def _place(text: str, count: int) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % count


def _sums(
    nights: Sequence[str] | NDArray[np.str_], columns: Mapping[str, ArrayLike]
) -> list[tuple[str, int, dict[str, float]]]:
    import numpy as np
    import pandas as pd

    codes, names = pd.factorize(np.asarray(nights, dtype=object), sort=True)
    order = np.argsort(codes, kind="stable")
    ends = np.bincount(codes, minlength=len(names)).cumsum()
    begins = np.concatenate([[0], ends])[: len(ends)].astype(int)
    found = []
    arrays = {name: _column(name, values, len(codes))[order] for name, values in columns.items()}
    for night, begin, end in zip(names, begins, ends, strict=True):
        sums = {name: _exact_sum(values[begin:end]) for name, values in arrays.items()}
        found.append((str(night), int(end - begin), sums))
    return found


def _column(name: str, values: ArrayLike, rows: int) -> Numbers:
    import numpy as np

    column = np.asarray(values, float)
    if column.shape != (rows,):
        message = f"{name} has shape {column.shape} for {rows} rows: every model must score the same rows"
        raise ValueError(message)
    return column


def _exact_sum(values: Numbers) -> float:
    # math.fsum refuses inf - inf; what is not finite has no sum anyway.
    total = float(values.sum())
    return math.fsum(values.tolist()) if math.isfinite(total) else float("nan")


def _as_tally(night: str, rows: int, sums: Mapping[str, float]) -> Tally:
    return Tally(
        night=night,
        rows=rows,
        challenger=sums["challenger"],
        champion=sums.get("champion"),
        anchor=sums.get("anchor"),
        baselines={
            name.removeprefix("baseline "): total
            for name, total in sums.items()
            if name.startswith("baseline ")
        },
        challenger_residuals=_residuals("challenger", sums),
        champion_residuals=_residuals("champion", sums),
    )


def _residuals(model: str, sums: Mapping[str, float]) -> Residuals | None:
    if f"{model} residual" not in sums:
        return None
    return Residuals(sums[f"{model} residual"], sums[f"{model} slope"])
