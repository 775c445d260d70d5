"""What a model's features rest on in its declaration besides their definitions: types, times, time zone, entity.

Part of a plan's hash, so that features on other ground are built anew; and the reason why those of an older version can
no longer be built once the declaration has taken that ground away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from perennial.errors import FormerVersionError
from perennial.facts.evidence import Json
from perennial.spec.model import ModelSpec

NUMERIC = {"integer", "number"}
"""Types that a model eats alike."""


class View(Protocol):
    """What is asked of a compiled view."""

    @property
    def engine(self) -> str:
        """``ibis`` or ``python``."""

    @property
    def sql(self) -> str:
        """Its text; empty for Python."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Every table it reads."""


class Definitions(Protocol):
    """What is asked of a feature plan."""

    @property
    def rows(self) -> str:
        """Source whose rows are scored."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Columns that name a row."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that are features themselves."""

    @property
    def views(self) -> Sequence[View]:
        """Features that are computed."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Every table that the features are made of."""

    @property
    def ground(self) -> Mapping[str, Json]:
        """What ``ground_of`` said when they were defined; empty where that was before it was asked."""


def ground_of(plan: Definitions, spec: ModelSpec) -> dict[str, Json]:
    """Read from the declaration what the values of these features depend on."""
    kinds: dict[str, Json] = {name: dict(_used(plan, spec, name)) for name in plan.sources}
    times: dict[str, Json] = {name: spec.sources[name].event_time for name in plan.sources}
    return {"timezone": spec.timezone, "entity": spec.entity, "times": times, "kinds": kinds}


def refuse_changed_ground(model: str, plan: Definitions, spec: ModelSpec) -> None:
    """Refuse to build the features of an older version on a declaration that no longer bears them.

    Raises:
        FormerVersionError: with everything that was taken away or changed.
    """
    problems = list(_changes(plan, spec))
    if problems:
        raise FormerVersionError(model, problems)


def _used(plan: Definitions, spec: ModelSpec, source: str) -> Iterator[tuple[str, str]]:
    views = [view for view in plan.views if source in view.sources]
    whole = any(view.engine == "python" for view in views)
    text = "\n".join(view.sql for view in views)
    for name, kind in spec.sources[source].columns.items():
        feature = source == plan.rows and name in plan.columns
        if feature or whole or f'"{name}"' in text:
            yield name, kind


def _changes(plan: Definitions, spec: ModelSpec) -> Iterator[str]:
    gone = [name for name in plan.sources if name not in spec.sources]
    yield from (f"there is no source {name} any more" for name in gone)
    if plan.rows in spec.sources and plan.rows != spec.rows_source:
        yield f"the rows of {spec.rows_source} are scored, and were those of {plan.rows}"
    if not gone and plan.keys != spec.scored.key:
        yield f"the key of {plan.rows} is {', '.join(spec.scored.key)} and was {', '.join(plan.keys)}"
    ground: Mapping[str, Any] = plan.ground
    if ground and ground["timezone"] != spec.timezone:
        yield f"timezone is {spec.timezone} and was {ground['timezone']}"
    for source, time in ground.get("times", {}).items():
        if source not in gone and spec.sources[source].event_time != time:
            now = spec.sources[source].event_time
            yield f"event_time of {source} is {now or 'none'} and was {time or 'none'}"
    for source, kinds in ground.get("kinds", {}).items():
        if source not in gone:
            yield from _columns(source, kinds, spec.sources[source].columns)


def _columns(source: str, before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name, kind in before.items():
        if name not in now:
            yield f"{source} has no column {name!r} any more"
        elif now[name] != kind and not {kind, now[name]} <= NUMERIC:
            yield f"column {name!r} of {source} is {now[name]} and was {kind}"
