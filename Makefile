# The everyday commands of the Art Workshop. `make help` lists them.

.DEFAULT_GOAL := help
.PHONY: help install install-dev run test compiled lint format bench bench-web soak lock messages clean

PYTHON ?= python3
BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
TEMPLATES := $(shell find templates -name '*.html' 2>/dev/null)
# The settings of a site that strangers can reach, for Django's own check of them.
PUBLIC := DEBUG=no SITE_URL=https://example.org ALLOWED_HOSTS=example.org
# What `make bench` runs: each is a module of tests/load that has its own --help.
PARTS := engine throughput trace $(if $(wildcard tests/load/twins.py),twins) desk
LOCK := uv pip compile --universal --generate-hashes --no-header --no-annotate

help: ## list these commands
	@echo 'The Art Workshop. Begin with: make run'
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

install: ## make the Python environment .venv from requirements.lock (again only after a change)
	@command -v $(PYTHON) >/dev/null || { echo 'Python 3.11 or newer is missing (Debian, Ubuntu: apt-get install python3 python3-venv).'; exit 1; }
	@$(PYTHON) deploy/install.py requirements.lock

install-dev: install
	@$(PYTHON) deploy/install.py requirements.lock requirements-dev.lock

run: install ## start the product and print its address; settings come from the environment or a .env file
	@exec $(MANAGE) up

# Tests start the product some hundred times: its files are compiled once, whatever the environment says.
test: export PYTHONDONTWRITEBYTECODE =
test: install-dev ## install what tests need, then run the gate and all tests
	@$(BIN)/python deploy/browser.py
	@$(BIN)/python deploy/corpus.py
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint compiled
	@# Four at a time on two cores too: many tests wait for servers, leases and lines.
	@exec $(BIN)/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder --cov

compiled: install-dev
	@$(MANAGE) compilemessages
	@$(MANAGE) compilekernels

lint: install-dev ## run the gate alone: format, style, layers, templates, migrations, settings, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(if $(TEMPLATES),$(BIN)/djade --check $(TEMPLATES))
	$(MANAGE) makemigrations --check --dry-run
	$(PUBLIC) $(MANAGE) check --deploy --fail-level WARNING
	$(BIN)/mypy .

format: install-dev ## format code and templates, and mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(if $(TEMPLATES),$(BIN)/djade $(TEMPLATES))

bench: install-dev ## print what painting costs, photos a minute, and what the cache saves (one part: PARTS=trace ARGS=--json)
	@status=0; for part in $(PARTS); do echo "$$part:"; $(BIN)/python -m tests.load.$$part $(ARGS) || status=1; done; exit $$status

bench-web: install-dev ## open the pages of 50 photos on a slow line, as phone and desktop; the album beside two plain ones (ARGS='--rounds 1')
	@$(BIN)/python -m tests.load.pages $(ARGS)

soak: install-dev ## ten minutes of uploads while workers and the web server are killed; nothing may be lost (ARGS='--seconds 60')
	@$(BIN)/python -m tests.load.soak $(ARGS)

lock: ## resolve the dependencies of pyproject.toml anew into both lock files (needs uv)
	@command -v uv >/dev/null || { echo 'uv is missing: see https://docs.astral.sh/uv/'; exit 1; }
	$(LOCK) --python-version 3.11 pyproject.toml -o requirements.lock
	$(LOCK) --python-version 3.11 --group dev -c requirements.lock -o requirements-dev.lock

messages: install-dev ## collect new texts for translation (needs gettext), and compile the translated ones
	@command -v xgettext >/dev/null || { echo 'gettext is missing (Debian, Ubuntu: apt-get install gettext).'; exit 1; }
	$(MANAGE) makemessages --all --no-location --ignore 'var/*' --ignore '.venv/*' --ignore 'tests/*'
	$(MANAGE) compilemessages

clean: ## remove the environment and all caches; photos, paintings and accounts in var stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage tests/failures
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find locale -name '*.mo' -delete
