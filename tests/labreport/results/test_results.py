"""Results as files: the same bytes for the same content, whole or not at all, never believed in doubt."""

import json
import os

import pandas as pd
import projects
import pytest

from labreport.errors import ExperimentError, InputError
from labreport.results import files, results
from labreport.results.encoding import encode
from labreport.results.fingerprint import Fingerprint
from labreport.results.strict_json import seal

FACTS = {
    "started": "2024-11-29T10:00:00+00:00",
    "finished": "2024-11-29T10:00:01+00:00",
    "seconds": 1.0,
    "python": "3.11.2",
    "jobs": 2,
    "revision": None,
}
RETURNED = {"loss": {"mean": 0.25}, "runs": [1, 2], "t": pd.DataFrame({"x": [1.0, None]})}


@pytest.fixture
def project(tmp_path):
    return projects.make(tmp_path, {})


def publish(project, returned=RETURNED, params=None, parts=None):
    encoded = encode(returned, params or {"repeats": 50})
    fingerprint = Fingerprint.parse(parts or {"schema": "1"})
    return results.publish(project, "depth_width", encoded, fingerprint, FACTS)


def file(project, name="result.json"):
    return project.results / "depth_width" / name


def test_a_published_result_loads_as_it_was(project):
    publish(project)
    result = results.load(project, "depth_width")
    assert result.experiment == "depth_width"
    assert result.params == {"repeats": 50}
    assert result.values == {"loss": {"mean": 0.25}, "runs": [1, 2]}
    assert result.rows("t") == [{"x": 1.0}, {"x": None}]
    pd.testing.assert_frame_equal(result.table("t"), RETURNED["t"])
    assert result.figures == {}


def test_result_json_is_a_function_of_its_inputs(project, tmp_path):
    publish(project)
    other = projects.make(tmp_path / "other", {})
    encoded = encode(dict(reversed(RETURNED.items())), {"repeats": 50})
    facts = {**FACTS, "seconds": 7.0, "jobs": 1, "revision": "abc"}
    results.publish(other, "depth_width", encoded, Fingerprint.parse({"schema": "1"}), facts)
    assert file(project).read_bytes() == file(other).read_bytes()
    data = json.loads(file(project).read_text(encoding="utf-8"))
    assert list(data) == ["experiment", "fingerprint", "params", "schema", "tables", "values"]
    assert file(project).read_text(encoding="utf-8").endswith("}\n")


def test_the_content_digest_sees_values_and_parameters_but_not_the_fingerprint(project):
    first = publish(project).content
    assert publish(project, parts={"schema": "1", "code a.py": "x"}).content == first
    assert publish(project, {**RETURNED, "runs": [1, 3]}).content != first
    assert publish(project, params={"repeats": 51}).content != first
    assert publish(project, {**RETURNED, "t": pd.DataFrame({"x": [1.0, 2.0]})}).content != first


def test_a_missing_result_names_the_command_that_makes_it(project):
    with pytest.raises(ExperimentError) as caught:
        results.load(project, "depth_width")
    assert caught.value.lines() == [
        "no result for 'depth_width'",
        f"  cure: run `labreport --project {project.root} run depth_width`",
    ]


