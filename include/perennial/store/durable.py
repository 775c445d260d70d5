"""Writing that survives a crash: a file is whole or absent, and a name is taken by exactly one writer.

Everything the store publishes goes through these few functions, so that there is one place to trust.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

TEMPORARY = ".writing-"


def sha256_of(path: Path) -> str:
    """Hash a file's bytes (SHA-256, hexadecimal)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def temporary(folder: Path) -> Iterator[Path]:
    """Give a name in ``folder`` to write to; whatever is left there at the end is removed."""
    path = folder / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def settle(temporary_path: Path, final: Path) -> None:
    """Give finished content its name; the same content may already be there."""
    _sync(temporary_path)
    temporary_path.replace(final)
    _sync(final.parent)


def create_once(final: Path, content: bytes) -> bool:
    """Create ``final`` with ``content`` unless it exists; tell whether this call created it.

    A hard link either takes the name or fails, on every POSIX file system: of any number of
    writers exactly one wins.
    """
    with temporary(final.parent) as path:
        path.write_bytes(content)
        _sync(path)
        try:
            os.link(path, final)
        except FileExistsError:
            return False
        _sync(final.parent)
        return True


def sweep(folder: Path, alive: Callable[[int], bool]) -> None:
    """Remove what writers that no longer live have left behind."""
    for path in folder.glob(f"{TEMPORARY}*"):
        pid = path.name.removeprefix(TEMPORARY).partition("-")[0]
        if pid.isdecimal() and not alive(int(pid)):
            path.unlink(missing_ok=True)


def lives(pid: int) -> bool:
    """Tell whether a process of that number exists on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
