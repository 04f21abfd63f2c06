# One door: every verb a contributor, a hook or CI needs. `make help` lists them.
# Needs cargo, a C compiler, make and Python 3.11 or newer; everything else goes into $(VENV).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

# The first of these that runs and is new enough; `make PYTHON=/path/to/python setup` overrides.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v "$$p" && break; done)

VENV := .venv
BIN := $(VENV)/bin
PEER_PYTHON ?= $(BIN)/python
PIP := $(BIN)/python -m pip install
CORE_SOURCES := Cargo.toml Cargo.lock $(shell find rust/core/Cargo.toml rust/core/src rust/py -type f 2>/dev/null)

# Prints the requirements that stand at a path of keys in pyproject.toml, so they are written once.
define REQUIREMENTS
import sys, tomllib
for path in sys.argv[1:]:
    node = tomllib.load(open("pyproject.toml", "rb"))
    for key in path.split("."):
        node = node[key]
    print("\n".join(node))
endef
export REQUIREMENTS
requirements = $(BIN)/python -c "$$REQUIREMENTS" $(1)

export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export PYO3_PYTHON := $(VIRTUAL_ENV)/bin/python
export PIP_QUIET := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONPATH

.PHONY: help setup train test lint fmt check bench docs stubs size clean

help:  ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: $(VENV)/.test $(VENV)/.core  ## make .venv with build and test tools, build and install the release extension

train: $(VENV)/.core  ## build, install, and train a classifier on examples/breast_cancer.csv
	$(BIN)/trainsmith train examples/breast_cancer.toml --overwrite

test: setup lint  ## run every test and lint; skipped tests are listed with their reason
	cargo test --locked --quiet -p trainsmith-core
	$(BIN)/python -m pytest -rs

lint: setup  ## format check, clippy, ruff, basedpyright (strict), stubs against the binary
	cargo fmt --all --check
	cargo clippy --locked --quiet --workspace --all-targets -- -D warnings
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/basedpyright --pythonpath $(PYO3_PYTHON)
	$(BIN)/python -m mypy.stubtest trainsmith._core

fmt: $(VENV)/.test  ## format Rust and Python, apply ruff's safe fixes
	cargo fmt --all
	$(BIN)/ruff check --quiet --fix-only .
	$(BIN)/ruff format --quiet .

check: $(VENV)/.test  ## what the commit hook runs, under 10 s: formats, ruff, file sizes
	cargo fmt --all --check
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/python tools/size.py

bench: $(VENV)/.core  ## kernel benchmarks (criterion), then training steps beside the peers that PEER_PYTHON has
	cargo bench --locked -p trainsmith-core
	$(BIN)/python benches/training --peer-python $(PEER_PYTHON)

docs: setup $(VENV)/.docs  ## build the pages in docs/_build/html and the Rust documentation; a warning is an error
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps -p trainsmith-core
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -b html docs docs/_build/html

stubs: setup  ## compare _core.pyi with the extension
	$(BIN)/python -m mypy.stubtest trainsmith._core

size: $(VENV)/.build  ## lines per file: median, p90, max per layer; fails over the budget
	$(BIN)/python tools/size.py

clean:  ## remove .venv and everything built
	rm -rf $(VENV) target python/trainsmith/_core*.so .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find python tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: a warm run installs nothing. `.build` what building and running need, `.test` and `.docs` what these need, `.core` the extension.
$(VENV)/.build: pyproject.toml
	@[ -n "$(PYTHON)" ] || { echo "No Python 3.11 or newer found; install one or run: make PYTHON=/path/to/python"; exit 1; }
	[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	$(call requirements,build-system.requires project.dependencies) | $(PIP) -r /dev/stdin
	@touch $@

$(VENV)/.test: $(VENV)/.build
	$(call requirements,project.optional-dependencies.test) | $(PIP) -r /dev/stdin
	@touch $@

$(VENV)/.docs: $(VENV)/.build
	$(call requirements,project.optional-dependencies.docs) | $(PIP) -r /dev/stdin
	@touch $@

# An editable install: Python sources are used in place, the extension lands beside them.
$(VENV)/.core: $(VENV)/.build $(CORE_SOURCES)
	$(BIN)/maturin develop --release --locked --quiet
	@touch $@
