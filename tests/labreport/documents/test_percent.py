"""Notebook sources as editors write them: what is accepted, and what is refused at which line."""

import projects
import pytest

from labreport.documents import cells
from labreport.errors import InputError


@pytest.fixture
def rendered(tmp_path):
    project = projects.make(tmp_path, {})

    def render(text):
        projects.write(project.templates / "notebooks" / "n.py.j2", text)
        return [(cell.kind, cell.source) for cell in cells.render(project, "n").cells]

    return render


HEADER = "# ---\n# jupyter:\n#   kernelspec:\n#     name: python3\n# ---\n\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('#%% [markdown]\n"""\nHi\n"""\n#%%\nx = 1\n', [("markdown", "Hi"), ("code", "x = 1")]),
        (HEADER + "# %%\nx = 1\n", [("code", "x = 1")]),
        ('# %% [md] A title\n"""\nHi\n"""\n', [("markdown", "Hi")]),
        ("# %%%% A part\nx = 1\n", [("code", "x = 1")]),
        ('# %%\nx = """\n    # %%\n%time\n"""\n', [("code", 'x = """\n    # %%\n%time\n"""')]),
        ("# %%\n%matplotlib inline\nx = 7 %time\n", [("code", "%matplotlib inline\nx = 7 %time")]),
        ('# %% language="python"\nx = 1\n', [("code", "x = 1")]),
    ],
)
def test_what_editors_write_is_accepted(rendered, text, expected):
    assert rendered(text) == expected


@pytest.mark.parametrize(
    ("text", "line", "what", "cure"),
    [
        ('# %%\nx = 1\n# %% language="bash"\nls\n', 3, "this cell is in bash", "experiment"),
        ("# %%\nif True:\n    # %%\n    x = 1\n", 3, "would divide it", "begin the line"),
        ("# %%\ndef f():\n\t#%% part\n\treturn 1\n", 3, "would divide it", "begin the line"),
        ("# %%\n%%time\nx = 1\n", 2, "output of %%time", "measure in an experiment"),
        ("# %%\nx = 1\n\n  %timeit -n 1 x\n", 4, "output of %timeit", "measure"),
        ("# %%\nbest = %timeit -o x\n", 2, "output of %timeit", "measure"),
        ("# %%\n%pip list\n", 2, "output of %pip", "measure"),
        ("x = 1\n# %%\n", 1, "begins with the head", "before it"),
        ("# In[1]:\nx = 1\n", 1, "begins with the head", "in its place"),
        ("  # %%\nx = 1\n", 1, "begins with the head", "in its place"),
        ("\n", 1, "empty", "# %%"),
    ],
)
def test_what_cannot_be_a_notebook_is_refused_at_its_line(rendered, text, line, what, cure):
    with pytest.raises(InputError) as caught:
        rendered(text)
    assert what in caught.value.what
    assert (caught.value.place.line, cure in caught.value.cure) == (line, True)
