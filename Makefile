# `make` lists what there is to do. Python 3.11 or newer is all it needs.

PYTHON ?= python3
BIN := .venv/bin
# `make demo ARGS=--once`, `make benchmark ARGS=--json`, `make test ARGS="-k journal"`
ARGS ?=
# As many tests at once; those of one file run in one process, and those of tests/e2e that share a
# service (tests/scheduling.py), in their order: the long ones of tests/e2e then stand in the
# middle, and nobody waits for them at the end.
JOBS ?= 2
# Where the tests' databases lie: in memory if there is plenty, where a flush costs nothing.
SCRATCH ?= $(shell awk '/MemAvailable/ { plenty = $$2 > 8000000 } END { exit !plenty }' \
	/proc/meminfo 2>/dev/null && test -w /dev/shm && \
	test "$$(df -k --output=avail /dev/shm | tail -1)" -gt 8000000 && echo /dev/shm)

# A test that waits for ever ends its process, and shows where every thread of it stands.
GUARD = -o faulthandler_timeout=600 -o faulthandler_exit_on_timeout=true --max-worker-restart 1

.DEFAULT_GOAL := help
.PHONY: help demo test lint format test-timing slow fuzz test-browser benchmark migration openapi \
	translations pictures lock chromium go kannel clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.runtime ## Show one lookup with made-up people, then serve (ARGS=--once: only show it)
	$(BIN)/python app.py demo $(ARGS)

test: lint .venv/.foreign ## Run the checks and the tests, on SQLite and on PostgreSQL
	$(if $(SCRATCH),TMPDIR=$(SCRATCH)) PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest \
		-n $(JOBS) --dist loadfile --no-loadscope-reorder $(GUARD) $(ARGS)

lint: .venv/.installed ## Run the checks only
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: .venv/.installed ## Lay out the code and mend what can be mended by itself
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

test-timing: .venv/.installed ## Measure that every NOMATCH takes the same time (many minutes)
	$(BIN)/python -m pytest -m timing $(ARGS)

slow: .venv/.installed ## Run the tests that take minutes to say a little more
	$(BIN)/python -m pytest -m slow $(ARGS)

fuzz: .venv/.installed ## Look for input that breaks a parser (ARGS="--seconds 600 --keep pdus")
	$(BIN)/python -m tests.fuzz $(ARGS)

test-browser: .venv/.installed chromium ## Run the tests of the web pages only, in Chromium
	$(BIN)/python -m pytest -m browser $(ARGS)

benchmark: .venv/.installed ## Measure whole lookups through the real webhook
	$(BIN)/python app.py benchmark $(ARGS)

migration: .venv/.installed ## Draft the next revision of the schema: MESSAGE="Add the ..."
	$(BIN)/python -m migrations.draft "$(MESSAGE)"
	$(BIN)/ruff format --quiet migrations
	$(BIN)/ruff check --quiet --fix migrations

openapi: .venv/.installed ## Make openapi.json, which is served, from openapi.yaml, which is written
	$(BIN)/python -m tests.docs.openapi

# Sorted and without places, so that two who add words meet in no line of the catalogue.
translations: .venv/.installed ## Take new words of the console into its English, and compile it
	@cd console && ../$(BIN)/pybabel -q extract -F babel.cfg --no-location --sort-output \
		--no-wrap -o ../.venv/words.pot .
	@$(BIN)/pybabel -q update -i .venv/words.pot -d console/translations -l en --no-wrap \
		--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	@$(BIN)/pybabel -q compile -d console/translations

pictures: .venv/.installed chromium ## Take the README's pictures of the console anew
	$(BIN)/python -m tests.e2e.pictures docs/pictures

# Packages younger than a week are left to others to try.
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--exclude-newer "7 days" --no-emit-index-url --no-header

lock: .venv/.installed ## Compile the requirements anew (ARGS=--upgrade: to newer versions)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(LOCK) $(ARGS) requirements.in --output-file requirements.txt
	$(LOCK) $(ARGS) requirements-dev.in --output-file requirements-dev.txt

chromium: ## Install Chromium where that can be done without asking (Debian, root)
	@if command -v chromium >/dev/null; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		echo "installing Chromium for the browser tests"; \
		{ apt-get update --quiet=2 && DEBIAN_FRONTEND=noninteractive \
			apt-get install --quiet=2 --yes --no-install-recommends chromium; } >/dev/null; \
	else echo "no chromium here and no way to install it: the browser tests will skip"; fi

go: ## Install Go and its verifier of logs where that can be done without asking (Debian, root)
	@if command -v go >/dev/null && [ -d /usr/share/gocode/src/golang.org/x/mod ]; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		echo "installing Go for the tests against golang.org/x/mod/sumdb"; \
		{ apt-get update --quiet=2 && DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 \
			--yes --no-install-recommends golang-go golang-golang-x-mod-dev; } >/dev/null; \
	else echo "no Go here and no way to install it: the tests against x/mod/sumdb will skip"; fi

kannel: ## Install Kannel where that can be done without asking (Debian, root); it starts nothing
	@if command -v bearerbox >/dev/null && command -v smsbox >/dev/null; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
		echo "installing Kannel for the tests behind it"; \
		{ apt-get update --quiet=2 && DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 \
			--yes --no-install-recommends kannel kannel-extras; } >/dev/null; \
	else echo "no Kannel here and no way to install it: the tests behind it will skip"; fi

clean: ## Remove the environment and what tools left; state and keys (var/) stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.venv/.runtime: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "$(PYTHON) is not a Python 3.11 or newer. Name one: make PYTHON=/path/to/python3"; \
		exit 1; }
	@$(PYTHON) -m venv .venv || { \
		echo "$(PYTHON) cannot make an environment. On Debian: apt-get install python3-venv"; \
		exit 1; }
	@echo "installing what TraDan runs on into .venv"
	@$(PIP_INSTALL) --requirement requirements.txt
	@touch $@

.venv/.installed: .venv/.runtime requirements-dev.txt
	@echo "installing what the tests need into .venv"
	@$(PIP_INSTALL) --requirement requirements-dev.txt
	@touch $@

# What cannot be had is no reason not to test the rest: those tests skip, and say so.
.venv/.foreign: .venv/.installed requirements-foreign.txt
	@echo "installing what others wrote, to hold ours against it, into .venv/foreign"
	@if $(PIP_INSTALL) --ignore-requires-python --no-deps --upgrade --target .venv/foreign \
		--requirement requirements-foreign.txt; then touch $@; \
	else echo "it cannot be had here: the tests against it will skip"; fi
