"""Whether a story that was cut off can go on, or starts over: its home must be whole, its window and code the same.

A home that tells another story, or that an interrupt left damaged, is removed; nothing of it is mixed with the new.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from perennial.ledger.sqlite import SqliteLedger
from perennial_airflow.launch import processes

_PARTS = ("include", "dags", "plugins", "config")


@dataclass(frozen=True)
class Bookmark:
    """What a home's story is about, written when it begins and when it ends."""

    home: Path
    about: dict[str, str]

    def open(self) -> str:
        """Prepare the home and say in a sentence whether the story goes on or starts over."""
        processes.sweep(self.home)
        kept = self._kept()
        reason = "" if kept is None else self._cannot_go_on(kept)
        going_on = kept is not None and not reason
        if not going_on:
            shutil.rmtree(self.home, ignore_errors=True)
            self.home.mkdir(parents=True)
        self._write(ended=False)
        if going_on:
            return "an earlier telling was cut off: going on where it stopped"
        return f"starting over: {reason}" if reason else "starting with an empty home"

    def close(self) -> None:
        """Note that the story has been told to its end."""
        self._write(ended=True)

    def _cannot_go_on(self, kept: dict[str, object]) -> str:
        if kept.get("ended"):
            return "the last story was told to its end"
        if kept.get("about") != self.about:
            return "the last one was about other nights, or other code"
        return _damage(self.home)

    def _kept(self) -> dict[str, object] | None:
        try:
            kept: dict[str, object] = json.loads((self.home / "story.json").read_text())
        except (OSError, ValueError):
            return None
        return kept

    def _write(self, *, ended: bool) -> None:
        draft = self.home / ".story.json"
        draft.write_text(json.dumps({"about": self.about, "ended": ended}))
        draft.replace(self.home / "story.json")


def code_of(project: Path) -> str:
    """Identify the code and the declarations that a story runs, by their text."""
    digest = hashlib.sha256()
    for part in _PARTS:
        for file in sorted((project / part).rglob("*")):
            if file.suffix in {".py", ".yaml", ".toml"} and file.is_file():
                digest.update(f"{file.relative_to(project)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _damage(home: Path) -> str:
    """Say what an interrupt damaged; nothing when the home is whole."""
    try:
        with closing(sqlite3.connect(home / "airflow" / "airflow.db")) as database:
            if database.execute("pragma quick_check").fetchone()[0] != "ok":
                return "Airflow's database is damaged"
            database.execute("select count(*) from dag_run")
    except sqlite3.Error:
        return "Airflow's database was not finished"
    if (home / "ledger.db").exists() and SqliteLedger(home / "ledger.db").verify():
        return "the ledger is damaged"
    return ""
