"""Anything that Apprise reaches by a URL: mail, Slack, Teams, a web hook, ntfy and a hundred more."""

from __future__ import annotations

import logging
import re
import threading
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import Field, SecretStr

from perennial.channels.base import Channel
from perennial.errors import NotDeliveredError
from perennial.facts.alert import Alert

SHORTEST_SECRET = 4
"""Parts of an address shorter than this are not blotted out: they would blot out ordinary words."""


class AppriseUrl(Channel):
    """Send alerts to one Apprise URL, such as ``json://host/hook`` or ``mailto://…``.

    The URL is a secret: it is never shown, also not in what this channel raises.

    >>> AppriseUrl(url="slack://TokenA/TokenB/TokenC").url
    SecretStr('**********')
    """

    url: SecretStr = Field(description="Apprise URL, usually kept in an Airflow connection.")
    timeout_seconds: float = Field(
        4.0, gt=0, le=30, description="Longest wait for a connection, and for an answer."
    )

    def tell(self, alert: Alert) -> None:
        """Send the alert as a title and a plain text.

        Raises:
            NotDeliveredError: there is no such service, or it did not take the alert.
        """
        import apprise  # 0.3 s, and only where an alert is sent

        address = self.url.get_secret_value()
        with _Overheard() as overheard:
            # The service itself, not Apprise.notify(): that one sends, and logs, from other threads.
            service = apprise.Apprise.instantiate(self._as_text_in_time(address)) if address else None
            if service is None:
                raise NotDeliveredError("its address is empty or not one that Apprise knows.")
            taken = service.notify(
                title=alert.title, body=alert.as_text(), notify_type=_TYPES[alert.severity]
            )
        if not taken:
            said = " ".join(overheard.said) or "it did not take the alert"
            raise NotDeliveredError(masked(f"{_scheme(address)}: {said}", address))

    def _as_text_in_time(self, address: str) -> str:
        """Ask for plain text, which every service shows as it is, in parts if long, and not to wait for ever."""
        asked = f"format=text&overflow=split&cto={self.timeout_seconds}&rto={self.timeout_seconds}"
        return f"{address}{'&' if '?' in address else '?'}{asked}"


_TYPES: dict[str, Any] = {"info": "info", "warning": "warning", "critical": "failure"}


class _Overheard(logging.Handler):
    """Hear what Apprise logs in this thread: it returns false, and says why only there."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())

    def __enter__(self) -> Self:
        here = threading.get_ident()
        self.addFilter(lambda record: record.thread == here)
        logging.getLogger("apprise").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("apprise").removeHandler(self)


def masked(text: str, address: str) -> str:
    """Blot out of a text the address and every part of it that may be a secret.

    >>> masked("No answer from bot s3cret at example.org", "json://bot:s3cret@example.org/hook")
    'No answer from bot *** at example.org'
    """
    parts = urlsplit(address)
    pieces = [parts.username, parts.password, *parts.path.split("/"), *(v for _, v in parse_qsl(parts.query))]
    if parts.scheme not in _HOSTS_ARE_HOSTS:
        pieces.append(parts.netloc)
    secrets = {piece for piece in pieces if piece} | {unquote(piece) for piece in pieces if piece}
    for secret in [address, *sorted(secrets, key=len, reverse=True)]:
        if len(secret) >= SHORTEST_SECRET:
            text = re.sub(re.escape(secret), "***", text, flags=re.IGNORECASE)
    return text


_HOSTS_ARE_HOSTS = {"json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos", "ntfy", "ntfys"}
"""Services whose URL begins with a real host; in others (Slack, Teams) a token stands in its place."""


def _scheme(address: str) -> str:
    return urlsplit(address).scheme or "an address without a scheme"
