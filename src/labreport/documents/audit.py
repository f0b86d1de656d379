r"""Whether TeX has read or written anything but its sources and its own trees, as its record of files tells.

kpathsea refuses most of it, but not `\pdfobj stream file`, which would print any file of this machine. The
wall stops that, too, where there is one; what Lua opens stands in no record, and only the wall stops it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from labreport.documents import enclosures
from labreport.documents.texlog import Problem

PASSES = ".passes.fls"
"""The records of all passes, one after the other: each pass of TeX writes its own over the last one's.

TeX writes no hidden files, as openout_any tells it: no document writes into this one.
"""


def watched(program: str, job: str) -> str:
    """Return the Perl with which latexmk keeps the record of each pass that it lets a program take."""
    return f"""\
sub watched {{
  my $code = system(@_);
  print "ended by signal ", $code & 127, "\\n" if $code & 127;
  if (open(my $record, '<', '{job}.fls')) {{
    open(my $passes, '>>', '{PASSES}');
    print {{$passes}} readline($record);
    close($passes);
  }}
  return $code;
}}
${program} = "internal watched ${program}";
"""


def keep(folder: Path, job: str) -> None:
    """Keep the record of a pass that was taken without latexmk."""
    record = folder / f"{job}.fls"
    if record.is_file():
        with (folder / PASSES).open("ab") as passes:
            passes.write(record.read_bytes())


def outside(folder: Path, job: str, output: str) -> Iterator[Problem]:
    """Yield a problem for each file outside of the folder and of TeX's trees that any pass has used.

    So is one that the wall has refused: `output`, what TeX printed, tells that alone. A document that writes
    into these records could hide what it did, and is a problem, too.
    """
    records = [path for path in (folder / f"{job}.fls", folder / PASSES) if path.is_file()]
    data = b"".join(path.read_bytes() for path in records)
    lines = os.fsdecode(data).split("\n")
    used = [(kind, name) for kind, _, name in (line.partition(" ") for line in lines)]
    used += [("INPUT", name) for name in _DENIED.findall(output)]
    home, known = os.path.realpath(folder), set()
    for kind, name in dict.fromkeys(used):
        if (kind == "OUTPUT" and name.endswith(".fls")) or "\0" in kind:
            yield Problem("record", "the document writes into the record of what it reads", f"{job}.tex")
            return
        if kind not in _DOES or name in known:
            continue
        known.add(name)
        real = os.path.realpath(folder / name)
        is_of_tex = kind == "INPUT" and (enclosures.is_of_tex(real) or enclosures.is_of_tex(name))
        if not (is_of_tex or real == home or real.startswith(f"{home}/") or real == os.devnull):
            what = f"the document {_DOES[kind]} {name}, which lies outside of the project"
            yield Problem("outside", what, f"{job}.tex", key=name)


_DOES = {"INPUT": "reads", "OUTPUT": "writes"}
_DENIED = re.compile(r"\w*tex: (.+): Permission denied$", re.MULTILINE)
