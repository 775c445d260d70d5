"""The policies: when each of them asks for a full training, from what is known on that night.

Peers' rules are written again from their documentation (their software is not run) and named so. After a
drift or performance trigger 14 nights must pass, or most of them would train every night.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.season.nights import LAG, Table
from perennial.adaptation.growth import GROWTH
from perennial.adaptation.restart import restart as asks_for_restart
from perennial.facts.decision import Verdict
from perennial.facts.paired import limits

Numbers = NDArray[np.float64]

COOLDOWN = 14
BINS = 10
REFERENCE_ROWS = 4000
"""Rows of the training set, evenly spaced, that a drift rule compares with."""
CHUNK_NIGHTS = 7
CALM_NIGHTS = 28
"""A champion's first matured nights, which tell what to expect of it."""


@dataclass
class Known:
    """What a policy may look at on the evening of night ``night``."""

    table: Table
    night: int
    made: int
    """The night the present champion was made on."""

    since: int
    """The first night it was trained on."""

    trained_rows: int
    """Labelled rows since ``since`` that had matured on the night of the last training."""
    mature_rows: int
    """Those that have matured by now."""

    first: int
    """The night the replay began."""

    losses: dict[str, Numbers]
    """Mean loss by night of ``served``, ``raw``, ``twin`` and ``recent``; NaN where there is none, or not yet."""

    twin_weight: float = 0.0
    restarted: int = 0
    """The night of the last restart; 0 before the first."""

    def mature(self, name: str, nights: int | None = None) -> Numbers:
        """Return the losses of nights with labels that this champion served and that have matured."""
        known = self.losses[name][self.made : max(self.night - LAG + 1, self.made)]
        known = known[np.isfinite(known)]
        return known if nights is None else known[-nights:]

    @property
    def cool(self) -> bool:
        """Whether the last training is long enough ago."""
        return self.night - self.made >= COOLDOWN


Answer = bool | int
"""Whether to train; a number above zero is the night to train from, leaving out what came before."""


@dataclass(frozen=True)
class Policy:
    """A name, when it trains, and whether the nightly layer serves over its champion."""

    name: str
    due: Callable[[Known], Answer]
    layer: bool = False
    recent: bool = False
    """Whether it needs the small model of the latest nights."""
    as_shipped: bool = False
    """Whether the layer is that of `adapt: nightly`: its three members, and served only while it is no worse."""
    gated: bool = False
    """Whether a challenger must pass the promotion gate on nights kept back for it."""


def never(_: Known) -> bool:
    """Serve the first champion for ever."""
    return False


def every(nights: int) -> Callable[[Known], bool]:
    """Train by the calendar."""
    return lambda known: known.night - known.made >= nights


def grown(known: Known, growth: float = GROWTH) -> bool:
    """Train when the mature rows have grown by half, or by another share."""
    return known.mature_rows >= growth * known.trained_rows


def grown_by_a_quarter(known: Known) -> bool:
    """Train when the mature rows have grown by a quarter."""
    return grown(known, 1.25)


def overtaken(known: Known) -> bool:
    """Train when the twin outweighs all other members."""
    return known.cool and known.twin_weight > 0.5


def outdone(known: Known) -> bool:
    """Train when the twin beat the champion on the last 28 matured nights, by the night-clustered AR(1) t-test."""
    gap = known.mature("raw", 28) - known.mature("twin", 28)
    return known.cool and len(gap) >= COOLDOWN and _low(gap, 0.005) > 0


def restart(known: Known) -> Answer:
    """Start anew when a small model of the last nights alone beats all that remembers more."""
    seen = slice(known.first, max(known.night - LAG + 1, known.first))
    served, twin, latest = (known.losses[name][seen].tolist() for name in ("served", "twin", "recent"))
    decision = asks_for_restart(served, twin, latest, known.night - max(known.restarted, known.first))
    if decision.verdict is not Verdict.PASS:
        return False
    nights = decision.evidence["from_latest_nights"]
    assert isinstance(nights, int)  # noqa: S101  what a PASS says
    return max(seen.stop - nights, known.since + 1)


def _low(gains: Numbers, alpha: float) -> float:
    return float(limits(gains, alpha=alpha)["low"])


def either(*rules: Callable[[Known], Answer]) -> Callable[[Known], Answer]:
    """Train when one of the rules asks; the first that asks decides from where."""
    return lambda known: next((answer for answer in (rule(known) for rule in rules) if answer), False)


def performance(known: Known) -> bool:
    """NannyML's realised performance: a week's loss above the mean of its calm weeks by 3 deviations."""
    seen = known.mature("raw")
    if not known.cool or len(seen) < CALM_NIGHTS + CHUNK_NIGHTS:
        return False
    calm = seen[:CALM_NIGHTS].reshape(-1, CHUNK_NIGHTS).mean(axis=1)
    return bool(seen[-CHUNK_NIGHTS:].mean() > calm.mean() + 3 * calm.std())


def cost_aware(known: Known) -> bool:
    """Like CARA (Mahadevan and Mathioudakis 2023): train when staleness has cost as much as a training.

    Staleness is the champion's loss above that of its first week; a training costs half a night of loss.
    The published method learns its threshold from the past offline; this one has it given.
    """
    seen = known.mature("raw")
    if len(seen) < 2 * CHUNK_NIGHTS:
        return False
    fresh = seen[:CHUNK_NIGHTS].mean()
    return bool(np.maximum(seen - fresh, 0).cumsum()[-1] - 0.15 * len(seen) * fresh > 0.5 * fresh)


