"""An environment that holds what a hand-in names, and nothing else of this machine."""

import subprocess
import zipfile

import pytest

from labreport.handin import VerifyError, fresh

pytestmark = pytest.mark.slow


def wheel(folder, name, version, source):
    """Write a wheel with one module: https://packaging.python.org/specifications/binary-distribution-format/"""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as packed:
        packed.writestr(f"{name}.py", source)
        packed.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        packed.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        packed.writestr(f"{info}/RECORD", "")


def test_only_what_the_hand_in_names_can_be_imported_there(tmp_path, monkeypatch):
    for folder in ("index", "code"):
        (tmp_path / folder).mkdir()
    wheel(tmp_path / "index", "thing", "1.2", "answer = 42\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "index/thing-1.2-py3-none-any.whl"))
    (tmp_path / "code/constraints.txt").write_text("# pins\nthing==1.2\n")
    said = []
    python = fresh.python(tmp_path / "code", tmp_path, said.append)
    code = "import thing; print(thing.answer, thing.__file__); import numpy"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.startswith(f"42 {tmp_path / 'venv'}")
    assert "No module named 'numpy'" in done.stderr
    assert [line.partition("-m ")[2].split()[0] for line in said] == ["venv", "pip"]
    assert str(tmp_path) not in said[0]

    (tmp_path / "code/constraints.txt").write_text("thing==1.3\n")
    with pytest.raises(VerifyError, match="the packages of the hand-in cannot be installed") as caught:
        fresh.python(tmp_path / "code", tmp_path, said.append)
    assert "No matching distribution found for thing==1.3" in caught.value.notes[-1]
    assert caught.value.cure
