"""The program: a look whether there is anything to do, then the command line; `python -m labreport`, too."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

from labreport import unchanged


def main(otherwise: str | None = None) -> None:
    """Run the command line, unless a look tells that there is nothing to do.

    `otherwise` is the folder of the project where the current folder lies in none.
    """
    _take_any_character()
    try:
        if unchanged.look(otherwise):
            return
        # not before: these imports take several times as long as the look
        from labreport import interruption

        interruption.listen()
        from pathlib import Path

        from labreport import cli
    except KeyboardInterrupt:
        from labreport import interruption

        print("interrupted before anything had begun", file=sys.stderr)
        sys.exit(interruption.told()[1])
    cli.main(Path(otherwise) if otherwise is not None else None)


def _take_any_character() -> None:
    """Let names of files and texts hold any character, whatever the user's language; begin again if need be.

    What a terminal of that language does not know is printed escaped.
    """
    if sys.getfilesystemencoding() != "utf-8" and not sys.flags.utf8_mode:
        # Python has chosen how it reads names before the first line of ours
        os.environ.setdefault(
            "PYTHONIOENCODING", f"{getattr(sys.stdout, 'encoding', 'ascii')}:backslashreplace"
        )
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
