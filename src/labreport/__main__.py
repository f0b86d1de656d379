"""The program: a look whether there is anything to do, then the command line; `python -m labreport`, too."""

from __future__ import annotations

import sys
from io import TextIOWrapper

from labreport import unchanged


def main(otherwise: str | None = None) -> None:
    """Run the command line, unless a look tells that there is nothing to do.

    `otherwise` is the folder of the project where the current folder lies in none.
    """
    if isinstance(sys.stdout, TextIOWrapper):  # not every terminal, nor every language, knows all characters
        sys.stdout.reconfigure(errors="backslashreplace")
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


if __name__ == "__main__":
    main()
