"""What processes see of the user's environment: what is fixed, what is kept, what is withheld."""

import os
import re
from datetime import UTC, datetime

import pytest

from labreport import surroundings

WHOLE = {
    "tex": surroundings.for_tex,
    "notebooks": surroundings.for_notebooks,
    "a fresh user": surroundings.for_fresh_user,
}


def test_what_must_bear_a_date_gets_the_same_one_everywhere():
    stamped = datetime.fromtimestamp(int(surroundings.FIXED["SOURCE_DATE_EPOCH"]), UTC)
    assert stamped == datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", ["TZ", "LC_ALL", "SOURCE_DATE_EPOCH"])
def test_place_language_and_date_of_the_user_reach_nothing_that_is_made(monkeypatch, tmp_path, name):
    monkeypatch.setenv(name, "of this user")
    made = [
        surroundings.for_experiments(),
        surroundings.for_tex(tmp_path),
        surroundings.for_notebooks(tmp_path),
    ]
    values = {environment[name] for environment in made}
    assert len(values) == 1
    assert "of this user" not in values


@pytest.mark.parametrize("name", ["WANDB_API_KEY", "My_Password", "GH_TOKEN", "AWS_SECRET_ACCESS"])
@pytest.mark.parametrize("who", WHOLE)
def test_no_secret_is_handed_on(monkeypatch, tmp_path, who, name):
    monkeypatch.setenv(name, "hunter2")
    assert "hunter2" not in WHOLE[who](tmp_path).values()


@pytest.mark.parametrize("name", ["PYTHONPATH", "JUPYTER_PATH", "IPYTHONDIR"])
@pytest.mark.parametrize("who", WHOLE)
def test_the_users_settings_of_python_and_jupyter_are_not_handed_on(monkeypatch, tmp_path, who, name):
    monkeypatch.setenv(name, "/of/this/user")
    assert "/of/this/user" not in WHOLE[who](tmp_path).values()


def test_a_kernel_sees_what_is_no_secret(monkeypatch, tmp_path):
    monkeypatch.setenv("ORDINARY", "value")
    assert surroundings.for_notebooks(tmp_path)["ORDINARY"] == "value"


@pytest.mark.parametrize("name", ["HOME", "TMPDIR", "MPLCONFIGDIR", "XDG_CACHE_HOME"])
def test_what_a_kernel_keeps_for_later_it_keeps_in_its_folder(monkeypatch, tmp_path, name):
    monkeypatch.setenv(name, "/of/this/user")
    found = surroundings.for_notebooks(tmp_path)
    assert found.get(name, str(tmp_path)).startswith(str(tmp_path))


@pytest.mark.parametrize("name", ["PATH", "HOME", "SLURM_JOB_ID", "CUDA_VISIBLE_DEVICES", "GH_TOKEN"])
def test_a_worker_of_a_cluster_keeps_its_own_places_and_secrets(monkeypatch, name):
    monkeypatch.setenv(name, "of the driver")
    assert name not in surroundings.for_workers()
    assert re.search(surroundings.BOUND, name, re.IGNORECASE)


@pytest.mark.parametrize("name", ["MODE", "OMP_NUM_THREADS", "PATHOLOGY", "HOMER", "LANG"])
def test_a_worker_of_a_cluster_sees_all_other_variables_of_the_driver(monkeypatch, name):
    monkeypatch.setenv(name, "of the driver")
    assert surroundings.for_workers()[name] == "of the driver"


def test_figures_of_a_notebook_go_into_its_outputs_and_those_of_experiments_nowhere(monkeypatch, tmp_path):
    monkeypatch.setenv("MPLBACKEND", "TkAgg")
    assert "inline" in surroundings.for_notebooks(tmp_path)["MPLBACKEND"]
    assert surroundings.for_experiments()["MPLBACKEND"] == "Agg"


def test_experiments_compute_in_one_thread_with_a_fixed_order_of_hashes():
    found = surroundings.for_experiments()
    assert {found[f"{library}_NUM_THREADS"] for library in ("OMP", "MKL", "OPENBLAS")} == {"1"}
    assert found["PYTHONHASHSEED"] == "0"


def test_tex_lives_in_its_folder_and_reads_and_writes_nothing_outside(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", "/home/user")
    monkeypatch.setenv("TEXINPUTS", "/home/user//:")
    found = surroundings.for_tex(tmp_path)
    assert found["HOME"] == found["TMPDIR"] == str(tmp_path)
    assert "TEXINPUTS" not in found
    assert (found["openin_any"], found["openout_any"]) == ("p", "p")


def test_a_fresh_user_has_an_empty_home_and_the_installed_packages(monkeypatch, tmp_path):
    monkeypatch.setenv("ORDINARY", "value")
    monkeypatch.setenv("LC_TIME", "nl_NL.UTF-8")
    found = surroundings.for_fresh_user(tmp_path)
    assert found["HOME"] == str(tmp_path)
    assert "ORDINARY" not in found
    assert found["LC_TIME"] == "nl_NL.UTF-8"
    assert "PYTHONUSERBASE" in found


def test_poppler_sees_no_fonts_of_the_user(monkeypatch, tmp_path):
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "FONTCONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "mine"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    seen = surroundings.for_drawing()
    assert seen.pop("XDG_CACHE_HOME") == str(tmp_path / "mine" / ".cache")
    assert not any(str(tmp_path) in text for text in seen.values())
    assert seen["PATH"] == os.environ["PATH"]
