"""A process that draws a report, and leaves it in the caches for the build that has started it."""

import sys
from dataclasses import replace
from pathlib import Path

from labreport import project
from labreport.page import drawn

if __name__ == "__main__":
    folder, build_dir, job, *options = sys.argv[1:]
    loaded = project.load(Path(folder), quick="--quick" in options, build_dir=Path(build_dir))
    drawn.draw(replace(loaded, job=job))
