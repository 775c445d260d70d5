"""Models whose true gain is known, put whole through the shipped gates: how often does each answer wrongly?

The luck of a night (or, without time, of an entity) is drawn, the gate is asked, and its verdicts are
counted. Printed by the benchmark ``wrong_promotion`` and, smaller, held by ``tests/gates``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perennial.clock import after
from perennial.facts.decision import Verdict
from perennial.facts.evaluation import Change, Evaluation, Residuals, Slice, Tally
from perennial.facts.tally import buckets, tally
from perennial.gates.against_champion import AgainstChampion
from perennial.gates.base import Gate
from perennial.gates.calibration import Calibration
from perennial.gates.minimum_quality import MinimumQuality
from perennial.gates.slices import Slices

Numbers = NDArray[np.float64]
Draw = np.random.Generator
Cell = dict[str, object]

ROWS, LOSS = 100, 100.0
"""Rows of a night, and what the model beside the challenger loses on them: the margin of 1 % is then 1."""
GROUPS, GROUP_MARGIN = 20, 2.0
"""Slices judged together, and the 2 % of the loss that a slice may lose."""
BUCKETS = 20
"""Hashed groups of entities in place of nights, as in ``stages/training_set.py``."""
LOSSES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
"""True losses at which a bar is tried, in margins."""
AUTOCORRELATIONS, NIGHTS, ENTITIES = (0.0, 0.3, 0.6), (7, 14, 28), (10, 40, 200, 1000)
NIGHT_SDS = (1.0, 3.0)
"""Luck of a night in margins: a quiet problem, and one in which a night tells little."""

LUCK: dict[str, Callable[[Draw, tuple[int, int]], Numbers]] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "heavy tails (t4)": lambda rng, shape: rng.standard_t(4, shape) / math.sqrt(2),
    "right skew": lambda rng, shape: rng.standard_exponential(shape) - 1,
    "left skew": lambda rng, shape: 1 - rng.standard_exponential(shape),
}


@dataclass(frozen=True)
class World:
    """How the nights of a holdout vary."""

    nights: int = 14
    autocorrelation: float = 0.0
    sd: float = 1.0
    """Luck of a night in the loss of its rows together; a margin is 1."""

    def draw(self, rng: Draw, count: int) -> Numbers:
        """Draw that many holdouts of nightly luck."""
        return self.sd * nights_of(rng, "normal", self.autocorrelation, (count, self.nights))


def nights_of(rng: Draw, luck: str, autocorrelation: float, shape: tuple[int, int]) -> Numbers:
    """Draw nightly gains with mean zero and variance one, after a stretch that forgets the start."""
    warm = 0 if autocorrelation == 0 else 30
    noise = LUCK[luck](rng, (shape[0], shape[1] + warm))
    series = noise.copy()
    for night in range(1, series.shape[1]):
        series[:, night] = (
            autocorrelation * series[:, night - 1] + math.sqrt(1 - autocorrelation**2) * noise[:, night]
        )
    return series[:, warm:]


def wilson(hits: int, n: int) -> list[float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    z, share = 1.959964, hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return [round(middle - half, 4), round(middle + half, 4)]


def count(gate: Gate, evaluations: Iterable[Evaluation], verdict: Verdict) -> int:
    """Count how often a gate answers so."""
    return sum(gate.decide(each).verdict is verdict for each in evaluations)


def judged(tallies: tuple[Tally, ...], kind: Change = "recipe", slices: tuple[Slice, ...] = ()) -> Evaluation:
    """Put a challenger beside a champion on nights that trained neither."""
    return Evaluation(
        "log_loss",
        kind,
        challenger="new",
        champion="old",
        anchor="best" if tallies[0].anchor is not None else None,
        challenger_cutoff="2013-04-30",
        champion_cutoff="2013-04-30",
        tallies=tallies,
        slices=slices,
    )


def gaining(gains: Numbers, anchor: Numbers | None = None) -> tuple[Tally, ...]:
    """Make the nights of one holdout from the challenger's gains over the champion, and over the best so far."""
    return tuple(
        Tally(
            after("2013-05-01", night),
            ROWS,
            challenger=LOSS - gain,
            champion=LOSS,
            anchor=None if anchor is None else LOSS - gain + anchor[night],
            baselines={"constant": LOSS},
        )
        for night, gain in enumerate(gains.tolist())
    )


