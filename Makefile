# Every target sets itself up: Python >= 3.11 with venv, make and git are all that a machine must have.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
# Lowest share of branches of src and plugins, in percent, that `make test` accepts.
COVERAGE ?= 90
# Handed to pytest as they are: make test PYTEST="-k ladder"
PYTEST ?=

.PHONY: help setup demo test soak lint types bench stubs fmt clean

help: ## say what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1 \t/' | expand -t 16

setup: $(VENV)/.installed ## make .venv from requirements.lock, and groupops in it

$(VENV)/pyvenv.cfg:
	@"$$(scripts/find-python)" -m venv $(VENV)

$(VENV)/.locked: requirements.lock | $(VENV)/pyvenv.cfg
	@echo "Installing what requirements.lock names ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.locked
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## an eventful week in a company group, under a minute
	@scripts/need fonts-noto-cjk || echo "Without a font that has Chinese the week's board is shown as text."
	@$(BIN)/groupops demo

test: setup ## all tests, with branch coverage
	@scripts/need redis-server fonts-noto-cjk
	@scripts/peer euler-onebot node-napcat-ts wecom-node wecom-python wechaty tencent-weixin >/dev/null
	@WORKERS="$(WORKERS)" COVERAGE="$(COVERAGE)" scripts/run-tests $(PYTEST)

soak: setup ## the long runs, whole
	@scripts/need redis-server fonts-noto-cjk
	@GROUPOPS_SOAK=full $(BIN)/python -m pytest -m soak $(PYTEST)

lint: setup ## style, format and import directions
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python scripts/check_imports.py

types: setup ## mypy and pyright, both strict
	@$(BIN)/mypy
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright

bench: setup ## the figures that the README quotes, into bench/latest.json
	@scripts/need redis-server
	@scripts/peer nonebot-plugin-admin
	@$(BIN)/python -m bench

stubs: setup ## the gRPC stubs of the Wechaty Puppet Service, from the protos on npm
	@$(BIN)/python scripts/stubs.py

fmt: setup ## put the code into shape
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

clean: ## remove what was made, but not the data
	@rm -rf $(VENV) groupops-demo .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build
