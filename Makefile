# make report   install what is missing, then build the report
# make test     install what is missing, then lint, types and tests
# make bench    install what is missing, then the benchmarks
# Set-up is done once; PYTHON=python3.12 chooses another interpreter for it.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# strace is for one test: that an offline run opens no connection
TEX_PACKAGES := strace latexmk texlive-latex-recommended texlive-latex-extra texlive-science \
	texlive-fonts-recommended lmodern poppler-utils
TEX_PROGRAMS := latexmk pdflatex bibtex kpsewhich pdftotext
TEX_FILES := siunitx.sty booktabs.sty cleveref.sty lmodern.sty accsupp.sty microtype.sty newfloat.sty

.PHONY: report test bench setup tex clean

report: setup
	@$(RUN) build_report.py

test: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy --strict src
	$(RUN) -m pytest -q -n 2 --dist loadgroup -m "not slow"
	$(RUN) -m pytest -q -n 2 -m slow

bench: setup
	$(RUN) -m pytest tests/benchmarks --benchmark-only -s

setup: $(VENV)/.installed tex

$(VENV)/.installed: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is missing or older than Python 3.11; name another: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 6; }
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "error: $(PYTHON) cannot make a virtual environment; on Debian or Ubuntu: apt-get install python3-venv"; exit 6; }
	@echo "installing Python packages into $(VENV) …"
	@$(RUN) -m pip install --quiet --disable-pip-version-check --requirement constraints.txt
	@touch $@

# System packages: installed where root or passwordless sudo allows, else named in one message.
tex:
	@if test -f $(VENV)/.tex && command -v latexmk pdflatex bibtex >/dev/null; then exit 0; fi; \
	complete() { for p in $(TEX_PROGRAMS); do command -v $$p >/dev/null || return 1; done; kpsewhich $(TEX_FILES) >/dev/null; }; \
	if ! complete; then \
		SUDO=; \
		if [ "$$(id -u)" != 0 ]; then SUDO="sudo -n"; $$SUDO true 2>/dev/null || SUDO=none; fi; \
		if [ "$$SUDO" = none ] || ! command -v apt-get >/dev/null; then \
			echo "error: LaTeX packages are missing and cannot be installed from here"; \
			echo "  cure: apt-get install --no-install-recommends $(TEX_PACKAGES)"; exit 6; \
		fi; \
		echo "installing system packages for LaTeX (about a minute) …"; \
		log=$$(mktemp); \
		{ $$SUDO apt-get update && $$SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $(TEX_PACKAGES); } >$$log 2>&1 || \
			{ tail -n 20 $$log; echo "error: the LaTeX packages could not be installed; the log is $$log"; exit 6; }; \
		rm -f $$log; \
		complete || { echo "error: LaTeX is installed but incomplete: one of $(TEX_PROGRAMS) $(TEX_FILES) is missing"; exit 6; }; \
	fi; \
	touch $(VENV)/.tex

clean:
	find build -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +
