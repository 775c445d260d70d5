"""May a cheap rehearsal, or a model's own past, say beforehand that a training will not be promoted?

Every 14 nights somebody asks for a training of the model that the season benchmark serves. Each is made and put to the
gate, so that it is known what a rule would have avoided and what it would have lost. Run ``python -m
benchmarks.rehearsal [--data FOLDER] [--only NAME ...]``; flights, elec2, stationary, flip and switch were looked at
while the rules were made.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import process_time
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from benchmarks.cells import commit, kept
from benchmarks.season.models import SHIPPED
from benchmarks.season.nights import LAG, ROOT, Table
from benchmarks.season.tables import TABLES
from perennial.adaptation.rows import row_hashes
from perennial.adaptation.scale import LEAST_PROBABILITY
from perennial.adaptation.twin import encode
from perennial.facts.paired import limits

Numbers = NDArray[np.float64]

EVERY, HOLDOUT, STARTS = 14, 14, (56, 63)
SHARES = (0.05, 0.1, 0.2)
"""Parts of the rows that a rehearsal learns from."""
CLEAR = 2.0
"""Standard errors by which a champion lost more than it did that are reason enough to train."""
GATES = ("refresh", "recipe")
"""A refresh is promoted unless it is worse; a new recipe only where it is better. Both at 5 %."""
MADE_WITH = ("flights", "elec2", "stationary", "flip", "switch")


@dataclass(frozen=True)
class Asked:
    """One request for a training, and what came of it."""

    night: int
    promoted: bool
    cpu: float
    gain: float
    """Of the challenger over the champion, a night's mean over the holdout nights, in its standard errors."""
    growth: float
    """Rows that may be learned from beside those of the champion."""
    excess: float
    """What the champion lost on the holdout nights more than on its own, in standard errors."""
    rehearsed: dict[str, float]
    """By part of the rows: gain of the small challenger over the small champion, in standard errors."""
    rehearsal_cpu: dict[str, float]


