"""Facts that are kept between builds change nothing but the time that a build takes."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import projects
import pytest

from labreport.results import Part, observed, sources
from labreport.results.cache import Cache
from labreport.results.sources import Sources


@pytest.fixture
def project(tmp_path):
    body = """
    from model import train

    def run(params, lab):
        return train()

    def draw(result, lab):
        lab.figure("f", None, alt="")
    """
    return projects.make(tmp_path, {"exp": projects.experiment(body)}, src={"model.py": "train = dict\n"})


def test_the_cache_changes_nothing_but_time(project, monkeypatch):
    def all_facts():
        read = Sources(project)
        found = [read.fingerprint("exp", phase, {"n": 1}, {}) for phase in ("run", "draw")]
        declared = read.declaration("exp")
        read.save()
        return found, declared

    first = all_facts()
    monkeypatch.setattr(sources, "module_facts", None)
    monkeypatch.setattr(sources, "experiment_facts", None)
    assert all_facts() == first


@pytest.mark.parametrize("damage", ["", "x", "{}", "flip", "empty facts"])
def test_a_damaged_cache_is_not_believed(project, damage):
    read = Sources(project)
    before = read.fingerprint("exp", "run", {}, {})
    read.save()
    path = project.build / "cache" / "syntax.json"
    text = path.read_text()
    digest = before.named("code")["src/model.py:train"]
    flipped = text.replace(digest, "0" * 64)
    assert flipped != text
    path.write_text(
        {"flip": flipped, "empty facts": f"{text.partition(chr(10))[0]}\n{{}}"}.get(damage, damage)
    )
    assert Sources(project).fingerprint("exp", "run", {}, {}) == before


def test_a_build_folder_that_cannot_be_written_costs_only_time(project):
    project.build.write_text("in the way")
    read = Sources(project)
    read.declaration("exp")
    read.save()
    assert project.build.read_text() == "in the way"


@pytest.mark.parametrize("changed", ["the code", "a module of the package", "Python", "SciPy", "nothing"])
def test_facts_are_believed_only_by_the_code_and_the_versions_that_found_them(tmp_path, monkeypatch, changed):
    code, package = tmp_path / "finder.py", tmp_path / "finders"
    projects.write(code, "1")
    projects.write(package / "__init__.py", "")
    projects.write(package / "inner" / "deep.py", "1")
    finders = [SimpleNamespace(__file__=str(path)) for path in (code, package / "__init__.py")]
    made_with = {"scipy": "1.17"}

    def remembered(value):
        cache = Cache(tmp_path / "facts.json", finders, made_with)
        found = cache.remember("key", lambda: value)
        cache.save()
        return found

    assert remembered("old") == "old"
    if changed == "the code":
        code.write_text("2")
    elif changed == "a module of the package":
        (package / "inner" / "deep.py").write_text("2")
    elif changed == "SciPy":
        made_with["scipy"] = "1.18"
    elif changed == "Python":
        monkeypatch.setattr(sys, "version", "4.0")
    assert remembered("new") == ("old" if changed == "nothing" else "new")


@pytest.mark.parametrize(("forget", "kept"), [(True, {"b": 2}), (False, {"a": 1, "b": 2})])
def test_facts_that_were_not_used_go_unless_they_are_to_stay(tmp_path, forget, kept):
    def cache():
        return Cache(tmp_path / "facts.json", [])

    first = cache()
    first.remember("a", lambda: 1)
    first.save()
    second = cache()
    second.remember("b", lambda: 2)
    second.save(forget=forget)
    assert {key: cache().remember(key, lambda: None) for key in "ab"} == {"a": None, "b": None} | kept


def test_a_digest_that_is_kept_by_times_is_made_again_where_they_are_not_believed(project, monkeypatch):
    monkeypatch.setattr(observed, "_LARGE", 0)
    monkeypatch.setattr(observed, "token", lambda found: "the same as ever")
    parts = [Part("file", "data")]
    (project.root / "data").write_text("1")
    read = Sources(project)
    first = read.observed(parts)
    read.save()
    (project.root / "data").write_text("2")
    assert Sources(project).observed(parts) == first
    read = Sources(replace(project, rehash=True))
    second = read.observed(parts)
    assert second != first
    read.save()
    assert Sources(project).observed(parts) == second
