# Every target makes the virtual environment it needs; nothing is installed outside .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test check dev bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(READY) ## land the bundled samples, materialize, check, report
	$(BIN)/metaplat demo

test: $(READY) ## run the tests
	$(BIN)/pytest -n auto

check: $(READY) ## ruff, mypy, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config setup.cfg

dev: $(READY) ## the Dagster UI and daemon on http://127.0.0.1:3000
	$(BIN)/metaplat dev

bench: $(READY) ## measure, as ratios against the floor and the peers
	$(BIN)/python -m benchmarks

clean: ## remove the virtual environment
	rm -rf .venv
