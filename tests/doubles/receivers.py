"""Local receivers of alerts: a web hook that behaves as told, and a mail server that keeps what comes."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller


class WebHook:
    """A web hook on a free port; ``status`` and ``wait_seconds`` may change while it runs."""

    def __init__(self) -> None:
        """Take everything at once, until told otherwise."""
        self.status, self.wait_seconds = 200, 0.0
        self.got: list[dict[str, str]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(hook.wait_seconds)
                if hook.status == 200:
                    hook.got.append(json.loads(body))
                try:
                    self.send_response(hook.status)
                    self.end_headers()
                except OSError:
                    return  # whoever called has gone away: that is what a slow hook is for

            def log_message(self, *_: object) -> None:
                """Say nothing on the test's screen."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"json://127.0.0.1:{self._server.server_port}/hook"

    @property
    def titles(self) -> list[str]:
        """List the titles that came, in order."""
        return [each["title"] for each in self.got]

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


class MailServer:
    """An SMTP server on a free port that keeps every message."""

    def __init__(self) -> None:
        """Begin to listen."""
        self.got: list[EmailMessage] = []
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self._controller.start()
        port = self._controller.port
        self.url = f"mailto://127.0.0.1:{port}/?from=perennial@example.org&to=you@example.org&mode=insecure"

    async def handle_DATA(self, _server: object, _session: object, envelope: object) -> str:  # noqa: N802
        """Keep a message; the name is the mail library's."""
        self.got.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"

    def close(self) -> None:
        """Stop listening."""
        self._controller.stop()


def free_port() -> int:
    """Find a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def drip() -> Iterator[str]:
    """Listen as one that sends a byte now and then, for ever: no read ever times out."""
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        try:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not stop.wait(0.2):
                    connection.sendall(b"X")
        except OSError:
            return

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"json://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        stop.set()
        listener.close()