def test_an_unknown_table_names_near_ones(project):
    publish(project)
    with pytest.raises(ExperimentError, match="no table 'tt'") as caught:
        results.load(project, "depth_width").rows("tt")
    assert caught.value.cure == "did you mean 't'?"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t[:40], "damaged: not valid JSON"),
        (lambda t: "", "damaged: not valid JSON"),
        (lambda t: t.replace('"schema": 1', '"schema": 2'), "schema 1 is expected, not 2"),
        (lambda t: t.replace('"values": {', '"walues": {'), "the key 'values' is missing"),
        (lambda t: t.replace('"schema": 1,', '"schema": 1, "more": 1,'), "the key 'more' is unknown"),
        (
            lambda t: t.replace('"experiment": "depth_width"', '"experiment": "x"'),
            "'depth_width' is expected",
        ),
        (
            lambda t: t.replace("float64", "int64"),
            "tables.t: column 'x' holds values that are not of type int64",
        ),
        (lambda t: "[]", "must hold an object, not a list"),
        (lambda t: t.replace("0.25", "0.26"), "is not what the run of 'depth_width' wrote"),
        (lambda t: t.replace("0.25", "1e999"), "damaged: 1e999 is too large"),
    ],
)
def test_a_damaged_result_is_never_loaded(project, change, message):
    publish(project)
    text = file(project).read_text(encoding="utf-8")
    assert change(text) != text
    file(project).write_text(change(text), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        results.load(project, "depth_width")
    assert message in caught.value.what
    assert caught.value.place.file == "build/results/depth_width/result.json"
    assert caught.value.cure == f"make it again: `labreport --project {project.root} run depth_width`"
    assert "not what the run wrote" in results.recorded_run(project, "depth_width")


def test_every_flipped_byte_in_both_files_is_noticed(project):
    publish(project)
    for name in ("result.json", "run.json"):
        good = file(project, name).read_bytes()
        for position in range(len(good)):
            damaged = bytearray(good)
            damaged[position] ^= 1 << position % 8
            file(project, name).write_bytes(damaged)
            assert isinstance(results.recorded_run(project, "depth_width"), str)
        file(project, name).write_bytes(good)
    assert isinstance(results.recorded_run(project, "depth_width"), results.Run)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"schema": 1}', '{"checksum": "x"}'])
def test_a_damaged_run_record_makes_the_result_untrusted(project, text):
    publish(project)
    file(project, "run.json").write_text(text)
    assert results.recorded_run(project, "depth_width") == "run.json is damaged"
    with pytest.raises(InputError, match=r"cannot be trusted: run\.json is damaged"):
        results.load(project, "depth_width")


@pytest.mark.parametrize("written", [None, [], "x", {"code a.py": 1}])
def test_a_record_whose_fingerprint_is_none_is_damaged(project, written):
    publish(project)
    publish_figures(project)
    for name, recorded in (
        ("run.json", results.recorded_run),
        ("figures/figures.json", results.recorded_drawing),
    ):
        record = json.loads(file(project, name).read_text())
        del record["checksum"]
        file(project, name).write_bytes(seal({**record, "fingerprint": written}))
        assert recorded(project, "depth_width") == f"{file(project, name).name} is damaged"


def test_a_result_without_its_run_record_is_untrusted(project):
    publish(project)
    file(project, "run.json").unlink()
    assert results.recorded_run(project, "depth_width") == "run.json is missing"


def test_a_record_of_another_version_is_not_used(project):
    publish(project)
    record = json.loads(file(project, "run.json").read_text())
    del record["checksum"]
    file(project, "run.json").write_bytes(seal({**record, "schema": 99}))
    assert results.recorded_run(project, "depth_width") == "run.json is of another version"


def test_the_record_says_when_how_long_and_with_what(project):
    publish(project)
    run = results.recorded_run(project, "depth_width")
    assert {key: getattr(run, key) for key in FACTS} == FACTS
    assert run.fingerprint.plain() == {"schema": "1"}
    assert results.last_seconds(project, "depth_width", "run") == 1.0
    assert results.last_seconds(project, "depth_width", "draw") is None


def test_published_files_have_the_rights_of_the_umask(project):
    old = os.umask(0o027)
    try:
        publish(project)
    finally:
        os.umask(old)
    assert file(project).stat().st_mode & 0o777 == 0o640


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_behind(project, monkeypatch):
    publish(project)
    before = file(project).read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        publish(project, {"other": 1})
    assert file(project).read_bytes() == before
    assert sorted(path.name for path in file(project).parent.iterdir()) == ["result.json", "run.json"]


# figures


FIGURE = {
    "alt": "a line that falls",
    "width_mm": 80.0,
    "height_mm": 60.0,
    "smallest_text_pt": 8.0,
    "cut_mm": 0.0,
    "series": 1,
    "legend": False,
    "axes": [
        {
            **{"title": "", "xlabel": "x", "ylabel": "y", "series": 1, "legend": False, "colorbar": False},
            **{"unnamed": [], "diagram": False},
        }
    ],
}


