"""The one base class of every mistake that we can explain: its code and the command line's exit status.

Each class of this package is one mistake; its docstring is the paragraph that explains it in the reference.
"""

from __future__ import annotations


class PerennialError(Exception):
    """A mistake we can explain. ``code`` names its entry in the reference, ``exit_code`` the CLI's status."""

    code = "PER-1000"
    exit_code = 1
