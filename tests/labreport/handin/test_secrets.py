"""What must not leave this machine is found wherever it stands; what only looks like it is not."""

import base64
import gzip
import io
import json
import struct
import urllib.parse
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labreport.handin import secrets

ROOT = Path(__file__).parents[3]
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
    settings = {"environment": {}, "names": {}, **options}
    return secrets.known(settings.pop("folders", []), **settings)


def found(data, **options):
    data = data if isinstance(data, bytes) else data.encode()
    return secrets.search(data, looked_for(**options))


def kinds(data, **options):
    return [(finding.what, finding.line, finding.inside) for finding in found(data, **options)]


# ---------------------------------------------------------------------------------------------------- tokens


@pytest.mark.parametrize(("what", "token"), [*TOKENS.items(), *FORMS.items()])
@pytest.mark.parametrize("around", ["one\ntwo {} three\n", '{{"a":\n "x {}"}}', "'{}'\n# end"])
def test_tokens_are_found_with_their_line_and_without_their_value(what, token, around):
    text = around.format(token)
    findings = found(text)
    assert [what in finding.what for finding in findings] == [True]
    assert findings[0].line == text[: text.index(token)].count("\n") + 1
    assert token not in str(findings[0])


@pytest.mark.parametrize(("what", "token"), [(w, t) for w, t in TOKENS.items() if "private" not in w])
@pytest.mark.parametrize("between", ["\n", "\\\n    ", '\\n",\n "', '"\n    "', "-\n"])
def test_tokens_are_found_across_line_breaks(what, token, between):
    broken = f'x = "{token[:14]}{between}{token[14:]}"\n'
    if between == "-\n" and "-" in token:
        return  # a hyphen there may belong to it
    assert [what in finding.what for finding in found(broken)] == [True]


def test_the_line_of_a_broken_token_is_not_that_of_a_word_that_only_begins_like_it():
    token = TOKENS["token of GitHub"]
    text = f"{token[:7]}\n\n{token[:14]}\n{token[14:]}\n"
    assert [line for _, line, _ in kinds(text)] == [3]


@pytest.mark.parametrize("token", [*TOKENS.values(), *FORMS.values()])
def test_tokens_are_found_in_base64_and_quoted_for_urls(token):
    text = f"some text around {token} and after it"
    assert [f.inside for f in found(f"a\n{base64.b64encode(text.encode()).decode()}\n")] == ["in base64"]
    assert [f.line for f in found(f"a\n{base64.b64encode(text.encode()).decode()}\n")] == [2]
    quoted = "".join(f"%{ord(c):02X}" for c in text)
    assert [f.inside for f in found(f"?q={quoted}")] == ["quoted for a URL"]


HARMLESS = [
    "revision = " + "d9560cf0" * 5,  # a git SHA
    '"content": "' + "0a5a1ecce8b14dd5" * 4 + '"',
    "cache key: " + "0a5a1ecce8" * 4,
    "tokens begin with ghp_ and are followed by 36 letters and digits, 1 to 9, as everybody knows by now",
    "sk-learn-like-names-that-are-long-and-have-no-digits",
    "see https://docs.python.org:443/3/library/zipfile.html and http://127.0.0.1:8080/a@b",
    "https://{user}:{password}@host/ and https://$USER:$PASSWORD@host/",
    'text = f"machine {host} login user password {key}"',
    "machine learning: login to the server, then password",
    "Authorization: Basic {login}",
    "a private key is BEGIN and PRIVATE KEY",
    "the file is in /usr/bin/env, /usr/share/texmf or ~/texmf",
    "xoxb- is a prefix",
    "AKIA and " + "AKIA" + "12345",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_a_secret_is_none(text):
    assert kinds(text) == []


# ------------------------------------------------------------------------------------ values of this process


@pytest.mark.parametrize(
    "name",
    [
        "WANDB_API_KEY", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "api_key", "APIKEY", "TOKENS",
        "MY_CREDENTIALS", "DB_PASSWD", "SIGNING_KEY_2",
    ],
)  # fmt: skip
def test_values_of_the_environment_are_found_by_the_names_of_their_variables(name):
    assert kinds(f"a\nx = {VALUE}", environment={name: VALUE}) == [
        (f"the value of the environment's {name}", 2, "")
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEYBOARD_LAYOUT", VALUE), ("PATH", VALUE), ("TOKENIZERS_PARALLELISM", VALUE), ("XDG_SEAT", VALUE),
        ("API_KEY", "short12"), ("SSH_KEY", "/usr/bin/env"),
    ],
)  # fmt: skip
def test_other_variables_short_values_and_names_of_files_are_no_secrets(name, value):
    assert kinds(f"x = {value}", environment={name: value}) == []


