"""A program behind a wall: what it reads and writes, its network, its limits, and how it starts."""

import resource
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from labreport import wall
from labreport.wall import Limits, Wall

walled = pytest.mark.skipif(not wall.version(), reason=wall.NONE)
SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", sys.prefix, sys.base_prefix, "/dev/urandom")


@pytest.fixture
def place(tmp_path):
    for name in ("read", "write", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(f"{name}\n")
    return tmp_path


def around(place):
    return Wall((*SYSTEM, str(place / "read")), (str(place / "write"), "/dev/null"))


def shell(place, script, enclosure=None):
    return wall.run(["/bin/sh", "-c", script], enclosure or around(place), seconds=30, cwd=place)


@walled
@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("cat read/file", "read"),
        ("cat write/file", "write"),
        ("echo x > write/new; mkdir write/folder; mv write/new write/folder; cat write/folder/new", "x"),
        ("echo x > /dev/null && echo done", "done"),
        ("cat other/file", ""),
        ("ls other", ""),
        ("cat read/../other/file", ""),
        ("ln -s ../other/file write/link; cat write/link", ""),
        ("ln other/file write/link; cat write/link", ""),
        ("echo x > read/file; cat read/file", "read"),
        ("rm read/file; cat read/file", "read"),
        ("/bin/sh -c 'cat other/file'", ""),
        ("kill -0 $PPID && echo alive", ""),
    ],
)
def test_a_program_and_its_children_read_and_write_what_they_are_given(place, script, told):
    assert shell(place, script).stdout.decode().strip() == told
    assert (place / "other" / "file").read_text() == "other\n"


@walled
def test_a_single_file_can_be_given(place):
    enclosure = Wall((*SYSTEM, str(place / "other" / "file")), (str(place / "write" / "file"), "/nowhere"))
    done = shell(place, "cat other/file; echo x > write/file; echo y > write/new", enclosure)
    assert done.stdout == b"other\n"
    assert (place / "write" / "file").read_text() == "x\n"
    assert not (place / "write" / "new").exists()


@walled
@pytest.mark.skipif(wall.version() < 4, reason="Landlock has no network before version 4")
@pytest.mark.parametrize("network", [True, False])
def test_there_is_no_network_unless_it_is_given(place, network):
    with socket.create_server(("127.0.0.1", 0)) as server:
        connect = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}))"
        enclosure = Wall(SYSTEM, ("/dev/null",), network=network)
        done = wall.run([sys.executable, "-I", "-c", connect], enclosure, seconds=30)
    assert (done.returncode == 0) == network


@walled
def test_who_starts_it_stays_free_and_leaves_nothing_open(place):
    threads, files = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
    shell(place, "true")
    (place / "other" / "new").write_text("x")
    assert (threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))) == (threads, files)


def test_a_program_that_is_missing_is_an_error_as_without_a_wall(place):
    with pytest.raises(FileNotFoundError):
        wall.start(["/nowhere/at/all"], around(place))


def test_a_program_that_hangs_is_ended(place):
    with pytest.raises(subprocess.TimeoutExpired):
        wall.run(["/bin/sleep", "60"], around(place), seconds=0.2)


def test_where_the_kernel_has_no_landlock_programs_run_all_the_same(place, monkeypatch):
    monkeypatch.setattr(wall, "version", lambda: 0)
    assert shell(place, "cat other/file").stdout == b"other\n"


@pytest.mark.parametrize("error", [OSError(38, "ENOSYS"), OSError(95, "EOPNOTSUPP"), OSError(1, "EPERM")])
def test_a_kernel_or_a_container_that_refuses_has_no_landlock(monkeypatch, error):
    def refuse(*_):
        raise error

    monkeypatch.setattr(wall, "_call", refuse)
    assert wall.version.__wrapped__() == 0


@walled
@pytest.mark.parametrize("version", range(1, wall.version() + 1))
def test_each_version_keeps_what_it_can(place, monkeypatch, version):
    monkeypatch.setattr(wall, "version", lambda: version)
    assert shell(place, "cat read/file other/file; echo x > write/new; rm read/file").stdout == b"read\n"
    assert (place / "write" / "new").exists()
    assert (place / "read" / "file").exists()


LIMITS = Limits(cpu=7, memory=2**30, file=2**20)
TELL = (
    "import resource as r; print([r.getrlimit(k)[0] for k in (r.RLIMIT_CPU, r.RLIMIT_DATA, r.RLIMIT_FSIZE)])"
)


def test_a_command_of_its_own_has_the_wall_and_the_limits(place):
    script = f"{TELL}\ntry: open({str(place / 'other' / 'file')!r})\nexcept PermissionError: print('refused')"
    command = wall.command(around(place), LIMITS, [sys.executable, "-I", "-c", script])
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"[7, {2**30}, {2**20}]\n" + ("refused\n" if wall.version() else "")


def test_stricter_limits_stay(place):
    limited = Limits(cpu=1000, memory=2**40, file=2**40)
    command = wall.command(around(place), limited, [sys.executable, "-I", "-c", TELL])
    strict = ["/bin/sh", "-c", 'ulimit -t 9; ulimit -f 64; exec "$@"', "sh", *command]
    done = subprocess.run(strict, capture_output=True, text=True, check=True)
    cpu, _, file = eval(done.stdout)
    assert (cpu, file) == (9, 64 * 512)


def test_limits_of_a_process_that_has_ended_are_no_error():
    process = subprocess.Popen(["/bin/true"])
    process.wait()
    LIMITS.set(process.pid)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != LIMITS.file
