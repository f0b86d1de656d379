"""A process that draws a report, and leaves it in the caches for the build that has started it."""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from labreport import descendants, project
from labreport.page import drawn

if __name__ == "__main__":
    folder, build_dir, job, *options = sys.argv[1:]
    # a shell lets what it starts in the background ignore an interrupt, by which the build ends this process
    signal.signal(signal.SIGINT, signal.default_int_handler)
    descendants.die_with_parent(os.getppid(), signal.SIGINT)
    loaded = project.load(Path(folder), quick="--quick" in options, build_dir=Path(build_dir))
    drawn.draw(replace(loaded, job=job))
