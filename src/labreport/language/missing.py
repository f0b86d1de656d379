"""Unknown names and keys: values of which a template may only ask whether they are defined."""

from __future__ import annotations

from typing import Any, cast

import jinja2
from jinja2.utils import missing


class UnknownName(jinja2.UndefinedError):
    """A name or key that does not exist, with those that do; None stands for all names of the template."""

    def __init__(self, message: str | None, name: str, names: tuple[str, ...] | None) -> None:
        super().__init__(message)
        self.name = name
        self.names = names


class Missing(jinja2.StrictUndefined):
    """An unknown name or key; using it in any way but `is defined` and `|default` is an error."""

    __slots__ = ()

    def __init__(
        self, hint: str | None = None, obj: Any = missing, name: str | None = None, exc: Any = None
    ) -> None:
        names = None if obj is missing else tuple(map(str, obj)) if isinstance(obj, dict) else ()
        raised = cast("Any", lambda message: UnknownName(message, str(name), names))
        super().__init__(hint, obj, name, raised)


def defined(value: Any) -> Any:
    """Return the value; raise the error of an unknown name if it is one."""
    if isinstance(value, jinja2.Undefined):
        str(value)
    return value
