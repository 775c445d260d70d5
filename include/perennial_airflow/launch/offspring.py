"""Which processes are ours, read from ``/proc``, so that a stop can prove that none is left.

The keeper is a subreaper: every process below it stays below it. After the keeper itself was killed,
the sessions that it opened still name what it left.
"""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_LIBC = ctypes.CDLL(None)
_forked_by_main_thread = [True]


@dataclass(frozen=True)
class Process:
    """One line of ``/proc``: who it is, whose child, which session, when it began (clock ticks)."""

    pid: int
    state: str
    parent: int
    session: int
    began: int


def processes() -> list[Process]:
    """List every process of the machine; those that end meanwhile are left out."""
    found = (process(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [one for one in found if one is not None]


def process(pid: int) -> Process | None:
    """Return what ``/proc`` says about a process, or nothing when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()  # the name before may contain anything
    return Process(pid, fields[0], int(fields[1]), int(fields[3]), int(fields[19]))


def descendants(root: int) -> list[Process]:
    """List the living processes below ``root``."""
    everyone = processes()
    below, family = [root], []
    while below:
        parent = below.pop()
        children = [one for one in everyone if one.parent == parent and one.state != "Z"]
        family += children
        below += [one.pid for one in children]
    return family


def members(sessions: Iterable[int], *, since: int) -> list[Process]:
    """List the living processes of these sessions that began at ``since`` (clock ticks) or later."""
    wanted = set(sessions)
    alive = [one for one in processes() if one.state not in "ZX"]
    return [one for one in alive if one.session in wanted and one.began >= since]


def kill(victims: Iterable[Process]) -> None:
    """End processes at once; those already gone do not matter."""
    for victim in victims:
        with suppress(ProcessLookupError):
            os.kill(victim.pid, signal.SIGKILL)


def boot() -> str:
    """Return the identity of this start of the machine: process numbers mean nothing across two."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def adopt_orphans() -> None:
    """Make this process the parent of every orphan below it."""
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent() -> None:
    """Let every process forked from here on die when its parent does, and theirs with them.

    The kernel sends the signal when the forking *thread* ends, so forks by other threads are left out.
    """
    os.register_at_fork(before=_note_thread, after_in_child=_follow_parent)


def _note_thread() -> None:
    _forked_by_main_thread[0] = threading.current_thread() is threading.main_thread()


def _follow_parent() -> None:
    if _forked_by_main_thread[0]:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
