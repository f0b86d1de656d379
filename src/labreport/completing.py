"""What a shell completes beside commands and options: names of experiments, parameters, questions, claims."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

from labreport.errors import LabreportError
from labreport.options import project_of
from labreport.project import Project
from labreport.results import Sources

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_LABREPORT_COMPLETE"
"""The variable by which a shell asks for completions, instead of running the command."""

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _of_project(offers: Callable[[Project], Iterable[tuple[str, str]]]) -> Complete:
    """Return a completion of words of the project, each with what it means; of none without a project."""

    def complete(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
        try:
            found = [(word, help) for word, help in offers(project_of(context)) if word.startswith(begun)]
        except (LabreportError, OSError):  # a message would spoil the line that is typed
            return []
        return [CompletionItem(word, help=help or None) for word, help in found]

    return complete


def _experiments(project: Project) -> Iterable[tuple[str, str]]:
    sources = Sources(project)
    for name in project.experiment_names():
        try:
            yield name, sources.declaration(name).question
        except LabreportError:  # one that cannot be read has its name still
            yield name, ""


def _settings(project: Project) -> Iterable[tuple[str, str]]:
    sources = Sources(project)
    for name in project.experiment_names():
        for key, parameter in sources.declaration(name).params.items():
            yield f"{name}.{key}={parameter.default}", ""


def _queries(project: Project) -> Iterable[tuple[str, str]]:
    yield from project.config.questions.items()
    yield from _experiments(project)


def _claims(project: Project) -> Iterable[tuple[str, str]]:
    from labreport import explain

    return ((claim.name, claim.verdict) for claim in explain.claims.read(project))


experiments = _of_project(_experiments)
settings = _of_project(_settings)
queries = _of_project(_queries)
claims = _of_project(_claims)


def script(shell: str, commands: click.Command, program: str) -> str:
    """Return what makes a shell complete the commands of a program."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None  # one of SHELLS
    return kind(commands, {}, program, VARIABLE).source()
