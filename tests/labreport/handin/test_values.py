"""Secrets that this machine knows are found however they are written, and wherever they are kept."""

import base64
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st
from searched import VALUE, found, kinds

from labreport import surroundings


@pytest.mark.parametrize(
    "name",
    [
        "WANDB_API_KEY", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "api_key", "APIKEY", "TOKENS",
        "MY_CREDENTIALS", "DB_PASSWD", "SIGNING_KEY_2", "DB_PASS", "PASS", "GH_PAT", "DB_PWD", "WIFI_PSK",
        "SENTRY_DSN", "NPM_AUTH", "HF_TOKEN2",
    ],
)  # fmt: skip
def test_values_of_the_environment_are_found_by_the_names_of_their_variables(name):
    assert kinds(f"a\nx = {VALUE}", environment={name: VALUE}) == [
        (f"the value of the environment's {name}", 2, "")
    ]
    assert surroundings.is_secret(name)  # so that no notebook sees it, and no record holds it


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEYBOARD_LAYOUT", VALUE), ("PATH", VALUE), ("TOKENIZERS_PARALLELISM", VALUE), ("XDG_SEAT", VALUE),
        ("OLDPWD", VALUE), ("COMPASS", VALUE), ("GIT_AUTHOR_NAME", VALUE), ("PATTERN", VALUE),
        ("WANDB_API_KEY", "disabled"), ("PGPASSWORD", "postgres"),
        ("API_KEY", "short12"), ("SSH_KEY", "/usr/bin/env"),
    ],
)  # fmt: skip
def test_other_variables_short_values_and_names_of_files_are_no_secrets(name, value):
    assert kinds(f"x = {value}", environment={name: value}) == []


def spelled(value: str) -> dict[str, str]:
    coded = base64.b64encode(value.encode()).decode()
    return {
        "plain": value,
        "base64": coded,
        "base64, urlsafe": base64.urlsafe_b64encode(value.encode()).decode(),
        "base64, after one byte": base64.b64encode(b"\xff" + value.encode()).decode(),
        "base64, in a text": base64.b64encode(f"login {value} and more".encode()).decode(),
        "base64, wrapped": f"{coded[:9]}\n{coded[9:]}",
        "URL": urllib.parse.quote(value, safe=""),
        "hexadecimal": value.encode().hex(),
        "lines": f"{value[:5]}\n    {value[5:]}",
        "source": f'"{value[:5]}"\n        "{value[5:]}"',
        "added": f"'{value[:5]}' + '{value[5:]}'",
        "JSON": json.dumps([f"{value[:5]}\n", value[5:]], indent=1),
        "JSON in one text": json.dumps(f"{value[:5]}\n{value[5:]}"),
        "LaTeX": value.replace("_", "\\_"),
        "hyphenated": f"{value[:5]}-\n{value[5:]}",
        "UTF-16": value.encode("utf-16").decode("latin-1"),
    }


@pytest.mark.parametrize("spelling", spelled(VALUE))
def test_values_of_the_environment_are_found_however_they_are_written(spelling):
    data = ("first line\n" + spelled(VALUE)[spelling] + "\nlast").encode("latin-1")
    findings = found(data, environment={"MY_TOKEN": VALUE})
    assert [f.what for f in findings] == ["the value of the environment's MY_TOKEN"]
    assert findings[0].line == {"UTF-16": None, "JSON": 3}.get(spelling, 2)


@given(
    value=st.text("abcXYZ019_-!$%&/=?+. #ü", min_size=8, max_size=50).map(str.strip),
    before=st.binary(max_size=20),
    after=st.binary(max_size=20),
)
def test_any_value_is_found_in_base64_at_any_place(value, before, after):
    if len(value) >= 8:
        data = b"begin " + base64.b64encode(before + value.encode() + after) + b" end"
        assert found(data, environment={"A_KEY": value})


@pytest.mark.parametrize("value", ["aB3$eF7!", "p@ss wörd", "12345678"])
def test_short_values_are_found_as_they_are_but_not_in_other_words(value):
    assert found(f"x {value} y", environment={"A_KEY": value})
    assert found(f"x {value[:4]}\n{value[4:]} y", environment={"A_KEY": value})
    assert not found(f"x {value[:-1]} y", environment={"A_KEY": value})


@pytest.mark.parametrize(("value", "spread"), [("aB3eF7gH1jK5", True), ("aB3eF7gH1jK", False)])
def test_values_of_twelve_letters_and_digits_are_found_whatever_stands_between_them(value, spread):
    between = "-*- ".join((value[:4], value[4:8], value[8:]))
    assert bool(found(f"x {between} y", environment={"A_KEY": value})) == spread
    assert found(f"x {value} y", environment={"A_KEY": value})