def publish_figures(project, text="%PDF"):
    staged = files.stage(project.results / "depth_width")
    (staged / "line.pdf").write_text(text)
    (staged / "line.png").write_text("PNG")
    (staged / "line.csv").write_text("x\n1\n")
    (staged / "run-1.log").write_bytes(b"one")
    facts = {key: FACTS[key] for key in ("seconds", "python")}
    results.publish_drawing(
        "depth_width",
        staged,
        {"line": {**FIGURE, "files": ["run-1.log"]}},
        Fingerprint.parse({"schema": "1"}),
        facts,
    )


def test_figures_stand_beside_the_values(project):
    publish(project)
    publish_figures(project)
    figure = results.load(project, "depth_width").figures["line"]
    assert figure.pdf.read_text() == "%PDF"
    assert figure.png.read_text() == "PNG"
    assert figure.data.read_text() == "x\n1\n"
    assert [(path.name, path.read_bytes()) for path in figure.kept] == [("run-1.log", b"one")]
    assert (figure.alt, figure.width_mm, figure.axes[0].xlabel) == ("a line that falls", 80.0, "x")
    assert results.last_seconds(project, "depth_width", "draw") == 1.0


def test_a_file_belongs_to_the_figure_that_keeps_it_whatever_its_name_begins_with(project):
    publish(project)
    staged = files.stage(project.results / "depth_width")
    for name in ("line.pdf", "line.png", "other.pdf", "other.png", "other.log"):
        (staged / name).write_text(name)
    figures = {"line": {**FIGURE, "files": ["other.log"]}, "other": {**FIGURE, "files": []}}
    facts = {key: FACTS[key] for key in ("seconds", "python")}
    results.publish_drawing("depth_width", staged, figures, Fingerprint.parse({"schema": "1"}), facts)
    found = results.load(project, "depth_width").figures
    kept = {name: [path.name for path in figure.kept] for name, figure in found.items()}
    assert kept == {"line": ["other.log"], "other": []}


def test_a_second_drawing_replaces_the_first_as_a_whole(project):
    publish(project)
    publish_figures(project)
    publish_figures(project, "%PDF 2")
    folder = project.results / "depth_width"
    assert (folder / "figures/line.pdf").read_text() == "%PDF 2"
    assert sorted(path.name for path in folder.iterdir()) == ["figures", "result.json", "run.json"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "line.pdf").write_text("%PDG"), "line.pdf is not what was drawn"),
        (lambda f: (f / "line.png").write_text(""), "line.png is not what was drawn"),
        (lambda f: (f / "line.csv").unlink(), "line.csv in figures/ is missing"),
        (lambda f: (f / "run-1.log").write_text("two"), "run-1.log is not what was drawn"),
        (lambda f: (f / "more.pdf").write_text(""), "more.pdf in figures/ is extra"),
        (lambda f: (f / "figures.json").write_text("{}"), "figures.json is damaged"),
        (
            lambda f: (f / "figures.json").write_bytes(seal({"schema": 1})),
            "figures.json is of another version",
        ),
        (lambda f: (f / "figures.json").unlink(), "figures.json cannot be read"),
    ],
)
def test_damaged_figures_are_named_and_not_used(project, damage, message):
    publish(project)
    publish_figures(project)
    damage(project.results / "depth_width" / "figures")
    result = results.load(project, "depth_width")
    with pytest.raises(InputError, match=message):
        _ = result.figures


def test_a_kill_between_the_two_renames_loses_no_figures(project):
    publish(project)
    publish_figures(project)
    folder = project.results / "depth_width"
    (folder / "figures").rename(folder / ".tmp-old-figures")
    (folder / ".tmp-x").mkdir()
    (folder / ".tmp-y").write_text("half")
    files.sweep(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["figures", "result.json", "run.json"]
    assert set(results.load(project, "depth_width").figures) == {"line"}