class Fits:
    """Models of a table fitted on the rows up to a night, or on part of them; each is fitted once."""

    def __init__(self, table: Table) -> None:
        """Remember nothing yet."""
        self.table = table
        self._made: dict[tuple[int, float], tuple[Any, Any, float]] = {}
        self._rank = row_hashes(table.keys, 0) / np.iinfo(np.uint64).max

    def fitted(self, last: int, share: float) -> tuple[Any, Any, float]:
        """Fit on all rows up to a night, or on a fixed part of them; return categories and CPU seconds as well."""
        if (last, share) not in self._made:
            self._made[last, share] = self._fit(last, share)
        return self._made[last, share]

    def losses(self, last: int, share: float, nights: range) -> Numbers:
        """Return the mean loss of each night of the model fitted up to ``last``."""
        model, categories, _ = self.fitted(last, share)
        found = []
        for night in nights:
            rows = self.table.rows(night)
            inputs, labels = encode(self.table.features[rows], categories), self.table.labels[rows]
            known = np.isfinite(labels)
            found.append(self._row_losses(model, inputs[known], labels[known]).mean())
        return np.array(found)

    def _row_losses(self, model: Any, inputs: Any, labels: Numbers) -> Numbers:
        if self.table.task == "regression":
            return np.asarray((model.predict(inputs) - labels) ** 2)
        p = np.clip(model.predict_proba(inputs)[:, 1], LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
        return np.asarray(-(labels * np.log(p) + (1 - labels) * np.log1p(-p)))

    def _fit(self, last: int, share: float) -> tuple[Any, Any, float]:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        regression = self.table.task == "regression"
        kind = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
        rows = self.table.rows(0, last)
        chosen = np.isfinite(self.table.labels[rows]) & (self._rank[rows] <= share)
        features, labels = self.table.features[rows][chosen], self.table.labels[rows][chosen]
        began = process_time()
        categories = {place: np.unique(features[:, place]) for place in self.table.categorical}
        settings = {**SHIPPED, "categorical_features": list(range(len(categories))) or None}
        model = kind(**settings).fit(encode(features, categories), labels)
        return model, categories, process_time() - began


def follow(table: Table, start: int, gate: str) -> list[Asked]:
    """Ask every 14 nights; the champion is the last that the gate let pass, each fitted without its holdout."""
    fits, champion = Fits(table), start - HOLDOUT - LAG
    asked = []
    for night in range(start + HOLDOUT, len(table.nights), EVERY):
        last = night - HOLDOUT - LAG
        if last <= champion:
            continue
        asked.append(_asked(fits, champion, last, gate))
        champion = last if asked[-1].promoted else champion
    return asked


def _asked(fits: Fits, champion: int, last: int, gate: str) -> Asked:
    nights = range(last + 1, last + 1 + HOLDOUT)
    met, own = (fits.losses(version, 1.0, nights) for version in (champion, last))
    found = limits(met - own, alpha=0.05)
    promoted = bool(found["high"] >= 0 if gate == "refresh" else found["low"] > 0)
    first = fits.losses(champion, 1.0, range(champion + 1, champion + 1 + HOLDOUT))
    spread = max(float(np.sqrt((first.var() + met.var()) / HOLDOUT)), 1e-12)
    small = {}
    for share in SHARES:
        difference = fits.losses(champion, share, nights) - fits.losses(last, share, nights)
        small[str(share)] = _errors(difference)
    rows = fits.table.starts
    return Asked(
        night=last + HOLDOUT + LAG,
        promoted=promoted,
        cpu=fits.fitted(last, 1.0)[2],
        gain=_errors(met - own),
        growth=float(rows[last + 1] / rows[champion + 1] - 1),
        excess=float((met.mean() - first.mean()) / spread),
        rehearsed=small,
        rehearsal_cpu={str(share): fits.fitted(last, share)[2] for share in SHARES},
    )


def _errors(difference: Numbers) -> float:
    found = limits(difference, alpha=0.05)
    return float(found["estimate"] / max(float(found["standard_error"]), 1e-12))


@dataclass(frozen=True)
class Past:
    """What a rule remembers of the requests before: those that it let wait were not made, and say nothing."""

    refused: Asked | None = None
    """The last refused since a promotion."""
    promoted: int = 0
    made: int = 0

    @property
    def odds(self) -> float:
        """Logarithm of the odds of a promotion, from one of each and what came of those that were made."""
        return math.log((1 + self.promoted) / (1 + self.made - self.promoted))

    def after(self, one: Asked) -> Past:
        """Remember one that was made."""
        return Past(None if one.promoted else one, self.promoted + one.promoted, self.made + 1)


@dataclass(frozen=True)
class Rule:
    """Which requests it lets wait, and what asking it costs each time."""

    name: str
    limit: float
    waits: Callable[[Asked, Past, float], bool]
    """Of a request, what came before it, and the limit."""
    share: str = ""
    """Part of the rows that it rehearses on; empty where it does not."""


def _rehearsed(share: str) -> Callable[[Asked, Past, float], bool]:
    return lambda asked, _, limit: asked.rehearsed[share] < limit


def _with_past(asked: Asked, past: Past, limit: float) -> bool:
    """Ask for more of a rehearsal where few trainings of this model were promoted."""
    return asked.rehearsed["0.2"] + 0.3 * past.odds < limit


def _too_soon(asked: Asked, past: Past, growth: float) -> bool:
    """Wait after a refusal until rows have grown so much more, unless the champion lost 2 errors more than it did."""
    if past.refused is None or asked.excess >= CLEAR:
        return False
    return asked.growth < (1 + past.refused.growth) * (1 + growth) - 1


LIMITS, GROWTHS = (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5), (0.05, 0.1, 0.25, 0.5, 1.0)
RULES = (
    *(
        Rule(f"rehearsal on {share:.0%} of the rows", limit, _rehearsed(str(share)), str(share))
        for share in SHARES
        for limit in LIMITS
    ),
    *(Rule("rehearsal on 20%, and this model's past", limit, _with_past, "0.2") for limit in LIMITS),
    *(Rule("growth since the last refusal", growth, _too_soon) for growth in GROWTHS),
)


def judged(rule: Rule, asked: Iterable[Asked]) -> dict[str, float]:
    """Count what a rule avoids of the trainings that were not promoted, and what it loses.

    The nights after a promotion that it lost are counted as if it had been made.
    """
    past, total, avoided, asking = Past(), 0.0, 0.0, 0.0
    promoted = lost = 0
    for one in asked:
        waits = rule.waits(one, past, rule.limit)
        asking += one.rehearsal_cpu[rule.share] if rule.share else 0.0
        total += 0.0 if one.promoted else one.cpu
        avoided += one.cpu if waits and not one.promoted else 0.0
        promoted, lost = promoted + one.promoted, lost + (one.promoted and waits)
        past = past if waits else past.after(one)
    return {"unpromoted": total, "avoided": avoided, "asking": asking, "promoted": promoted, "lost": lost}


def curve(found: dict[str, list[Asked]]) -> list[dict[str, Any]]:
    """Say for every rule what it avoids and loses over all tables, starts and gates that were followed."""
    lines = []
    for rule in RULES:
        each = [judged(rule, asked) for asked in found.values()]
        sums = {name: float(sum(one[name] for one in each)) for name in each[0]}
        share = (sums["avoided"] - sums["asking"]) / max(sums["unpromoted"], 1e-12)
        lines.append(
            {
                "rule": rule.name,
                "limit": rule.limit,
                "avoided": round(sums["avoided"] / max(sums["unpromoted"], 1e-12), 3),
                "net": round(share, 3),
                "promoted": int(sums["promoted"]),
                "lost": int(sums["lost"]),
            }
        )
    return lines


def main() -> int:
    """Follow every table that is there, under both gates, and print the object."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, help="folder of public tables, such as elec2.csv.gz")
    asked.add_argument("--only", nargs="+", choices=TABLES, default=MADE_WITH, metavar="NAME")
    asked.add_argument("--starts", type=int, default=1, help="how many of the start nights")
    asked.add_argument("--out", type=Path, default=ROOT / ".perennial" / "benchmarks" / "rehearsal")
    options = asked.parse_args()
    found = {
        f"{name}-{gate}-{start}": _followed(options, name, start, gate)
        for name in options.only
        for gate in GATES
        for start in STARTS[: options.starts]
    }
    about = {
        "name": "rehearsal",
        "claim": "a rule avoids half of the CPU of trainings that were not promoted and loses no promotion",
        "requests": {name: len(each) for name, each in found.items()},
        "refused": {name: sum(not one.promoted for one in each) for name, each in found.items()},
        "commit": commit(),
    }
    curves = {gate: curve({k: v for k, v in found.items() if f"-{gate}-" in k}) for gate in GATES}
    print(json.dumps(about | {"curves": curves}))
    return 0


def _followed(options: argparse.Namespace, name: str, start: int, gate: str) -> list[Asked]:
    called, settings = f"{name}-{gate}-{start}", {"shares": SHARES, "every": EVERY, "method": 1}
    made = kept(
        options.out,
        called,
        {**settings, "shares": [*SHARES]},
        lambda: {"asked": [asdict(one) for one in follow(TABLES[name](options.data), start, gate)]},
    )
    print(f"{called}: {len(made['asked'])} requests", file=sys.stderr, flush=True)
    return [Asked(**one) for one in made["asked"]]


if __name__ == "__main__":
    sys.exit(main())
