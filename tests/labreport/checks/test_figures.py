"""Checks of figures, tables and listings: each finds what breaks its rule, at the line of the template."""

import re
from dataclasses import replace

import projects
import pytest
from checked import line, note, places

from labreport.checks.material import Material


def test_what_has_no_caption_is_found(bad):
    expected = {
        r"\begin{figure*}": "a figure without a caption",
        r"\begin{longtable}": "a table without a caption",
        r"\includegraphics": "the picture figures/exp-good.pdf stands outside any figure",
        r"\begin{tabular}{l}\toprule": "a table stands in the text, without a caption",
    }
    assert sorted(places("captions", bad)) == sorted(
        f"{line(bad, t)}: {what}" for t, what in expected.items()
    )


def test_missing_labels_and_labels_before_the_caption_are_found(bad):
    early, none = line(bad, r"\begin{figure}\label"), line(bad, r"\begin{table}")
    assert places("labels", bad) == [
        f"{early}: the label 'fig:early' stands before the caption: it names the section",
        f"{none}: a table without a label: “A table without a label.”",
    ]


def test_a_float_that_only_itself_refers_to_is_found(bad):
    here = line(bad, r"\begin{figure*}")
    assert places("mentions", bad) == [f"{here}: the text never refers to the figure 'fig:alone'"]


def test_axes_that_show_numbers_without_a_name_are_found(bad):
    here = line(bad, r"\VAR{exp.figures.bad|figure}")
    bad_, core = (f"figures/exp-{name}.pdf" for name in ("bad", "core"))
    found = places("axes", bad)
    assert found[0] == f"{here}: {bad_}: it shows numbers along x without saying of what"
    assert [f.split(": ", 1)[1] for f in found] == [
        f"{file}: it shows numbers along {at} without saying of what" for file in (bad_, core) for at in "xy"
    ]


def test_several_series_without_a_legend_are_found(bad):
    here = line(bad, r"\VAR{exp.figures.bad|figure}")
    found = places("legends", bad)
    assert (found[0], len(found)) == (f"{here}: figures/exp-bad.pdf: 2 series and no legend", 2)


def test_a_drawing_without_axes_needs_no_legend(bad):
    material = Material(bad, {})
    drawn = {
        f: replace(known, axes=tuple(replace(a, diagram=True) for a in known.axes))
        for f, known in material.facts.items()
    }
    material.__dict__["facts"] = drawn
    assert places("legends", material) == []


def test_small_text_and_scaled_figures_are_found(bad):
    found = [place.split(": ", 1)[1] for place in places("text size", bad)]
    scaled = "figures/exp-good.pdf: it is scaled, so that its text has another size than it was drawn with"
    assert found == [
        "figures/exp-bad.pdf: text of 5 pt",
        # 7 pt in a figure of 3 in, at a width of 4 cm; the other one stands in a \\resizebox
        "figures/exp-good.pdf: text of 5.25 pt as it is scaled",
        scaled,
        "figures/exp-core.pdf: text of 5 pt",
    ]


def test_a_character_that_no_font_of_a_figure_has_is_found(bad):
    assert places("characters", bad)[0].endswith("figures/exp-bad.pdf: no font of it has 李 (U+674E)")


def test_what_is_cut_off_at_the_edge_is_found(bad):
    assert re.search(r"figures/exp-bad.pdf: \d+(\.\d+)? mm are cut off at its edge", places("edges", bad)[0])


def test_alternative_texts_that_are_missing_or_repeat_something_are_found(bad):
    found = [place.split(": ", 1)[1] for place in places("alternative texts", bad)]
    assert found == [
        "figures/exp-bad.pdf: its alternative text repeats the caption",
        "figures/exp-core.pdf: its alternative text is that of figures/exp-good.pdf",
        "figures/exp-good.pdf: no alternative text",
    ]


def test_pictures_that_no_experiment_drew_are_said_not_to_be_measured(copy):
    projects.change(
        copy.templates / "report.tex.j2", r"\caption[Short]", r"\LRfigure{logo.pdf}{0041}\caption[Short]"
    )
    assert note("axes", copy) == "not measured, as no experiment drew it: logo.pdf"


@pytest.mark.parametrize(
    ("check", "change", "wrong"),
    [
        ("text size", {"smallest_text_pt": 7.0}, []),
        ("text size", {"smallest_text_pt": 6.99}, ["text of 6.99 pt"]),
        ("text size", {"smallest_text_pt": None}, []),
        ("edges", {"cut_mm": 0.2}, []),
        ("edges", {"cut_mm": 0.21}, ["0.21 mm are cut off at its edge"]),
    ],
)
def test_what_is_exactly_at_the_limit_passes(good, check, change, wrong):
    material = Material(good, {})
    (file,) = material.facts
    material.__dict__["facts"] = {file: replace(material.facts[file], **change)}
    here = line(good, r"\VAR{exp.figures.good|figure}")
    assert places(check, material) == [f"{here}: {file}: {what}" for what in wrong]


def test_a_figure_in_a_comment_is_no_picture(copy):
    projects.change(copy.templates / "report.tex.j2", r"\clearpage", r"% \VAR{exp.figures.bad|figure}")
    assert [picture.file for picture in Material(copy, {}).pictures] == ["figures/exp-good.pdf"]
    assert places("captions", copy) == []