def psi(known: Known) -> bool:
    """The rule of thumb: population stability index above .25 in 30 % of the inputs, last week's rows."""
    return known.cool and _drifted_share(known, _psi, 0.25, CHUNK_NIGHTS) >= 0.3


def evidently(known: Known) -> bool:
    """Evidently's data set drift: in half the inputs a distance of .1 (normed Wasserstein, Jensen-Shannon)."""
    return known.cool and _drifted_share(known, _evidently, 0.1, 1) >= 0.5


def nannyml(known: Known) -> bool:
    """NannyML's univariate drift: the Jensen-Shannon distance of any input above .1, last week's rows."""
    return known.cool and _drifted_share(known, _jensen_shannon, 0.1, CHUNK_NIGHTS) > 0


Distance = Callable[[Numbers, Numbers, bool], float]


def _drifted_share(known: Known, distance: Distance, threshold: float, nights: int) -> float:
    """Compare the latest nights' inputs, known without labels, with the training set."""
    if not known.cool:
        return 0.0
    table = known.table
    trained = table.features[table.rows(known.since, known.made - LAG)]
    reference = trained[:: max(len(trained) // REFERENCE_ROWS, 1)]
    latest = table.features[table.rows(known.night - nights, known.night - 1)]
    over = [
        distance(reference[:, place], latest[:, place], place in table.categorical) > threshold
        for place in range(latest.shape[1])
    ]
    return float(np.mean(over))


def _shares(reference: Numbers, latest: Numbers, categorical: bool) -> tuple[Numbers, Numbers]:  # noqa: FBT001
    reference, latest = (column[np.isfinite(column)] for column in (reference, latest))
    if not len(reference) or not len(latest):
        return np.ones(1), np.ones(1)
    if categorical:
        edges = np.append(np.unique(np.concatenate([reference, latest])), np.inf)
    else:
        edges = np.unique(np.quantile(reference, np.linspace(0, 1, BINS + 1)))
        edges = np.concatenate([[-np.inf], edges[1:-1], [np.inf]])
    both = [np.histogram(column, edges)[0] / len(column) for column in (reference, latest)]
    return both[0], both[1]


def _psi(reference: Numbers, latest: Numbers, categorical: bool) -> float:  # noqa: FBT001
    p, q = (np.maximum(shares, 1e-4) for shares in _shares(reference, latest, categorical))
    return float(((q - p) * np.log(q / p)).sum())


def _jensen_shannon(reference: Numbers, latest: Numbers, categorical: bool) -> float:  # noqa: FBT001
    from scipy.spatial.distance import jensenshannon

    p, q = _shares(reference, latest, categorical)
    return float(jensenshannon(p, q, base=2))


def _evidently(reference: Numbers, latest: Numbers, categorical: bool) -> float:  # noqa: FBT001
    from scipy.stats import wasserstein_distance

    if categorical:
        return _jensen_shannon(reference, latest, categorical)
    reference, latest = (column[np.isfinite(column)] for column in (reference, latest))
    if not len(reference) or not len(latest):
        return 0.0
    return float(wasserstein_distance(reference, latest) / max(reference.std(), 1e-3))


CALENDARS = (1, 7, 14, 28, 56)

POLICIES: dict[str, Policy] = {
    policy.name: policy
    for policy in (
        Policy("never", never),
        *(Policy(f"every {nights}", every(nights)) for nights in CALENDARS),
        Policy("psi", psi),
        Policy("evidently", evidently),
        Policy("nannyml drift", nannyml),
        Policy("nannyml performance", performance),
        Policy("cost aware", cost_aware),
        Policy("grown", grown),
        Policy("layer, never", never, layer=True),
        *(Policy(f"layer, every {nights}", every(nights), layer=True) for nights in (*CALENDARS, 112)),
        Policy("layer, grown", grown, layer=True),
        Policy("layer, overtaken", overtaken, layer=True),
        Policy("layer, grown or overtaken", either(grown, overtaken), layer=True),
        Policy("layer, grown or outdone", either(grown, outdone), layer=True),
        Policy("layer, grown or restart", either(restart, grown), layer=True, recent=True),
        Policy("layer, quarter or restart", either(restart, grown_by_a_quarter), layer=True, recent=True),
        Policy("layer, grown, outdone or restart", either(restart, grown, outdone), layer=True, recent=True),
        Policy("shipped layer, never", never, layer=True, as_shipped=True),
        Policy("shipped layer, every 56", every(56), layer=True, as_shipped=True),
        Policy("shipped layer, grown", grown, layer=True, as_shipped=True),
        Policy(
            "shipped layer, quarter or restart",
            either(restart, grown_by_a_quarter),
            True,
            True,
            as_shipped=True,
        ),
        *(Policy(f"gated, every {nights}", every(nights), gated=True) for nights in CALENDARS[1:4]),
        Policy("gated, shipped layer, grown", grown, layer=True, as_shipped=True, gated=True),
        Policy(
            "gated, shipped layer, quarter or restart",
            either(restart, grown_by_a_quarter),
            True,
            True,
            as_shipped=True,
            gated=True,
        ),
    )
}