def test_a_long_value_of_many_lines_is_found():
    value = "\n".join("aB3/" * 16 for _ in range(80))
    assert kinds(json.dumps({"text": f"begin\n{value}\nend"}), environment={"A_KEY": value}) == [
        ("the value of the environment's A_KEY", 1, "")
    ]


@pytest.mark.parametrize("sign", "!#$%&()*-./:;<=>?@[]^_`{|}~")
def test_a_sign_in_a_short_value_counts(sign):
    value = f"aB3{sign}eF7x"
    assert found(f"x {value} y", environment={"A_KEY": value})
    assert not found("x aB3eF7x y", environment={"A_KEY": value})


@pytest.mark.parametrize("escape", ["\\n", "\\r", "\\t"])
@pytest.mark.parametrize("value", ["aB3$eF7!", VALUE])
def test_a_value_is_found_across_an_escape_of_white_space(value, escape):
    assert found(f'"{value[:4]}{escape}{value[4:]}"', environment={"A_KEY": value})


# --------------------------------------------------------------------------------------- addresses and files


@pytest.mark.parametrize("name", ["PIP_INDEX_URL", "DATABASE_URL", "https_proxy"])
@pytest.mark.parametrize("around", ["https://me:{}@example.org/simple", "https://{}@example.org/simple"])
def test_the_password_of_an_address_is_known(name, around):
    variables = {name: around.format(VALUE)}
    assert kinds(f"x = {VALUE}", environment=variables) == [
        (f"the password in the environment's {name}", 1, "")
    ]
    assert kinds("x = https://example.org/simple", environment=variables) == []


def test_a_quoted_password_of_an_address_is_known_as_it_is_meant():
    value = "p@ss/wörd"
    variables = {"PIP_INDEX_URL": f"https://me:{urllib.parse.quote(value, safe='')}@example.org"}
    assert found(f"x = {value}", environment=variables)


FILES = {
    ".netrc": f"machine api.wandb.ai\n  login user\n  password {VALUE}\nmachine b login c\n",
    "_netrc": f'machine b login c password "{VALUE}"\n',
    ".config/wandb/settings": f"[default]\nentity = me\napi_key = {VALUE}\n",
    ".config/pip/pip.conf": f"[global]\nindex-url = https://me:{VALUE}@example.org/simple\n",
    ".pip/pip.conf": f"[global]\nextra-index-url =\n  https://a.org/simple\n  https://{VALUE}@b.org/simple\n",
}


@pytest.mark.parametrize("name", FILES)
def test_what_programs_keep_for_their_user_is_known(tmp_path, name):
    environment = {"HOME": str(tmp_path)}
    assert kinds(f"x = {VALUE}", environment=environment) == []
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(FILES[name])
    assert kinds(f"x = {VALUE}", environment=environment) == [(f"a password or key of ~/{name}", 1, "")]
    assert kinds("login, user, entity, api.wandb.ai, me", environment=environment) == []


@pytest.mark.parametrize(
    ("variable", "name", "kept"),
    [
        ("NETRC", "elsewhere", ".netrc"),
        ("PIP_CONFIG_FILE", "elsewhere", ".config/pip/pip.conf"),
        ("WANDB_CONFIG_DIR", "wandb/settings", ".config/wandb/settings"),
        ("XDG_CONFIG_HOME", "pip/pip.conf", ".config/pip/pip.conf"),
        ("", "wandb/settings", ".config/wandb/settings"),  # the project's own
    ],
)
def test_these_files_may_lie_elsewhere(tmp_path, variable, name, kept):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(FILES[kept])
    place = path if variable in ("NETRC", "PIP_CONFIG_FILE") else path.parent
    place = tmp_path if variable == "XDG_CONFIG_HOME" else place
    environment = {variable: str(place)} if variable else {}
    folders = [] if variable else [tmp_path]
    findings = found(f"x = {VALUE}", environment=environment, folders=folders)
    assert [f.kind for f in findings] == ["secret"]
    assert str(tmp_path) not in str(findings[0])


def test_a_file_that_cannot_be_read_holds_nothing(tmp_path):
    (tmp_path / ".netrc").mkdir()
    assert kinds(f"x = {VALUE}", environment={"HOME": str(tmp_path)}) == []


def test_no_value_is_taken_for_the_name_of_a_file_to_look_at(monkeypatch):
    """What looks at files may be recorded, with their names."""
    seen = []
    monkeypatch.setattr("os.stat", lambda path, *_, **__: seen.append(str(path)))
    value = "/aB3d/eF7g/hI1j"
    found("x", environment={"A_KEY": value})
    assert not [path for path in seen if value in path]
    monkeypatch.undo()
    assert found(f"x = {value}", environment={"A_KEY": value})