def spelled(value: str) -> dict[str, str]:
    coded = base64.b64encode(value.encode()).decode()
    return {
        "plain": value,
        "base64": coded,
        "base64, urlsafe": base64.urlsafe_b64encode(value.encode()).decode(),
        "base64, after one byte": base64.b64encode(b"\xff" + value.encode()).decode(),
        "base64, in a text": base64.b64encode(f"login {value} and more".encode()).decode(),
        "base64, wrapped": f"{coded[:9]}\n{coded[9:]}",
        "URL": urllib.parse.quote(value, safe=""),
        "hexadecimal": value.encode().hex(),
        "lines": f"{value[:5]}\n    {value[5:]}",
        "source": f'"{value[:5]}"\n        "{value[5:]}"',
        "added": f"'{value[:5]}' + '{value[5:]}'",
        "JSON": json.dumps([f"{value[:5]}\n", value[5:]], indent=1),
        "JSON in one text": json.dumps(f"{value[:5]}\n{value[5:]}"),
        "LaTeX": value.replace("_", "\\_"),
        "hyphenated": f"{value[:5]}-\n{value[5:]}",
        "UTF-16": value.encode("utf-16").decode("latin-1"),
    }


@pytest.mark.parametrize("spelling", spelled(VALUE))
def test_values_of_the_environment_are_found_however_they_are_written(spelling):
    data = ("first line\n" + spelled(VALUE)[spelling] + "\nlast").encode("latin-1")
    findings = found(data, environment={"MY_TOKEN": VALUE})
    assert [f.what for f in findings] == ["the value of the environment's MY_TOKEN"]
    assert findings[0].line == {"UTF-16": None, "JSON": 3}.get(spelling, 2)


@given(
    value=st.text("abcXYZ019_-!$%&/=?+. #ü", min_size=8, max_size=50).map(str.strip),
    before=st.binary(max_size=20),
    after=st.binary(max_size=20),
)
def test_any_value_is_found_in_base64_at_any_place(value, before, after):
    if len(value) >= 8:
        data = b"begin " + base64.b64encode(before + value.encode() + after) + b" end"
        assert found(data, environment={"A_KEY": value})


@pytest.mark.parametrize("value", ["aB3$eF7!", "p@ss wörd", "12345678"])
def test_short_values_are_found_as_they_are_but_not_in_other_words(value):
    assert found(f"x {value} y", environment={"A_KEY": value})
    assert found(f"x {value[:4]}\n{value[4:]} y", environment={"A_KEY": value})
    assert not found(f"x {value[:-1]} y", environment={"A_KEY": value})


@pytest.mark.parametrize(("value", "spread"), [("aB3eF7gH1jK5", True), ("aB3eF7gH1jK", False)])
def test_values_of_twelve_letters_and_digits_are_found_whatever_stands_between_them(value, spread):
    between = "-*- ".join((value[:4], value[4:8], value[8:]))
    assert bool(found(f"x {between} y", environment={"A_KEY": value})) == spread
    assert found(f"x {value} y", environment={"A_KEY": value})


def test_a_long_value_of_many_lines_is_found():
    value = "\n".join("aB3/" * 16 for _ in range(80))
    assert kinds(json.dumps({"text": f"begin\n{value}\nend"}), environment={"A_KEY": value}) == [
        ("the value of the environment's A_KEY", 1, "")
    ]


# ---------------------------------------------------------------------------------------------- paths, names


