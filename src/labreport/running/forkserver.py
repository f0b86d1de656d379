"""A process that has imported what is slow to import, and forks a child for each call.

Each child leads a session of its own, so that it ends with all of its processes: at a request, when the
child itself ends, and when the process that uses the server ends, however that happens; what has left the
session is ended and named, too. What a child prints
goes to a log of limited size. Messages of children are lines of JSON, short enough for a pipe to keep whole.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import select
import signal
import struct
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn

from labreport import descendants
from labreport.running import loaded, threads

MAX_LOG = 10_000_000
MAX_MESSAGE = select.PIPE_BUF
_LENGTH = struct.Struct("!I")

_BOOT = """import json, sys
sys.path[:0] = json.loads(sys.argv[1])
from labreport.running.forkserver import main
main(float(sys.argv[2]), sys.argv[3:])"""

Message = dict[str, Any]
Send = Callable[[Message], None]


class ForkServer:
    """The server as its user sees it: start and end calls, receive what they say.

    Received messages have the key `call`, the number that `start` returned, and `type`: "started" with `pid`,
    "message" with what the child has sent as `data`, or "exit" with the exit `code` as in subprocess
    (negative: the signal) and what was `left` of it: the names of processes that had left its session. With a
    `call` of 0, "not preloaded" says of a `module` `why` it is not.

    Where the server ends, calls have `grace` seconds to end by themselves after an interrupt.
    """

    def __init__(
        self,
        *,
        preload: Sequence[str],
        path: Sequence[Path],
        cwd: Path,
        log: Path,
        env: Mapping[str, str],
        grace: float = 0.0,
    ) -> None:
        import subprocess

        self._since = time.time_ns()
        log.parent.mkdir(parents=True, exist_ok=True)
        roots = [*map(str, path), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BOOT, json.dumps([*map(str, path)]), str(grace), *preload],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                cwd=cwd,
                env={**os.environ, **env, "PYTHONPATH": os.pathsep.join(roots)},
                bufsize=0,
                start_new_session=True,
            )
        self._calls = 0
        self._open: set[int] = set()
        self._leaders: dict[int, int] = {}
        self._buffer = b""

    def start(
        self,
        function: Callable[[Any, Send], None],
        argument: object,
        log: Path,
        *,
        only_fresh: bool = False,
    ) -> int:
        """Call a function of a module with an argument in a new child; return the number of the call.

        With `only_fresh` the message is "stale" instead, if code that the server has loaded is not that on
        the disk any more.
        """
        self._calls += 1
        self._open.add(self._calls)
        name = f"{function.__module__}:{function.__qualname__}"
        since = self._since if only_fresh else None
        self._request(("start", self._calls, name, pickle.dumps(argument), str(log), since))
        return self._calls

    def do(self, function: Callable[[Any], None], argument: object) -> None:
        """Call a function of a module in the server itself, for what its children are to inherit."""
        self._request(("do", f"{function.__module__}:{function.__qualname__}", pickle.dumps(argument)))

    def is_fresh(self) -> bool:
        """Return whether the code that the server has loaded is that on the disk; False if it has ended.

        No call may be under way.
        """
        self._request(("check", self._since))
        try:
            while True:
                for message in self.receive(None):
                    if message["type"] == "checked":
                        return bool(message["is_fresh"])
        except EOFError:
            return False

    def fileno(self) -> int:
        """Return what to select on in order to wait for messages and for something else at once."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def interrupt(self, call: int) -> None:
        """Interrupt a call as Ctrl-C does: it ends by itself, and clears away what it was doing."""
        self._request(("interrupt", call))

    def kill(self, call: int) -> None:
        """End a call with all of its processes."""
        self._request(("kill", call))

    def receive(self, timeout: float | None) -> list[Message]:
        """Return the messages that have come, after at most `timeout` seconds.

        EOFError if the server has ended.
        """
        assert self._process.stdout is not None
        if b"\n" not in self._buffer:
            ready, _, _ = select.select([self._process.stdout], [], [], timeout)
            if not ready:
                return []
            data = os.read(self._process.stdout.fileno(), 1 << 16)
            if not data:
                raise EOFError
            self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        messages = list(_messages(lines))
        for message in messages:
            if message["type"] == "started":
                self._leaders[message["call"]] = message["pid"]
            elif message["type"] in ("exit", "stale"):
                self._leaders.pop(message["call"], None)
                self._open.discard(message["call"])
        return messages

    def end_calls(self, seconds: float = 2.0) -> bool:
        """End all calls, but not the server; return whether none is under way after at most `seconds`."""
        until = time.monotonic() + seconds
        for call in self._open:
            self.kill(call)
        try:
            while self._open and (left := until - time.monotonic()) > 0:
                self.receive(left)
        except EOFError:
            return False
        return not self._open

    def kill_all(self) -> None:
        """End the server and all calls at once, whatever it does."""
        self._process.kill()
        self._process.communicate()  # closes the pipes
        for leader in self._leaders.values():
            _end(leader)

    def close(self) -> None:
        """End all calls and the server."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        with contextlib.suppress(Exception):
            self._process.wait(5)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        if self._process.returncode != 0:  # it could not end the calls itself
            for leader in self._leaders.values():
                _end(leader)

    def _request(self, request: tuple[Any, ...]) -> None:
        data = pickle.dumps(request)
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # `receive` says that the server has ended
            _write(self._process.stdin.fileno(), _LENGTH.pack(len(data)) + data)


def _messages(lines: Sequence[bytes]) -> Iterator[Message]:
    for line in lines:
        with contextlib.suppress(ValueError):
            message = json.loads(line)
            if isinstance(message, dict) and {"call", "type"} <= message.keys():
                yield message


def _write(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def encode_message(call: int, kind: str, **fields: Any) -> bytes:
    """Return a message as one line that a pipe keeps whole; texts that are too long are cut in the middle."""
    limit = 2000
    while True:
        line = json.dumps({"call": call, "type": kind, **_cut(fields, limit)}).encode() + b"\n"
        if len(line) <= MAX_MESSAGE:
            return line
        limit //= 2


def _cut(value: Any, limit: int) -> Any:
    if isinstance(value, dict):
        return {key: _cut(v, limit) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_cut(v, limit) for v in value[:12]]
    if isinstance(value, str) and len(value) > limit:
        return f"{value[: limit // 2]} … {value[-limit // 2 :]}"
    return value


# the server's side


class _Child:
    """A running call: its process, and the pipe of what it prints."""

    def __init__(self, call: int, pid: int, output: int, log: IO[bytes]) -> None:
        self.call = call
        self.pid = pid
        self.output = output
        self.log = log
        self.written = 0
        self.closed = False

    def copy(self) -> bool:
        """Copy what the child has printed to its log; return whether there was something."""
        try:
            data = os.read(self.output, 1 << 16)
        except BlockingIOError:
            return False
        self.closed = not data
        kept = data[: MAX_LOG - self.written]
        with contextlib.suppress(OSError):  # a full disk must not end the server
            self.log.write(kept)
            if len(kept) < len(data) and kept:
                self.log.write(f"\n… what follows the first {MAX_LOG:,} bytes is not kept\n".encode())
        self.written += len(kept)
        return bool(data)

    def interrupt(self) -> None:
        """Interrupt the child itself; it is not reaped yet, so the number is still its own."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGINT)

    def has_ended(self) -> bool:
        """Return whether the child has ended; it stays a zombie until it is reaped."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def end(self) -> None:
        """Kill the child's whole session."""
        _end(self.pid)


