# Every target makes and uses .venv. Nothing but Python 3.11+, make and a C compiler is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MARK := $(VENV)/.installed
# The default build is for the builder's processor alone, and crashed with Q8_0 models on some.
# A CPU build of PyTorch is enough for the tests; Linux gets the CUDA build where nothing is said.
TORCH_INDEX ?=
LLAMA_BUILD := CMAKE_ARGS="-DGGML_NATIVE=OFF -DLLAVA_BUILD=OFF"

# Without bytecode every command compiles all that it imports anew: 2 s more at each start.
unexport PYTHONDONTWRITEBYTECODE

PORT ?= 8501

# Its metadata asks for another torch and for newer packages than some indexes have.
UNSLOTH := unsloth==2026.10.9 unsloth_zoo==2026.10.9

.PHONY: app demo test browser bench local train clean

app: $(MARK)           ## the app, with the sample project; make app PORT=8765 for another port
	@test -f demo/exports/r1/README.md || $(BIN)/arf demo demo
	ARF_PROJECT="$(CURDIR)/demo" $(BIN)/streamlit run app.py --server.port $(PORT)

demo: $(MARK)          ## make the sample project in ./demo and print its figures
	$(BIN)/arf demo demo

test: $(MARK)-dev $(if $(filter no,$(TRAIN)),,$(MARK)-train) browser  ## lint, types, every test; TRAIN=no without PyTorch
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadfile

browser:               ## a browser for the tests of the app; without one they are skipped
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	  { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
	    apt-get -qq update && apt-get -qq install -y chromium >/dev/null; } || \
	  echo "No chromium here: the tests that need a browser are skipped."

bench: $(MARK)-dev     ## the figures of docs/benchmarks.md, printed as tables (long)
	$(BIN)/python -m benchmarks $(if $(DATA),--data $(DATA))

local: $(MARK)         ## models from GGUF files in process: builds llama.cpp, 3 to 10 minutes
	$(LLAMA_BUILD) $(BIN)/uv pip install --quiet --python $(BIN)/python --editable '.[local]'

train: $(MARK)-train   ## PyTorch, transformers, TRL, Unsloth: training, and the detector nli

clean:                 ## remove what these targets made
	rm -rf $(VENV) demo

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(MARK): $(BIN)/uv requirements.txt pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable .
	@touch $@

$(MARK)-dev: $(BIN)/uv requirements.txt pyproject.toml
	$(LLAMA_BUILD) $(BIN)/uv pip install --quiet --python $(BIN)/python --editable '.[dev,local]'
	@touch $(MARK) $@

# PyTorch by pip: where a CPU build (2.13.0+cpu) is offered beside, pip takes it; uv fetches CUDA
$(MARK)-train: $(BIN)/uv requirements.txt pyproject.toml
	@echo "Fetching PyTorch: about 0.3 GB as a CPU build, 3 GB and more as the CUDA build that Linux"
	@echo "gets by default. make train TORCH_INDEX=<an index of CPU builds, see pytorch.org> chooses."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch==2.13.0
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable '.[train]'
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps $(UNSLOTH)
	@if command -v nvidia-smi >/dev/null; then \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps bitsandbytes; fi  # for QLoRA
	@touch $@
