"""What is clean is not searched again; whatever changes is, and nothing that is kept can pass a leak."""

import hashlib
import json
import zlib

import projects
import pytest

from labreport.handin import cleared, secrets
from labreport.handin.cleared import Cleared
from labreport.handin.known import known as of_machine

TOKEN = b"gh" + b"p_" + b"aB3d" * 9
VALUE = "Zx9qT4wR2kLm5vB8"
CLEAN = b"what anybody may read\n"


@pytest.fixture
def project(tmp_path):
    return projects.make(tmp_path / "p", {})


@pytest.fixture
def searched(monkeypatch):
    """Collect the bytes that are searched."""
    seen = []

    def in_view(view, looked_for, search=secrets.in_view):
        seen.append(view.data)
        return search(view, looked_for)

    monkeypatch.setattr(secrets, "in_view", in_view)
    return seen


def known(value=VALUE, names=(), allowed=()):
    names = dict.fromkeys(names, "the name of this machine")
    environment = {"MY_API_KEY": value, "HOME": "/nonexistent"}
    return of_machine([], environment=environment, names=names, allowed=allowed)


HERE = known()


def search(project, *contents, known=HERE):
    """Return whether each content is clean, as one build after another finds."""
    clean = Cleared(project, known)
    found = [not clean.search(data) for data in contents]
    clean.save()
    return found


def test_a_clean_content_is_searched_once(project, searched):
    assert search(project, CLEAN) == [True]
    assert searched == [CLEAN]
    assert search(project, CLEAN) == [True]
    assert searched == [CLEAN]


def test_a_changed_byte_is_searched_again(project, searched):
    search(project, CLEAN)
    assert search(project, CLEAN + TOKEN) == [False]
    assert CLEAN + TOKEN in searched


@pytest.mark.parametrize(
    "others",
    [
        known("anybody-may-not"),
        known(names=["somebody"]),
        known(allowed=["harmless"]),
    ],
    ids=["a secret", "a name", "what is allowed"],
)
def test_all_is_searched_again_for_something_else(project, searched, others):
    search(project, CLEAN)
    searched.clear()
    search(project, CLEAN, known=others)
    assert searched == [CLEAN]


def test_a_secret_that_becomes_known_is_found_in_what_was_clean(project):
    text = b"key = sesame-open-7"
    assert search(project, text, known=known("something-else")) == [True]
    assert search(project, text, known=known("sesame-open-7")) == [False]


def test_all_is_searched_again_by_other_rules(project, searched, monkeypatch, tmp_path):
    search(project, CLEAN)
    searched.clear()
    other = tmp_path / "secrets.py"
    other.write_text("# a rule more\n")
    monkeypatch.setattr(secrets, "__file__", str(other))
    search(project, CLEAN)
    assert searched == [CLEAN]


def test_what_holds_a_leak_is_never_noted(project):
    for _ in range(3):
        assert search(project, CLEAN, TOKEN, VALUE.encode()) == [True, False, False]


def test_neither_secrets_nor_what_can_be_compared_with_them_are_kept(project):
    search(project, CLEAN)
    text = Cleared(project, HERE).path.read_text()
    for data in (VALUE.encode(), CLEAN, HERE.written()):
        assert hashlib.sha256(data).hexdigest() not in text
    assert VALUE not in text


@pytest.mark.parametrize(
    "text",
    [
        hashlib.sha256(TOKEN).hexdigest(),
        json.dumps({hashlib.sha256(TOKEN).hexdigest(): []}),
        "",
        "\n\n",
        "\0\ufffd" * 100,
    ],
)
def test_a_file_written_by_hand_clears_nothing(project, text):
    projects.write(Cleared(project, HERE).path, text)
    assert search(project, CLEAN, TOKEN) == [True, False]


def test_tags_of_another_place_clear_nothing(project, tmp_path):
    """There the value is no secret; here it is."""
    other = projects.make(tmp_path / "other", {})
    assert search(other, VALUE.encode(), known=known("something-else")) == [True]
    path = Cleared(project, HERE).path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(Cleared(other, HERE).path.read_bytes())
    assert search(project, VALUE.encode()) == [False]


def test_of_a_changed_pdf_only_the_changed_streams_are_searched(project, searched):
    def pdf(*texts):
        streams = (
            b"obj <</Filter/FlateDecode>> stream\n" + zlib.compress(text) + b"\nendstream\n" for text in texts
        )
        return b"%PDF-1.5\n" + b"".join(streams)

    assert search(project, pdf(b"one", b"two")) == [True]
    searched.clear()
    assert search(project, pdf(b"one", b"three")) == [True]
    assert searched[1:] == [b"three"]  # after the whole file as it is
    assert search(project, pdf(b"one", TOKEN)) == [False]


def test_what_was_asked_for_last_is_kept(project, searched, monkeypatch):
    monkeypatch.setattr(cleared, "MOST", 3)
    search(project, b"one", b"two")  # two tags each: the file, and the one thing in it
    search(project, b"two", b"three")
    searched.clear()
    assert search(project, b"two", b"three") == [True, True]
    assert searched == []
    search(project, b"one")
    assert searched == [b"one"]


def test_where_nothing_can_be_kept_all_is_searched(project, searched):
    project.build.mkdir(exist_ok=True)
    (project.build / "cache").write_text("a file")
    assert search(project, CLEAN) == [True]
    assert search(project, CLEAN) == [True]
    assert searched == [CLEAN, CLEAN]
