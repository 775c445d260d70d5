"""Since when a DAG cannot be run: kept beside the compiled declarations, so that each breakage is red once.

A DAG file is read again and again, and each reading must declare the same clock. What is kept says when this very
error was first seen, and goes when the mistake is mended or its folder deleted; the next one begins anew, also if it
is the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from perennial.clock import wall_clock
from perennial.workspace import Workspace

ALWAYS = datetime(2020, 1, 2, tzinfo=UTC)
"""Since when where nothing can be kept: red once, and never again."""
_PLACE_IN_MEMORY = re.compile(r"0x[0-9a-f]+")


def since(dag_id: str, error: str) -> datetime:
    """Return when this error of a DAG was first seen since it last could be run."""
    told = hashlib.sha256(_PLACE_IN_MEMORY.sub("", error).encode()).hexdigest()
    file = _file(dag_id)
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        if kept["error"] == told:
            return datetime.fromisoformat(kept["since"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # new, or cut off while it was written
    now = wall_clock()
    return now if _keep(file, {"error": told, "since": now.isoformat()}) else ALWAYS


def known() -> frozenset[str]:
    """Return the DAGs whose error is kept: asked once a reading, since hardly ever is there one."""
    try:
        return frozenset(file.stem for file in _folder().iterdir())
    except OSError:
        return frozenset()


def mended(dag_id: str) -> None:
    """Forget the error of a DAG that can be run, or is gone."""
    with suppress(OSError):
        _file(dag_id).unlink()


def _folder() -> Path:
    return Workspace.open().home / "cache" / "broken"


def _file(dag_id: str) -> Path:
    return _folder() / f"{dag_id}.json"


def _keep(file: Path, what: dict[str, str]) -> bool:
    draft = file.with_name(f".{os.getpid()}-{file.name}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(what), encoding="utf-8")
        draft.replace(file)
    except OSError:
        return False
    return True
