"""The page: a table for each data set, intervals, and where the goals are met and where not. Nothing by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.season.nights import LAG
from benchmarks.season.tables import TABLES
from benchmarks.season.triggers import POLICIES

Numbers = NDArray[np.float64]

BLOCK_NIGHTS, RESAMPLES = 14, 1000
AFTER_CHANGE = 56
SHIPPED = "shipped layer, grown"
"""The policy that `adapt: nightly` with `grow_by: 0.5` is; named before the two kept data sets were run."""
OURS = (SHIPPED, "layer, grown", "layer, grown or restart", "layer, quarter or restart")

_CLOSING = """## What this does and does not show

- `grown`: train when the mature rows have grown by half (`quarter`: by a quarter). `overtaken`: when the twin has more than half the
  weight of the layer. `outdone`: when the twin beat the champion on the last 28 matured nights (night-clustered
  t-test, one-sided .005). `restart`: when a small model of the latest 14 nights alone beats what is served and
  the twin, over a week and over two; the champion then learns only what came after the dated change
  (`perennial/adaptation/restart.py`).
- After an abrupt change a training on all history can be worse than none, with the layer or without: the old
  nights outvote the new. That is why calendars lose there, however often they train, and why a restart wins.
- `restart` was designed on flip, switch, stationary and elec2, and `outdone` on elec2 and flip; flights,
  rotation, level, partial and detour were run with them unchanged. Each made-up world is one seed.
- `quarter or restart` was added after `grown` had lost to monthly trainings on stationary: there it is fitted.
- Peers were run from one start. A tie is an interval that holds zero; none is corrected for looking often.
- A change that comes back (detour) costs a restart: it forgets what is about to be right again.
- The layer's guard against scores far from the champion's takes a probability within four logits of even odds
  as never wild: without that exception an old champion that was sure and wrong was kept on electricity prices.
- Nobody's trainings pass a gate here, labels are all certified, and slices and calibration of the mixture are not
  judged. Public tables that were not given (`DATA=`) are missing.
- A full training costs tenths of a second on tables of this size: what the layer saves is trainings, with their
  gates, reviews and deployments, and not seconds. The seconds here are those of a busy machine.
"""

_OPENING = f"""# Season: does anything beat the calendar?

Written by `make season`; no number in it is typed by hand. Whole years are replayed night by night: a model is
trained on all nights whose labels have matured ({LAG} nights after the event), serves, and is trained again
when its policy asks. "layer" puts the nightly layer of `perennial/adaptation` over the champion. Everybody's
champion is the same: the gradient boosting that the project ships, its defaults, no search, no gate.

