"""Secrets are found by their form, or by what they are set to; what only looks like one is none."""

import base64

import pytest
from searched import FORMS, TOKENS, found, kinds

from labreport.handin import forms


@pytest.mark.parametrize(("what", "token"), [*TOKENS.items(), *FORMS.items()])
@pytest.mark.parametrize("around", ["one\ntwo {} three\n", '{{"a":\n "x {}"}}', "'{}'\n# end"])
def test_tokens_are_found_with_their_line_and_without_their_value(what, token, around):
    text = around.format(token)
    findings = found(text)
    assert [what in finding.what for finding in findings] == [True]
    assert findings[0].line == text[: text.index(token)].count("\n") + 1
    assert token not in str(findings[0])


@pytest.mark.parametrize(("what", "token"), [(w, t) for w, t in TOKENS.items() if "private" not in w])
@pytest.mark.parametrize("between", ["\n", "\\\n    ", '\\n",\n "', '"\n    "', "-\n"])
def test_tokens_are_found_across_line_breaks(what, token, between):
    broken = f'x = "{token[:14]}{between}{token[14:]}"\n'
    if between == "-\n" and "-" in token:
        return  # a hyphen there may belong to it
    assert [what in finding.what for finding in found(broken)] == [True]


def test_the_line_of_a_broken_token_is_not_that_of_a_word_that_only_begins_like_it():
    token = TOKENS["token of GitHub"]
    text = f"{token[:7]}\n\n{token[:14]}\n{token[14:]}\n"
    assert [line for _, line, _ in kinds(text)] == [3]


@pytest.mark.parametrize("token", [*TOKENS.values(), *FORMS.values()])
def test_tokens_are_found_in_base64_and_quoted_for_urls(token):
    text = f"some text around {token} and after it"
    assert [f.inside for f in found(f"a\n{base64.b64encode(text.encode()).decode()}\n")] == ["in base64"]
    assert [f.line for f in found(f"a\n{base64.b64encode(text.encode()).decode()}\n")] == [2]
    quoted = "".join(f"%{ord(c):02X}" for c in text)
    assert [f.inside for f in found(f"?q={quoted}")] == ["quoted for a URL"]


