"""Machine-learning models that stay in season: everything but Airflow, which is never imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perennial.engine.view import view
    from perennial.workspace import Workspace

__all__ = ["Workspace", "view"]


def __getattr__(name: str) -> object:
    """Import what users name only when they do: parsing DAGs imports this package too."""
    if name == "view":
        from perennial.engine.view import view

        return view
    if name == "Workspace":
        from perennial.workspace import Workspace

        return Workspace
    raise AttributeError(name)