**How to read it.** Loss is log loss over all rows served (for a number: root mean squared error; its differences
are of squared errors). The first number is the mean over the start nights
that were run, with their standard deviation: they share most nights, so it is no error bar for another year.
Differences are over the starts that both policies have, with a 95 % interval from blocks of {BLOCK_NIGHTS} nights
({RESAMPLES} resamples), not corrected for the number of comparisons. The best calendar is chosen in hindsight, at
the first start, of those run. Full trainings
count the first one. A twin is a training too: a small one, on every night; its seconds and the layer's stand
beside those of the full ones. Where a policy needs the small model of the latest {BLOCK_NIGHTS} nights, those count as twins.
Peers' rules are written again from their documentation; their software is not run. After a drift, performance
or overtaken trigger {BLOCK_NIGHTS} nights pass before the next. What is missing was not run.
"""


@dataclass(frozen=True)
class Run:
    """One policy on one data set, over its start nights."""

    policy: str
    starts: tuple[dict[str, Any], ...]

    @property
    def losses(self) -> Numbers:
        """Return the loss of each start."""
        return np.array([start["loss"] for start in self.starts])

    @property
    def trainings(self) -> float:
        """Return the mean number of full trainings."""
        return float(np.mean([len(start["trainings"]) for start in self.starts]))

    def mean(self, *path: str) -> float:
        """Return the mean of a number over the starts."""
        values = []
        for start in self.starts:
            value: Any = start
            for name in path:
                value = value[name]
            values.append(float(value))
        return float(np.mean(values))


def page(results: Path, names: Sequence[str]) -> str:
    """Write the whole page from the results that are there."""
    read = {name: _runs(results / name) for name in names}
    there = {name: runs for name, runs in read.items() if runs}
    parts = [_OPENING, _goals(there)]
    parts += [_section(name, runs) for name, runs in there.items()]
    return "\n".join([*parts, _CLOSING])


def _runs(folder: Path) -> list[Run]:
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(folder.glob("*.json")):
        told = json.loads(path.read_text())
        found.setdefault(told["policy"], []).append(told)
    return [Run(name, tuple(found[name])) for name in POLICIES if name in found]


def _section(name: str, runs: list[Run]) -> str:
    doc = (TABLES[name].__doc__ or "").splitlines()[0]
    starts = ", ".join(str(start["start"]) for start in max(runs, key=lambda run: len(run.starts)).starts)
    plain, layered = _best(runs, layer=False), _best(runs, layer=True)
    change = runs[0].starts[0]["change"]
    heads = ["policy", "loss (sd over starts)", "starts", "full trainings", "twin trainings"]
    heads += ["CPU s: full + twin + layer", f"against {plain.policy}" if plain else "against a calendar"]
    heads += [f"against {layered.policy}" if layered else "against a calendar with the layer"]
    heads += ["" if change is None else f"loss of the {AFTER_CHANGE} nights after the change"][
        : change is not None
    ]
    lines = [f"## {name}", "", doc, f"Start nights: {starts}.", ""]
    lines += ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += [_line(run, plain, layered, change) for run in runs]
    return "\n".join([*lines, ""])


def _line(run: Run, plain: Run | None, layered: Run | None, change: int | None) -> str:
    spread = f" ({run.losses.std(ddof=1):.4f})" if len(run.losses) > 1 else ""
    cpu = " + ".join(f"{run.mean('cpu', part):.1f}" for part in ("full", "twin", "layer"))
    cells = [run.policy, f"{run.losses.mean():.4f}{spread}", str(len(run.starts)), f"{run.trainings:.1f}"]
    cells += [f"{run.mean('twins'):.0f}", cpu]
    cells += [_difference(run, other) if other else "" for other in (plain, layered)]
    if change is not None:
        first = run.starts[0]
        sums = np.array(first["nights"])[change - first["start"] :][:AFTER_CHANGE]
        next_one = next((f"{t - change} nights later" for t in first["trainings"] if t > change), "never")
        cells.append(f"{sums[:, 0].sum() / sums[:, 1].sum():.4f}; next training {next_one}")
    return "| " + " | ".join(cells) + " |"


def _best(runs: Sequence[Run], *, layer: bool) -> Run | None:
    """Return the calendar with the lowest loss at the first start, of those with the layer or without."""
    prefix = "layer, every" if layer else "every"
    return min((r for r in runs if r.policy.startswith(prefix)), key=lambda r: r.losses[0], default=None)


def difference(run: Run, other: Run) -> tuple[float, float, float]:
    """Return the difference of two losses per row over the starts both have, with a 95 % interval.

    Nights of all starts are added up first, then drawn in circular blocks: a night that was served from five
    starts is still one night of luck.
    """
    sums = _added(run, other)
    nights = len(sums)
    draw = np.random.default_rng(0)
    starts = draw.integers(0, nights, (RESAMPLES, -(-nights // BLOCK_NIGHTS)))
    chosen = (starts[..., None] + np.arange(BLOCK_NIGHTS)) % nights
    drawn = sums[chosen.reshape(RESAMPLES, -1)[:, :nights]].sum(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    total = sums.sum(axis=0)
    return float(total[0] / total[1]), float(low), float(high)


def _added(run: Run, other: Run) -> Numbers:
    """Add the nightly differences and rows of the starts both have, the last night last."""
    pairs = [
        (np.array(mine["nights"]), np.array(theirs["nights"]))
        for mine, theirs in zip(*_common(run, other), strict=True)
    ]
    sums = np.zeros((max(len(mine) for mine, _ in pairs), 2))
    for mine, theirs in pairs:
        sums[len(sums) - len(mine) :] += np.column_stack([mine[:, 0] - theirs[:, 0], mine[:, 1]])
    return sums


def _common(run: Run, other: Run) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    shared = {start["start"] for start in run.starts} & {start["start"] for start in other.starts}
    mine, theirs = ([start for start in each.starts if start["start"] in shared] for each in (run, other))
    return mine, theirs


def _paired(run: Run, other: Run) -> tuple[Run, Run]:
    """Return both policies on the starts that both have."""
    mine, theirs = _common(run, other)
    return Run(run.policy, tuple(mine)), Run(other.policy, tuple(theirs))


def _difference(run: Run, other: Run) -> str:
    if run.policy == other.policy:
        return "itself"
    mean, low, high = difference(run, other)
    return f"{mean:+.4f} [{low:+.4f}, {high:+.4f}]"


def _goals(read: dict[str, list[Run]]) -> str:
    """Say for our policies, data set by data set, which goals are met."""
    heads = ["data set", "policy", "no plain policy has less loss and fewer trainings"]
    heads += [
        "half the trainings of the cheapest plain calendar that is as good",
        "against the best layered calendar",
    ]
    lines = ["## The goals", "", "| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for name, runs in read.items():
        lines += [_goal(name, run, runs) for run in runs if run.policy in OURS]
    return "\n".join([*lines, ""])


def _is_plain(run: Run) -> bool:
    policy = POLICIES[run.policy]
    return not policy.layer and not policy.gated


def _goal(name: str, run: Run, runs: list[Run]) -> str:
    plain = [_paired(run, other) for other in runs if _is_plain(other)]
    as_good = [(mine, o) for mine, o in plain if o.losses.mean() <= mine.losses.mean()]
    dominating = [o.policy for mine, o in as_good if o.trainings <= mine.trainings]
    calendars = [(mine, o) for mine, o in as_good if o.policy.startswith("every")]
    cheapest = min(calendars, key=lambda pair: pair[1].trainings, default=None)
    half = "no plain calendar run is as good"
    if cheapest:
        mine, other = cheapest
        met = "met" if 2 * mine.trainings <= other.trainings else "missed"
        half = f"{met}: {mine.trainings:.1f} against {other.trainings:.1f} of {other.policy}"
    layered = _best(runs, layer=True)
    against = _verdict(run, layered) if layered else "not run"
    cells = [name, run.policy, f"missed: {', '.join(dominating)}" if dominating else "met", half, against]
    return "| " + " | ".join(cells) + " |"


def _verdict(run: Run, other: Run) -> str:
    mine, theirs = _paired(run, other)
    mean, low, high = difference(mine, theirs)
    word = "wins" if high < 0 else "loses" if low > 0 else "a tie"
    numbers = f"{mean:+.4f} [{low:+.4f}, {high:+.4f}]"
    return f"{word}: {numbers}, {mine.trainings:.1f} trainings to {theirs.trainings:.1f} of {other.policy}"
