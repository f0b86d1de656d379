"""Variables are set for a while, and afterwards the environment is as before."""

import os

import pytest

from tinymlp.environment import environment


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    monkeypatch.setenv("KNOWN", "before")
    monkeypatch.setenv("GONE", "before")
    monkeypatch.delenv("NEW", raising=False)


def test_variables_are_set_and_unset_inside_and_restored_outside():
    before = dict(os.environ)
    with environment({"KNOWN": "inside", "NEW": "inside", "GONE": None}):
        assert (os.environ["KNOWN"], os.environ["NEW"]) == ("inside", "inside")
        assert "GONE" not in os.environ
    assert dict(os.environ) == before


def test_an_exception_restores_them_too():
    before = dict(os.environ)

    def fail():
        with environment({"KNOWN": None, "NEW": "inside"}):
            os.environ["NEW"] = "changed"
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert dict(os.environ) == before


def test_what_else_changes_inside_stays():
    with environment({"KNOWN": "inside"}):
        os.environ["NEW"] = "made inside"
    assert os.environ.pop("NEW") == "made inside"
