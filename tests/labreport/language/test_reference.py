"""The reference of formats: complete, and true of what both targets print."""

import pytest
from markdown_it import MarkdownIt
from rendering import rendered

from labreport.language import EXAMPLES, FORMATS
from labreport.writing.targets import LATEX, MARKDOWN

CASES = [(name, *example) for name, examples in EXAMPLES.items() for example in examples.items()]
ONLY_LATEX = {"label"}


def test_every_format_has_a_description_and_an_example_that_uses_it():
    assert list(EXAMPLES) == list(FORMATS)
    for name, examples in EXAMPLES.items():
        assert FORMATS[name].__doc__
        assert examples
        assert all(f"|{name}" in template for template in examples)


@pytest.mark.parametrize(("name", "template", "prints"), CASES)
def test_every_example_reads_as_the_reference_says(name, template, prints):
    assert rendered(rf"\VAR{{{template}}}", target=LATEX).text
    if name not in ONLY_LATEX:
        tokens = MarkdownIt("commonmark").parseInline(rendered(rf"\VAR{{{template}}}", target=MARKDOWN).text)
        assert "".join(token.content for token in tokens[0].children) == prints
