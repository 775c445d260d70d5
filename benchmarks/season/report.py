"""The page: a table for each data set, intervals, and where the goals are met and where not. Nothing by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.season.goals import goals
from benchmarks.season.nights import LAG
from benchmarks.season.promoting import HOLDOUT_NIGHTS
from benchmarks.season.runs import BLOCK_NIGHTS, RESAMPLES, Run, best, difference
from benchmarks.season.runs import read as runs_of
from benchmarks.season.tables import TABLES

AFTER_CHANGE = 56

_CLOSING = f"""## What this does and does not show

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
- A tie is an interval that holds zero; none is corrected for looking often. Where a policy has fewer starts than
  another, only those that both have are compared.
- A change that comes back (detour) costs a restart: it forgets what is about to be right again.
- The layer's guard against scores far from the champion's takes a probability within four logits of even odds
  as never wild: without that exception an old champion that was sure and wrong was kept on electricity prices.
- `shipped layer`: the layer of `adapt: nightly`, three members and its gate, which lets the champion serve alone
  for the first 14 matured nights and whenever the layer was worse; the other layers have five members and serve at
  once. After an abrupt change (flip, switch) three members lose more than five, though far less than the champion
  alone: the correction by inputs, which learns a new relation in days, is not among them. That was seen after the kept
  data sets had been run, and nothing was changed for it. `gated`: the newest {HOLDOUT_NIGHTS} nights are kept back from every training, and the promotion gate that ships
  judges challenger and champion on them; what was trained on is that much older. A promotion was wrong when the version
  it replaced would have lost less, by more than 1 %, on the 14 nights that followed.
- Training every night takes hours on tables of years; it was run where a line says so. Fewer start nights than five
  were run for many policies (column `starts`), and one to three on the kept data sets.
- All labels are certified here, and slices and calibration of the mixture are not judged. Public tables that were not
  given (`DATA=`) are missing. Flights are one in four.
- `shipped layer, quarter or restart` is what `adapt: nightly` does since the restart was wired into the nightly run;
  with `gated`, its challengers meet the promotion gate on a third of the nights that a restart left, 7 at least. It was
  run after everything else, from one start, and not on the kept data sets.
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


def page(results: Path, names: Sequence[str]) -> str:
    """Write the whole page from the results that are there."""
    read = {name: runs_of(results / name) for name in names}
    there = {name: runs for name, runs in read.items() if runs}
    parts = [_OPENING, goals(there)]
    parts += [_section(name, runs) for name, runs in there.items()]
    return "\n".join([*parts, _CLOSING])


def _section(name: str, runs: list[Run]) -> str:
    doc = (TABLES[name].__doc__ or "").splitlines()[0]
    starts = ", ".join(str(start["start"]) for start in max(runs, key=lambda run: len(run.starts)).starts)
    plain, layered = best(runs, layer=False), best(runs, layer=True)
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
    cells += [_beside(run, other) if other else "" for other in (plain, layered)]
    if change is not None:
        first = run.starts[0]
        sums = np.array(first["nights"])[change - first["start"] :][:AFTER_CHANGE]
        next_one = next((f"{t - change} nights later" for t in first["trainings"] if t > change), "never")
        cells.append(f"{sums[:, 0].sum() / sums[:, 1].sum():.4f}; next training {next_one}")
    return "| " + " | ".join(cells) + " |"


def _beside(run: Run, other: Run) -> str:
    return "itself" if run.policy == other.policy else str(difference(run, other))
