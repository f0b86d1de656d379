"""Templates whose code was kept render as those that are compiled: the same text, places and mistakes."""

import json
from pathlib import Path

import pytest

from labreport.errors import InputError
from labreport.language import Box, render
from labreport.writing import LATEX

MAIN = r"""First \VAR{d.a|num} line.
\BLOCK{include "part.tex.j2"}
\BLOCK{set shown}captured \VAR{d.b|num}\BLOCK{endset}
\BLOCK{answer "1"}Typed \VAR{shown} text.\BLOCK{endanswer}
"""
PART = "%# a comment\n\\BLOCK{for x in d.L}[\\VAR{x|num}]\\BLOCK{endfor} of a part\n"
VALUES = {"a": 1.5, "b": 2.5, "L": [1, 2]}


class Kept:
    """A memory that keeps what JSON keeps, and lists the templates that had to be compiled."""

    def __init__(self):
        self.facts, self.made = {}, []

    def __call__(self, key, make):
        if key not in self.facts:
            self.made.append(Path(key.split()[0]).name)
            self.facts[key] = json.dumps(make())
        return json.loads(self.facts[key])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "main.tex.j2").write_text(MAIN)
    (tmp_path / "part.tex.j2").write_text(PART)
    return tmp_path


def rendered(folder, remember, **options):
    known = {"d": Box(VALUES, ("d",))}
    return render(folder, "main.tex.j2", known, LATEX, questions=("1",), remember=remember, **options)


def test_a_kept_template_renders_as_a_compiled_one(folder):
    kept = Kept()
    first, second = rendered(folder, kept), rendered(folder, kept)
    assert kept.made == ["main.tex.j2", "part.tex.j2"]
    assert (
        first == second == render(folder, "main.tex.j2", {"d": Box(VALUES, ("d",))}, LATEX, questions=("1",))
    )
    assert "captured" in second.text
    part = second.place(second.text.index("of a part"))
    assert (part.file, part.line, part.column) == (f"{folder.name}/part.tex.j2", 2, 49)


def test_a_change_compiles_the_template_that_changed_alone(folder):
    kept = Kept()
    rendered(folder, kept)
    (folder / "main.tex.j2").write_text(r"\VAR{d.b|num} comes before. " + MAIN)
    kept.made.clear()
    found = rendered(folder, kept)
    assert kept.made == ["main.tex.j2"]
    assert found == rendered(folder, Kept())
    assert found.place(found.text.index("of a part")).line == 2


def test_templates_of_the_same_text_are_kept_each_with_its_own_places(folder):
    (folder / "part.tex.j2").write_text(r"A \VAR{d.b|num}")
    (folder / "twin.tex.j2").write_text(r"A \VAR{d.b|num}")
    (folder / "main.tex.j2").write_text(r'\BLOCK{include "part.tex.j2"} \BLOCK{include "twin.tex.j2"}')
    kept = Kept()
    rendered(folder, kept)
    found = rendered(folder, kept)
    assert [p.site.template for p in found.printed] == ["part.tex.j2", "twin.tex.j2"]


def test_a_predicate_is_one_only_where_it_is_known(folder):
    (folder / "part.tex.j2").write_text(r'\BLOCK{claim "c", same(d.a)}x\BLOCK{endclaim}')
    kept = Kept()
    with pytest.raises(InputError, match="unknown name 'same'"):
        rendered(folder, kept)
    with pytest.raises(InputError, match="nobody judges claims"):
        rendered(folder, kept, predicates={"same": lambda a: True})
    assert kept.made == ["main.tex.j2", "part.tex.j2", "main.tex.j2", "part.tex.j2"]


@pytest.mark.parametrize(
    ("wrong", "what", "under"),
    [
        (r"\VAR{d.gone|num}", "d has no key 'gone'", "gone"),
        (r"\VAR{show}", "unknown name 'show'", "show"),
        (
            r"\BLOCK{for y in d.L} \VAR{(1 / (y - 1))|num} \BLOCK{endfor}",
            "cannot be computed",
            "(1 / (y - 1))|num",
        ),
    ],
)
def test_a_mistake_in_kept_code_is_told_as_in_compiled_code(folder, wrong, what, under):
    (folder / "part.tex.j2").write_text(f"{PART}{wrong}\n")
    kept, told = Kept(), []
    for _ in range(2):
        with pytest.raises(InputError) as caught:
            rendered(folder, kept)
        place = caught.value.place
        assert what in caught.value.what
        assert place.source[place.column - 1 : place.column - 1 + place.length] == under
        told.append(caught.value.lines())
    assert told[0] == told[1]
    assert len(kept.made) == 2


def test_the_names_that_kept_templates_give_are_suggested(folder):
    (folder / "main.tex.j2").write_text("\\BLOCK{set shown = d.a}\n\\VAR{shwn|num}")
    kept = Kept()
    for _ in range(2):
        with pytest.raises(InputError) as caught:
            rendered(folder, kept)
        assert "shown" in caught.value.cure


def test_a_template_that_does_not_compile_is_not_kept(folder):
    (folder / "part.tex.j2").write_text(r"\VAR{d.a +}")
    kept = Kept()
    for _ in range(2):
        with pytest.raises(InputError):
            rendered(folder, kept)
    assert kept.made == ["main.tex.j2", "part.tex.j2", "part.tex.j2"]
    assert len(kept.facts) == 1


def test_a_template_whose_name_could_forge_a_mark_is_refused(folder):
    (folder / "a\ue003.tex.j2").write_text("x")
    with pytest.raises(InputError, match="private character"):
        render(folder, "a\ue003.tex.j2", {}, LATEX)
