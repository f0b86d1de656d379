"""Code that the page shows, in coloured pieces."""

import ast

import projects
import pytest

from labreport.explain import Definition, Definitions
from labreport.page import code
from labreport.page.code import Code, cache

SOURCE = '''\
import functools

LIMIT = 3


class Net:
    """A net.

    It is small.
    """

    @functools.cache
    def forward(self, x):
        return x @ self.weights + 0.5  # as told, "twice"


def fit(net):
    text = f"{net}, </script>"
    return not text
'''


@pytest.fixture
def project(tmp_path):
    return projects.make(tmp_path, {}, src={"m.py": SOURCE, "data.yaml": "depth: 3  # layers\n"})


def code_of(project):
    kept = cache(project)
    return Code(project, Definitions(project, kept.remember), kept)


def text(lines):
    return ["".join(piece for _, piece in line) for line in lines]


def test_the_pieces_of_a_line_are_the_line(project):
    shown = code_of(project)
    assert text(shown.lines("src/m.py", 1, 99)) == SOURCE.split("\n")


def test_pieces_are_coloured_by_what_they_are(project):
    shown = code_of(project)
    (line,) = shown.lines("src/m.py", 14, 14)
    assert line == [
        ["", "        "],
        ["kw", "return "],
        ["", "x "],
        ["op", "@ "],
        ["", "self.weights "],
        ["op", "+ "],
        ["num", "0.5  "],
        ["com", '# as told, "twice"'],
    ]
    assert shown.lines("src/m.py", 7, 7) == [[["", "    "], ["com", '"""A net.']]]
    assert ["str", 'f"{'] in shown.lines("src/m.py", 18, 18)[0]
    assert shown.lines("src/data.yaml", 1, 1)[0][0] == ["def", "depth"]


def test_a_definition_is_shown_with_decorators_and_a_method_with_its_class(project):
    shown = code_of(project)
    definitions = [shown.definitions.find(f"src/m.py:{name}") for name in ("Net.forward", "Net", "fit")]
    assert shown.add(definitions) == ["src/m.py:Net", "src/m.py:fit"]
    assert shown.add(definitions[:1]) == ["src/m.py:Net.forward"]
    told = shown.plain()
    assert list(told) == ["src/m.py:Net", "src/m.py:Net.forward", "src/m.py:fit"]
    method = told["src/m.py:Net.forward"]
    assert (method["file"], method["line"], method["name"]) == ("src/m.py", 12, "Net.forward")
    assert text(method["lines"])[:2] == ["    @functools.cache", "    def forward(self, x):"]


@pytest.mark.parametrize(
    ("name", "key"), [("m:fit", "src/m.py:fit"), ("m:LIMIT", None), ("n:fit", None), ("src/m.py", None)]
)
def test_code_is_found_by_the_name_that_a_document_gives_it(project, name, key):
    assert code_of(project).named(name) == key


def test_what_lies_outside_the_project_is_not_shown(project):
    assert code_of(project).add([Definition("/home/me/secret.py:f", 1, 1, 2)]) == []


@pytest.mark.parametrize("damage", [b"", b"x", b"\xff\x00{}", None])
def test_a_file_is_read_again_only_if_it_changed_or_the_cache_is_damaged(project, damage, monkeypatch):
    def told():
        kept = cache(project)
        made = Code(project, Definitions(project, kept.remember), kept)
        assert made.find("src/m.py:fit")
        kept.save()
        return made.plain()

    first, path = told(), project.build / "cache" / "page" / "code.json"
    if damage is not None:
        assert path.is_file()
        path.write_bytes(damage)
    asked = []
    for module, name in ((code, "_lines"), (ast, "parse")):
        made = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda *args, made=made, name=name: asked.append(name) or made(*args)
        )
    assert told() == first
    assert asked == ([] if damage is None else ["parse", "_lines"])
