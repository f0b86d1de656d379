"""A browser that has the live page open, as far as the server sees it."""

from __future__ import annotations

import json
import re
import socket


def parts(url):
    """Return the port and the path of the page."""
    found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)(/[\w-]{32}/)", url)
    return int(found[1]), found[2]


class Listener:
    """A client of the live page that collects the events it gets."""

    def __init__(self, url):
        port, page = parts(url)
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.socket.sendall(f"GET {page}events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        self.file = self.socket.makefile("rb")
        self.head = list(iter(lambda: self.file.readline().strip(), b""))

    def event(self):
        """Return the next event as its fields; None if the server has ended."""
        lines = list(iter(lambda: self.file.readline().rstrip(b"\n"), b""))
        return dict(line.decode().split(": ", 1) for line in lines) or None

    def state(self):
        """Return the next state that is told."""
        while "data" not in (event := self.event()):
            pass
        return json.loads(event["data"])

    def close(self):
        self.file.close()
        self.socket.close()
