# The front door. `make run` needs git, make and Python 3.11 or newer; the rest comes by itself.

HOST ?= 127.0.0.1
PORT ?= 8000
PYTHON := .venv/bin/python

# Compose v2, else docker-compose 1.29, which has no --wait: then the web server is asked.
COMPOSE ?= $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)
CAN_WAIT = $(filter-out 1.%,$(shell $(COMPOSE) version --short 2>/dev/null))
export COMPOSE_PROJECT_NAME ?= dataflow

# Each process has a database, a browser and ports of its own; the tests of a file stay together.
# Four of them also on two cores: much of what they do is wait, which the slowest files, that begin
# first, do most. The targets that tests make are not this make's jobs.
PROCESSES ?= 4
PYTEST := env -u MAKEFLAGS $(PYTHON) -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder

INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --no-compile -r
# On all processors; pip compiles one module after the other. What can't be compiled is not imported.
COMPILE := $(PYTHON) -m compileall -qq -j 0 .venv/lib || true
# For all systems and all versions of Python at once.
LOCK := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

# An environment whose Python has gone (an upgrade of the system, say) is made again.
BROKEN := $(shell $(PYTHON) -c "" 2>/dev/null || echo again)

.PHONY: help run test test-sqlite test-postgres coverage lint fix docs lock sbom environment build up down again
.SILENT:
.DEFAULT_GOAL := run

help: ## List the targets
	awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

run: .venv/.runtime ## Start everything on this machine (default); HOST=... PORT=... DATAFLOW_PYTHON=...
	HOST="$(HOST)" PORT="$(PORT)" DATAFLOW_PARENT=$$PPID exec $(PYTHON) manage.py start

# With `make -j2` both at the same time.
test: test-sqlite test-postgres ## Run all tests on SQLite, on PostgreSQL, and in a browser

test-sqlite: .venv/.dev ## Run the tests on SQLite, and in a browser
	echo "The tests on SQLite"
	env -u DATABASE_URL $(PYTEST)

test-postgres: .venv/.dev ## Run the tests that may meet the database on PostgreSQL
	echo "The tests that may meet the database, on PostgreSQL"
	$(PYTHON) -m tests.postgres $(PYTEST) --only-database

# By itself, as counting lines makes tests half as slow again.
coverage: .venv/.dev ## Run the tests on SQLite, and print how much of the code they reach
	env -u DATABASE_URL $(PYTEST) --cov --cov-report=term

lint: .venv/.dev docs ## Check code, types, layers, migrations, templates, documentation and containers
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports
	$(PYTHON) manage.py makemigrations --check --dry-run
	.venv/bin/djlint --lint --quiet templates
	.venv/bin/hadolint Dockerfile
	.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	.venv/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

fix: .venv/.dev ## Format the code, and fix what can be fixed automatically
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

docs: .venv/.dev ## Build the documentation into var/docs, with the reference made from the code
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet

# Versions stay as they are unless a requirement changes; without the files, all are the newest.
lock: .venv/.dev ## Write requirements*.lock anew: every package with its version and hashes
	$(LOCK) requirements.txt --output-file requirements.lock
	$(LOCK) requirements-dev.txt --constraints requirements.lock --output-file requirements-dev.lock

sbom: .venv/.dev ## Write the software bill of materials into var/sbom.json (CycloneDX)
	mkdir -p var
	$(PYTHON) .ci/sbom.py requirements.lock var/sbom.json

environment: .venv/.dev ## Install everything into .venv, with the tools for tests and checks

# A stamp is set when everything is installed: what was interrupted is done again.
.venv/.runtime: requirements.lock $(BROKEN)
	[ -w . ] || { echo "This folder is not writable: $(CURDIR). Clone it to a place that is." >&2; exit 1; }
	for python in $(or $(DATAFLOW_PYTHON),python3.13 python3.12 python3.11 python3); do \
	    if $$python -c "import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; \
	    then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "Python 3.11 or newer with its venv module is needed (Debian, Ubuntu: apt install python3 python3-venv)." >&2; exit 1; \
	fi; \
	echo "Installing the packages into .venv (once, about a minute)"; \
	$(PYTHON) -m pip --version >/dev/null 2>&1 || $$found -m venv --clear .venv
	$(INSTALL) requirements.lock
	$(COMPILE)
	touch $@

.venv/.dev: requirements-dev.lock .venv/.runtime
	echo "Installing the tools for tests and checks into .venv"
	$(INSTALL) requirements-dev.lock
	$(COMPILE)
	touch $@

build: .env ## Build the container image
	$(COMPOSE) build

up: .env ## Start everything in containers, with PostgreSQL
	$(COMPOSE) up --detach --build $(if $(CAN_WAIT),--wait)
	$(if $(CAN_WAIT),,$(WAIT_FOR_WEB_SERVER))
	echo "DataFlow Analytics runs at http://localhost:$$(sed -n 's/^PORT=//p' .env)/ (user admin, password: ADMIN_PASSWORD in .env)"

down: .env ## Stop the containers
	$(COMPOSE) down

define WAIT_FOR_WEB_SERVER
for second in $$(seq 60); do \
    $(COMPOSE) exec -T api python -c \
        "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health')" 2>/dev/null && exit 0; \
    sleep 1; \
done; \
echo "The web server is not healthy after a minute; see $(COMPOSE) logs." >&2; exit 1
endef

# The secrets of the containers, made once and for their owner only.
.env:
	umask 077; \
	secret() { od -An -N$$1 -tx1 /dev/urandom | tr -d ' \n'; }; \
	printf '%s\n' \
	    "# Made by make. The database password is part of a URL: letters and digits only." \
	    "COMPOSE_PROJECT_NAME=dataflow" \
	    "SECRET_KEY=$$(secret 32)" \
	    "DATAFLOW_RECEIPT_KEY=$$(secret 32)" \
	    "POSTGRES_PASSWORD=$$(secret 16)" \
	    "ADMIN_PASSWORD=$$(secret 12)" \
	    "PORT=8000" \
	    "ALLOWED_HOSTS=localhost,127.0.0.1" >$@.new && mv $@.new $@
