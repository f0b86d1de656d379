"""What a build says while it goes on: progress, and a line for each finished step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import click

from labreport import outcomes, unchanged
from labreport.events import Event
from labreport.progress import Progress, shown_seconds
from labreport.project import Project


class Lines:
    """Tells a build as it goes on: what happens, and a line for each finished step."""

    def __init__(self, project: Project, progress: Progress) -> None:
        self.project = project
        self.progress = progress
        self.ran = "results are up to date"
        self.said: list[tuple[str, bool]] = []

    def _say(self, text: str, *, seconds: float | None = None, err: bool = False) -> None:
        """Print a line, and keep it for builds that find everything unchanged; `seconds` differ in these."""
        self.said.append((text, err))
        click.echo(text.replace(unchanged.SECONDS, shown_seconds(seconds)), err=err)

    def _notices(self, notices: Sequence[str]) -> None:
        for notice in notices:
            self._say(f"notice: {notice}", err=True)

    def show(self, told: Event | outcomes.Done) -> None:
        """Print what there is to say of an event or a finished step."""
        match told:
            case outcomes.Experiments():
                self.ran = _ran(told)
            case outcomes.Report():
                self._report(told)
            case outcomes.Changed():
                if told.summary is not None:
                    several = self.project.config.documents
                    where = (
                        f"{self.project.shown(told.pdf)}, since the last one"
                        if several
                        else "since the last report"
                    )
                    self._say(f"{where}: {told.summary}")
            case outcomes.Notebooks():
                self._notebooks(told)
            case outcomes.Claims():
                self._claims(told)
            case outcomes.Asked():
                self._notices(told.notices)
            case outcomes.Page():
                self._page(told)
            case outcomes.Annotated():
                self._annotated(told)
            case outcomes.Packed():
                self._packed(told)
            case outcomes.Checked():
                self._checked(told)
            case Event(kind="notice"):  # what the user's code says
                from labreport.handin import masking

                self.progress.show(replace(told, label=masking()(told.label)))
            case _:
                self.progress.show(told)

    def _report(self, report: outcomes.Report) -> None:
        target, made = self.project.shown(report.pdf), report.made
        if made is None:
            self._say(f"{target} is up to date; {self.ran} ({unchanged.SECONDS})", seconds=report.seconds)
            return
        self._notices(made.notices)
        made_in = (
            f"rendered in {shown_seconds(made.render_seconds)}, LaTeX {shown_seconds(made.latex_seconds)}"
        )
        pages = f"{made.pages} page{'' if made.pages == 1 else 's'}, {made.values} values traced"
        self._say(f"{target}: {pages}; {self.ran}, {made_in}; {shown_seconds(report.seconds)} in all")

    def _notebooks(self, notebooks: outcomes.Notebooks) -> None:
        fresh = [n.name for n in notebooks.woven if not n.is_made]
        renewed = [n.name for n in notebooks.woven if n.is_renewed]
        said = [
            f"{n.name} executed in {shown_seconds(n.seconds)}"
            for n in notebooks.woven
            if n.seconds is not None
        ]
        said += [f"text renewed: {', '.join(renewed)}"] if renewed else []
        said += [f"up to date: {', '.join(fresh)}"] if fresh else []
        if said:
            self._say(f"{self.project.shown(self.project.notebooks)}: {'; '.join(said)}")

    def _claims(self, claims: outcomes.Claims) -> None:
        if claims.verdicts:
            from labreport.explain import counted

            where = f"; `{self.project.command('claims')}` lists them"
            self._say(counted(claims.verdicts) + where)

    def _page(self, page: outcomes.Page) -> None:
        self._notices(page.notices)
        if page.made is not None:
            made = page.made
            pages = f"{made.pages} page{'' if made.pages == 1 else 's'}"
            values = f"{made.values:,} value{'' if made.values == 1 else 's'}"
            shown = self.project.shown(page.path)
            self._say(f"{shown}: {pages}, {values} ({shown_seconds(made.seconds)})")

    def _annotated(self, annotated: outcomes.Annotated) -> None:
        shown = self.project.shown(annotated.pdf)
        plain = annotated.values - annotated.coloured
        rest = f"; {plain} are headings or parts of commands, and stay as they are" if plain else ""
        self._say(f"{shown}: {annotated.coloured} of {annotated.values} values in colour{rest}")

    def _packed(self, packed: outcomes.Packed) -> None:
        shown, made = self.project.shown(self.project.submission), packed.submission
        if made is None:
            self._say(f"{shown} is up to date; `{self.project.command('check')}` checks it")
            return
        self._notices(made.notices)
        names = ", ".join(report.name for report in made.reports)
        self._say(f"{shown}: {names}, and {made.code.name} with {len(made.files)} files")

    def _checked(self, checked: outcomes.Checked) -> None:
        broken = [verdict for verdict in checked.verdicts if verdict.state != "passed"]
        for verdict in broken:
            self._say(f"{verdict.state}: {verdict.name}: {verdict.rule}", err=True)
        passed = f"{len(checked.verdicts) - len(broken)} of {len(checked.verdicts)} checks passed"
        where = f"; `{self.project.command('check')}` says where and the cure" if broken else ""
        self._say(passed + where)


def _ran(experiments: outcomes.Experiments) -> str:
    if experiments.seconds is None:
        return f"{experiments.total} experiment{'' if experiments.total == 1 else 's'} up to date"
    ran = f"{len(experiments.ran)} of {experiments.total} experiments ran"
    ran += f", {len(experiments.restored)} came from the store," if experiments.restored else ""
    return f"{ran} in {shown_seconds(experiments.seconds)}"