def beside_constant(rng: Draw, world: World, n: int) -> int:
    """Count passes of a model that is no better than the constant (``minimum_quality``)."""
    return count(
        MinimumQuality(),
        (judged(gaining(gains), "first") for gains in world.draw(rng, n)),
        Verdict.PASS,
    )


def beside_linear(rng: Draw, world: World, loss: float, n: int) -> int:
    """Count passes of a model that surely beats the constant and truly loses ``loss`` margins to the line."""
    return count(MinimumQuality(), _behind_line(world.draw(rng, n) - loss), Verdict.PASS)


def _behind_line(holdouts: Numbers) -> Iterator[Evaluation]:
    for gains in holdouts.tolist():
        tallies = (
            Tally(
                after("2013-05-01", night),
                ROWS,
                challenger=LOSS - gain,
                baselines={"constant": 2 * LOSS, "linear": LOSS},
            )
            for night, gain in enumerate(gains)
        )
        yield judged(tuple(tallies), "first")


def without_time(rng: Draw, entities: int, loss: float, n: int) -> int:
    """Count passes of a first model on hashed buckets, true loss to constant and line ``loss`` margins.

    Entities have 1 row or many (geometric, 5 on average), share half of their luck, and differ in size.
    With ``loss`` 0 the constant is what it cannot beat; above, the constant is far away and the line is asked.
    """
    return count(MinimumQuality(), (_hashed(rng, entities, loss) for _ in range(n)), Verdict.PASS)


def _hashed(rng: Draw, entities: int, loss: float) -> Evaluation:
    sizes = rng.geometric(0.2, entities)
    names = np.repeat(rng.integers(0, 2**40, entities), sizes)
    luck = np.repeat(rng.standard_normal(entities), sizes) + rng.standard_normal(int(sizes.sum()))
    # The margin is .01 of a loss of 1 a row; one standard error of this holdout is about one margin.
    error = math.sqrt(float((sizes**2).sum() + sizes.sum())) / float(sizes.sum())
    gains = 0.01 * (luck / error - loss)
    beside = {"constant": np.full(gains.size, 1.0 if loss == 0 else 2.0)}
    beside |= {} if loss == 0 else {"linear": np.ones(gains.size)}
    return Evaluation(
        "log_loss",
        "first",
        challenger="new",
        tallies=tally(buckets(names.tolist(), BUCKETS), 1.0 - gains, baselines=beside),
        no_time=True,
        training_overlap_rows=0,
    )


def slices_blocked(rng: Draw, world: World, loss: float, n: int, *, groups: int = GROUPS) -> int:
    """Count refusals for a slice when each of ``groups`` truly loses ``loss`` shares of the slice margin."""
    gate, found = Slices(), 0
    whole = gaining(np.zeros(world.nights))
    for _ in range(n):
        lucks = world.draw(rng, groups) - loss * GROUP_MARGIN
        parts = tuple(Slice(f"s{i:02}", gaining(luck)) for i, luck in enumerate(lucks))
        found += gate.decide(judged(whole, slices=parts)).verdict is Verdict.FAIL
    return found


def calibrated_refused(rng: Draw, world: World, gate: Calibration, n: int) -> int:
    """Count refusals of a calibrated model: both means are zero, each night has luck of its own in both."""
    holdouts = zip(world.draw(rng, n).tolist(), world.draw(rng, n).tolist(), strict=True)
    return count(gate, (_residuals(*pair) for pair in holdouts), Verdict.FAIL)


def _residuals(biases: list[float], slopes: list[float]) -> Evaluation:
    tallies = (
        Tally(after("2013-05-01", night), ROWS, LOSS, challenger_residuals=Residuals(bias, slope))
        for night, (bias, slope) in enumerate(zip(biases, slopes, strict=True))
    )
    return Evaluation(
        "log_loss", "first", challenger="new", challenger_cutoff="2013-04-30", tallies=tuple(tallies)
    )


def beside_champion(
    rng: Draw, world: World, kind: Change, loss: float, n: int, *, behind_best: float | None = None
) -> int:
    """Count passes of a change of this kind that truly loses ``loss`` margins, and ``behind_best`` to the best."""
    champion = world.draw(rng, n) - loss
    if behind_best is None:
        return count(AgainstChampion(), (judged(gaining(row), kind) for row in champion), Verdict.PASS)
    best = world.draw(rng, n) - behind_best
    pairs = zip(champion, best, strict=True)
    return count(AgainstChampion(), (judged(gaining(row, far), kind) for row, far in pairs), Verdict.PASS)
