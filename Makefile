# make demo · make test · make setup, and what a developer needs beside. Only python3 and make are needed beforehand.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
BROWSER := .venv/.browser

.PHONY: setup demo test messages browser screenshots bench check chaos fleet kills fuzz lint lock docs docs-pages clean simulate

setup: $(STAMP)

# The locked requirements with their hashes first, then the project itself without asking for anything more.
$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "This needs Python 3.11 or newer.")'
	@if command -v uv >/dev/null 2>&1; then \
	    uv venv --quiet --allow-existing --python $(PYTHON) .venv && \
	    uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock && \
	    uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . ; \
	else \
	    $(PYTHON) -m venv .venv && \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi
	@$(BIN)/python -m compileall -q runner adaptors  # so that no start compiles, wherever nothing may be written later
	@touch $(STAMP)

demo: setup
	$(BIN)/runner demo

test: setup
	$(BIN)/python -m pytest

# The console in Chromium, the system's own (apt-get install chromium fonts-noto-core); pictures into build/screenshots.
browser: $(BROWSER)
	$(BIN)/python -m pytest -n 2 tests/browser  # each with a service and a browser of its own

$(BROWSER): $(STAMP) requirements-browser.lock
	@if command -v uv >/dev/null 2>&1; then \
	    uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-browser.lock; \
	else \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-browser.lock; \
	fi
	@touch $(BROWSER)

# The pictures that the documents show, into docs/images.
screenshots: $(BROWSER)
	$(BIN)/python -m tests.browser.pictures

# Each figure beside another side's, into docs/performance.md; ONLY="start posts" measures these and leaves the others.
bench: setup
	$(BIN)/python -m tests.bench $(ONLY)

# What the repository's own checks hold of every country: its jobs fit the snapshot of its systems, its mapping is the one
# that was signed, and nothing lies here that is a secret or a person's. Needs no credentials and no network.
check: setup
	@failed=; \
	for project in $(wildcard project.yaml jobs/*/project.yaml); do \
	    echo "$$project"; \
	    $(BIN)/runner check --offline --project "$$project" || failed=1; \
	    $(BIN)/runner mapping diff --project "$$project" || failed=1; \
	done; \
	$(BIN)/runner scan || failed=1; \
	test -z "$$failed"

# Proofs by force, with real processes that are killed; each ends by itself. With SEED=7 that one alone tells its story.
# STORE=postgres keeps the store in a PostgreSQL server of the story's own, which is restarted as well.
chaos: SEEDS ?= 100
chaos: FIRST ?= 1
chaos: STORE ?= sqlite
chaos: setup
	$(BIN)/python -m tests.chaos --store $(STORE) $(if $(SEED),--seed $(SEED),--first $(FIRST) --seeds $(SEEDS))

fleet: SECONDS ?= 600
fleet: setup
	$(BIN)/python -m tests.chaos.fleet --seconds $(SECONDS)

kills: POSTS ?= 10000
kills: KILLS ?= 50
kills: setup
	$(BIN)/python -m tests.chaos.kills --posts $(POSTS) --kills $(KILLS)

fuzz: REQUESTS ?= 20000
fuzz: setup
	$(BIN)/python -m tests.chaos.fuzz --requests $(REQUESTS)

# The whole service in virtual time, one story for each seed; SEED=n tells the story of one, step by step.
# STORE=postgres keeps it in PostgreSQL.
simulate: SEEDS ?= 200
simulate: FIRST ?= 1
simulate: STORE ?= sqlite
simulate: setup
	$(BIN)/python -m tests.simulation --store $(STORE) $(if $(SEED),--seed $(SEED),--seeds $(SEEDS) --first $(FIRST))

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The texts of the console's pages, for translators: into runner/console/languages.
messages: setup
	$(BIN)/python docs/make_messages.py

# Five pages are made, from docstrings, the command line's help, the registry of events, the project file with its jobs, and its schema;
# a test fails when one is out of date. Then all pages are built as a site, in build/site: to be read from there, or put behind any
# web server.
docs: docs-pages
	$(BIN)/mkdocs build --strict

docs-pages: setup
	$(BIN)/python docs/make_operations.py
	$(BIN)/python docs/make_commands.py
	$(BIN)/python docs/make_log_inventory.py
	$(BIN)/python docs/make_record_of_processing.py
	$(BIN)/python docs/make_settings.py

# Needs uv. Hashes and versions only: no address of a registry may stand in the repository.
lock:
	uv pip compile pyproject.toml --extra dev --extra console --extra docs --extra mapping --extra metrics --extra postgres --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet -o requirements.lock
	uv pip compile --group pyproject.toml:browser -c requirements.lock --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet -o requirements-browser.lock

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache build *.egg-info
