# make report   install what is missing, then build the report
# make test     install what is missing, then lint, types and tests
# make bench    install what is missing, then the benchmarks
# Set-up is done once; PYTHON=python3.12 chooses another interpreter for it.

# report, setup, tex and clean: as every hand-in has them
include src/labreport/handin/main/Makefile

# the tests read PDFs back, and see that an offline run opens no connection
TEX_PACKAGES += poppler-utils strace
TEX_PROGRAMS += pdftotext

.PHONY: test bench

test: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy --strict src
	$(RUN) -m pytest -q -n 2 --dist loadfile -m "not slow"
	$(RUN) -m pytest -q -n 2 --dist loadfile -m slow

bench: setup
	$(RUN) -m pytest tests/benchmarks --benchmark-only -s
