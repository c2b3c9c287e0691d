# Every target sets up what it needs: `make demo` and `make test` start from a bare clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Test processes side by side: one for each core.
WORKERS ?= auto
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help setup demo serve test fuzz soak lint bench bench-autograph lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements/runtime.lock pyproject.toml | $(BIN)/python
	$(BIN)/pip install -q -r requirements/runtime.lock
	$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.runtime
	$(BIN)/pip install -q -r requirements/dev.lock
	@touch $@

$(VENV)/.bench: requirements/bench.lock $(VENV)/.runtime
	$(BIN)/pip install -q -r requirements/bench.lock
	@touch $@

setup: $(VENV)/.runtime ## make .venv with the command countermark in it

demo: setup ## the whole way of a video, on this machine (VIDEO=path, ONCE=1)
	@$(BIN)/countermark demo $(if $(VIDEO),--video '$(VIDEO)') $(if $(filter 1,$(ONCE)),--once)

serve: setup ## run the service with its data in ./countermark-data
	@$(BIN)/countermark serve

test: $(VENV)/.dev ## every test, on all cores; those that need a Debian program say so and skip without it
	$(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 8 --dist worksteal $(ARGS)

fuzz: $(VENV)/.dev ## throw random links, payloads and ranges at the edge (FUZZ_SECONDS), calls at the API
	FUZZ_SECONDS=$(or $(FUZZ_SECONDS),600) $(BIN)/python -m pytest tests/property/test_fuzzed_requests.py --timeout=0
	SCHEMATHESIS_EXAMPLES=100 $(BIN)/python -m pytest tests/e2e/test_api_live.py -k schemathesis --timeout=0

lint: $(VENV)/.dev ## style, types and the rooms' import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

soak: $(VENV)/.dev $(VENV)/.bench ## the kill test in full (30 jobs, 50 kills), every preset on real clips and oddities
	SOAK_JOBS=$(or $(SOAK_JOBS),30) SOAK_KILLS=$(or $(SOAK_KILLS),50) $(BIN)/python -m pytest tests/e2e/test_job_kills.py $(ARGS)
	$(BIN)/python -m bench presets

bench: $(VENV)/.bench ## measure beside peers in one run, print ratios
	$(BIN)/python -m bench $(ARGS)

bench-autograph: $(VENV)/.bench ## measure AutoGraph's masters and tracing, write bench/AUTOGRAPH.md
	$(BIN)/python -m bench.autograph $(ARGS)

lock: $(VENV)/.dev ## pin the dependencies anew
	$(BIN)/pip install -q uv
	cd requirements && ../$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header --no-emit-index-url ../pyproject.toml build.in -o runtime.lock
	cd requirements && ../$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header --no-emit-index-url --extra test --extra lint -c runtime.lock ../pyproject.toml -o dev.lock
	cd requirements && ../$(BIN)/uv pip compile -q --universal --python-version 3.11 --no-header --no-emit-index-url --extra bench -c runtime.lock ../pyproject.toml -o bench.lock

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build
