"""The surroundings in which everything is made: the same variables on every machine, one date for all.

What comes out may depend neither on the clock nor on the user's language, time zone, number of processors or
settings. So every process that makes something gets its environment from here.
"""

from __future__ import annotations

import os
import re
import site
from pathlib import Path

FIXED = {
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "SOURCE_DATE_EPOCH": "1735689600",  # 1 January 2025: a file that must bear a date gets this one
}
"""What every process sees, whatever it makes."""

TEX = {
    **FIXED,
    "FORCE_SOURCE_DATE": "1",  # \today, too, comes from SOURCE_DATE_EPOCH
    "openin_any": "p",  # reads and writes below the folder only
    "openout_any": "p",
    "max_print_line": "10000",  # no line of the log is broken
    "error_line": "254",
    "half_error_line": "238",
}
"""What TeX and BibTeX see besides PATH and HOME; the order is that of the published latexmkrc."""

_PYTHON = {
    **FIXED,
    "MATPLOTLIBRC": os.devnull,  # an empty file: matplotlib's own settings, not the user's
    "MPLBACKEND": "Agg",
    "OMP_NUM_THREADS": "1",  # parallel is what lab.map does; one thread gives the same bits everywhere
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
}
_SETTING = re.compile("^(PYTHON|JUPYTER|JPY_|IPYTHON)", re.IGNORECASE)
_SECRETS = (
    "KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL"
    r"|(?:(?:^|_)(?:PASS|PAT|PW|PSK|AUTH|DSN)|_PWD)(?:_|\d|$)"  # in other names they mean something else
)
_SECRET = re.compile(_SECRETS, re.IGNORECASE)
_HOME = re.compile("^(XDG_|MPLCONFIGDIR$)")
_PERSONAL = re.compile("USER|LOGNAME|HOST|HOME|MAIL|PASS|AUTH|PRIVATE", re.IGNORECASE)
BOUND = (
    r"^(PATH|HOME|USER|LOGNAME|SHELL|HOSTNAME|PWD|OLDPWD|_|TERM|DISPLAY|TMP|TEMP|TMPDIR|LD_.*|DYLD_.*|XDG_.*|SSH_.*"
    r"|PYTHONPATH|PYTHONHOME|PYTHONUSERBASE|VIRTUAL_ENV.*|CONDA.*|CUDA.*|NVIDIA_.*|ROCR_.*|HIP_.*|DASK_.*"
    r"|SLURM.*|PBS.*|LSB_.*|SGE_.*|KUBERNETES_.*|HTTPS?_PROXY|NO_PROXY|SSL_.*)$"
    f"|{_SECRETS}"
)
"""Matches variables that belong to a machine, and secrets: of these a worker of a cluster keeps its own."""

_MACHINE = (
    "PATH",
    "HOME",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "R_HOME",
    "R_LIBS",
    "R_LIBS_USER",
    "JULIA_DEPOT_PATH",
)
"""What tells a program where on this machine other programs and its libraries lie."""

_FRESH = ("PATH", "LANG", "LANGUAGE", "LD_LIBRARY_PATH", "TMPDIR", "TZ")


def is_secret(name: str) -> bool:
    """Return whether an environment variable has a name as those that hold keys and passwords have."""
    return _SECRET.search(name) is not None


def _is_withheld(name: str) -> bool:
    return is_secret(name) or _SETTING.search(name) is not None


def for_experiments() -> dict[str, str]:
    """Return what experiments find changed in the user's own environment, which they otherwise see."""
    return dict(_PYTHON)


def for_commands() -> dict[str, str]:
    """Return the whole environment of a program that computes for an experiment.

    What it reads of its environment nobody sees: there is nothing that another user has set otherwise.
    """
    kept = {name: os.environ[name] for name in _MACHINE if name in os.environ}
    # the user's own start-up files of R would be part of no fingerprint
    return {**kept, **_PYTHON, "R_ENVIRON_USER": os.devnull, "R_PROFILE_USER": os.devnull}


def is_private(name: str) -> bool:
    """Return whether a variable by its name may hold a secret, or tells of this machine and its user."""
    return _is_withheld(name) or _PERSONAL.search(name) is not None


def is_bound(name: str) -> bool:
    """Return whether a variable by its name belongs to a machine or its user."""
    return re.search(BOUND, name, re.IGNORECASE) is not None


def for_workers() -> dict[str, str]:
    """Return the variables of this process as far as they are the same wherever an experiment computes."""
    # past the recording of variables: it is not the experiment that reads all of them
    return {name: value for name, value in dict.items(os.environ.copy()) if not is_bound(name)}


def for_tex(folder: Path) -> dict[str, str]:
    """Return the whole environment of TeX in a folder, which stands for the user's home as well."""
    own = str(folder.resolve())
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": own, "TMPDIR": own, **TEX}


def for_drawing() -> dict[str, str]:
    """Return the environment of poppler: the user's own, but for their language and their own fonts.

    A font that a PDF does not hold is one of the system's, the same for all of its users.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FONTCONFIG")}
    # fonts and settings are looked for there; the index of the system's fonts stays where it is
    home = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), "/nonexistent")
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    return {**kept, **FIXED, **home, "XDG_CACHE_HOME": cache}


def for_notebooks(folder: Path) -> dict[str, str]:
    """Return the whole environment of a kernel whose settings lie in a folder.

    It holds no key or other secret, because a notebook is handed in with its outputs, and no setting of
    Python and Jupyter, because the notebook must run alone: without the project's modules on its path, and
    with an empty home of its own, where libraries may keep what they like.
    """
    kept = {n: value for n, value in os.environ.items() if not (_is_withheld(n) or _HOME.search(n))}
    own = {
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        # packages installed with `pip install --user` lie below the real home
        "PYTHONUSERBASE": site.getuserbase(),
        "IPYTHONDIR": str(folder / "ipython"),
        "MATPLOTLIBRC": str(folder / "matplotlibrc"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
    return {**kept, **_PYTHON, **own}


def for_fresh_user(home: Path) -> dict[str, str]:
    """Return the whole environment of someone who has just unpacked the hand-in, with an empty home.

    Only the programs and the installed packages are this user's: no key, no path of Python.
    """
    kept = {name: os.environ[name] for name in _FRESH if name in os.environ}
    kept |= {name: value for name, value in os.environ.items() if name.startswith("LC_")}
    fixed = {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
    # packages installed with `pip install --user` lie below the real home, which HOME no longer names
    return {**kept, **fixed, "PYTHONUSERBASE": site.getuserbase()}
