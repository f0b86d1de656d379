"""Paragraphs that say what they explain: which paragraph that is, and targets that do not exist."""

import pinned
import projects
import pytest
from rendering import rendered

from labreport.documents import cells, pins, report
from labreport.errors import InputError, SeveralErrors
from labreport.writing.targets import MARKDOWN

ABOUT = r'\BLOCK{about "m:f"}'


def paragraph(source, **options):
    """Return the text of the one paragraph of a template that is about something."""
    out = rendered(source, **options)
    (region,) = (region for region in out.regions if region.kind == "about")
    begin, end = pins.paragraph(out.text, region.start)
    return out.text[begin:end].strip()


@pytest.mark.parametrize(
    "template",
    [
        "A.\n\nABOUT\nB\nC.\n\nD.\n",
        "A.\n\nB\nABOUT\nC.\n\nD.\n",
        "A.\n\nB\nC.\nABOUT\n\nD.\n",
        "A.\n\nB\nABOUTC.\n\nD.\n",
        "A.\n \t\nABOUTB\nC.\n   \nD.\n",
        "ABOUT\nB\nC.\n\nD.\n",
        "ABOUT\nB\nC.",
        "A.\n\nB\nC.ABOUT",
        "A.\n\n%# a comment of the template\nABOUT\nB\nC.\n\n",
    ],
)
def test_a_paragraph_reaches_from_one_blank_line_to_the_next(template):
    assert paragraph(template.replace("ABOUT", ABOUT)) == "B\nC."


def test_a_paragraph_of_a_notebook_ends_with_its_cell():
    text = f'# %% [markdown]\n"""\nA.\n\n{ABOUT}\nB\nC.\n"""\n# %%\nx = 1\n'
    assert paragraph(text, target=MARKDOWN) == "B\nC."
    assert paragraph(f'"""\n# %% [markdown]\n"""\n{ABOUT}B\nC.\n"""\n', target=MARKDOWN) == "B\nC."


def test_a_pin_says_where_its_paragraph_stands_and_what_it_reads_from_there_on(tmp_path):
    project = pinned.make(tmp_path)
    file = "report_templates/report.tex.j2"
    assert pins.found(report.render(project).rendered) == [
        pins.Pin("training:fit", file, 6, 6, 8, "The loop adds all and scales."),
        pins.Pin("exp.values.shape", file, 10, 10, 12, "The shape is 3 by two."),
        pins.Pin("exp.params", file, 11, 10, 12, "by two."),
    ]


def test_some_words_of_a_long_paragraph_are_enough():
    (pin,) = pins.found(rendered(f"{ABOUT}\n" + "word " * 100))
    assert pin.reads == ("word " * 12)[:59] + "…"


def test_what_marks_an_answer_is_no_word_of_the_paragraph():
    (pin,) = pins.found(
        rendered(f'\\BLOCK{{answer "1"}}\n{ABOUT}\nThe share is \\VAR{{d.n|num}}.\n\\BLOCK{{endanswer}}')
    )
    assert pin.reads == "The share is 3."


def test_a_statement_that_is_rendered_again_and_again_counts_once():
    source = f"\\BLOCK{{for i in range(3)}}{ABOUT}Row \\VAR{{i|integer}}.\n\n\\BLOCK{{endfor}}"
    assert [(pin.target, pin.line) for pin in pins.found(rendered(source))] == [("m:f", 1)]
    captured = f"\\BLOCK{{set text}}{ABOUT}Words.\\BLOCK{{endset}}\\VAR{{text}}\n\n\\VAR{{text}}"
    assert [(pin.target, pin.line) for pin in pins.found(rendered(captured))] == [("m:f", 1)]
    assert pins.found(rendered(captured.partition(r"\VAR")[0])) == []


def test_a_paragraph_of_an_included_template_stands_there():
    files = {"part.tex.j2": f"\n\n{ABOUT}\nWords.\n\n"}
    (pin,) = pins.found(rendered('A.\n\n\\BLOCK{include "part.tex.j2"}', files=files))
    assert pin.place == "report_templates/part.tex.j2:3"
    assert (pin.first, pin.last) == (3, 4)


