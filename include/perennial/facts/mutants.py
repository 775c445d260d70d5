"""Models that are broken on purpose: what gates must stop before anyone believes that they stop anything.

Each mutant says what is done to a good model and whether letting it through would be a catastrophe; ``stages/selftest``
makes them out of a real version and puts them before its own gates. Pure: arrays in, arrays out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from perennial.facts.evidence import Json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

Made = Literal["answers", "inputs", "training", "holdout"]
"""What is broken: what the model answers, what it is given, what it learned from, what judges it."""


@dataclass(frozen=True)
class Mutant:
    """One way of breaking a model."""

    name: str
    what: str
    """What was done, in words."""
    made: Made
    catastrophic: bool = False
    """Whether no gate set that lets it through deserves the name."""


MUTANTS = (
    Mutant("labels_shuffled", "trained on labels in another order", "training", catastrophic=True),
    Mutant("labels_noisy", "trained on labels of which a fifth were drawn anew", "training"),
    Mutant(
        "leaked_feature",
        "trained with the label, a little blurred, among its columns",
        "training",
        catastrophic=True,
    ),
    Mutant("stale", "trained on the oldest third of the rows", "training"),
    Mutant("constant", "answers the mean for every row", "answers", catastrophic=True),
    Mutant("inverted", "answers the opposite", "answers", catastrophic=True),
    Mutant("misaligned", "answers each row with what it said of the one before", "answers"),
    Mutant("too_high", "answers higher throughout", "answers"),
    Mutant("too_sure", "answers twice as far from even odds, or from the mean", "answers"),
    Mutant("squared", "answers the square", "answers"),
    Mutant("largest_slice_broken", "answers rows of the largest slice in another order", "answers"),
    Mutant("small_slice_high", "answers rows of the smallest slice that can be judged higher", "answers"),
    Mutant(
        "unit_wrong",
        "given the column it leans on most in units a thousand times smaller",
        "inputs",
        catastrophic=True,
    ),
    Mutant("second_unit_wrong", "given the second such column in units a hundred times larger", "inputs"),
    Mutant("columns_swapped", "given the two columns it leans on most in each other's place", "inputs"),
    Mutant("holdout_empty", "judged on no rows", "holdout", catastrophic=True),
)
"""In the order in which they are told (methods: DeMillo, Lipton, Sayward 1978, for programs)."""

SHIFT = 0.7
"""How much higher a probability is answered, on the logit; of numbers, half their spread."""
TINY = 1e-6


@dataclass(frozen=True)
class Fate:
    """What the gates did with a mutant."""

    mutant: str
    what: str
    catastrophic: bool
    killed: bool | None
    """Whether it was not promoted; none where it could not be made of this model."""
    by: tuple[str, ...] = ()
    """Gates that refused or held it."""
    reason: str = ""
    """The first such gate's sentence, or why it could not be made."""

    def as_json(self) -> dict[str, Json]:
        """Write plain values."""
        return {**asdict(self), "by": list(self.by)}


def broken_answers(
    name: str, answers: Numbers, task: str, rng: np.random.Generator, inside: NDArray[np.bool_] | None
) -> Numbers | None:
    """Return what a mutant answers; nothing where the task, or a model without slices, has no such thing.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> broken_answers("inverted", np.array([0.25, 0.5]), "binary", rng, None).tolist()
    [0.75, 0.5]
    """
    if name in ("largest_slice_broken", "small_slice_high"):
        return _in_slice(name, answers, task, rng, inside)
    return _WAYS[name](answers, task)


def _in_slice(
    name: str, answers: Numbers, task: str, rng: np.random.Generator, inside: NDArray[np.bool_] | None
) -> Numbers | None:
    if inside is None or not inside.any():
        return None
    made = answers.copy()
    if name == "largest_slice_broken":
        made[inside] = answers[inside][rng.permutation(int(inside.sum()))]
        return made
    higher = _higher(answers, task)
    if higher is None:
        return None
    made[inside] = higher[inside]
    return made


def _constant(answers: Numbers, task: str) -> Numbers:
    import numpy as np

    del task
    return np.broadcast_to(answers.mean(axis=0), answers.shape).copy()


def _inverted(answers: Numbers, task: str) -> Numbers:
    if task == "regression":
        turned: Numbers = 2 * answers.mean() - answers
        return turned
    opposite: Numbers = 1 - answers
    parted: Numbers = opposite if task == "binary" else opposite / opposite.sum(axis=1, keepdims=True)
    return parted


def _misaligned(answers: Numbers, task: str) -> Numbers:
    import numpy as np

    del task
    return np.roll(answers, 1, axis=0)


def _higher(answers: Numbers, task: str) -> Numbers | None:
    if task == "multiclass":
        return None
    moved: Numbers = (
        answers + SHIFT * answers.std() if task == "regression" else _chance(_logit(answers) + SHIFT)
    )
    return moved


def _surer(answers: Numbers, task: str) -> Numbers:
    if task == "regression":
        mean = answers.mean()
        further: Numbers = mean + 2 * (answers - mean)
        return further
    if task == "binary":
        return _chance(2 * _logit(answers))
    sharp = answers**2
    sharpened: Numbers = sharp / sharp.sum(axis=1, keepdims=True)
    return sharpened


def _squared(answers: Numbers, task: str) -> Numbers | None:
    return answers**2 if task == "binary" else None


def _logit(chances: Numbers) -> Numbers:
    import numpy as np

    held = np.clip(chances, TINY, 1 - TINY)
    return np.asarray(np.log(held / (1 - held)))


def _chance(odds: Numbers) -> Numbers:
    import numpy as np

    return np.asarray(1 / (1 + np.exp(-odds)))


_WAYS: Mapping[str, Callable[[Numbers, str], Numbers | None]] = {
    "constant": _constant,
    "inverted": _inverted,
    "misaligned": _misaligned,
    "too_high": _higher,
    "too_sure": _surer,
    "squared": _squared,
}
