# Targets carry their help on the .PHONY line; `make` alone lists them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-done
# The target travels only when it was asked for: `make demo TARGET=gcp`.
OPS := $(BIN)/ops
OPS_TARGET := $(if $(TARGET),--target $(TARGET))
OPS_WHERE := $(OPS_TARGET) $(if $(PROJECT),--project $(PROJECT)) $(if $(STACK),--stack $(STACK))

.PHONY: help  ## This list
help:
	@grep -hE '^\.PHONY: [a-z-]+ +## ' $(MAKEFILE_LIST) | sed -E 's/^\.PHONY: ([a-z-]+) +## /  make \1\t/' | expand -t 20

.PHONY: setup  ## A virtual environment with everything in it; the second time at once
setup: $(STAMP)

$(STAMP): requirements/dev.txt requirements/setup.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed. Received: $$($(PYTHON) --version 2>&1). Type: make setup PYTHON=python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "The virtual environment could not be made. On Debian type: apt-get install python3-venv" >&2; exit 1; }
	@echo "Setting up $(VENV) (a minute or two the first time: TensorFlow is 260 MB)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/setup.txt
	@$(BIN)/uv pip install --python $(BIN)/python --compile-bytecode --require-hashes -r requirements/dev.txt
	@$(BIN)/uv pip install --python $(BIN)/python --quiet --no-deps --no-build-isolation --editable .
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m compileall -q ops emulator trainer
	@touch $@

.PHONY: demo  ## The whole life of a model on this machine; DATA=folder takes your own photos
demo: setup
	@$(BIN)/python -m demo $(if $(DATA),--data "$(DATA)") $(OPS_TARGET)

.PHONY: test  ## Lint, types, house rules and every test (what CI runs)
test: setup
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

.PHONY: lint  ## Ruff and the import rules
lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

.PHONY: types  ## mypy --strict on ops, emulator and tests
types: setup
	@$(BIN)/mypy

.PHONY: bench  ## Every promise of speed, measured here, with its target
bench: setup
	@$(BIN)/python -m bench $(BENCH_ARGS)

.PHONY: emulator  ## The local Google Cloud alone, in the foreground
emulator: setup
	@$(BIN)/python -m emulator serve $(EMULATOR_ARGS)

.PHONY: bootstrap  ## Terraform: bucket, accounts, permissions, GPU quota; plan first
bootstrap: setup
	@$(OPS) bootstrap $(OPS_WHERE) $(if $(YES),--yes)

.PHONY: destroy  ## Everything gone, with proof; UNPROTECT=1 where deletion protection is on
destroy: setup
	@$(OPS) teardown $(OPS_WHERE) $(if $(UNPROTECT),--unprotect) $(if $(YES),--yes)

.PHONY: docs  ## The generated pages: commands, errors
docs: setup
	@$(BIN)/python -m ops.cli.reference docs
