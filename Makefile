# Every target makes its own .venv first; nothing is installed by hand.
CONFIG ?= default
BUILD  ?= build
BOARD  ?= ulx3s
SLICE  ?=
PYTHON ?= python3

VENV := .venv
BIN  := $(VENV)/bin
READY := $(VENV)/ready
# Scripts in .venv/bin name their interpreter in a line that some characters of a folder's name break; -m does without.
RUN     := $(BIN)/python -m
LOWTIDE := $(RUN) lowtide

.DEFAULT_GOAL := help
.PHONY: help setup verilog test test-slow sim serve train schedules equal-area study reveal report lint formal bench explore bitstream flash docs clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(READY) ## make .venv with everything the project uses

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "lowtide needs Python 3.11 or newer; set PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "lowtide needs Python's venv: apt-get install python3-venv"; exit 1; }
	@echo "Setting up .venv (a minute or two, once)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[studies,boards,bitstream,test,lint,docs]'
	@touch $@

verilog: $(READY) ## Verilog of CONFIG (a preset or a .toml file) into build/verilog
	$(LOWTIDE) emit $(CONFIG) -o $(BUILD)/verilog

test: $(READY) ## every quick test
	$(RUN) pytest

test-slow: $(READY) ## the tests that take minutes, or part SLICE (3/20) of them
	$(RUN) pytest -m slow $(if $(SLICE),--slice $(SLICE))

sim: $(READY) ## a real network on the simulated array of CONFIG
	$(LOWTIDE) sim $(CONFIG) --folder $(BUILD)/sim

train: $(READY) ## a network, every product on the engine of CONFIG
	$(LOWTIDE) train --config $(CONFIG)

schedules: $(READY) ## precision that changes in training, against others
	$(LOWTIDE) schedules

equal-area: $(READY) ## what training takes on units of one area
	$(LOWTIDE) equal-area

serve: $(READY) ## a simulated device behind a pseudo-terminal
	$(LOWTIDE) serve --link $(BUILD)/device

study: $(READY) ## train with gradients rounded in many ways
	$(LOWTIDE) study

reveal: $(READY) ## what term revealing saves and loses on networks
	$(LOWTIDE) reveal

report: $(READY) ## area and speed of CONFIG, per unit and whole
	$(LOWTIDE) report $(CONFIG)

formal: $(READY) ## prove the formal properties
	$(RUN) pytest -m 'slow or not slow' tests/formal

bench: $(READY) ## speed of emission and of the golden model
	$(LOWTIDE) bench

explore: $(READY) ## search for stochastic rounding units
	$(LOWTIDE) explore sru

bitstream: $(READY) ## a bitstream for BOARD into build/bitstream
	$(LOWTIDE) bitstream --board $(BOARD) -o $(BUILD)/bitstream

flash: $(READY) ## load it onto BOARD
	$(LOWTIDE) flash --board $(BOARD) --folder $(BUILD)/bitstream

lint: $(READY) ## ruff and pyright
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) pyright

docs: $(READY) ## the documentation, into docs/_build/html
	$(RUN) sphinx -W -q docs docs/_build/html
	@echo "docs/_build/html/index.html"

clean: ## remove everything generated
	rm -rf $(BUILD) docs/_build .pytest_cache .ruff_cache .hypothesis
