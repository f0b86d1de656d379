"""Makes the whole report: `python build_report.py`; `python build_report.py --help` lists the commands.

This is the main file that reproduces everything. It runs the code that lies beside it, in `src`, on the
project that the current folder lies in, or else on the one beside it.
"""

import os
import sys
from pathlib import Path

SOURCE = str(Path(__file__).resolve().parent / "src")
sys.path[0] = SOURCE  # instead of this folder: a project brings its own `experiments`
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [SOURCE, os.environ.get("PYTHONPATH")]))

try:
    from labreport.cli import main
except ModuleNotFoundError as error:
    print(
        f"error: the Python package {error.name!r} is missing in {sys.executable} "
        f"(Python {sys.version_info.major}.{sys.version_info.minor})\n"
        "  cure: run `make report`, which installs what is needed into .venv and builds the report;\n"
        "        afterwards `.venv/bin/python build_report.py` works too",
        file=sys.stderr,
    )
    sys.exit(6)

if __name__ == "__main__":
    main(otherwise=Path(__file__).resolve().parent)
