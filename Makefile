# `make demo` and `make test` do their own set-up: a .venv, bubblewrap where it may, and an environment
# with the experiment libraries that is built once and kept in the user's cache.

SHELL := /bin/bash
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
SOURCES := agent tools policies tests

.PHONY: demo test check bench setup sandbox env format clean

demo: setup sandbox
	$(BIN)/suture fix examples/confidence_penalty --llm off

test: check env
	SUTURE_TEST_ENV="$$(cat .venv/test-env)" $(BIN)/python -m pytest -n 2 --dist loadfile $(TESTS)

check: setup
	$(BIN)/black --check --quiet $(SOURCES) || { $(BIN)/black --check $(SOURCES); exit 1; }
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m agent.rule_reference --check

bench: setup
	$(BIN)/python -m tests.bench

env: setup sandbox
	$(BIN)/python -m tests.reference_env > .venv/test-env

format: setup
	$(BIN)/black $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

setup: .venv/ready

.venv/ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "Suture needs Python 3.11 or newer; set PYTHON=/path/to/python" >&2; exit 3; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

sandbox:
	@command -v bwrap >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq bubblewrap >/dev/null; \
	  else echo "Suture runs bundles in bubblewrap: install the package 'bubblewrap'" >&2; exit 3; fi; }

clean:
	rm -rf .venv build *.egg-info
