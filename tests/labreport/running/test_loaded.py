"""Code in memory that is not that on the disk is noticed."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[3] / "src/labreport"
ASKED = """
import sys, time
from pathlib import Path
since = time.time_ns()
time.sleep(0.03)
from labreport.running import loaded
known = loaded.tokens()
engine = Path(sys.argv[1]) / "labreport"
assert loaded.__file__.startswith(str(engine)), loaded.__file__
print(loaded.is_stale(known, since))
exec(sys.argv[2])
print(loaded.is_stale(known, since))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    copy = tmp_path_factory.mktemp("src") / "labreport"
    shutil.copytree(ENGINE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    time.sleep(0.05)  # more than a tick of the clock: what was just written counts as written meanwhile
    return copy.parent


@pytest.mark.parametrize(
    ("change", "is_stale"),
    [
        ("pass", False),
        ("(engine / 'notes.txt~').unlink(missing_ok=True)", False),
        ("path = engine / 'events.py'; path.write_text(path.read_text() + '#')", True),
        ("path = engine / 'explain/lines.py'; path.write_text(path.read_text())", True),  # not loaded yet
        ("(engine / 'language/new.py').write_text('')", True),
        ("(engine / 'checks/figures.py').unlink()", True),
        ("since = (engine / 'events.py').stat().st_ctime_ns", True),  # saved while it was loaded
    ],
)
def test_any_change_of_code_is_noticed(copy, change, is_stale):
    command = [sys.executable, "-c", ASKED, str(copy), change]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["False", str(is_stale)]
