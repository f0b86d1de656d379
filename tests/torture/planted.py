"""Planted secrets: each form of a secret in each place of a hand-in must be refused, and never be told.

A secret is *missed* where the hand-in would be packed with it, and *told* where the refusal shows it. Beside
each lies a file of the same kind without a secret, which must be *kept*; else the refusal is an *alarm*.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import random
import string
import tempfile
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from unittest import mock
from xml.sax.saxutils import escape

import matplotlib
import projects
from matplotlib.figure import Figure
from searched import pdf, png, zipped, zlib

from labreport.handin.contents import Contents
from labreport.handin.leaks import leaks
from labreport.project import Project
from torture.trial import Trial

HARMLESS = "what anybody may read, 12345 times"


@dataclass(frozen=True)
class Planted:
    """A secret: the text that gives it away, and the part of that which nobody may see.

    What `can_break` is found also where it is broken over lines; anything else has no letters to go by.
    """

    text: str
    value: str
    can_break: bool = False


# ------------------------------------------------------------------------------------------------------ forms


def drawn(chance: random.Random) -> dict[str, Planted]:
    """Return a secret of each form that anybody can tell, drawn anew."""

    def some(number: int, letters: str = string.ascii_letters + string.digits) -> str:
        # a digit and a capital are in each, as in real ones
        return "aB3" + "".join(chance.choices(letters, k=number - 3))

    digits = "".join(chance.choices("0123456789abcdef", k=40))
    word = some(chance.randint(8, 20))
    # in parts, so that this file holds none of them
    begun = {
        "Weights & Biases": "wandb_" + "v1_" + some(60),
        "GitHub": "gh" + chance.choice("pousr") + "_" + some(36),
        "GitHub, fine-grained": "github_" + "pat_" + some(70),
        "GitLab": "glp" + "at-" + some(20),
        "AWS": "AK" + "IA" + "".join(chance.choices(string.ascii_uppercase + string.digits, k=16)),
        "Slack": "xo" + "xb-" + some(20),
        "Google": "AI" + "za" + some(35),
        "PyPI": "pypi-" + "AgEI" + some(60),
        "private key": "-----BEGIN " + chance.choice(["RSA ", "OPENSSH ", ""]) + "PRIVATE KEY-----",
    }
    whole = {
        "OpenAI": "sk" + "-proj-" + some(40),
        "Stripe": "sk" + "_live_" + some(24),
        "Hugging Face": "hf" + "_" + some(34),
        "npm": "np" + "m_" + some(36),
        "web token": "ey" + f"J{some(20)}.ey" + f"J{some(30)}.{some(40)}",
    }
    around = {
        "secret key of AWS": ("aws_secret_access" + "_key = {}", some(40)),
        "W&B, old": ("WANDB_API" + "_KEY={}", digits),
        "address": ("postgres://me:" + "{}@db.example.org/x", word),
        ".netrc": ("machine a.example.org login me " + "password {}", word),
        "request": ("Authori" + "zation: Bearer {}", some(30)),
        "shell": ("DB_PASS" + "WORD={}", word),
        "constant": ("SECRET" + "_KEY = '{}'", word),
        "settings": ("pass" + "word: {}", word),
        "call": ("connect(pass" + "word='{}')", word),
        "token": ("auth_" + "token = '{}'", "-".join([digits[:8], "4e5f", "a7b8", digits[8:20]])),
    }
    found = {form: Planted(text, text, can_break="private" not in form) for form, text in begun.items()}
    found |= {form: Planted(text, text) for form, text in whole.items()}
    return found | {form: Planted(text.format(value), value) for form, (text, value) in around.items()}


KNOWN = ("DB_PASS", "GH_PAT", "PIP_INDEX_URL", ".netrc", "settings of W&B", "pip.conf")
"""Where this machine knows values that have no form of their own."""


@contextmanager
def machine(values: Mapping[str, str]) -> Iterator[Project]:
    """Give a project on a machine that knows these values, by the names in `KNOWN`."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "home")
        netrc = f"machine api.wandb.ai\n  login user\n  password {values['.netrc']}\n"
        projects.write(home / ".netrc", netrc)
        projects.write(home / ".config/wandb/settings", f"[default]\napi_key = {values['settings of W&B']}\n")
        index = "[global]\nindex-url = https://me:{}@example.org/simple\n"
        projects.write(home / ".config/pip/pip.conf", index.format(values["pip.conf"]))
        environment = {name: values[name] for name in ("DB_PASS", "GH_PAT")}
        environment["PIP_INDEX_URL"] = f"https://me:{values['PIP_INDEX_URL']}@example.org/simple"
        with mock.patch.dict(os.environ, {"HOME": str(home), **environment}):
            for name in ("NETRC", "PIP_CONFIG_FILE", "WANDB_CONFIG_DIR", "XDG_CONFIG_HOME"):
                os.environ.pop(name, None)
            yield projects.make(Path(folder, "project"), {})


# ----------------------------------------------------------------------------------------------------- places


