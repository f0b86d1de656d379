"""What is found is told without its value, and masked wherever people read it."""

import gzip

import pytest
from searched import FORMS, ROOT, TOKENS, VALUE, found, kinds, looked_for

from labreport.handin import known, secrets

NAMES = {"anneliese": "the name of this machine's user"}


def test_allowed_texts_do_not_count():
    token = TOKENS["GitHub"]
    assert kinds(f"{token} anneliese {VALUE}", names=NAMES, allowed=[token, "anneliese", VALUE]) == []
    assert len(found(f"{token} anneliese", names=NAMES, allowed=[token])) == 1


def test_a_finding_says_what_it_is_and_what_it_is_in():
    token = TOKENS["GitHub"]
    assert [str(one) for one in found(token)] == ["a token of GitHub"]
    assert [str(one) for one in found(gzip.compress(token.encode()))] == ["a token of GitHub, in an archive"]


def test_the_sources_of_this_project_give_nothing_away():
    here = known.known([ROOT])
    files = [
        ROOT / name for name in ("Makefile", "README.md", "report.toml", "pyproject.toml", "constraints.txt")
    ]
    for folder in ("src", "tests", "experiments", "report_templates"):
        files += [p for p in (ROOT / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert len(files) > 100
    leaks = {str(p): [str(f) for f in secrets.search(p.read_bytes(), here)] for p in files}
    assert {name: what for name, what in leaks.items() if what} == {}


@pytest.mark.parametrize("secret", [*TOKENS.values(), *FORMS.values(), VALUE, VALUE[:5] + "\n" + VALUE[5:]])
def test_secrets_are_masked_in_what_people_read(secret):
    here = looked_for(environment={"A_KEY": VALUE})
    text = secrets.masked(f"it failed at {secret} and then", here)
    assert secret not in text
    assert VALUE[5:] not in text
    assert text.startswith("it failed at ")
    assert text.endswith(" and then")


def test_of_what_is_assigned_the_value_is_masked_and_the_name_stays():
    name = "DB_PASS" + "WORD"
    text = f"{name}=sun-flower {name}='rain-bow' x"
    assert secrets.masked(text, looked_for()) == f"{name}=*** {name}='***' x"


def test_what_is_no_secret_is_not_masked():
    text = "at /home/anneliese by anneliese: \udcff is no text"
    assert secrets.masked(text, looked_for(names=NAMES, folders=[])) == text


def test_a_secret_in_the_name_of_a_file_in_an_archive_is_not_told():
    import io
    import zipfile

    out, token = io.BytesIO(), TOKENS["GitHub"]
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(f"{token}.txt", f"a {TOKENS['GitLab']}")
    findings = found(out.getvalue())
    assert {f.what for f in findings} == {"a token of GitHub", "a token of GitLab"}
    assert token not in str(findings)
