"""The fork server alone: how calls end, what they print and say, and that they are kept apart from us."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import alive, pids, wait_for

from labreport.running import threads
from labreport.running.forkserver import MAX_MESSAGE, ForkServer, encode_message

ROOT = Path(__file__).parents[3]


def returns(argument, send):
    print(f"given {argument}")


def exits(argument, send):
    sys.exit(argument)


def fails(argument, send):
    raise ValueError(argument)


def dies(argument, send):
    os.kill(os.getpid(), signal.SIGTERM)


def says(argument, send):
    send({"sessions": [os.getsid(0), os.getsid(os.getppid())], "pid": os.getpid(), "given": argument})


def waits(path, send):
    while not Path(path).exists():
        time.sleep(0.01)
    sys.exit(5)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    path = [ROOT, *map(Path, sys.path)]  # the server imports this file under the name that pytest gives it
    server = ForkServer(preload=[], path=path, cwd=folder, log=folder / "log", env={})
    yield server
    server.close()


def messages_of(server, call, seconds=20):
    """Yield the messages of a call as they come."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield from (message for message in server.receive(1) if message["call"] == call)
    pytest.fail("nothing more was heard of the call")


def heard(server, function, argument, log, until="exit"):
    """Call a function in a child and return what is heard of it, up to a kind of message."""
    messages = []
    for message in messages_of(server, server.start(function, argument, log)):
        messages.append(message)
        if message["type"] == until:
            break
    return messages


@pytest.mark.parametrize(
    ("function", "argument", "code"),
    [
        (returns, "x", 0),
        (exits, 3, 3),
        (exits, "in words", 1),
        (exits, None, 1),
        (fails, "x", 1),
        (dies, "x", -signal.SIGTERM),
    ],
)
def test_a_call_ends_with_the_exit_code_of_its_process(server, tmp_path, function, argument, code):
    messages = heard(server, function, argument, tmp_path / "log")
    assert [message["type"] for message in messages] == ["started", "exit"]
    assert messages[-1]["code"] == code


def test_what_a_call_prints_is_in_its_log(server, tmp_path):
    heard(server, returns, "ä", tmp_path / "a" / "log")
    assert (tmp_path / "a" / "log").read_text() == "given ä\n"
    heard(server, fails, "no such thing", tmp_path / "log")
    assert (tmp_path / "log").read_text().endswith("ValueError: no such thing\n")


def test_the_words_that_a_call_exits_with_are_in_its_log(server, tmp_path):
    heard(server, exits, "no more data", tmp_path / "log")
    assert (tmp_path / "log").read_text() == "no more data\n"


def imported(names, send):
    send({"imported": [name in sys.modules for name in names], "threads": threads.count()})


def test_a_module_that_starts_threads_is_not_preloaded(tmp_path):
    """Its threads would not live on in a child, and the locks that they hold would never be given back."""
    for name in ("before", "after"):
        (tmp_path / f"{name}.py").write_text("")
    start = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    (tmp_path / "between.py").write_text(start)
    path, names = [tmp_path, ROOT, *map(Path, sys.path)], ["before", "between", "after"]
    server = ForkServer(preload=names, path=path, cwd=tmp_path, log=tmp_path / "log", env={})
    try:
        _, said, _ = heard(server, imported, names, tmp_path / "log of the call")
    finally:
        server.close()
    assert said["data"] == {"imported": [True, False, True], "threads": 1}
    assert "between is not preloaded: it starts threads" in (tmp_path / "log").read_text()


def test_neither_the_server_nor_a_call_is_in_our_session(server, tmp_path):
    """Else Ctrl-C in a terminal would end them before we have said what is to become of them."""
    started, said, _ = heard(server, says, [1, "x"], tmp_path / "log")
    of_call, of_server = said["data"]["sessions"]
    assert of_call == said["data"]["pid"] == started["pid"]
    assert len({of_call, of_server, os.getsid(0)}) == 3
    assert said["data"]["given"] == [1, "x"]


def test_a_call_that_is_killed_ends_by_the_signal(server, tmp_path):
    (started,) = heard(server, waits, str(tmp_path / "never"), tmp_path / "log", until="started")
    server.kill(started["call"])
    assert next(messages_of(server, started["call"]))["code"] == -signal.SIGKILL


@pytest.mark.parametrize("ends", [exits, fails, dies])
def test_however_a_call_ends_the_others_go_on(server, tmp_path, ends):
    (other,) = heard(server, waits, str(tmp_path / "go"), tmp_path / "log", until="started")
    heard(server, ends, "in words", tmp_path / "log of the one that ends")
    (tmp_path / "go").touch()
    assert next(messages_of(server, other["call"]))["code"] == 5


