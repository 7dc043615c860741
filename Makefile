.DEFAULT_GOAL := help
.PHONY: help install demo test check format lint types layers docstrings docs bench study lock clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO := mlruns/demo

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## Make .venv from the locked versions

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Glabella needs Python 3.11 or later; name one with: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP) ## Run the main job: simulate, train, explain, report and score
	@rm -rf $(DEMO) && mkdir -p $(DEMO)
	$(BIN)/glabella simulate bont_pooled --out $(DEMO)/simulated
	$(BIN)/glabella train bont_pooled
	$(BIN)/glabella score $(DEMO)/simulated/new_patients.csv --out $(DEMO)/scores.csv --allow-simulated
	@echo
	@echo "report  open it in a browser:  $$(ls -td mlruns/trained/*/ | head -n 1)report.html"
	@echo "scores  $(BIN)/python -c \"import pandas; print(pandas.read_csv('$(DEMO)/scores.csv'))\""
	@echo "runs    $(BIN)/mlflow ui --backend-store-uri sqlite:///mlruns/mlflow.db"

# A file in one process, because its tests share what takes seconds to make; in the order of their
# names, because the smallest files come last then.
test: $(STAMP) ## Pass the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -q

check: format lint types layers docstrings test ## Everything that CI runs

format: $(STAMP) ## Check the format
	$(BIN)/ruff format --check .

lint: $(STAMP) ## Check for common mistakes
	$(BIN)/ruff check .

types: $(STAMP) ## Check the types
	$(BIN)/mypy

layers: $(STAMP) ## Check that imports point down
	$(BIN)/lint-imports --no-logo

docstrings: $(STAMP) ## Check the docstrings of what users call
	$(BIN)/python -m numpydoc.hooks.validate_docstrings $$(git grep -l '^__all__ = ' -- 'src/*.py')

docs: $(STAMP) ## Build the documentation below build/docs; warnings are errors
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --builder html docs build/docs
	$(BIN)/python docs/check_links.py build/docs
	@echo "open build/docs/index.html"

bench: $(STAMP) ## Measure, as ratios within one run
	$(BIN)/python benchmarks/mapping.py
	$(BIN)/python benchmarks/simulation.py
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/learning_curve.py
	$(BIN)/python benchmarks/candidates.py
	$(BIN)/python benchmarks/explanations.py
	$(BIN)/python benchmarks/past_one_machine.py
	$(BIN)/python benchmarks/scoring.py
	$(BIN)/python benchmarks/uncertainty.py
	$(BIN)/python benchmarks/engines.py

study: $(STAMP) ## Run the validation study, or what is missing of it: hours
	$(BIN)/python benchmarks/validation_study.py all

lock: ## Write requirements.lock again (needs uv)
	uv pip compile --universal --fork-strategy fewest --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --group dev pyproject.toml -o requirements.lock

clean: ## Remove .venv and caches, keep the runs
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist
