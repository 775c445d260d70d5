"""A copy of the whole ledger that anybody can check without Perennial: JSON lines, CSV, and a manifest of hashes.

Written for auditors and for safety: an export kept elsewhere betrays a ledger that was rewritten whole, which no
chain can by itself. How a line is hashed is told in ``docs/explanation/ledger.md``.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from perennial.errors import ExportExistsError, NotAnExportError
from perennial.facts.evidence import Json
from perennial.ledger.chain import FIELDS, Head, Row, problems
from perennial.ledger.sqlite import SqliteLedger

FORMAT = "perennial-ledger/1"
LINES, TABLE, MANIFEST = "ledger.jsonl", "ledger.csv", "manifest.json"


def export(ledger: SqliteLedger, folder: Path) -> dict[str, Json]:
    """Write the ledger as it stands at this moment into a new folder, whole or not at all; return the manifest.

    Raises:
        ExportExistsError: something is there already.
    """
    if folder.exists():
        raise ExportExistsError(folder)
    rows, head = ledger.stored()
    files = {LINES: _as_lines(rows), TABLE: _as_table(rows)}
    manifest = _manifest(rows, head, files)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        for name, content in files.items():
            (draft / name).write_bytes(content)
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
        draft.chmod(0o755)
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return manifest


def faults(folder: Path) -> list[str]:
    """Name, in order, all that was done to an export: to its files, and line by line to what they hold.

    Raises:
        NotAnExportError: the folder holds none.
    """
    manifest, rows = _manifest_of(folder), lines_of(folder)
    found = [
        f"{name} is not the file that was written: its SHA-256 is not the manifest's."
        for name, about in manifest["files"].items()
        if not (folder / name).is_file() or _sha256((folder / name).read_bytes()) != about["sha256"]
    ]
    head = Head(int(manifest["head"]["seq"]), str(manifest["head"]["hash"]))
    return found + problems(rows, head)


def lines_of(folder: Path) -> list[Row]:
    """Read the lines of an export.

    Raises:
        NotAnExportError: there are none, or they cannot be read.
    """
    try:
        # By line feeds only: a reason may hold other characters that Python would take for the end of a line.
        texts = (folder / LINES).read_text(encoding="utf-8").split("\n")
        rows = [json.loads(text) for text in texts if text]
    except (OSError, ValueError) as problem:
        raise NotAnExportError(folder, str(problem)) from problem
    if any(not isinstance(row, dict) or set(row) != set(FIELDS) for row in rows):
        raise NotAnExportError(folder, f"a line of {LINES} has other fields than a ledger's")
    return rows


def _manifest_of(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as problem:
        raise NotAnExportError(folder, str(problem)) from problem
    if manifest.get("format") != FORMAT:
        raise NotAnExportError(folder, f"its format is not {FORMAT}")
    return manifest


def _as_lines(rows: Sequence[Row]) -> bytes:
    texts = (
        json.dumps({name: row[name] for name in FIELDS}, ensure_ascii=False, separators=(",", ":"))
        for row in rows
    )
    return "".join(f"{text}\n" for text in texts).encode()


def _as_table(rows: Sequence[Row]) -> bytes:
    written = io.StringIO(newline="")
    table = csv.DictWriter(written, FIELDS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return written.getvalue().encode()


def _manifest(rows: Sequence[Row], head: Head, files: dict[str, bytes]) -> dict[str, Json]:
    return {
        "format": FORMAT,
        "lines": len(rows),
        "head": {"seq": head.seq, "hash": head.hash},
        "first_recorded_at": rows[0]["recorded_at"] if rows else None,
        "last_recorded_at": rows[-1]["recorded_at"] if rows else None,
        "models": dict(sorted(Counter(str(row["model"]) for row in rows).items())),
        "problems": problems(rows, head),
        "files": {
            name: {"sha256": _sha256(content), "bytes": len(content)} for name, content in files.items()
        },
    }


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