@pytest.fixture
def home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/anneliese")


@pytest.mark.parametrize(
    "text",
    [
        "/home/anneliese", "cd /home/anneliese/x", '"/home/anneliese/a b"', "file:///home/anneliese/x",
        "('/srv/project/src/a.py')", "see /srv/project.", "/tmp" + "/ipykernel_12/34.py", "/var/tmp" + "/x",
    ],
)  # fmt: skip
def test_paths_of_this_machine_are_found(home, text):
    findings = found(f"\n{text}\n", folders=[Path("/srv/project")])
    assert [(f.kind, f.line) for f in findings] == [("path", 2)]
    assert "anneliese" not in str(findings[0])


@pytest.mark.parametrize(
    "text",
    ["/home/anneliesel", "/srv/project-2/x", "x/srv/project", "/tmp", "in /tmp/ or", "/usr/lib/python3"],
)
def test_other_paths_are_none_of_this_machine(home, text):
    assert kinds(text, folders=[Path("/srv/project")]) == []


@pytest.mark.parametrize("folder", ["/", "/usr", "/opt"])
def test_folders_that_every_machine_has_are_not_looked_for(monkeypatch, folder):
    monkeypatch.setenv("HOME", folder)
    assert kinds("a / b, /usr/bin/env python, /opt/x/y") == []


def test_a_home_folder_of_one_step_counts_with_what_lies_in_it(monkeypatch):
    monkeypatch.setenv("HOME", "/root")
    assert kinds("/Root 692 0 R, /root, the /root element") == []
    assert [f.kind for f in found("/root" + "/.cache/x")] == ["path"]


NAMES = {"anneliese": "the name of this machine's user", "ws-17.example.org": "the name of this machine"}


@pytest.mark.parametrize("text", ["by anneliese", "ls -l: anneliese 12", "on ws-17.example.org:22"])
def test_names_of_user_and_machine_are_found(text):
    assert [f.kind for f in found(text, names=NAMES)] == ["name"]


@pytest.mark.parametrize("text", ["annelieses", "Anneliese", "anneliese_x", "ws-17xexample.org"])
def test_parts_of_words_are_no_names(text):
    assert kinds(text, names=NAMES) == []


@pytest.mark.parametrize("name", ["root", "user", "vm", "bob", "Runner", "localhost", ""])
def test_short_and_common_names_are_not_looked_for(name):
    assert kinds(f"the {name} of all", names={name: "the name of this machine's user"}) == []


def test_names_of_four_letters_are_long_enough():
    names = {"lena": "the name of this machine's user", "ida": "the name of this machine"}
    assert [f.what for f in found("by lena and ida", names=names)] == ["the name of this machine's user"]


def test_authors_may_be_named():
    assert kinds("by anneliese", names=NAMES, authors=["Anneliese K. (abc123)"]) == []


def test_names_are_not_looked_for_in_pixels():
    assert kinds(b"\0\1\2 anneliese ", names=NAMES) == []


def test_this_machine_names_its_user_and_itself(monkeypatch):
    monkeypatch.setenv("USER", "anneliese")
    monkeypatch.setattr("socket.gethostname", lambda: "ws-17.example.org")
    names = secrets.machine_names()
    assert {"anneliese", "ws-17", "ws-17.example.org"} <= names.keys()


def test_allowed_texts_do_not_count():
    token = TOKENS["GitHub"]
    assert kinds(f"{token} anneliese {VALUE}", names=NAMES, allowed=[token, "anneliese", VALUE]) == []
    assert len(found(f"{token} anneliese", names=NAMES, allowed=[token])) == 1


