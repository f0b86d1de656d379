"""Hand-ins that were changed: each kind of change is noticed and named, and the next build packs anew."""

import random
import re
import shutil
import struct
import zipfile

import projects
import pytest

from labreport import build
from labreport import project as project_module
from labreport.handin import VerifyError, bundle, zipped
from labreport.results import files
from torture import tampered
from torture.trial import table

CHANGES = [kind for kind in tampered.KINDS if kind != tampered.UNTOUCHED]


@pytest.fixture(scope="module")
def packed_once(tmp_path_factory):
    return tampered.packed(tmp_path_factory.mktemp("tampered") / "project")


@pytest.fixture
def packed(packed_once, tmp_path):
    shutil.copytree(packed_once.root, tmp_path / "project")
    return project_module.load(tmp_path / "project")


def test_verify_and_check_notice_each_change_and_nothing_else():
    text, failed = table(tampered.trials(len(tampered.KINDS), seed=5))
    assert failed == [], text
    assert len(text.split("\n")) == len(tampered.KINDS) + 1 > 20


def test_a_change_that_nobody_notices_is_told(packed, monkeypatch):
    monkeypatch.setitem(tampered.KINDS, "nothing", lambda *_: None)
    assert tampered.tried("nothing", random.Random(1), packed).outcome == "missed"


def test_taking_a_zip_apart_and_writing_it_again_is_no_change(packed):
    before = tampered.code(packed).read_bytes()
    tampered.rewritten(lambda *_: None)(random.Random(1), packed)
    assert tampered.code(packed).read_bytes() == before


@pytest.mark.parametrize("kind", CHANGES)
def test_the_next_build_packs_a_changed_hand_in_anew(packed, kind):
    before = {path.name: path.read_bytes() for path in packed.submission.iterdir()}
    tampered.KINDS[kind](random.Random(kind), packed)
    assert bundle.out_of_date(packed)
    bundle.pack(packed)
    assert bundle.out_of_date(packed) == []
    after = {path.name: path.read_bytes() for path in packed.submission.iterdir() if not path.is_symlink()}
    assert after["code.zip"] == before["code.zip"]
    assert after == {**before, "report.pdf": packed.pdf.read_bytes()}


CODE = "build/submission/code.zip: "


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("a result in the zip", CODE + r"build/results/one/result\.json was changed"),
        ("the README in the zip", CODE + r"README\.txt was changed"),
        ("file added", CODE + r"src/thing/more\.py was added"),
        ("report added to the zip", CODE + r"report\.pdf was added"),
        ("absolute name", CODE + r"/etc/cron\.d/mine was added"),
        ("name that leads out", CODE + r"\.\./\.\./mine\.py was added"),
        ("name with escapes", CODE + r"\\x1b\[2Jmine\.py was added"),
        ("README missing", CODE + r"README\.txt is missing"),
        ("zero byte in a name", CODE + r"\S+\\x00\.py has a zero byte in its name"),
        ("name twice", CODE + r"\S+ occurs 2 times"),
        ("symbolic link in the zip", CODE + r"\S+ is a symbolic link"),
        ("setuid in the zip", CODE + r"\S+ has the rights -rwsr-xr-x, not -rw-r--r--"),
        ("compressed", CODE + r"\S+ is compressed"),
        ("encrypted", CODE + r"\S+ is encrypted"),
        ("date", CODE + r"\S+ has another date"),
        ("comment", CODE + r"it carries a comment of [\d,]+ bytes?"),
        ("bytes behind the zip", CODE + r"[\d,]+ bytes? behind its end"),
        ("bytes before the zip", CODE + r"[\d,]+ bytes? before its beginning"),
        ("other order", CODE + r"other bytes from 0 on, between or around its files|.* from \d+ on, .*"),
        ("time in a file's head", CODE + r"other bytes from [\d,]+ on, between or around its files"),
        ("empty zip", CODE + "it is empty"),
        ("no zip", CODE + "it is not a zip, or only a part of one"),
        ("bit of the PDF", r"build/submission/report\.pdf: it was changed"),
        ("link to the zip", CODE + "it is a symbolic link"),
        ("pipe instead of the zip", CODE + "it is not a regular file"),
        ("setuid", r"build/submission/\S+: it has the rights -rwSr--r--"),
        ("hidden file beside", r"build/submission/\.hidden: it was added"),
        ("no PDF", r"build/submission/report\.pdf: it is missing"),
    ],
)
def test_what_was_done_is_named_with_its_place(packed, kind, said):
    tampered.KINDS[kind](random.Random(kind), packed)
    for lines in (tampered.told_by_verify(packed), tampered.told_by_check(packed)):
        assert any(re.search(f"(^|: | ){said}$", line) for line in lines), lines


