"""The pages as they are drawn: beside what is read in them."""

import time

import projects
import pytest
from matplotlib.figure import Figure

from labreport.page import drawn


def test_an_interrupt_waits_for_no_program_that_hangs(tmp_path, monkeypatch):
    project = projects.make(tmp_path / "project", {})
    project.pdf.parent.mkdir(parents=True, exist_ok=True)
    Figure().savefig(project.pdf)
    program, begun = tmp_path / "pdftocairo", tmp_path / "begun"
    program.write_text(f"#!/bin/sh\necho x >{begun}\nexec /bin/sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    def interrupted(_):
        while not begun.exists():
            time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr(drawn, "_read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        drawn.draw(project)
