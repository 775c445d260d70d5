"""A picture of the last nights, for whoever is told of one: how far each arm went, and what labels said of predictions.

Drawn where something stands, and kept in MLflow with the model's monitoring run; it decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from perennial.clock import Night, after
from perennial.stages import datasets
from perennial.stages.crossings import crossings_before
from perennial.stages.performance import about
from perennial.stages.verdict import Watched
from perennial.workspace import Workspace

if TYPE_CHECKING:
    from datetime import date

NIGHTS_SHOWN = 90
STANDING = ("notice", "page")
"""States of a night that is worth a picture."""
RUN_KEY = "monitoring"
"""One MLflow run a model holds the pictures of all its nights."""


def keep_picture(workspace: Workspace, model: str, night: Night, watched: Watched) -> str | None:
    """Draw the nights up to one on which something stands; return the MLflow run that shows them."""
    if watched.state not in STANDING:
        return None
    picture = draw(model, night, ratios(workspace, model, night), residuals(workspace, model, night))
    return workspace.registry.keep_files(model, RUN_KEY, {f"nights/{night}.png": picture}, watched.reason)


def ratios(workspace: Workspace, model: str, night: Night) -> dict[str, dict[Night, float]]:
    """Return how far each arm went, night by night: 1 is its threshold."""
    found: dict[str, dict[Night, float]] = {}
    for key, ended in crossings_before(workspace, model, after(night)).items():
        if key >= after(night, 1 - NIGHTS_SHOWN):
            for arm, crossing in ended.items():
                found.setdefault(arm, {})[key] = float(crossing["ratio"])
    return found


def residuals(workspace: Workspace, model: str, night: Night) -> dict[Night, float]:
    """Return the mean of label minus prediction of each settled night, over all versions that served it."""
    first = after(night, 1 - NIGHTS_SHOWN)
    found = {}
    for key in workspace.store.keys(datasets.performance(model), first, night):
        told: Mapping[str, Any] = about(workspace, model, key).get("residuals") or {}
        rows = sum(int(one[0]) for one in told.values())
        if rows:
            found[key] = sum(int(one[0]) * float(one[1]) for one in told.values()) / rows
    return found


def draw(
    model: str, night: Night, arms: Mapping[str, Mapping[Night, float]], residual: Mapping[Night, float]
) -> bytes:
    """Draw both as curves over the nights (PNG); the same numbers give the same bytes."""
    from matplotlib.figure import Figure

    from perennial.registry.training import png

    figure = Figure(figsize=(9, 6), layout="tight")
    upper, lower = figure.subplots(2, 1, sharex=True)
    for arm, found in sorted(arms.items()):
        upper.plot(_days(found), list(found.values()), marker=".", label=arm.replace("_", " "))
    upper.axhline(1, color="0.4", linestyle="--", label="threshold")
    upper.set(ylabel="statistic / threshold", title=f"{model}: the {NIGHTS_SHOWN} nights to {night}")
    upper.legend(loc="upper left", fontsize="small")
    lower.axhline(0, color="0.4", linestyle="--")
    lower.plot(_days(residual), list(residual.values()), marker=".", color="tab:brown")
    lower.set(ylabel="mean label - prediction", xlim=_days([after(night, 1 - NIGHTS_SHOWN), night]))
    figure.autofmt_xdate()
    return png(figure)


def _days(nights: Any) -> list[date]:
    from datetime import date

    return [date.fromisoformat(night) for night in nights]
