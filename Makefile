# Every target makes its own .venv first; nothing is installed by hand.
CONFIG ?= default
BUILD  ?= build
BOARD  ?= ulx3s
PYTHON ?= python3

VENV := .venv
BIN  := $(VENV)/bin
READY := $(VENV)/ready

.DEFAULT_GOAL := help
.PHONY: help setup verilog test test-slow sim serve train schedules equal-area study reveal report lint formal bench explore bitstream flash docs clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(READY) ## make .venv with everything the project uses

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "lowtide needs Python 3.11 or newer; set PYTHON=..."; exit 1; }
	@echo "Setting up .venv (a minute or two, once)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[sim,boards,bitstream,report,explore,test,lint,docs]'
	@touch $@

verilog: $(READY) ## Verilog of CONFIG (a preset or a .toml file) into build/verilog
	$(BIN)/lowtide emit $(CONFIG) -o $(BUILD)/verilog

test: $(READY) ## every quick test
	$(BIN)/pytest

test-slow: $(READY) ## the tests that take minutes
	$(BIN)/pytest -m slow

sim: $(READY) ## a real network on the simulated array of CONFIG
	$(BIN)/lowtide sim $(CONFIG) --folder $(BUILD)/sim

train: $(READY) ## a network, every product on the engine of CONFIG
	$(BIN)/lowtide train --config $(CONFIG)

schedules: $(READY) ## precision that changes in training, against others
	$(BIN)/lowtide schedules

equal-area: $(READY) ## what training takes on units of one area
	$(BIN)/lowtide equal-area

serve: $(READY) ## a simulated device behind a pseudo-terminal
	$(BIN)/lowtide serve --link $(BUILD)/device

study: $(READY) ## train with gradients rounded in many ways
	$(BIN)/lowtide study

reveal: $(READY) ## what term revealing saves and loses on networks
	$(BIN)/lowtide reveal

report: $(READY) ## area and speed of CONFIG, per unit and whole
	$(BIN)/lowtide report $(CONFIG)

formal: $(READY) ## prove the formal properties
	$(BIN)/pytest -m 'slow or not slow' tests/formal

bench: $(READY) ## speed of emission and of the golden model
	$(BIN)/lowtide bench

explore: $(READY) ## search for stochastic rounding units
	$(BIN)/lowtide explore sru

bitstream: $(READY) ## a bitstream for BOARD into build/bitstream
	$(BIN)/lowtide bitstream --board $(BOARD) -o $(BUILD)/bitstream

flash: $(READY) ## load it onto BOARD
	$(BIN)/lowtide flash --board $(BOARD) --folder $(BUILD)/bitstream

lint: $(READY) ## ruff and pyright
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright

docs: $(READY) ## the documentation, into docs/_build/html
	$(BIN)/sphinx-build -W -q docs docs/_build/html
	@echo "docs/_build/html/index.html"

clean: ## remove everything generated
	rm -rf $(BUILD) docs/_build .pytest_cache .ruff_cache .hypothesis
