"""The page, live: a server on loopback gives it to browsers, and tells them how the builds go.

Only those read who know the address: it holds a token, and no page of another site gets an answer. There is
one kind of event, which holds the whole state: a browser that comes late or is slow misses only what is over,
and holds up nobody.
"""

from __future__ import annotations

import errno
import json
import secrets
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

from labreport.errors import ToolError, UsageError

HOST = "127.0.0.1"
POLL_SECONDS = 0.1
"""How long the end of the server may take."""
PATIENCE_SECONDS = 10.0
"""How long a browser may take to ask, or to read what it was sent."""
HEARTBEAT_SECONDS = 15.0
"""How often a browser is sent something even if nothing happens: so one that has gone is noticed."""
REST_SECONDS = 0.05
"""How long the next event waits: what happens meanwhile goes into one."""
RETRY_MS = 1000
"""How long a browser waits until it tries again to connect."""

HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # the address is the key
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "frame-ancestors 'none'",  # which the page itself cannot say
    "Connection": "close",
}


class Live:
    """The server: `url` is where the page is, `publish` tells all who look at it what is new.

    `page` returns the page as it is now; it is called in threads of the server.

    Raises UsageError if the port is taken, ToolError if this machine lets nobody listen.
    """

    def __init__(self, page: Callable[[], bytes], port: int | None = None) -> None:
        self._board = _Board()
        self._server = _listening(port)
        self._server.token = secrets.token_urlsafe(24)
        self._server.page, self._server.board = page, self._board
        self.url = f"http://{HOST}:{self._server.port}/{self._server.token}/"
        # daemons, all of them: nothing waits for a browser at the end
        threading.Thread(target=self._server.serve_forever, args=(POLL_SECONDS,), daemon=True).start()

    def publish(self, state: Mapping[str, Any]) -> None:
        """Tell the state of things to all who are there, and to whoever comes before the next one."""
        self._board.put(json.dumps(state, allow_nan=False))

    def close(self) -> None:
        """Answer no longer, and let all go who are there."""
        self._board.close()
        self._server.shutdown()
        self._server.server_close()


class _Board:
    """The newest text, for as many threads as wait for it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._text = "{}"
        self._number = 1
        self._is_closed = False

    def put(self, text: str) -> None:
        """Take the place of the text before."""
        with self._changed:
            if text != self._text:
                self._text, self._number = text, self._number + 1
                self._changed.notify_all()

    def close(self) -> None:
        """Let all go who wait."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def after(self, number: int, seconds: float) -> tuple[int, str] | None:
        """Return the text and its number, once it is another one or the time is over; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._number != number, seconds)
            return None if self._is_closed else (self._number, self._text)


# not an HTTPServer, which asks the network for this machine's name, and may wait long for the answer
class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True  # else the port of a watch that has just ended is taken for a minute
    daemon_threads = True
    block_on_close = False
    request_queue_size = 32
    token: str
    board: _Board
    page: Callable[[], bytes]

    @property
    def port(self) -> int:
        """The port that it listens to."""
        return int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that went while it was answered; what else fails is a mistake of ours."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def _listening(port: int | None) -> _Server:
    try:
        return _Server((HOST, port or 0), _Handler)
    except OSError as error:
        if port is not None and error.errno == errno.EADDRINUSE:
            cure = "name another one, or leave out --port for any that is free"
            raise UsageError(f"port {port} is taken by another program", cure=cure) from error
        what = f"the page cannot be served on {HOST}: {error.strerror}"
        raise ToolError(what, cure="allow this machine to listen to itself (the interface lo)") from error


class _Handler(BaseHTTPRequestHandler):
    """Answers one request; what it refuses gets the same empty answer, whatever the reason."""

    server: _Server
    timeout = PATIENCE_SECONDS

    def do_GET(self) -> None:
        """Send the page, or the events until one of both ends."""
        path = f"/{self.server.token}/"
        if self._is_trusted() and self._asks_for(path):
            self._send(self.server.page(), "text/html; charset=utf-8")
        elif self._is_trusted() and self._asks_for(f"{path}events"):
            self._send_events()
        else:
            self.send_error(404)

    do_HEAD = do_GET

    def _asks_for(self, path: str) -> bool:
        return secrets.compare_digest(self.path.encode("latin-1"), path.encode())

    def _is_trusted(self) -> bool:
        """Return whether this comes from our page or from an address that somebody typed or clicked."""
        port, headers = self.server.port, self.headers
        # another name may be one that an attacker lets point to this machine
        hosts = headers.get_all("Host", [])
        if hosts not in ([f"{HOST}:{port}"], [f"localhost:{port}"]):
            return False
        if headers.get("Origin", f"http://{hosts[0]}") != f"http://{hosts[0]}":
            return False
        # the terminal that shows the address may be a page itself, and its link leads here
        is_link = (headers.get("Sec-Fetch-Mode"), headers.get("Sec-Fetch-Dest")) == ("navigate", "document")
        return is_link or headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")

    def _send(self, body: bytes, kind: str) -> None:
        self._start(200, kind, len(body))
        if self.command == "GET":
            self.wfile.write(body)

    def _send_events(self) -> None:
        self._start(200, "text/event-stream; charset=utf-8")
        if self.command != "GET":
            return
        self.wfile.write(b"retry: %d\n\n" % RETRY_MS)
        number = 0
        while (found := self.server.board.after(number, HEARTBEAT_SECONDS)) is not None:
            is_new, (number, text) = found[0] != number, found
            self.wfile.write(f"data: {text}\n\n".encode() if is_new else b":\n\n")
            time.sleep(REST_SECONDS)

    def _start(self, code: int, kind: str | None = None, length: int | None = None) -> None:
        self.send_response(code)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        if kind is not None:
            self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse, and say nothing else: not to whom, nor what there would be."""
        self._start(code, length=0)

    def version_string(self) -> str:
        """Return a name without the version of Python."""
        return "labreport"

    def log_message(self, *_: object) -> None:
        """Write no log: the address is the key."""
