# What a newcomer runs: make demo, make test. Everything sets up its own environment first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ORDERS ?= 0
KILLS ?= 1000
PAIRS ?= 200
CUTS ?= 1000
JOBS ?= auto

.PHONY: help setup check test bench crash demo lock format clean

help:  ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

setup: $(VENV)/.ready  ## the environment, from the lock file

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

check: setup  ## lint, types, floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: setup  ## every test, on SQLite and on a real PostgreSQL
	$(BIN)/pytest -n $(JOBS) --dist loadgroup

bench: setup  ## the figures, as ratios within one run
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks crash wreck power --kills 200 --pairs 200 --cuts 1000

crash: setup  ## kills and power cuts: KILLS=1000 CUTS=1000 PAIRS=200, and what must be caught
	$(BIN)/python -m benchmarks crash wreck power --kills $(KILLS) --pairs $(PAIRS) --cuts $(CUTS)

demo: setup  ## a small world on this machine: ORDERS=200 ends by itself
	$(BIN)/connector demo --orders $(ORDERS)

LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url

lock:  ## renew the three lock files (needs uv): all, what runs, what makes the wheel
	$(LOCK) --group dev pyproject.toml --output-file requirements.lock
	$(LOCK) --constraints requirements.lock pyproject.toml --output-file requirements.runtime.lock
	$(LOCK) --constraints requirements.lock --group build --output-file requirements.build.lock

format: setup  ## ruff's formatting and safe repairs
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## the environment and what tests left
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache build *.egg-info