def test_lines_of_other_templates_do_not_count_among_those_of_a_paragraph():
    files = {"part.tex.j2": f"more words,\n{ABOUT}\nthe last ones.\n"}
    source = 'A.\n\nB.\n\nC.\n\nWords,\n\\BLOCK{include "part.tex.j2"}and so on.\n'
    (pin,) = pins.found(rendered(source, files=files))
    assert (pin.line, pin.first, pin.last) == (2, 2, 2)


def mistakes(tmp_path, *targets):
    """Return the errors of a report with a paragraph about each target."""
    about = "".join(rf"\BLOCK{{about '{target}'}}Words." + "\n\n" for target in targets)
    template = f"\\documentclass{{article}}\n\\begin{{document}}\n{about}\\end{{document}}\n"
    project = projects.make(tmp_path, {"exp": pinned.EXPERIMENT}, src={"training.py": pinned.MODULE})
    projects.write(project.templates / "report.tex.j2", template)
    projects.run(project)
    with pytest.raises((InputError, SeveralErrors)) as caught:
        report.render(project)
    return getattr(caught.value, "errors", (caught.value,))


@pytest.mark.parametrize(
    ("target", "what", "cure"),
    [
        ("training:fitt", "no 'fitt' in src/training.py", "did you mean 'fit'?"),
        ("trainin:fit", "no module 'trainin'", "did you mean 'training'?"),
        ("training:Net.backward", "no 'Net.backward'", "did you mean 'Net.forward'?"),
        ("expp.values", "no experiment 'expp'", "did you mean 'exp'?"),
        ("exp.value", "no part 'value'", "did you mean 'values'?"),
        ("exp.figures.curve", "no part 'figures'", "params, tables, values"),
        ("exp.values.losss", "there is no 'losss'", "did you mean 'loss'?"),
        ("exp.values.shape[2]", "there is no 2", "has 2 items"),
        ("exp.values.loss.n.x", "there is no 'x'", "a single value"),
        ("the loop", "'the loop' names neither code nor a result", "exp.params"),
        ("exp.values.", "names neither", "package.module:function"),
        ("training:", "does not name code", "module:name"),
    ],
)
def test_an_unknown_target_is_an_error_at_its_place_with_near_names(tmp_path, target, what, cure):
    (error,) = mistakes(tmp_path, target)
    assert what in error.what
    assert cure in error.cure
    place = error.place
    assert (place.file, place.line) == ("report_templates/report.tex.j2", 3)
    assert place.source[place.column - 1 :].startswith(f"{target}'")


def test_all_unknown_targets_are_told_together(tmp_path):
    assert [error.place.line for error in mistakes(tmp_path, "training:x", "exp.params", "a.b")] == [3, 7]


def test_a_module_that_is_not_valid_is_told_with_its_own_line_and_that_of_the_template(tmp_path):
    project = pinned.make(tmp_path)
    pinned.change_code(project, "def total(data):", "def total(data:")
    with pytest.raises(InputError) as caught:
        report.render(project)
    assert str(caught.value.place).startswith("src/training.py:11")
    assert "report_templates/report.tex.j2:6" in str(caught.value)


def test_a_statement_that_stands_in_no_paragraph_is_refused(tmp_path):
    project = pinned.make(tmp_path)
    projects.change(project.templates / "report.tex.j2", '"training:fit"}\n', '"training:fit"}\n\n')
    with pytest.raises(InputError, match="stands in no paragraph") as caught:
        report.render(project)
    assert caught.value.place.line == 6


def test_the_targets_of_notebooks_are_looked_up_too(tmp_path):
    project = pinned.make(tmp_path)
    text = '# %% [markdown]\n"""\n\\BLOCK{about "training:fat"}\nWords.\n"""\n'
    projects.write(project.templates / "notebooks" / "walk.py.j2", text)
    with pytest.raises(InputError, match="no 'fat'") as caught:
        cells.render(project, "walk")
    assert (caught.value.place.file, caught.value.place.line) == ("report_templates/notebooks/walk.py.j2", 3)
