"""Commands for the beginning."""

from pathlib import Path

from click.testing import CliRunner

from labreport import cli


def test_a_new_project_is_told_with_the_two_commands_that_come_next(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli.commands, ["new", "my report", "--kind", "slides"])
    assert done.output.splitlines() == [
        "my report holds the project of slides; now",
        "  labreport --project 'my report'",
        "makes build/report.pdf, and whenever a file is saved",
        "  labreport --project 'my report' watch",
    ]
    assert "beamer" in (tmp_path / "my report" / "report_templates" / "report.tex.j2").read_text()
    monkeypatch.chdir(tmp_path / "my report")
    assert CliRunner().invoke(cli.commands, ["plan"]).exit_code == 0


def test_the_reference_is_written_for_the_user_and_its_path_printed(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    launched = []
    monkeypatch.setattr("click.launch", launched.append)
    done = CliRunner().invoke(cli.commands, ["docs", "--print"])
    path = Path(done.output.strip())
    assert path.is_relative_to(tmp_path)
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert launched == []
    CliRunner().invoke(cli.commands, ["docs"])
    assert launched == [path.as_uri()]
