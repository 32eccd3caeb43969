# Every target does its own set-up: Python 3.11 or later with venv (Debian: python3-venv) and make are all it needs.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := $(BIN)/signum

help:                  ## these lines
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 12

.PHONY: help .venv demo test test-long bench check format schema screenshots lock audit clean

demo: .venv            ## a whole Signum-savotta on this machine, with a Sierra to play with; Ctrl-C ends it
	@$(BIN)/python -m sandbox

test: .venv            ## what a change needs: minutes, against a real PostgreSQL, on two cores
	@$(BIN)/python -m pytest -m 'not long' --numprocesses=2 --dist=worksteal

test-long: .venv       ## the rest: what takes minutes, and what speaks SQL on PostgreSQL 16
	@$(BIN)/python -m pytest -m long --numprocesses=2 --dist=worksteal
	@TEST_POSTGRES_VERSION=16 $(BIN)/python -m pytest -m 'not long' --numprocesses=2 --dist=worksteal tests/db tests/cli tests/docs

bench: .venv           ## how fast it is, beside floors and peers: rewrites the tables of docs/performance.md
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@$(BIN)/python -m bench

check: .venv           ## format, lint, types, import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: .venv          ## formats, and repairs what ruff can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# The command is what pip makes last: a start that was interrupted anywhere before is begun anew. So is one whose Python
# has gone, or is another version now, which does not find the packages.
.venv: $(INSTALLED)
ifneq ($(shell { $(BIN)/python -c 'from importlib.util import find_spec; print(bool(find_spec("typer")))'; } 2>/dev/null),True)
.PHONY: $(INSTALLED)
endif
$(INSTALLED): requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; name one with: make PYTHON=python3.13 " + "$(MAKECMDGOALS)")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>&- || { echo "$(PYTHON) lacks venv: install it first (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@rm -rf .venv
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .

schema: .venv          ## db/schema.sql and db/sql/mark.sql anew, after a migration
	@RENEW_SCHEMA_SQL=true $(BIN)/python -m pytest -q tests/db/schema/test_schema.py tests/db/test_mark_sql.py -k "dump_of_head or mark_sql"

screenshots: .venv     ## the pictures of docs/console.md anew; needs chromium
	@RENEW_SCREENSHOTS=true $(BIN)/python -m pytest -q -n 0 tests/console/test_screenshots.py

lock: .venv            ## new versions of everything; needs uv on the PATH
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml -o requirements.lock
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra sandbox --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra sandbox --group bench -c requirements-dev.lock pyproject.toml -o requirements-bench.lock

audit: .venv           ## known holes in what is locked; needs the network
	$(PYTHON) -m venv .venv-audit && .venv-audit/bin/pip install --quiet pip-audit
	@.venv-audit/bin/pip-audit --disable-pip --require-hashes --requirement requirements.lock
	@.venv-audit/bin/pip-audit --disable-pip --require-hashes --requirement requirements-dev.lock

clean:                 ## takes away .venv and the tools' caches
	rm -rf .venv .venv-audit .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
