"""How a secret is recognised that nobody knows beforehand: by the form of its text, or by what it is set to.

Keys of services begin with letters that nothing else begins with. A password has no form: it is found where
it is given a name, as in `DB_PASSWORD=…`. What stands there instead of one (a placeholder, a variable, a word
of a form for users) must not be refused, or nobody would heed the refusals.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["secret", "path", "name"]


def _always(_: re.Match[bytes]) -> bool:
    return True


@dataclass(frozen=True)
class Form:
    """A form that gives something away; it holds at least one of `hints`, which are quick to look for.

    A match counts only if `counts` says so. An `anchored` one begins with a hint; it is tried only there.
    """

    kind: Kind
    what: str
    hints: tuple[bytes, ...]
    pattern: bytes
    counts: Callable[[re.Match[bytes]], bool] = _always
    anchored: bool = False

    def matches(self, data: bytes) -> Iterator[re.Match[bytes]]:
        """Yield each place that has the form."""
        hints = [hint for hint in self.hints if hint in data]
        if not hints:
            return
        pattern = re.compile(self.pattern)  # `re` keeps it: a build that searches nothing does without
        if self.anchored:
            starts = (at for hint in hints for at in _places(hint, data))
            found: Iterator[re.Match[bytes]] = filter(None, (pattern.match(data, at) for at in starts))
        else:
            found = pattern.finditer(data)
        yield from filter(self.counts, found)

    def found(self, data: bytes) -> re.Match[bytes] | None:
        """Return the first place that has the form."""
        return next(self.matches(data), None)


def _places(text: bytes, data: bytes) -> Iterator[int]:
    at = data.find(text)
    while at >= 0:
        yield at
        at = data.find(text, at + 1)


def secret_at(found: re.Match[bytes]) -> tuple[int, int]:
    """Return where the secret begins and ends in a place that has a form: all of it, or what is assigned."""
    names = [name for name in _VALUES if name in found.re.groupindex and found[name] is not None]
    return found.span(names[0] if names else 0)


def _form(what: str, hints: str, pattern: str) -> Form:
    return Form("secret", what, tuple(hint.encode() for hint in hints.split()), pattern.encode())


# ---------------------------------------------------------------------------------------------- placeholders

_DUMMY = (
    b"none|null|true|false|yes|disabled|anonymous|undefined|default|optional|required|missing|postgres|username"
    b"|password|passwd|passphrase|secret|token|credentials?|changeme|change[-_]me|redacted|placeholder|example"
)
_PLACEHOLDER = re.compile(
    rb"""(?isx) (?:%s)
    | [$%%] .* | <.*> | \{.*\} | \[.*\] | \(.*\) | .*\{\w.*\}.*   # $NAME, ${NAME}, %%s, <yours>, a{name}
    | .*(?:\.\.\.|\xe2\x80\xa6|\*\*\*).* | (.)\1* | [x*_.#-]+
    | .*(?:password|passwd|passphrase|secret|token|credential|redacted|masked|placeholder|example|sample|dummy
      |changeme|change[-_]me|your[-_]|my[-_](?:key|pass)|insert|replace|not[-_]?set|missing|required|invalid).*
    """
    % _DUMMY
)
"""What stands for a secret, and is none."""


def is_dummy(value: bytes) -> bool:
    """Return whether a text is one of the words that are set where there is no secret, as `disabled`."""
    return re.fullmatch(_DUMMY, value, re.IGNORECASE) is not None


def _is_placeholder(value: bytes) -> bool:
    """Return whether a text stands for a secret, as `<your password>` does."""
    return _PLACEHOLDER.fullmatch(value) is not None


def _is_word(value: bytes) -> bool:
    """Return whether a text is made of words or names: `a_name`, `some.module`, `Kennwort`."""
    return re.fullmatch(rb"_*[A-Za-z]+(?:[_./:-]+[A-Za-z]*)*", value) is not None


def _is_random(value: bytes) -> bool:
    """Return whether a text looks drawn by lot: long, letters and digits in each other's midst."""
    turns = re.findall(rb"[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z])", value)
    return len(value) >= 16 and (len(turns) >= 4 or re.fullmatch(rb"[0-9a-f]{32,}", value) is not None)


def _is_password(found: re.Match[bytes]) -> bool:
    """Return whether what is set to something is set to a secret."""
    start, stop = secret_at(found)
    value, name = found.string[start:stop], found["name"]
    before = found.string[max(found.start() - _BEFORE, 0) : found.start()]
    if _is_placeholder(value) or (found["option"] and not _OPTION.search(before)):
        return False
    key = found.string[max(found.start() - _LONGEST_KEY, 0) : found.start()]
    if _DIGEST.fullmatch(value) and _OF_RECORD.search(key):
        return False
    after = found.string[found.end() : found.end() + _BEFORE]
    if found["sign"] == b"," and not (_PAIR_BEGINS.search(before) and _PAIR_ENDS.match(after)):
        return False
    if found["weak"]:  # a key, a token: many things are called so
        return _is_random(value)
    is_of_shell = found["bare"] and found["sign"] == b"=" and not found["space"]
    if name.isupper() and (found["quote"] or is_of_shell):
        return not re.fullmatch(rb"[A-Z_]+|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", value)
    if found["quote"]:
        return not _is_word(value)
    return len(value) >= 8 and re.search(rb"\d.*[A-Za-z]|[A-Za-z].*\d", value) is not None


_OF_RECORD, _DIGEST = re.compile(rb'"[a-z]+ [^"\n]*\Z'), re.compile(rb"[0-9a-f]{64}")
"""What run.json says of what a result depends on: `"code src/a.py:SOME_KEYS": "…"`, a checksum."""
_LONGEST_KEY = 500
_OPTION = re.compile(rb"--[\w-]*\Z")
_PAIR_BEGINS, _PAIR_ENDS = re.compile(rb"[(\[{]\s*\\?[\"'][\w.-]*\Z"), re.compile(rb"\s*[)\]}]")
"""What stands around the two of a pair; in a longer list a name is followed by the next one."""
_BEFORE = 40
"""The number of bytes around an assignment in which these are looked for."""

_STRONG = "assword ASSWORD asswd ASSWD assphrase assPhrase ASSPHRASE ecret ECRET"
_SHORT = "PASS PWD PAT PW PSK"  # in capitals, and not within a word
_WEAK = "oken OKEN redential REDENTIAL"
_KEYS = "_KEY _AUTH"
_ENDS_OF_KEYS = "_key -key ikey iKey IKEY sKey eKey gKey nKey tKey rKey"  # of keys to something: see below


def _any(words: str) -> str:
    return "|".join(words.split())


_NAME = (
    rf"(?P<name>(?:{_any(_STRONG)})(?:_?[Kk]ey|_?KEY)?|(?<![A-Za-z])(?:{_any(_SHORT)})"
    rf"|(?P<weak>{_any(_WEAK)}|(?<=[A-Z0-9])(?:{_any(_KEYS)})|(?<=api|ess|ate|ing|ion|unt|ter)[_-]key"
    r"|(?<=ap)i[kK]ey|(?<=AP)IKEY|(?<=es)sKey|(?<=at)eKey|(?<=in)gKey|(?<=io)nKey|(?<=un)tKey|(?<=te)rKey))"
    r"[Ss]?(?:_?[0-9]+|_(?:BASE|PROD|DEV|TEST|STAGING|LIVE))?"
)
_TO = (
    r"""(?:(?:\\*["'\]])+|[ \t]*:[ \t]*[A-Za-z][\w. |]{0,20}(?=[ \t]*=))?"""  # ["NAME"] =, NAME: str =
    r"""(?P<space>[ \t]*)(?P<sign>=>|:?={1,2}|:|(?<=["']),(?=\s*\\*["']))[ \t]*"""
)
_WORD = r"""[^\s"'`\\<>(){}\[\],;|&]{6,200}"""
_END = r"""(?=$|[\s"'`\\&;#,)<])"""
_QUOTED = r"""[bBrRuUfF]{0,2}\\*(?P<quote>["'])(?P<quoted>[^\s"'\\]{6,200})\\*(?P=quote)"""
_VALUES = ("quoted", "bare", "option", "element")
"""In quotes; without, as in a shell or in settings; after an option of a command; in an element of XML."""
_ASSIGNED = (
    rf"(?m){_NAME}(?:{_TO}(?:{_QUOTED}|(?P<bare>{_WORD}){_END})"
    rf"|[ ]+(?P<option>{_WORD}){_END}|>\s*(?P<element>[^\s<>]{{6,200}})\s*</)"
)
_ANCHORS = tuple(word.encode() for word in f"{_STRONG} {_SHORT} {_WEAK} {_KEYS} {_ENDS_OF_KEYS}".split())

TOKENS = (  # whatever begins like this is one, also if it is broken over lines
    _form("a key of Weights & Biases", "wandb_v1_", r"wandb_v1_(?=\w*\d)\w{20,}"),
    _form("a token of GitHub", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_(?=[A-Za-z]*\d)[A-Za-z0-9]{36,}"),
    _form("a token of GitHub", "github_pat_", r"github_pat_(?=[A-Za-z_]*\d)\w{22,}"),
    _form("a token of GitLab", "glpat-", r"glpat-[\w-]{20,}"),
    _form("a key of AWS", "AKIA ASIA", r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[0-9A-Z]{16}(?![A-Za-z0-9])"),
    _form("a token of Slack", "xox xapp-", r"(?:xox[abeoprs]|xapp)-(?=[\w-]*\d)[\w-]{10,}"),
    _form("a key of Google", "AIza", r"AIza[\w-]{35}"),
    _form("a token of Google", "ya29.", r"ya29\.(?=[\w-]*\d)[\w-]{20,}"),
    _form("a token of PyPI", "pypi-AgEI", r"pypi-AgEI[\w-]{20,}"),
    _form("a private key", "PRIVATE", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"),
)
FORMS = (
    _form(
        "a key of OpenAI or a like one",
        "sk-",
        r"(?<![\w-])sk-(?=[\w-]{0,200}\d)(?=[\w-]{0,200}[A-Z])[\w-]{20,}",
    ),
    _form("a key of Stripe", "k_live_", r"\b[rs]k_live_[0-9A-Za-z]{20,}"),
    _form("a token of Hugging Face", "hf_", r"\bhf_[A-Za-z0-9]{34}\b"),
    _form("a token of npm", "npm_", r"\bnpm_(?=[A-Za-z]*\d)[A-Za-z0-9]{36}\b"),
    _form("a token of Docker", "dckr_", r"\bdckr_[op]at_[\w-]{20,}"),
    _form("a key of SendGrid", "SG.", r"\bSG\.[\w-]{22}\.[\w-]{43}\b"),
    _form("a webhook of Slack", "hooks.slack.com", r"hooks\.slack\.com/services/T\w+/B\w+/\w{16,}"),
    _form("a signed web token", "eyJ", r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    _form(
        "a secret key of AWS",
        "secret SECRET Secret",
        r"(?i:aws_?secret_?(?:access_?)?key)\W{1,6}[A-Za-z0-9/+=]{40}(?![A-Za-z0-9/+=])",
    ),
    _form(
        "a key of Weights & Biases",
        "key KEY Key login local-",
        r"(?i:(?:wandb|api)[\w.-]{0,20}key\W{1,8}|wandb\s+login\s+(?:--\S+\s+)*|\blocal-)"
        r"(?:local-)?[0-9a-f]{40}(?![0-9A-Za-z])",
    ),
    _form(
        "a password in an address",
        "://",
        r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s/:@\"'<>{}$\\]{1,80}:[^\s/@\"'<>{}$*\\]{3,}@[\w.-]",
    ),
    _form(
        "a password as in .netrc",
        "machine",
        r"\bmachine(?:\s|\\n)+[^\s{}<>$]+(?:\s|\\n)+login(?:\s|\\n)+[^\s{}<>$]+(?:\s|\\n)+"
        r"password(?:\s|\\n)+[^\s{}<>$\"']{4,}",
    ),
    _form(
        "a password of a request",
        "uthorization AUTHORIZATION",
        r"(?i:authorization)\W{1,6}(?i:bearer|basic)\s+(?=[\w+/=.-]*\d)[\w+/=.-]{16,}",
    ),
)
ASSIGNED = Form("secret", "a password or a key", _ANCHORS, _ASSIGNED.encode(), _is_password, anchored=True)
"""What is set to something, if it has no form of its own."""
