# The front door. `make run` needs git, make and Python 3.11 or newer; the rest comes by itself.

HOST ?= 127.0.0.1
PORT ?= 8000
PYTHON := .venv/bin/python
COMPOSE ?= $(if $(shell command -v docker-compose),docker-compose,docker compose)

# Each process has a database, a browser and ports of its own; the tests of a file stay together.
# Four of them also on two cores: much of what they do is wait, which the slowest files, that begin
# first, do most.
PYTEST := $(PYTHON) -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder

# An environment whose Python has gone (an upgrade of the system, say) is made again.
BROKEN := $(shell $(PYTHON) -c "" 2>/dev/null || echo again)

.PHONY: run test lint fix environment build up down again
.SILENT:
.DEFAULT_GOAL := run

run: .venv/.runtime
	HOST="$(HOST)" PORT="$(PORT)" DATAFLOW_PARENT=$$PPID exec $(PYTHON) manage.py start

test: .venv/.dev
	echo "The tests on SQLite"
	env -u DATABASE_URL $(PYTEST)
	echo "The tests that may meet the database, on PostgreSQL"
	$(PYTHON) -m tests.postgres $(PYTEST) --only-database

lint: .venv/.dev
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports
	$(PYTHON) manage.py makemigrations --check --dry-run
	.venv/bin/hadolint Dockerfile
	.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	.venv/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

fix: .venv/.dev
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

environment: .venv/.dev

# A stamp is set when everything is installed: what was interrupted is done again.
.venv/.runtime: requirements.txt $(BROKEN)
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
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	echo "Installing the tools for tests and checks into .venv"
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

build: .env
	$(COMPOSE) build

up: .env
	$(COMPOSE) up --detach --build --wait
	echo "DataFlow Analytics runs at http://localhost:$$(sed -n 's/^PORT=//p' .env)/ (user admin, password: ADMIN_PASSWORD in .env)"

down: .env
	$(COMPOSE) down

# The secrets of the containers, made once and for their owner only.
.env:
	umask 077; \
	secret() { od -An -N$$1 -tx1 /dev/urandom | tr -d ' \n'; }; \
	printf '%s\n' \
	    "# Made by make. The database password is part of a URL: letters and digits only." \
	    "SECRET_KEY=$$(secret 32)" \
	    "POSTGRES_PASSWORD=$$(secret 16)" \
	    "ADMIN_PASSWORD=$$(secret 12)" \
	    "PORT=8000" \
	    "ALLOWED_HOSTS=localhost,127.0.0.1" >$@.new && mv $@.new $@