class _Server:
    """Reads requests, forks children, copies what they print, and reports how they end."""

    def __init__(self, requests: int, replies: int, grace: float) -> None:
        self.requests = requests
        self.replies = replies
        self.grace = grace
        self.loaded = loaded.tokens()
        self.children: dict[int, _Child] = {}
        self.wake, wake = os.pipe()
        for handle in (self.wake, wake):
            os.set_blocking(handle, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        descendants.adopt()
        self.own = set(descendants.children(os.getpid()))  # what this process itself has started

    def serve(self) -> None:
        """Work until the user of the server is gone; then end all children."""
        try:
            while True:
                outputs = {child.output: child for child in self.children.values() if not child.closed}
                ready, _, _ = select.select([self.requests, self.wake, *outputs], [], [])
                for handle in ready:
                    if handle in outputs:
                        outputs[handle].copy()
                if self.wake in ready:
                    os.read(self.wake, 1 << 16)
                self._reap()
                if self.requests in ready and not self._answer():
                    return
        finally:
            self._end_all()

    def _end_all(self) -> None:
        """Interrupt all children, and kill those that have not ended after the grace."""
        if self.grace:
            for child in self.children.values():
                child.interrupt()
        until = time.monotonic() + self.grace
        while time.monotonic() < until and not all(child.has_ended() for child in self.children.values()):
            for child in self.children.values():
                child.copy()  # a full pipe would hold it up
            time.sleep(0.005)
        for child in self.children.values():
            child.end()
        descendants.end(os.getsid(0), keep=self.own)

    def _answer(self) -> bool:
        """Do what the next request says; return False at the end of all requests."""
        request = _read_request(self.requests)
        if request is None:
            return False
        if request[0] == "check":
            self._reply(0, "checked", is_fresh=not loaded.is_stale(self.loaded, request[1]))
            return True
        if request[0] == "do":
            self._do(*request[1:])
            return True
        if request[0] in ("kill", "interrupt"):
            for child in self.children.values():
                if child.call == request[1]:
                    child.end() if request[0] == "kill" else child.interrupt()
            return True
        _, call, name, argument, log, since = request
        if since is not None and loaded.is_stale(self.loaded, since):
            self._reply(call, "stale")
            return True
        kept = _log(Path(log))
        output, output_of_child = os.pipe()
        os.set_blocking(output, False)
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_child(call, name, argument, output_of_child, server)
        os.close(output_of_child)
        self.children[pid] = _Child(call, pid, output, kept)
        self._reply(call, "started", pid=pid)
        return True

    def _do(self, name: str, argument: bytes) -> None:
        try:
            _called(name)(pickle.loads(argument))
        except Exception:  # children do without
            import traceback

            traceback.print_exc()
        self.own |= set(descendants.children(os.getpid())) - self.children.keys()

    def _reply(self, call: int, kind: str, **fields: Any) -> None:
        with contextlib.suppress(BrokenPipeError):  # then the requests end too
            _write(self.replies, encode_message(call, kind, **fields))

    def _reap(self) -> None:
        for pid, child in list(self.children.items()):
            # the zombie keeps the number of its session from being used again until all of it is killed
            if not child.has_ended():
                continue
            child.end()
            left = descendants.end(pid, keep={*self.own, *self.children})
            for _ in range(16):  # what is still in the pipe; one who has left the session may go on printing
                if not child.copy():
                    break
            os.close(child.output)
            child.log.close()
            del self.children[pid]
            _, status = os.waitpid(pid, 0)
            self._reply(child.call, "exit", code=os.waitstatus_to_exitcode(status), left=left)

    def _become_child(self, call: int, name: str, argument: bytes, output: int, server: int) -> None:
        code = 1
        try:
            os.setsid()
            descendants.die_with_parent(server)
            descendants.adopt()  # so that nothing of it is taken for what another child has left
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.dup2(output, 1)
            os.dup2(output, 2)
            sys.stdout, sys.stderr = _stream(1), _stream(2)
            for handle in (output, self.requests, self.wake, *(c.output for c in self.children.values())):
                os.close(handle)

            def send(data: Message) -> None:
                _write(self.replies, encode_message(call, "message", data=data))

            _called(name)(pickle.loads(argument), send)
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
            if isinstance(error.code, str):
                print(error.code, file=sys.stderr)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(Exception):
                    stream.flush()
            os._exit(code)


def _log(path: Path) -> IO[bytes]:
    """Return a new log to write to; one that keeps nothing where that fails: it must not end the server."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb", buffering=0)
    except OSError:
        return Path(os.devnull).open("wb", buffering=0)


def _called(name: str) -> Callable[..., None]:
    """Return the function of a name such as `package.module:function`."""
    module, _, function = name.partition(":")
    __import__(module)
    found: Callable[..., None] = getattr(sys.modules[module], function)
    return found


def _stream(handle: int) -> io.TextIOWrapper:
    """Return a stream that prints each line at once and any text somehow."""
    return open(handle, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _end(leader: int) -> None:
    """Kill a process with its session, even if it has not yet made that its own."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(leader, signal.SIGKILL)


def _read_request(handle: int) -> tuple[Any, ...] | None:
    header = _read(handle, _LENGTH.size)
    data = _read(handle, _LENGTH.unpack(header)[0]) if header else b""
    request = pickle.loads(data) if data else None
    return request if isinstance(request, tuple) else None


def _read(handle: int, size: int) -> bytes:
    """Return so many bytes; none at the end of the pipe."""
    data = b""
    while len(data) < size:
        piece = os.read(handle, size - len(data))
        if not piece:
            return b""
        data += piece
    return data


def main(grace: float, preload: Sequence[str]) -> None:
    """Import the modules to preload, then serve requests from standard input."""
    requests, replies = os.dup(0), os.dup(1)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    import ctypes  # noqa: F401 -- children need it at once

    for module in preload:
        try:
            __import__(module)
        except (Exception, SystemExit) as error:  # the experiment that needs it fails by name
            why = f"{type(error).__name__}: {error}"
            print(f"cannot preload {module}: {why}", flush=True)
            _write(replies, encode_message(0, "not preloaded", module=module, why=why))
            preload = [other for other in preload if other != module]
        if threads.others():
            print(f"{module} is not preloaded: it starts threads, which no child would have", flush=True)
            _begin_again(requests, replies, [other for other in preload if other != module])
    _Server(requests, replies, grace).serve()


def _begin_again(requests: int, replies: int, preload: Sequence[str]) -> NoReturn:
    """Be a new server that preloads less: only a new process is without the threads."""
    os.dup2(requests, 0)
    os.dup2(replies, 1)
    options = sys.orig_argv[1 : sys.orig_argv.index(_BOOT) + 3]  # as far as the path and the grace
    os.execv(sys.executable, [sys.executable, *options, *preload])
