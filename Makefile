# Two commands: `make demo` and `make test`. Each sets up .venv on its first run.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.PHONY: help demo test lab check notebooks images lock clean

help:
	@echo "make demo       run notebooks/01_first_table.ipynb with the embedded model and print its tables"
	@echo "make test       lint, types, import contracts, tests, notebooks; in a browser, if Chromium is there"
	@echo "make lab        open JupyterLab on the notebooks"
	@echo "make check      lint, types and import contracts only"
	@echo "make notebooks  execute the notebooks in place"
	@echo "make images     take the pictures of the README anew, with Chromium"
	@echo "make lock       pin the newest versions of all dependencies in requirements.lock"
	@echo "make clean      remove .venv and caches"

demo:
	@$(PYTHON) .ci/environment.py notebooks
	@$(RUN) notebooks/show.py notebooks/01_first_table.ipynb

check:
	@$(PYTHON) .ci/environment.py test
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(VENV)/bin/basedpyright --level error
	PYTHONPATH=engine $(VENV)/bin/lint-imports

test: check
	$(RUN) -m pytest --cov --cov-report=term
	STEERMAGIC_STORE=off $(RUN) -m pytest --nbval --nbval-current-env --nbval-sanitize-with notebooks/nbval.cfg -p no:cacheprovider notebooks

lab:
	@$(PYTHON) .ci/environment.py lab
	$(VENV)/bin/jupyter lab --allow-root --notebook-dir=notebooks

notebooks:
	@$(PYTHON) .ci/environment.py notebooks
	STEERMAGIC_STORE=off $(RUN) notebooks/show.py --write notebooks/*.ipynb

images:
	@$(PYTHON) .ci/environment.py test
	$(RUN) -m pytest -q tests/browser/take_images.py tests/browser/take_tool_images.py

lock:
	@$(PYTHON) .ci/environment.py --upgrade test lab

clean:
	rm -rf $(VENV) .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
