# The targets that people use: report, app, test, test-slow, lab, lint, lock.
# Each sets up what it needs in .venv; only `test` and `test-slow` want Debian packages.
PYTHON ?= $(firstword $(foreach p,python3.11 python3 python,$(shell command -v $(p) 2>/dev/null)))
STUDY  ?= data/healthcheck/study.yml
BIN    := .venv/bin
READY  := .venv/.ready
PYTEST := $(BIN)/pytest -n 2 --dist loadfile
NOTEBOOKS = $(wildcard notebooks/*.ipynb)

.DEFAULT_GOAL := help
.PHONY: help report app test test-slow lab lint lock debian
# Compiled bytecode halves the start of every run, and many containers switch it off.
unexport PYTHONDONTWRITEBYTECODE

help:
	@echo "make report     the demo study's reports, English and Chinese, under reports/"
	@echo "make app        the demo study as a page on this machine, to explore without code"
	@echo "make test       style, types and all tests but the slow ones"
	@echo "make test-slow  the slow tests: recovery and coverage of intervals"
	@echo "make lab        JupyterLab in notebooks/"
	@echo "make lint       style and types alone"
	@echo "make lock       pin requirements.lock anew"

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("cxlab needs Python 3.11 or newer; say make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing cxlab into .venv"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements.lock)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q cxlab
	@touch $@

debian:
	@sh tools/debian.sh

report: $(READY)
	$(BIN)/cxlab report $(STUDY) --lang en
	$(BIN)/cxlab report $(STUDY) --lang zh

app: $(READY)
	$(BIN)/cxlab app $(STUDY)

test: $(READY) debian lint
	$(PYTEST) --nbmake --ignore=tests/notebooks tests cxlab $(NOTEBOOKS)

test-slow: $(READY) debian
	$(PYTEST) -m slow tests

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(if $(NOTEBOOKS),$(BIN)/nbstripout --verify $(NOTEBOOKS))

lab: $(READY)
	cd notebooks && ../$(BIN)/jupyter lab

# No addresses, no dates: the same file wherever it is made. Valid for every platform from Python 3.11.
lock: $(READY)
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra dev \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml -o requirements.lock
