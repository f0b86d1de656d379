"""Makes the whole report: `python build_report.py`; `python build_report.py --help` lists the commands.

This is the main file that reproduces everything. It runs the code that lies beside it, in `src`, on the
project that the current folder lies in, or else on the one beside it.
"""

import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
SOURCE = os.path.join(HERE, "src")
sys.path[0] = SOURCE  # instead of this folder: a project brings its own `experiments`
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [SOURCE, os.environ.get("PYTHONPATH")]))

if __name__ == "__main__":
    try:
        from labreport.__main__ import main

        main(otherwise=HERE)
    except ModuleNotFoundError as error:
        print(
            f"error: the Python package {error.name!r} is missing in {sys.executable} "
            f"(Python {sys.version_info.major}.{sys.version_info.minor})\n"
            "  cure: run `make report`, which installs what is needed into .venv and builds the report;\n"
            "        afterwards `.venv/bin/python build_report.py` works too",
            file=sys.stderr,
        )
        sys.exit(6)
