# `make run` and `make test` are all that is needed; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help run up test test-long test-fast faults lint results bench deployments lock clean
.DEFAULT_GOAL := help

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' Makefile

run: $(INSTALLED) ## install what is needed, train the quick suite, promote the best
	$(BIN)/mnist train $(ARGS)

up: $(INSTALLED) ## install what is needed, start both servers with their UIs and the deployments
	$(BIN)/mnist up $(ARGS)

TWO := -n 2 --dist loadfile --no-loadscope-reorder

test: $(INSTALLED) ## install what is needed and run the tests, two at a time
	$(BIN)/python -m pytest -m "not faults and not long" $(TWO) $(ARGS)

test-long: $(INSTALLED) ## the tests that take longer: browsers, shared servers, a work pool, faults of servers and disks
	$(BIN)/python -m pytest -m "long and not faults" $(TWO) $(ARGS)

test-fast: $(INSTALLED) ## the tests of all that needs no TensorFlow and no server: less than a minute
	$(BIN)/python -m pytest -m "not slow" $(TWO) $(ARGS)

POINTS := 20
SEED := 0

faults: $(INSTALLED) ## inject every fault (35 minutes on two cores; POINTS=5 for a look) and write docs/reliability.md
	$(BIN)/python -m pytest -m "fault or faults" --fault-points=$(POINTS) --fault-seed=$(SEED) \
		--hypothesis-profile=explore --hypothesis-seed=$(SEED) --reliability=docs/reliability.md $(ARGS)

lint: $(INSTALLED) ## style, types, and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

ROWS := softmax_regression,relu_dropout_naive,relu_dropout_diverged,relu_dropout_stable,deep_tanh_uniform
REPEATED := $(ROWS),deep_tanh_glorot,batchnorm_tanh,fast_conv_net

results: $(INSTALLED) ## train everything (half an hour on two cores) and write the table and picture of results in README.md
	@mkdir -p state
	$(BIN)/mnist train --suite all --summary state/results-all.json
	$(BIN)/mnist train --recipes $(REPEATED) --seeds 3 --no-promote --summary state/results-seeds.json
	$(BIN)/python benchmarks/results.py state/results-all.json state/results-seeds.json

bench: $(INSTALLED) ## measure speed and memory (an hour and a half on two cores; ARGS="--fraction 0.1" for a look) and write the tables of docs/speed.md
	$(BIN)/python benchmarks $(ARGS)

deployments: $(INSTALLED) ## write prefect.yaml from flows/deploy/deployments.py
	$(BIN)/python -m flows.deploy.prefect_yaml > prefect.yaml.new
	mv prefect.yaml.new prefect.yaml

lock: $(INSTALLED) ## compile requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
		--group dev --output-file requirements.lock pyproject.toml

clean: ## remove the virtual environment and what tools have cached; trained models stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info

# The programs in a virtual environment know its place: where the project was moved to or copied, it is made anew.
MOVED := $(shell [ "$$(cat $(INSTALLED) 2>/dev/null)" = "$(CURDIR)" ] || echo moved)
.PHONY: moved

$(INSTALLED): requirements.lock pyproject.toml mnist_models/__init__.py $(MOVED)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12 …" >&2; exit 2; }
	@echo "Installing into $(VENV); this takes some minutes once."
	$(PYTHON) -m venv $(if $(MOVED),--clear) $(VENV)
	$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip --disable-pip-version-check install -qq --no-deps --no-build-isolation --editable .
	@echo "$(CURDIR)" > $(INSTALLED)
