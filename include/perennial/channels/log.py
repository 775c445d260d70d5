"""Every alert as one JSON line in a local file: the channel that is always there."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic import Field

from perennial.channels.base import Channel
from perennial.errors import NotDeliveredError
from perennial.facts.alert import Alert


class Log(Channel):
    """Append alerts to a file that any number of processes may append to at once.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "alerts.log"
    >>> Log(path=path).tell(Alert("delay", None, "drift", "delay: drift", "It moved.", "Worse.", "Look.", "f"))
    >>> json.loads(path.read_text())["title"]
    'delay: drift'
    """

    path: Path = Field(description="File that alerts are appended to, one JSON object a line.")

    def tell(self, alert: Alert) -> None:
        """Append one line.

        Raises:
            NotDeliveredError: the file cannot be written.
        """
        line = json.dumps(alert.as_json(), ensure_ascii=False).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # One write to a file opened for appending: lines of several processes do not mix.
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(file, line)
            finally:
                os.close(file)
        except OSError as problem:
            raise NotDeliveredError(f"{self.path} cannot be written ({problem.strerror}).") from problem
