# Every target sets up what it needs first (a virtual environment in .venv; nothing to do the second time).
SHELL := /bin/sh
.DEFAULT_GOAL := help

TRIALS ?= 10
POLICY ?= card-matcher
PROTOCOL ?= val
SEED ?= 0
WORLD ?= twin-ros
ROBOT ?= wx250s
# a session for each world and arm
OUT ?= runs/touch-emoji$(patsubst %,-%,$(filter-out twin-ros,$(firstword $(subst :, ,$(WORLD)))))$(patsubst %,-%,$(filter-out wx250s,$(ROBOT)))

# runs a program of the venv without what a sourced ROS underlay put in the environment
RUN := .venv/bin/python -I touchstone/environment.py

.PHONY: help setup touch-emoji test peers test-long lint bench doctor clean-venv

help:
	@echo "make touch-emoji   evaluate a policy on the Touch task and write a report"
	@echo "                   TRIALS=$(TRIALS) POLICY=$(POLICY) PROTOCOL=$(PROTOCOL) SEED=$(SEED) WORLD=$(WORLD) ROBOT=$(ROBOT) OUT=$(OUT)"
	@echo "                   WORLD: twin-ros, twin, emulated, or real:port=/dev/ttyDXL with CAMERA=calibration.yaml (docs/bring-up.md)"
	@echo "make doctor        what this machine has and what it lacks"
	@echo "make test          the fast tests (make test-long: all, with soaks, fuzzing, sweeps, new random examples)"
	@echo "make lint          ruff"
	@echo "make bench         the benchmarks"
	@echo "make setup         only set up; make clean-venv removes what it installed in .venv"

setup:
	@sh setup/setup.sh

touch-emoji: setup
	@$(RUN) .venv/bin/touchstone eval touch-emoji --world "$(WORLD)" --policy "$(POLICY)" \
		--protocol "$(PROTOCOL)" --trials "$(TRIALS)" --seed "$(SEED)" --robot "$(ROBOT)" --out "$(OUT)" \
		$(if $(CAMERA),--camera "$(CAMERA)")

test: setup
	@$(RUN) .venv/bin/python -m pytest -n 2

peers: .venv-peers/.done

.venv-peers/.done: benchmarks/peers.txt | setup
	@echo "setting up .venv-peers (other projects' clients and servers, to test and measure against)"
	@.venv/bin/python -m venv .venv-peers
	@.venv-peers/bin/pip install --quiet --requirement benchmarks/peers.txt
	@touch $@

test-long: setup peers
	@HYPOTHESIS_PROFILE=searching $(RUN) .venv/bin/python -m pytest -m "long or not long"

lint: setup
	@$(RUN) .venv/bin/ruff check .
	@$(RUN) .venv/bin/ruff format --check .

bench: setup peers
	@set -e; for benchmark in benchmarks/*.py; do \
		[ -e "$$benchmark" ] || continue; \
		echo "== $$benchmark"; $(RUN) .venv/bin/python "$$benchmark"; \
	done

doctor: setup
	@$(RUN) .venv/bin/touchstone doctor

clean-venv:
	rm -rf .venv .setup