HARMLESS = [
    "revision = " + "d9560cf0" * 5,  # a git SHA
    '"content": "' + "0a5a1ecce8b14dd5" * 4 + '"',
    "cache key: " + "0a5a1ecce8" * 4,
    "tokens begin with ghp_ and are followed by 36 letters and digits, 1 to 9, as everybody knows by now",
    "sk-learn-like-names-that-are-long-and-have-no-digits",
    "see https://docs.python.org:443/3/library/zipfile.html and http://127.0.0.1:8080/a@b",
    "https://{user}:{password}@host/ and https://$USER:$PASSWORD@host/",
    'text = f"machine {host} login user password {key}"',
    "machine learning: login to the server, then password",
    "Authorization: Basic {login}",
    "a private key is BEGIN and PRIVATE KEY",
    "the file is in /usr/bin/env, /usr/share/texmf or ~/texmf",
    "xoxb- is a prefix",
    "AKIA and " + "AKIA" + "12345",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_a_secret_is_none(text):
    assert kinds(text) == []


# ------------------------------------------------------------------------------------------- what is assigned

NAMES = {  # a name, and what it is set to, so that no line of this file sets one
    "upper": ("DB_PASS" + "WORD", "sunflower"),
    "key": ("SECRET" + "_KEY", "n0t-for-anybody"),
    "short": ("DB_PA" + "SS", "sunflower"),
    "token": ("GH_PA" + "T", "sunflower-12"),
    "lower": ("pass" + "word", "hunter" + "2hunter"),
    "random": ("api" + "_key", "0a1b2c3d" + "4e5f6a7b8c9d"),
    "camel": ("api" + "Key", "a8Kq2mX9" + "vB3nL0pZ"),
    "plain key": ("STRIPE" + "_KEY", "a8Kq2mX9" + "vB3nL0pZ"),
    "part": ("db_client_sec" + "ret", "p@ss-9-wrd"),
    "number": ("MYSQL_PASS" + "WORD_2", "sunflower"),
}


def set_to(form: str, name: str) -> str:
    name, value = NAMES[name]
    return form.replace("NAME", name).replace("VALUE", value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "form",
    [
        "NAME=VALUE", "export NAME=VALUE", 'NAME = "VALUE"', "NAME: str = 'VALUE'", '{"NAME": "VALUE"}',
        'os.environ["NAME"] = "VALUE"', 'os.environ.setdefault("NAME", "VALUE")', '"NAME = \\"VALUE\\"\\n",',
        "NAME := b'VALUE'", 'connect(NAME="VALUE")', 'if NAME == "VALUE":', "{'NAME' => 'VALUE'}",
    ],
)  # fmt: skip
def test_what_a_password_is_set_to_is_found_with_its_line_and_without_its_value(name, form):
    text = f"one\n{set_to(form, name)}\n"
    assert kinds(text) == [("a password or a key", 2, "")]
    assert NAMES[name][1] not in str(found(text))


@pytest.mark.parametrize(
    "form",
    [
        "NAME: VALUE", "NAME = VALUE", "run --NAME VALUE now", "run --db-NAME=VALUE", "<NAME>VALUE</NAME>",
        "<db:NAME> VALUE </db:NAME>", "https://a.b/?x=1&NAME=VALUE&y=2", "connect(host, NAME=VALUE)",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["lower", "random"])
def test_without_quotes_a_value_needs_letters_and_digits(name, form):
    assert kinds(set_to(form, name)) == [("a password or a key", 1, "")]
    words = set_to(form, name).replace(NAMES[name][1], "a_value_elsewhere")
    assert kinds(words) == []


@pytest.mark.parametrize(
    "text",
    [
        "NAME = getpass.getpass()", 'NAME = os.environ["NAME"]', "NAME=$NAME", "NAME=${NAME:-x}", "NAME: str",
        "NAME=<your password>", "NAME=your-password-here", "NAME=changeme", '"NAME": "Kennwort"',
        'NAME="***"',
        "f(NAME=NAME)", "NAME = settings.secret_value", 'NAME: "the password of all"', "NAME = %(NAME)s",
        'NAME = f"{user}-{word}1"', "NAME: ndarray[float64]", '<input type="NAME" name="field-12">',
        "NAME=xxxxxxxx", "the NAME is not in this text 12345678", "NAME: {{ x.y1 }}",
        'monkeypatch.setattr(NAME, "value-12345")',
        '["NAME", "api_key_2", "x"]', '("x", "NAME", "api_key_2")',
    ],
)  # fmt: skip
def test_placeholders_variables_and_words_are_no_passwords(text):
    assert kinds(text.replace("NAME", NAMES["lower"][0])) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("to" + "ken", "distilbert-base-uncased-v2"),  # of a text, not of a service
        ("cache" + "_key", "0a5a1ecce8b14dd5" * 2),
        ("to" + "ken_type", "bearer-of-12345-67890"),
        ("name_or" + "_key", "depth_width_2_a3b4c5d6"),
        ("com" + "pass", "north-12345-67890"),
        ("PA" + "TH", "north-12345-67890"),
    ],
)
def test_what_only_has_a_like_name_is_no_secret(name, value):
    assert kinds(f'{name} = "{value}"') == []


@pytest.mark.parametrize("name", ["OTHER_KEYS", "API_TOKEN", "DB_PASSWORD"])
def test_a_checksum_of_code_is_no_secret(name):
    digest = "5a28f87a78b3a991aa712732a3b55ce6589ec1a81af93a4b44a90321c3960ab7"
    assert found(f'{{\n "code src/a/file.py:{name}": "{digest}",\n}}') == []
    assert found(f'{{\n "{name}": "{digest}",\n}}') != []


def test_a_token_that_is_set_to_something_is_told_as_what_it_is():
    token = TOKENS["GitHub"]
    assert kinds(f'GH_TO{"KEN"}="{token}"') == [("a token of GitHub", 1, "")]


def test_where_the_secret_stands_in_a_form_is_told():
    text = set_to('connect(NAME="VALUE")', "lower").encode()
    (match,) = forms.ASSIGNED.matches(text)
    start, stop = forms.secret_at(match)
    assert text[start:stop].decode() == NAMES["lower"][1]
