"""How the mode follows from variables, keys and settings."""

import os

import pytest
from wandb_server import WandbServer

from tinymlp.tracking import Session, TrackingError

KEY = WandbServer.key


def login(home):
    (home / ".netrc").write_text(f"machine api.wandb.ai\n  login user\n  password {KEY}\n")
    (home / ".netrc").chmod(0o600)


MODES = [
    ({}, False, "offline"),
    ({}, True, "online"),
    ({"WANDB_API_KEY": KEY}, False, "online"),
    ({"WANDB_API_KEY": ""}, False, "offline"),
    ({"WANDB_MODE": ""}, True, "online"),
    ({"WANDB_MODE": "online"}, False, "online"),
    ({"WANDB_MODE": "offline", "WANDB_API_KEY": KEY}, True, "offline"),
    ({"WANDB_MODE": "dryrun"}, True, "offline"),
    ({"WANDB_MODE": "disabled"}, True, "disabled"),
    ({"WANDB_BASE_URL": "http://127.0.0.1:9"}, True, "offline"),  # the key is for another host
]


@pytest.mark.parametrize(("variables", "logged_in", "mode"), MODES)
def test_the_mode_follows_from_variables_and_keys(
    session, tmp_path, monkeypatch, variables, logged_in, mode, capfd
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if logged_in:
        login(tmp_path / "home")
    before = dict(os.environ)
    assert session.mode == mode
    assert dict(os.environ) == before
    assert capfd.readouterr() == ("", "")


def test_a_key_stored_for_a_server_of_ones_own_counts_for_it(session, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    (tmp_path / "home" / ".netrc").write_text(f"machine 127.0.0.1:9 login user password {KEY}")
    assert session.mode == "online"


def test_settings_of_wandb_itself_count(session, tmp_path):
    login(tmp_path / "home")
    folder = tmp_path / "home" / ".config" / "wandb"
    folder.mkdir(parents=True)
    (folder / "settings").write_text("[default]\nmode = offline\n")
    assert session.mode == "offline"


@pytest.mark.parametrize("mode", ["shared", "run", "Offline", "sometimes"])
def test_a_mode_that_does_not_exist_is_refused(session, monkeypatch, mode):
    monkeypatch.setenv("WANDB_MODE", mode)
    with pytest.raises(TrackingError, match=rf"WANDB_MODE={mode}: there are online, offline and disabled"):
        session.__enter__()
    with pytest.raises(TrackingError, match=rf"mode={mode}: "):
        Session(session.folder, project="p", mode=mode).__enter__()
    assert not session.folder.exists()