# ------------------------------------------------------------------------------------------------ containers


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    chunks = ((b"IHDR", bytes(13)), *chunks, (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def pdf(text: bytes) -> bytes:
    return (
        b"%PDF-1.5\n1 0 obj\n<</Filter/FlateDecode>>\nstream\n" + zlib.compress(text) + b"\nendstream\nendobj"
    )


def zipped(text: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.txt", text)
    return out.getvalue()


CONTAINERS = {
    "tEXt": lambda text: png((b"tEXt", b"Comment\0" + text)),
    "zTXt": lambda text: png((b"zTXt", b"Comment\0\0" + zlib.compress(text))),
    "iTXt": lambda text: png((b"iTXt", b"Comment\0\0\0en\0\0" + text)),
    "iTXt, compressed": lambda text: png((b"iTXt", b"Comment\0\1\0en\0\0" + zlib.compress(text))),
    "PDF": pdf,
    "zip": zipped,
    "gzip": gzip.compress,
    "zip in zip": lambda text: zipped(zipped(text)),
    "PNG in a notebook": lambda text: json.dumps(
        {"data": {"image/png": base64.b64encode(png((b"tEXt", b"Comment\0" + text))).decode() + "\n"}}
    ).encode(),
    "PNG in lines of base64": lambda text: base64.encodebytes(png((b"tEXt", b"Comment\0" + text))),
    "base64 of base64": lambda text: base64.b64encode(base64.b64encode(text)),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(
    "text", [TOKENS["GitHub"], f"x {VALUE} y", "at /srv/project/x", "by anneliese, twice"]
)
def test_what_is_inside_is_found(container, text):
    data = CONTAINERS[container](b"some words before it: " + text.encode() + b" and some after it")
    options = {"environment": {"A_KEY": VALUE}, "folders": [Path("/srv/project")], "names": NAMES}
    findings = found(data, **options)
    assert len(findings) == 1
    assert findings[0].inside or container in ("tEXt", "iTXt") or VALUE in text


@pytest.mark.parametrize("container", CONTAINERS)
def test_damaged_containers_are_no_error(container):
    data = CONTAINERS[container](b"nothing of interest, " * 20)
    for cut in range(0, len(data), 7):
        assert found(data[:cut]) == []
        assert found(data[:cut] + b"\xff\0" + data[cut + 2 :]) == []


def test_the_sources_of_this_project_give_nothing_away():
    known = secrets.known([ROOT])
    files = [
        ROOT / name for name in ("Makefile", "README.md", "report.toml", "pyproject.toml", "constraints.txt")
    ]
    for folder in ("src", "tests", "experiments", "report_templates"):
        files += [p for p in (ROOT / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert len(files) > 100
    leaks = {p.name: [str(f) for f in secrets.search(p.read_bytes(), known)] for p in files}
    assert {name: what for name, what in leaks.items() if what} == {}


@pytest.mark.parametrize(("times", "is_found"), [(4, True), (5, False)])
def test_archives_are_unpacked_four_times_and_no_bomb_deeper(times, is_found):
    data = TOKENS["GitHub"].encode()
    for _ in range(times):
        data = gzip.compress(data, mtime=0)
    assert bool(found(data)) == is_found


def test_a_finding_says_what_it_is_and_what_it_is_in():
    token = TOKENS["GitHub"]
    assert [str(one) for one in found(token)] == ["a token of GitHub"]
    assert [str(one) for one in found(gzip.compress(token.encode()))] == ["a token of GitHub, in an archive"]


@pytest.mark.parametrize("sign", "!#$%&()*-./:;<=>?@[]^_`{|}~")
def test_a_sign_in_a_short_value_counts(sign):
    value = f"aB3{sign}eF7x"
    assert found(f"x {value} y", environment={"A_KEY": value})
    assert not found("x aB3eF7x y", environment={"A_KEY": value})


@pytest.mark.parametrize("escape", ["\\n", "\\r", "\\t"])
@pytest.mark.parametrize("value", ["aB3$eF7!", VALUE])
def test_a_value_is_found_across_an_escape_of_white_space(value, escape):
    assert found(f'"{value[:4]}{escape}{value[4:]}"', environment={"A_KEY": value})


def test_no_line_is_told_of_what_is_in_an_archive():
    what = "a token of GitHub"
    assert kinds(zipped(TOKENS["GitHub"].encode())) == [(what, None, "in inner.txt of an archive")]
    assert kinds(gzip.compress(TOKENS["GitHub"].encode())) == [(what, None, "in an archive")]
