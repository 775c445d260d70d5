"""Where the goals are met and where not: the page's first tables, and what follows from them in a few sentences.

A goal is judged on the starts that both policies have, with intervals where two losses are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.season.runs import Run, best, difference, paired

SHIPPED = "shipped layer, grown"
"""What `adapt: nightly` with `grow_by: 0.5` is; named before the two kept data sets were run."""
SHIPPED_SINCE = "shipped layer, quarter or restart"
"""What `adapt: nightly` is since the restart was wired: never run on the two kept data sets."""
OURS = (SHIPPED, SHIPPED_SINCE, "layer, grown", "layer, grown or restart", "layer, quarter or restart")
KEPT = ("metro", "pm25")
"""Data sets that nothing was looked at on before the policies were fixed."""
GATED_OURS = "gated, shipped layer, grown"
RAW = {
    "layer, never": "never",
    "shipped layer, never": "never",
    "layer, grown": "grown",
    "shipped layer, grown": "grown",
    "shipped layer, every 56": "every 56",
    **{f"layer, every {nights}": f"every {nights}" for nights in (1, 7, 14, 28, 56)},
}
"""A policy with the layer, and the same trainings without it."""
TRIGGERS = (
    "psi",
    "evidently",
    "nannyml drift",
    "nannyml performance",
    "cost aware",
    "layer, grown",
    "layer, grown or outdone",
    "layer, grown or restart",
    "layer, quarter or restart",
    SHIPPED_SINCE,
    f"gated, {SHIPPED_SINCE}",
)

Read = Mapping[str, Sequence[Run]]


@dataclass(frozen=True)
class Goal:
    """How one policy came out on one data set."""

    data: str
    policy: str
    dominating: tuple[str, ...]
    """Plain policies with no more loss and no more trainings."""
    halved: str
    """Whether it needs at most half the trainings of the cheapest plain calendar that is as good; `none` is as good."""
    layered: str
    """Against the best calendar with the layer: wins, loses, a tie, or not run."""
    cells: tuple[str, ...]


def goals(read: Read) -> str:
    """Write the goals: what follows from them, and the tables."""
    found = [_goal(name, run, runs) for name, runs in read.items() for run in runs if run.policy in OURS]
    heads = ["data set", "policy", "no plain policy has less loss and fewer trainings"]
    heads += ["half the trainings of the cheapest plain calendar that is as good"]
    heads += ["against the best layered calendar"]
    parts = [
        "## The goals",
        "",
        *_in_short(found, read),
        "",
        *_table(heads, [goal.cells for goal in found]),
        "",
    ]
    parts += ["### Never worse than the champion alone", "", *_never_worse(read), ""]
    parts += ["### Trainings that were not promoted", "", *_gated(read), ""]
    parts += ["### False alarms, and nights to detection", "", *_alarms(read), ""]
    return "\n".join(parts)


def _goal(name: str, run: Run, runs: Sequence[Run]) -> Goal:
    plain = [paired(run, other) for other in runs if other.is_plain]
    as_good = [(mine, o) for mine, o in plain if o.losses.mean() <= mine.losses.mean()]
    dominating = tuple(o.policy for mine, o in as_good if o.trainings <= mine.trainings)
    calendars = [(mine, o) for mine, o in as_good if o.policy.startswith("every")]
    cheapest = min(calendars, key=lambda pair: pair[1].trainings, default=None)
    halved, half = "none", "met: no plain calendar run is as good"
    if cheapest:
        mine, other = cheapest
        halved = "met" if 2 * mine.trainings <= other.trainings else "missed"
        half = f"{halved}: {mine.trainings:.1f} against {other.trainings:.1f} of {other.policy}"
    layered = best(runs, layer=True)
    word, against = _beside(run, layered) if layered else ("not run", "not run")
    cells = (name, run.policy, f"missed: {', '.join(dominating)}" if dominating else "met", half, against)
    return Goal(name, run.policy, dominating, halved, word, cells)


def _beside(run: Run, other: Run) -> tuple[str, str]:
    mine, theirs = paired(run, other)
    found = difference(mine, theirs)
    counts = f"{mine.trainings:.1f} trainings to {theirs.trainings:.1f} of {other.policy}"
    return found.word, f"{found.word}: {found}, {counts}"


def _in_short(found: Sequence[Goal], read: Read) -> Iterator[str]:
    """Say in a sentence each where the goals hold and where they do not; ours as it ships, then the triggers."""
    ours = [goal for goal in found if goal.policy == SHIPPED]
    yield f"In short, for `{SHIPPED}`; data sets that were kept to the end: {', '.join(KEPT)}. See below for `{SHIPPED_SINCE}`."
    yield ""
    yield f"- Not dominated by a plain policy: {_where([(g.data, not g.dominating) for g in ours])}."
    yield (
        "- At equal loss at most half the full trainings of the best plain calendar: "
        f"{_where([(g.data, g.halved != 'missed') for g in ours])}."
    )
    raw = [(name, word != "loses") for name, policy, word, _ in _beside_raw(read) if policy == SHIPPED]
    yield f"- Never worse than the champion alone beyond noise: {_where(raw)}."
    for policy in OURS:
        words: dict[str, list[str]] = {}
        for goal in found:
            if goal.policy == policy:
                words.setdefault(goal.layered, []).append(goal.data)
        said = "; ".join(f"{word} on {', '.join(names)}" for word, names in sorted(words.items()))
        yield f"- `{policy}` against the best calendar that also gets the layer: {said or 'not run'}."
    for line in _saved(read):
        yield f"- {line}"


def _where(judged: Sequence[tuple[str, bool]]) -> str:
    held, missed = ([name for name, holds in judged if holds is wanted] for wanted in (True, False))
    said = [f"holds on {', '.join(held)}"] if held else []
    said += [f"**does not hold on {', '.join(missed)}**"] if missed else []
    return "; ".join(said) or "not run"


def _beside_raw(read: Read) -> Iterator[tuple[str, str, str, str]]:
    for name, runs in read.items():
        by_name = {run.policy: run for run in runs}
        for layered, plain in RAW.items():
            if layered in by_name and plain in by_name:
                found = difference(by_name[layered], by_name[plain])
                yield name, layered, found.word, str(found)


def _never_worse(read: Read) -> list[str]:
    heads = ["data set", "with the layer", "beside the same trainings without it"]
    return _table(
        heads, [(name, policy, f"{word}: {said}") for name, policy, word, said in _beside_raw(read)]
    )


def _gated(read: Read) -> list[str]:
    heads = ["data set", "policy", "loss", "trainings", "promoted", "refused by the gate", "wrong promotions"]
    heads += ["CPU s of refused trainings (share)", f"loss of {GATED_OURS} beside it"]
    rows = []
    for name, runs in read.items():
        ours = next((run for run in runs if run.policy == GATED_OURS), None)
        rows += [_gated_row(name, run, ours) for run in runs if run.starts[0].get("gate")]
    return _table(heads, rows)


def _gated_row(name: str, run: Run, ours: Run | None) -> tuple[str, ...]:
    refused, full = run.mean("gate", "refused_cpu"), run.mean("cpu", "full")
    counts = [f"{run.mean('gate', what):.1f}" for what in ("promoted", "refused", "wrong")]
    beside = f"{difference(ours, run)}" if ours and ours is not run else ""
    cpu = f"{refused:.1f} ({refused / full:.0%})"
    return (name, run.policy, f"{run.losses.mean():.4f}", f"{run.trainings:.1f}", *counts, cpu, beside)


def _saved(read: Read) -> Iterator[str]:
    """Say how much of the CPU of refused trainings ours avoids beside each gated calendar, and what it loses by that."""
    for name, runs in read.items():
        by_name = {run.policy: run for run in runs}
        for other in (run for run in runs if run.policy.startswith("gated, every")):
            if GATED_OURS not in by_name:
                continue
            mine, theirs = paired(by_name[GATED_OURS], other)
            spent, theirs_spent = (run.mean("gate", "refused_cpu") for run in (mine, theirs))
            if not theirs_spent:
                yield f"{name}: the gate of `{other.policy}` refuses none, so there is nothing to avoid."
                continue
            found = difference(mine, theirs)
            yield (
                f"{name}: of the {theirs_spent:.1f} CPU s that `{other.policy}` spends on trainings its gate refuses, "
                f"{1 - spent / theirs_spent:.0%} are avoided; loss {found} ({found.word})."
            )


def _alarms(read: Read) -> list[str]:
    """Count what triggers ask for where nothing moves, and the nights until they ask after a change."""
    moved = [name for name, runs in read.items() if runs[0].starts[0]["change"] is not None]
    heads = ["policy", *(["trainings after the first, stationary"] if "stationary" in read else [])]
    heads += [f"nights to detection, {name}" for name in moved]
    rows = []
    for policy in TRIGGERS:
        still = [_asked(read["stationary"], policy)] if "stationary" in read else []
        rows.append((policy, *still, *(_found(read[name], policy) for name in moved)))
    return _table(heads, rows)


def _asked(runs: Sequence[Run], policy: str) -> str:
    return next((f"{run.trainings - 1:.1f}" for run in runs if run.policy == policy), "not run")


def _found(runs: Sequence[Run], policy: str) -> str:
    run = next((run for run in runs if run.policy == policy), None)
    if run is None:
        return "not run"
    first = run.starts[0]
    return next((str(t - first["change"]) for t in first["trainings"] if t > first["change"]), "never")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows)]