@pytest.mark.parametrize(
    ("kind", "name"),
    [("bit of the PDF", "report.pdf"), ("hidden file beside", ".hidden"), ("link to the zip", "code.zip")],
)
def test_what_was_done_in_a_build_folder_outside_is_named_with_its_place(packed, tmp_path, kind, name):
    packed.build.rename(tmp_path / "out")
    apart = project_module.load(packed.root, build_dir=tmp_path / "out")
    bundle.pack(apart)
    tampered.KINDS[kind](random.Random(kind), apart)
    place = f"{tmp_path / 'out' / 'submission' / name}: "
    assert [reason for reason in bundle.out_of_date(apart) if reason.startswith(place)]
    for lines in (tampered.told_by_verify(apart), tampered.told_by_check(apart)):
        assert any(place in line for line in lines), lines


@pytest.mark.slow
def test_the_commands_tell_20_of_20_changes_of_a_whole_build(tmp_path):
    project = projects.make(tmp_path / "project", {"one": projects.returning('{"n": 3}')})
    projects.write(project.templates / "report.tex.j2", TEMPLATE)
    build.make_all(project)
    assert HAND_IN not in {v.name for v in build.check(project).verdicts if v.state != "passed"}
    shutil.copytree(project.build, tmp_path / "as it was")
    told = []
    for kind in random.Random(20).sample(CHANGES, 20):
        tampered.KINDS[kind](random.Random(kind), project)
        with pytest.raises(VerifyError, match="the hand-in in build/submission is not of this build"):
            build.verify(project)
        verdicts = build.check(project).verdicts
        told += [kind for v in verdicts if (v.name, v.state) == (HAND_IN, "failed") and v.places and v.cure]
        shutil.rmtree(project.build)
        shutil.copytree(tmp_path / "as it was", project.build)
    assert len(told) == 20
    assert build.make_all(project).is_nothing


HAND_IN = "hand-in"
TEMPLATE = r"""\documentclass{article}
\usepackage[article]{labreport}
\begin{document}
There are \VAR{one.values.n|integer}.
\end{document}
"""


def test_a_report_of_many_changes_stays_short(packed):
    tampered.KINDS["zip of another project"](random.Random(1), packed)
    lines = tampered.told_by_verify(packed)
    assert len(lines) == 12
    assert re.search(r"\(\d+ more lines\)$", lines[-2])
    assert re.fullmatch(r"  cure: run `.*`, then verify again", lines[-1])


def test_a_zip_that_would_unpack_to_more_than_itself_is_not_unpacked(packed):
    with zipfile.ZipFile(tampered.code(packed), "w") as bomb:
        bomb.writestr("code/README.txt", bytes(10_000_000), zipfile.ZIP_DEFLATED)
    said = zipped.deviations(tampered.code(packed).read_bytes(), {"README.txt": ""})
    assert [*said] == ["README.txt is compressed"]


def test_bytes_that_files_share_are_not_read_for_each():
    inner = zipped.archive({"b": bytes(1000)})
    file, entry = inner[: inner.index(b"PK\1\2")], inner[inner.index(b"PK\1\2") : inner.index(b"PK\5\6")]
    outer = zipped.archive({"a": file})
    start, end = outer.rindex(b"PK\1\2"), outer.index(b"PK\5\6")
    inside = entry[:42] + struct.pack("<L", outer.index(file)) + entry[46:]
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 2, 2, end - start + len(inside), start, 0)
    shared = outer[:end] + inside + tail
    assert zipped.members(shared) == {"a": file, "b": bytes(1000)}
    known = {"a": files.checksum(file), "b": files.checksum(bytes(1000))}
    said = [*zipped.deviations(shared, known)]
    assert said == ["b claims bytes that the zip does not have, or gives twice"]


def test_a_hand_in_of_several_documents_is_checked_whole(tmp_path):
    project = projects.make(tmp_path / "p", {"one": projects.returning("{}")})
    pdfs = {"report.pdf": b"%PDF-1.5 one", "slides.pdf": b"%PDF-1.5 two"}
    bundle.publish(project, pdfs, {"README.txt": b"Read"})
    assert bundle.touched(project) == []
    (project.submission / "slides.pdf").write_bytes(b"%PDF-1.5 2")
    assert bundle.touched(project) == [(project.submission / "slides.pdf", "it was changed")]
