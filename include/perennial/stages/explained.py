"""What a verdict rests on, in words: the reference of the night, what was guarded without one, and what is missing.

Asked by the monitor at the end: a verdict that says "learning" says for how long, and what stood guard meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from perennial.checks.base import Check
from perennial.checks.between import Between
from perennial.clock import Night, after
from perennial.facts.decision import Decision
from perennial.facts.first_signs import FirstSign, Range, first_signs
from perennial.facts.reading import Reading
from perennial.facts.reference import nights_needed, reference_of
from perennial.facts.streams import LONGEST_WATCH, Watch
from perennial.spec.source import SourceSpec
from perennial.stages import datasets
from perennial.stages.profiling import holidays, watched_columns
from perennial.stages.set_aside import accepted_faults, free_first_signs, judge_first_signs, set_aside
from perennial.stages.verdict import Watched
from perennial.workspace import Workspace

GUARDS = "guards"
"""Name of what stands guard without a reference, where a finding names its arms."""
NIGHTLY = "night_shift"
USUAL_NIGHTS = 7
"""A sign that so many nights before showed as well is how the column comes, and no fault."""
TO_DO = "Nothing is judged by its past yet. Ask whoever delivers it, then have the night delivered and validated again."


def with_reference(workspace: Workspace, model: str, seen: Watch, reading: Reading) -> Reading:
    """Put into a reading of the inputs what the night was compared with."""
    shift = workspace.spec(model).monitoring.night_shift
    tonight = seen.nights[-1]
    found = reference_of(
        seen,
        weeks=shift.weeks,
        pooled_nights=shift.pooled_nights,
        set_aside=set_aside(workspace, model, by=after(tonight, -1)),
        moved=[moved.direction for moved in reading.columns],
    )
    return replace(reading, evidence={**reading.evidence, "reference": found.as_json()})


def with_guards(workspace: Workspace, model: str, watched: Watched, plan_hash: str) -> Watched:
    """Say what was guarded, and while inputs cannot be judged for how many more nights; plain faults page meanwhile.

    A night with a plain fault is set aside meanwhile. Once the nightly watch can tell, what the guards see is
    recorded only: triage judges columns by their past.
    """
    spec = workspace.spec(model)
    signs = _signs(workspace, model, watched.night, plan_hash)
    said = [f"{one.said}: {'broken' if one.broken else 'named, not judged'}" for one in signs]
    lines = [line for name, source in spec.sources.items() for line in guarded(name, source)]
    found = replace(watched, guards=(*lines, *said))
    inputs = watched.arms.get(NIGHTLY, {}).get("outcome", "learning")
    learning = inputs == "learning" and watched.state not in ("silent", "skipped")
    if learning and not datasets.whole(spec.scored):
        found = _waiting(found, _more_nights(workspace, model, watched.night, plan_hash))
    broken = [one for one in signs if one.broken]
    if learning:
        broken = _plain_faults(workspace, model, watched.night, plan_hash, broken)
    return _faulty(found, broken, learning=learning) if broken else found


def _plain_faults(
    workspace: Workspace, model: str, night: Night, plan_hash: str, signs: Sequence[FirstSign]
) -> list[FirstSign]:
    """Leave out what a person released and what every night shows; set the night aside for the rest.

    A whole table is not set aside: the next one repeats most of its rows.
    """
    accepted = accepted_faults(workspace, model, night)
    asked = [one for one in signs if (one.kind, one.column) not in accepted]
    before = _signs_before(workspace, model, night, plan_hash) if asked else {}
    usual = set.intersection(*before.values()) if len(before) == USUAL_NIGHTS else set()
    broken = [one for one in asked if (one.kind, one.column) not in usual]
    if not datasets.whole(workspace.spec(model).scored):
        if usual and not broken:
            free_first_signs(workspace, model, night, list(before))
        judge_first_signs(workspace, model, night, broken)
    return broken


def _signs_before(
    workspace: Workspace, model: str, night: Night, plan_hash: str
) -> dict[Night, set[tuple[str, str]]]:
    """Return the plain signs of the nights before, the last week of them that came."""
    keys = workspace.store.keys(datasets.features(model, plan_hash), last=after(night, -1))[-USUAL_NIGHTS:]
    return {
        key: {(one.kind, one.column) for one in _signs(workspace, model, key, plan_hash) if one.broken}
        for key in keys
    }


def _waiting(watched: Watched, more: int) -> Watched:
    nights = "1 more night is" if more == 1 else f"{more} more nights are"
    wait = f" Whether inputs moved it is not yet able to tell: {nights} needed." if more else ""
    return replace(watched, nights_needed=more, reason=watched.reason + wait)


def _faulty(watched: Watched, broken: Sequence[FirstSign], *, learning: bool) -> Watched:
    said = "; ".join(one.said for one in broken)
    reason = f"On {watched.night} {said}: no reference is needed to see that."
    decision = Decision.failed(reason, columns=[one.column for one in broken if one.column])
    outcome = "page" if learning else "notice"
    found = replace(watched, arms={**watched.arms, GUARDS: {"outcome": outcome, **decision.as_json()}})
    if not learning or watched.state == "page":
        return found
    return replace(
        found, state="page", reason=f"{reason} {watched.reason}", cause="broken_feed", action=TO_DO
    )


def guarded(name: str, source: SourceSpec) -> list[str]:
    """List what is guarded of a source from its first night on, whatever is known of others."""
    share = f"{source.max_quarantine_share:.0%}"
    lines = [
        f"{name}: schema, {len(source.columns)} columns of declared types; what does not fit is set aside, above {share} all",
        f"{name}: volume, at least {source.min_rows} row{'s' if source.min_rows != 1 else ''}",
    ]
    if source.key:
        lines.append(f"{name}: {', '.join(source.key)} names a row once")
    if not datasets.whole(source):
        lines.append(f"{name}: freshness, {source.arrival_delay_hours:g} hours after the night")
    return [*lines, *(f"{name}: {check.sentence()}" for check in source.checks if isinstance(check, Check))]


def _signs(workspace: Workspace, model: str, night: Night, plan_hash: str) -> list[FirstSign]:
    """Look at the watched columns of tonight's rows; nothing where none were built."""
    dataset = datasets.features(model, plan_hash)
    if not workspace.store.version(dataset, night):
        return []
    columns = watched_columns(workspace, model, plan_hash)
    rows = workspace.store.read(dataset, night, [f"f:{name}" for name in columns])
    scored = workspace.spec(model).scored
    found = first_signs(rows.rename_columns(list(columns)), declared_ranges(scored))
    # Where a delivery without rows is declared to be one, it is no fault.
    return [replace(one, broken=one.broken and (bool(one.column) or scored.min_rows > 0)) for one in found]


def declared_ranges(source: SourceSpec) -> dict[str, Range]:
    """Return the range that is declared for a column: what another unit is beyond."""
    checks = (check for check in source.checks if isinstance(check, Between))
    return {check.column: (check.low, check.high) for check in checks}


def _more_nights(workspace: Workspace, model: str, night: Night, plan_hash: str) -> int:
    from perennial.facts.walk_forward import Windows

    spec = workspace.spec(model)
    shift = spec.monitoring.night_shift
    windows = Windows(shift.weeks, shift.pooled_nights, shift.ar_nights, shift.clip)
    keys = workspace.store.keys(datasets.features(model, plan_hash), after(night, 1 - LONGEST_WATCH), night)
    bad = set_aside(workspace, model, by=after(night, -1))
    return nights_needed(
        [key for key in keys if key not in bad],
        night,
        holidays(spec, night),
        windows,
        shift.provisional_nights,
    )