def hides(argument, send):
    """Leave a process in a session of its own; then end, die, or wait for a file."""
    record, then = argument
    shell = f"echo $$ > {record}.new; mv {record}.new {record}; exec sleep 600"
    subprocess.Popen(["setsid", "--fork", "sh", "-c", shell]).wait()
    while not Path(record).exists():
        time.sleep(0.01)
    if then == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    elif then != "ends":
        waits(then, send)


@pytest.mark.parametrize("then", ["ends", "dies", "is killed"])
def test_what_has_left_the_session_of_a_call_ends_with_it_and_is_named(server, tmp_path, then):
    other, go = tmp_path / "other", tmp_path / "go"
    (waiting,) = heard(server, hides, (str(other), str(go)), tmp_path / "log", until="started")
    wait_for(other.exists)
    record = tmp_path / "one"
    if then == "is killed":
        never = str(record), str(tmp_path / "never")
        (call,) = heard(server, hides, never, tmp_path / "log", until="started")
        wait_for(record.exists)
        server.kill(call["call"])
        last = next(messages_of(server, call["call"]))
    else:
        last = heard(server, hides, (str(record), then), tmp_path / "log")[-1]
    assert [name.split()[:2] for name in last["left"]] == [["process", record.read_text().strip()]]
    assert not alive(*pids(record))
    # what belongs to a call that goes on goes on
    assert alive(*pids(other))
    go.touch()
    (name,) = next(messages_of(server, waiting["call"]))["left"]
    assert name.startswith(f"process {other.read_text().strip()} (")


def test_what_calls_have_hidden_ends_with_the_server(tmp_path):
    path = [ROOT, *map(Path, sys.path)]
    server = ForkServer(preload=[], path=path, cwd=tmp_path, log=tmp_path / "log", env={})
    server.start(hides, (str(tmp_path / "one"), str(tmp_path / "never")), tmp_path / "log of it")
    wait_for((tmp_path / "one").exists)
    server.close()
    assert not alive(*pids(tmp_path / "one"))


def starts(record, *_):
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    Path(record).write_text(str(process.pid))


def test_what_the_server_itself_has_started_goes_on_when_a_call_ends(tmp_path):
    path = [ROOT, *map(Path, sys.path)]
    server = ForkServer(preload=[], path=path, cwd=tmp_path, log=tmp_path / "log", env={})
    try:
        server.do(starts, str(tmp_path / "pid"))
        assert heard(server, returns, "x", tmp_path / "log of it")[-1]["left"] == []
        (pid,) = pids(tmp_path / "pid")
        assert alive(pid)
    finally:
        server.close()
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("text", ["x" * 100_000, "ä€😀" * 20_000, "\\" * 50_000])
def test_a_message_of_any_length_is_one_line_that_a_pipe_keeps_whole(text):
    line = encode_message(7, "message", data={"what": text, "more": [text] * 20})
    assert len(line) <= MAX_MESSAGE
    assert line.index(b"\n") == len(line) - 1


def interrupted(path, send):
    try:
        send({"begun": True})
        time.sleep(60)
    except KeyboardInterrupt:
        time.sleep(0.1)
        Path(path).write_text("cleared away")
        sys.exit(7)


def test_an_interrupted_call_ends_by_itself(server, tmp_path):
    call = server.start(interrupted, str(tmp_path / "done"), tmp_path / "log")
    next(message for message in messages_of(server, call) if message["type"] == "message")
    server.interrupt(call)
    assert next(m for m in messages_of(server, call) if m["type"] == "exit")["code"] == 7
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize(("grace", "is_cleared"), [(0.0, False), (5.0, True)])
def test_calls_have_a_grace_to_end_by_themselves_when_the_server_ends(tmp_path, grace, is_cleared):
    path = [ROOT, *map(Path, sys.path)]
    server = ForkServer(preload=[], path=path, cwd=tmp_path, log=tmp_path / "server", env={}, grace=grace)
    call = server.start(interrupted, str(tmp_path / "done"), tmp_path / "log")
    next(message for message in messages_of(server, call) if message["type"] == "message")
    server.close()
    assert (tmp_path / "done").exists() == is_cleared


def test_a_log_that_cannot_be_written_ends_neither_the_server_nor_the_call(server, tmp_path):
    (tmp_path / "taken").touch()
    messages = heard(server, says, "x", tmp_path / "taken" / "log")
    assert [message["type"] for message in messages] == ["started", "message", "exit"]
    assert messages[-1]["code"] == 0
