# make report   install what is missing, then build the report
# make test     install what is missing, then lint, types and tests
# make test-classes   install the classes of publishers, then the tests of reports in them
# make torture  install what is missing, then builds that are killed, faults, hostile strings; KIND, COUNT, SEED choose
# make audit    known faults of the pinned packages, as PyPI lists them: needs the network
# make bench    install what is missing, then the benchmarks, with those tools to compare that are there
# make bench-peers   install these tools: for the benchmarks only, and Python's in an environment of their own
# Set-up is done once; PYTHON=python3.12 chooses another interpreter for it.

# report, setup, tex and clean: as every hand-in has them
include src/labreport/handin/main/Makefile

# the tests read PDFs back, see that an offline run opens no connection, look at the page in a browser, convert SVG,
# build on another day
TEX_PACKAGES += strace chromium fonts-liberation librsvg2-bin faketime
TEX_PROGRAMS += pdftotext strace chromium rsvg-convert faketime

# Quarto is not in Debian, and Showyourwork needs conda
PEERS := 'dvc>=3.60,<4' 'snakemake>=9.8,<10' 'calkit-python>=0.40,<0.50' 'typst>=0.13,<0.16'
PEER_PACKAGES := r-cran-knitr r-cran-codetools texlive-extra-utils

# many tests wait for processes that they have started: one worker more than there are cores
WORKERS ?= $(shell echo $$(($$(nproc 2>/dev/null || echo 2) + 1)))

.PHONY: test test-classes torture audit bench bench-peers

test: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy --strict src
	$(RUN) -m deptry src experiments
	$(RUN) -m pytest -q -n $(WORKERS) --dist loadfile -m "not slow"
	$(RUN) -m pytest -q -n $(WORKERS) --dist loadfile -m slow

test-classes: setup
	@kpsewhich acmart.cls elsarticle.cls IEEEtran.cls llncs.cls memoir.cls achemso.cls mnras.cls biblatex.sty luaotfload.sty xetex.def >/dev/null || \
		apt-get install -y --no-install-recommends texlive-publishers texlive-luatex texlive-xetex texlive-bibtex-extra biber
	$(RUN) -m pytest -q -n $(WORKERS) -m classes

# KIND: one of them; COUNT: so many inputs of each; SEED: the same ones again
torture: setup
	PYTHONPATH=src:tests:tests/labreport $(RUN) -m torture $(KIND) $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED))

# what cannot be looked up is an error, too; the tool and all that it needs stay apart from what it looks at
audit:
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.10,<3'
	.venv-audit/bin/pip-audit --strict --disable-pip --no-deps --requirement constraints.txt

bench: setup
	$(RUN) -m pytest tests/benchmarks --benchmark-only -s

bench-peers: setup
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check $(PEERS)
	@if [ "$$(id -u)" = 0 ]; then apt-get install -y --no-install-recommends $(PEER_PACKAGES); \
	else echo "for knitr and PythonTeX: apt-get install --no-install-recommends $(PEER_PACKAGES)"; fi
