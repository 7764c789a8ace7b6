# Two commands for a newcomer: `make run` (a phone to chat from in the browser) and `make test`.
PYTHON ?= python3
PORT ?= 8080
VENV := .venv
BIN := $(VENV)/bin
# No address of an index and no path of this machine belongs into the files.
LOCK = $(VENV)/lock/bin/uv pip compile pyproject.toml --constraint constraints.txt --universal --python-version 3.11 \
  --generate-hashes --no-header --no-annotate --no-emit-index-url --quiet
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: run test test-browser check bench bench-products chaos lock audit clean

run: $(VENV)/.run ## the whole service on this machine, no account and no key
	@LOG_FORMAT=$${LOG_FORMAT:-console} $(BIN)/recado sandbox --port $(PORT)

test: $(VENV)/.test ## the whole suite, on a real Redis; more processes than cores, because most tests wait for something
	@$(BIN)/pytest -n 7 --dist loadgroup

test-browser: $(VENV)/.test ## the page in Chromium, which has to be there (Debian: apt install chromium; CHROMIUM names another)
	@$(BIN)/pytest browser_tests -n 3

check: $(VENV)/.test ## format, lint, types, the direction of imports, and the repository's own rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m checks

chaos: $(VENV)/.test ## kills, cuts and starves real processes, and prints what became of every message
	@$(BIN)/python -m bench.chaos

bench: $(VENV)/.test ## side-by-side measurements, in one run
	@$(BIN)/python -m bench

bench-products: $(VENV)/.test ## how well photos of products are read: the labelled ones, and 40 made up anew that no rule has seen
	@$(BIN)/python -m bench.products --seed 1002 --count 40

lock: $(VENV)/bin/python ## the hashes of all that is installed, anew after a change of pyproject.toml or constraints.txt
	@$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip --disable-pip-version-check install --quiet uv
	@$(LOCK) --extra ocr --extra evals --extra oidc --extra build --output-file requirements.lock
	@$(LOCK) --extra test --extra build --output-file requirements-test.lock

audit: $(VENV)/bin/python ## known vulnerabilities of what is installed; says so where their lists can't be reached
	@$(PYTHON) -m venv $(VENV)/audit && $(VENV)/audit/bin/pip --disable-pip-version-check install --quiet pip-audit
	@$(PYTHON) -m bench.audit $(VENV)/audit/bin/pip-audit requirements-test.lock

clean:
	rm -rf $(VENV)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Recado needs Python 3.11 or newer; name one: make PYTHON=python3.12"; exit 1; }
	@echo "Making $(VENV) …"
	@$(PYTHON) -m venv $(VENV) \
	  || { rm -rf $(VENV); echo "Python's venv module is missing. On Debian or Ubuntu: sudo apt install python3-venv"; exit 1; }

$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing Recado and what its sandbox needs (a minute or two, once) …"
	@$(PIP) install --use-pep517 --constraint constraints.txt --editable '.[sandbox]'
	@touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing Recado and what its tests need (a minute or two, once) …"
	@$(PIP) install --use-pep517 --constraint constraints.txt --editable '.[test]'
	@touch $@ $(VENV)/.run