def _notebook(*outputs: dict[str, object]) -> bytes:
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": ["f()"], "outputs": outputs}
    return json.dumps(
        {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1
    ).encode()


def _figure(kind: str, text: str) -> bytes:
    out, figure = io.BytesIO(), Figure(figsize=(20, 1))
    figure.text(0.01, 0.5, text, parse_math=False)
    with matplotlib.rc_context({"pdf.fonttype": 42, "svg.fonttype": "none"}):
        figure.savefig(out, format=kind)
    return out.getvalue()


def _broken(text: str) -> bytes:
    return f'X = (\n    "{text[:12]}"\n    "{text[12:]}"\n)\n'.encode()


PLACES: dict[str, Callable[[str], bytes]] = {
    "source.py": lambda text: f'"""What?"""\n\n# {text}\n'.encode(),
    "template.tex.j2": lambda text: f"\\section{{One}}\n{text}\n".encode(),
    "result.json": lambda text: json.dumps({"values": {"x": text}}, indent=1).encode(),
    "table.csv": lambda text: f"a,b\n1,{text}\n".encode(),
    "output.ipynb": lambda text: _notebook({"output_type": "stream", "text": ["fine\n", f"{text}\n"]}),
    "traceback.ipynb": lambda text: _notebook(
        {"output_type": "error", "evalue": "no", "traceback": [f"\x1b[31mE\x1b[0m: at {text} of\n"]}
    ),
    "picture.ipynb": lambda text: _notebook(
        {"data": {"image/png": base64.b64encode(PLACES["tEXt.png"](text)).decode() + "\n"}}
    ),
    "tEXt.png": lambda text: png((b"tEXt", b"Comment\0" + text.encode())),
    "zTXt.png": lambda text: png((b"zTXt", b"Comment\0\0" + zlib.compress(text.encode()))),
    "iTXt.png": lambda text: png((b"iTXt", b"Comment\0\1\0x-en\0\0" + zlib.compress(text.encode()))),
    "stream.pdf": lambda text: pdf(f"BT ({text}) Tj ET".encode()),
    "metadata.pdf": lambda text: f"%PDF-1.5\n<</Title <{text.encode('utf-16').hex()}>>>".encode(),
    "figure.pdf": lambda text: _figure("pdf", text),
    "figure.svg": lambda text: _figure("svg", text),
    "letters.svg": lambda text: (
        "<svg><text>" + "".join(f"<tspan>{escape(c)}</tspan>" for c in text) + "</text></svg>"
    ).encode(),
    "base64.txt": lambda text: b"data: " + base64.encodebytes(f"see {text} there".encode()),
    "URL.txt": lambda text: f"https://a.b/?q={urllib.parse.quote(text, safe='')}\n".encode(),
    "hexadecimal.txt": lambda text: b"bytes " + f"see {text} there".encode().hex().encode(),
    "escapes.json": lambda text: f'"{"".join(f"{chr(92)}u{ord(c):04x}" for c in text)}"'.encode(),
    "member.zip": lambda text: zipped(zipped(text.encode())),
    "log.gz": lambda text: gzip.compress(text.encode()),
    "lines.py": _broken,
}


def holds(place: str, planted: Planted) -> bool:
    """Return whether a form can be told in a place."""
    return place != "lines.py" or planted.can_break


# ----------------------------------------------------------------------------------------------------- trials


def trials(count: int, seed: int) -> Iterator[Trial]:
    """Yield what became of so many secrets, each in a file of its own, and of harmless files beside them."""
    return islice(_endless(random.Random(seed)), count)


def _endless(chance: random.Random) -> Iterator[Trial]:
    while True:
        letters = string.ascii_letters + string.digits
        values = {name: "".join(chance.choices(letters, k=chance.randint(12, 40))) for name in KNOWN}
        with machine(values) as project:
            known = {name: Planted(value, value, can_break=True) for name, value in values.items()}
            for form, planted in {**drawn(chance), **known}.items():
                yield from tried(project, form, planted)


@cache  # figures take their time
def _harmless(place: str) -> bytes:
    return PLACES[place](HARMLESS)


def tried(project: Project, form: str, planted: Planted) -> Iterator[Trial]:
    """Yield what becomes of one secret in each place."""
    contents = Contents()
    for place, written in PLACES.items():
        if holds(place, planted):
            contents.add(place, written(planted.text), place)
            contents.add(f"harmless {place}", _harmless(place), f"harmless {place}")
    said: dict[str, list[str]] = {}
    for error in leaks(project, contents, {}):
        said.setdefault(error.place.file if error.place else "", []).append(str(error))
    for place in contents.data:
        messages = said.get(place, [])
        if place.startswith("harmless "):
            yield Trial(place, "alarm" if messages else "kept", f"{form}: {messages}")
        elif any(planted.value in message for message in messages):
            yield Trial(place, "told", f"{form}: {messages}")
        else:
            yield Trial(place, "refused" if messages else "missed", f"{form}: {planted.text}")
