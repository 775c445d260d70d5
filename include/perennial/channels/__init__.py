"""How an alert travels. One file, one way.

A good channel raises when it cannot be sure that the alert was taken, ends within its time, says why
it failed without showing its address, and leaves trying again to the outbox.
"""

from __future__ import annotations

from functools import cache

from perennial.catalogue import entries
from perennial.channels.base import Channel


@cache
def channels() -> dict[str, type[Channel]]:
    """List every channel by its file's name."""
    return entries(__name__, Channel)
