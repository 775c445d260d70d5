"""Cells of a long benchmark, kept one file each, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from perennial.facts.evidence import fingerprint


def kept(folder: Path, name: str, settings: dict[str, Any], make: Callable[[], dict[str, Any]]) -> Any:
    """Return a cell as it was made with these settings, or make and keep it."""
    path = folder / f"{name}-{fingerprint(settings)[:8]}.json"
    if not path.exists():
        made = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(made))
    return json.loads(path.read_text())


def commit() -> str:
    """Name the commit the benchmark ran on."""
    told = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"
