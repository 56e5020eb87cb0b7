# `make run` and `make test` set up everything they need in .venv; nothing else has to be installed but Python 3.11+, make and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PORT ?= 8501
HOST ?= localhost

.PHONY: run test docs bench presets clean

run: $(READY)
	@$(BIN)/ked app --port $(PORT) --host $(HOST)

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2

docs: $(READY)
	PATH=$(CURDIR)/$(BIN):$$PATH KED_HOME=$(CURDIR)/build/home PLOTLY_RENDERER=notebook $(BIN)/mkdocs build --quiet --strict

bench: $(READY)
	$(BIN)/python -m ked bench all
	$(BIN)/python tests/benchmarks/live_page.py
	$(BIN)/python tests/benchmarks/followers.py

presets: $(READY)
	$(BIN)/python -m ked presets

$(READY): requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "KED Explorer needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
