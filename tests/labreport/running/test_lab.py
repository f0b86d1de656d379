"""What an experiment may ask of the engine."""

import hashlib
import json
from pathlib import Path

import projects
import pytest

from labreport.errors import ExperimentError
from labreport.results import Fingerprint, encode, publish
from labreport.running import Lab


@pytest.fixture
def project(tmp_path):
    return projects.make(tmp_path, {})


# results of others


def test_a_result_named_in_needs_is_given_and_noted(project):
    facts = dict.fromkeys(("started", "finished", "python"), "") | {"seconds": 0, "jobs": 1, "revision": None}
    publish(project, "other", encode({"x": 1}, {}), Fingerprint(), facts)
    lab = Lab(project, "exp", {}, needs=("other",))
    assert lab.result("other").values == {"x": 1}
    assert lab.used == {"other"}


@pytest.mark.parametrize(
    ("needs", "name", "cure"),
    [
        ((), "b", 'write NEEDS = ("b",)'),
        (("depth_width",), "depth_widht", "did you mean 'depth_width'?"),
    ],
)
def test_any_other_result_is_an_error_with_what_to_write(project, needs, name, cure):
    with pytest.raises(ExperimentError, match="not in its NEEDS") as caught:
        Lab(project, "exp", {}, needs=needs).result(name)
    assert caught.value.cure.startswith(cure)


# files


@pytest.fixture
def reading(project):
    """A lab that may read one file."""
    (project.root / "a.csv").write_text("x\n")
    written = {"file a.csv": hashlib.sha256(b"x\n").hexdigest(), "python": "3"}
    return Lab(project, "exp", {}, fingerprint=Fingerprint.parse(written))


def test_a_file_named_in_reads_is_given_by_its_path(reading):
    assert reading.file("a.csv") == reading.project.root / "a.csv"


def test_any_other_file_is_an_error_with_what_to_write(reading):
    (reading.project.root / "b.csv").write_text("x\n")
    cures = {
        "b.csv": 'write READS = ("a.csv", "b.csv",)',
        "./a.csv": "did you mean 'a.csv'",
        "bb.csv": "did you mean 'b.csv'",
    }
    for name, cure in cures.items():
        with pytest.raises(ExperimentError, match="not in its READS") as caught:
            reading.file(name)
        assert caught.value.cure.startswith(cure)


@pytest.mark.parametrize("edit", [Path.unlink, lambda path: path.write_text("y\n")])
def test_a_file_that_changed_since_the_build_began_is_not_believed(reading, edit):
    edit(reading.project.root / "a.csv")
    with pytest.raises(ExperimentError, match=r"a\.csv changed since the build began") as caught:
        reading.file("a.csv")
    assert caught.value.cure == "build again"


# checkpoints


def test_checkpoints_of_each_fingerprint_lie_in_a_folder_that_exists(project):
    parts = [{}, {"parameter n": "1"}, {"parameter n": "2"}, {"parameter n": "2", "result other": "aa"}]
    labs = [Lab(project, name, {}, fingerprint=Fingerprint.parse(p)) for name in ("a", "b") for p in parts]
    assert not project.checkpoints.exists()  # it is made when it is asked for
    folders = [lab.checkpoints for lab in labs]
    assert len(set(folders)) == len(labs)
    assert all(path.is_dir() and path.is_relative_to(project.build / "checkpoints") for path in folders)
    assert [lab.checkpoints for lab in labs] == folders


def test_a_quick_build_has_its_own_checkpoints(project, tmp_path):
    quick = projects.make(tmp_path, {}, quick=True)
    assert Lab(quick, "a", {}).checkpoints.is_relative_to(tmp_path / "build" / "quick" / "checkpoints")
    assert not project.checkpoints.exists()


def test_drawing_has_no_checkpoints(project, tmp_path):
    with pytest.raises(ExperimentError, match="asks for checkpoints in `draw`"):
        _ = Lab(project, "exp", {}, folder=tmp_path).checkpoints


# notices


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("offline", "offline"),
        (" two\n lines\t and  tabs\r\n", "two lines and tabs"),
        ("red \x1b[31m \x07", "red \\x1b[31m \\x07"),
        ("größe 100 % [bold]", "größe 100 % [bold]"),
        ("x" * 500, "x" * 500),
        ("x" * 501, "x" * 498 + " …"),
    ],
)
def test_a_notice_is_one_short_line_that_the_log_keeps(project, capfd, text, shown):
    heard = []
    Lab(project, "exp", {}, notify=heard.append).notice(text)
    assert heard == [shown]
    assert capfd.readouterr().out == f"notice: {shown}\n"


# seeds


def test_a_seed_is_the_documented_digest():
    text = json.dumps(["exp", 7, "train", 3, [1, 2], 0.5, True, None], separators=(",", ":"))
    expected = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
    lab = Lab(None, "exp", {"seed": 7})
    assert lab.seed("train", 3, (1, 2), 0.5, True, None) == expected


def test_seeds_do_not_change_between_versions():
    # printf '["exp",0]' | sha256sum, the first 16 digits, halved
    assert Lab(None, "exp", {"seed": 0}).seed() == 6519377211831076918
    assert Lab(None, "depth_width", {"seed": 1}).seed("d3w3", 999) == 4619772496938819782


def test_different_keys_have_different_seeds_in_range():
    odd = [(), (0,), (0.0,), ("0",), (False,), (None,), ([0],), (0, 0), ("a", "b"), ("ab",)]
    keys = [*odd, *((i,) for i in range(1, 500))]
    labs = [Lab(None, name, {"seed": seed}) for name in ("a", "b") for seed in (0, 1)]
    seeds = [lab.seed(*key) for lab in labs for key in keys]
    assert len(set(seeds)) == len(labs) * len(keys)
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert max(seeds) > 2**62


def test_numpy_numbers_make_the_same_seed_as_their_plain_values():
    import numpy as np

    lab = Lab(None, "exp", {"seed": 7})
    assert lab.seed(np.int64(3), np.float64(0.5)) == lab.seed(3, 0.5)


def test_a_seed_needs_a_seed():
    with pytest.raises(ExperimentError, match="has no `seed`"):
        Lab(None, "exp", {"n": 1}).seed("x")


# figures belong to draw


def test_a_figure_in_run_is_an_error(project):
    with pytest.raises(ExperimentError, match="is made in `run`"):
        Lab(project, "exp", {"seed": 7}).figure("x", None, alt="x")
