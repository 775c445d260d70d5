# Everything a person or a CI types. `make` alone lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test check up down status clean lock bench season

# Python writes no bytecode when this is set, and every import then takes twice as long.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
RUN := .venv/bin/python
LAUNCH := PYTHONPATH=include $(RUN) -m perennial_airflow.launch
STATE := .venv .bootstrap .perennial data .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache

help: ## list these commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

demo: ## run the main job on the flights of 2013 in a real Airflow; EXIT=1 leaves when the story ends
	@$(PYTHON) bootstrap.py --flights && $(LAUNCH) demo --installed $$SECONDS $(if $(filter 1,$(EXIT)),--exit) $(DEMO)

test: ## run every test
	@$(PYTHON) bootstrap.py --test --packages --flights
	@$(RUN) -m pytest -n 2 $(TESTS)

check: ## formatter, linter, types and layers
	@$(PYTHON) bootstrap.py --test
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@$(RUN) -m mypy
	@PYTHONPATH=include .venv/bin/lint-imports

up: ## start Airflow and MLflow on your own models, in the background
	@$(PYTHON) bootstrap.py
	@$(LAUNCH) up

down: ## stop what `make up` started
	@$(LAUNCH) down

status: ## say whether `make up` runs, and where
	@$(LAUNCH) status

clean: ## remove the environment, all state and all caches (says so first)
	@echo "This removes, below $(CURDIR):" && for one in $(STATE); do [ ! -e "$$one" ] || echo "  $$one"; done
	@if [ -e .venv/bin/python ]; then for home in live demo; do $(LAUNCH) down --home $$home; done; fi
	@rm -rf $(STATE) && find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: ## resolve requirements*.in into the hashed requirements*.txt
	@$(PYTHON) bootstrap.py
	@for name in requirements requirements-test; do \
	  .bootstrap/uv-*/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --custom-compile-command 'make lock' $(UPGRADE) $$name.in --output-file $$name.txt; done

bench: ## run every benchmark, that is each script that states a claim
	@$(PYTHON) bootstrap.py --test --flights
	@for script in $$(grep -l '"claim"' benchmarks/*.py); do name=$${script##*/}; \
	  PYTHONPATH=include $(RUN) -m "benchmarks.$${name%.py}"; done

season: ## replay whole years under retraining policies, and write docs/season.md; DATA=folder ONLY=name STARTS=2 QUICK=1 REPORT=1
	@$(PYTHON) bootstrap.py --test --flights
	@PYTHONPATH=include $(RUN) -m benchmarks.season $(if $(DATA),--data $(DATA)) $(if $(ONLY),--only $(ONLY)) \
	  $(if $(STARTS),--starts $(STARTS)) $(if $(filter 1,$(QUICK)),--quick) $(if $(filter 1,$(REPORT)),--report)
