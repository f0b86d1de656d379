"""Docstrings as HTML."""

import pytest

from labreport.manual import prose


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("One <b> line\nof `x & y`.", "<p>One &lt;b&gt; line of <code>x &amp; y</code>.</p>"),
        ("First.\n\nSecond.", "<p>First.</p>\n<p>Second.</p>"),
        ("- one\n- two\n  lines", "<ul><li>one</li><li>two lines</li></ul>"),
        (
            "Raises\n------\nInputError\n    It is\n    wrong.",
            "<h4>Raises</h4>\n<dl><dt>InputError</dt><dd>It is wrong.</dd></dl>",
        ),
        ("    a < b", "<pre><code>a &lt; b</code></pre>"),
    ],
)
def test_each_form_of_a_docstring_has_its_own(text, html):
    assert prose.html(text) == html
