"""Run a program that ends at a rename: `python at_rename.py NUMBER SIGNAL parent|group PROGRAM ARGUMENT ...`.

Before its NUMBER-th rename the first process sends the signal to itself, or to its whole group; with the
number 0 it goes on, and says at last how many renames there were. By a rename something is published: a kill
at a random time nearly never falls between two of them.
"""

import atexit
import os
import runpy
import sys
from pathlib import Path

number, signal = map(int, sys.argv[1:3])
end = os.killpg if sys.argv[3] == "group" else os.kill
parent, renames = os.getpid(), 0


def count(event: str, _: object) -> None:
    global renames
    if event == "os.rename" and os.getpid() == parent:
        renames += 1
        if renames == number:
            end(parent, signal)


sys.addaudithook(count)
if not number:
    atexit.register(lambda: print(f"{renames} renames"))
del sys.argv[:4]
sys.path[0] = str(Path(sys.argv[0]).parent)
runpy.run_path(sys.argv[0], run_name="__main__")
