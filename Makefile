# Every target makes and uses .venv. Nothing but Python 3.11+, make and a C compiler is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MARK := $(VENV)/.installed

.PHONY: demo test bench lint clean

demo: $(MARK)          ## make the sample project in ./demo and print its figures
	$(BIN)/arf demo demo

test: $(MARK)-dev      ## lint, types and every test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadfile

bench: $(MARK)-dev     ## the figures of docs/benchmarks.md, printed as tables (long)
	$(BIN)/python -m benchmarks

clean:                 ## remove what these targets made
	rm -rf $(VENV) demo

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(MARK): $(BIN)/uv requirements.txt pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable .
	@touch $@

$(MARK)-dev: $(BIN)/uv requirements.txt pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable '.[dev]'
	@touch $(MARK) $@
