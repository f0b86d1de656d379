"""The search for secrets, as tests use it: secrets of each form, what holds them, what is found."""

import base64
import io
import struct
import zipfile
import zlib
from pathlib import Path

from labreport.handin import known, secrets

ROOT = Path(__file__).parents[2]
VALUE = "Zx9" + "qT4_b-7"[::-1] + "wR2kLm5"
DIGITS = "0123456789"
TOKENS = {  # made here, so that this file holds none
    "Weights & Biases": "wandb_" + "v1_" + "aB3" * 20,
    "GitHub": "gh" + "p_" + "aB3d" * 9,
    "token of GitHub": "github_" + "pat_" + "1" + "aB3" * 20,
    "GitLab": "glp" + "at-" + "-aB3d" * 4,
    "key of AWS": "AK" + "IA" + "ABCD2345" * 2,
    "Slack": "xo" + "xb-" + "12345-abcde-67",
    "key of Google": "AI" + "za" + "aB3d_" * 7,
    "PyPI": "pyp" + "i-AgEI" + "aB3d" * 6,
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
}
FORMS = {
    "OpenAI": "sk" + "-proj-" + "aB3d" * 8,
    "Stripe": "sk" + "_live_" + "aB3d" * 6,
    "Hugging Face": "hf" + "_" + "aB" * 17,
    "web token": "ey" + "JhbGciOiJIUzI" + ".ey" + "JzdWIiOiIxMjM" + "." + "aB3d" * 5,
    "secret key of AWS": "aws_secret_access" + "_key = " + "aB3/" * 10,
    "& Biases": "WANDB_API" + "_KEY=" + DIGITS * 4,
    "in an address": "https://me:" + "pa55word" + "@example.org/x",
    ".netrc": "machine " + "api.example.org login me password " + "pa55word",
    "a request": "Authori" + "zation: Bearer " + "aB3d" * 6,
}


def looked_for(**options):
    settings = {"names": {}, **options}
    # the settings of whoever runs the tests are not theirs
    environment = {"HOME": "/nonexistent", **settings.pop("environment", {})}
    return known.known(settings.pop("folders", []), environment=environment, **settings)


def found(data, **options):
    data = data if isinstance(data, bytes) else data.encode()
    return secrets.search(data, looked_for(**options))


def kinds(data, **options):
    return [(finding.what, finding.line, finding.inside) for finding in found(data, **options)]


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    chunks = ((b"IHDR", bytes(13)), *chunks, (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def pdf(text: bytes, filters: tuple[bytes, ...] = (b"FlateDecode",)) -> bytes:
    for name in reversed(filters):
        text = FILTERS[name](text)
    names = b" ".join(b"/" + name for name in filters)
    head = b"%PDF-1.5\n1 0 obj\n<</Filter[" + names + b"]>>\nstream\n"
    return head + text + b"\nendstream\nendobj"


FILTERS = {
    b"FlateDecode": zlib.compress,
    b"ASCII85Decode": lambda text: base64.a85encode(text) + b"~>",
    b"ASCIIHexDecode": lambda text: text.hex().encode() + b">",
}


def zipped(text: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.txt", text)
    return out.getvalue()
