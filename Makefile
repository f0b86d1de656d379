# make report   install what is missing, then build the report
# make test     install what is missing, then lint, types and tests
# make bench    install what is missing, then the benchmarks, with those tools to compare that are there
# make bench-peers   install these tools: for the benchmarks only, and Python's in an environment of their own
# Set-up is done once; PYTHON=python3.12 chooses another interpreter for it.

# report, setup, tex and clean: as every hand-in has them
include src/labreport/handin/main/Makefile

# the tests read PDFs back, and see that an offline run opens no connection
TEX_PACKAGES += poppler-utils strace
TEX_PROGRAMS += pdftotext

# Quarto is not in Debian, and Showyourwork needs conda
PEERS := 'dvc>=3.60,<4' 'snakemake>=9.8,<10' 'calkit-python>=0.40,<0.50' 'typst>=0.13,<0.16'
PEER_PACKAGES := r-cran-knitr r-cran-codetools texlive-extra-utils

# many tests wait for processes that they have started: one worker more than there are cores
WORKERS ?= $(shell echo $$(($$(nproc 2>/dev/null || echo 2) + 1)))

.PHONY: test bench bench-peers

test: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy --strict src
	$(RUN) -m pytest -q -n $(WORKERS) --dist loadfile -m "not slow"
	$(RUN) -m pytest -q -n $(WORKERS) --dist loadfile -m slow

bench: setup
	$(RUN) -m pytest tests/benchmarks --benchmark-only -s

bench-peers: setup
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check $(PEERS)
	@if [ "$$(id -u)" = 0 ]; then apt-get install -y --no-install-recommends $(PEER_PACKAGES); \
	else echo "for knitr and PythonTeX: apt-get install --no-install-recommends $(PEER_PACKAGES)"; fi
