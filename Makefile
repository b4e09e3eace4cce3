# Each target sets up what it needs and calls the command. STACK names the stack: make up STACK=dev.
STACK ?= local
GOLDFLEET = .venv/bin/goldfleet
PYTEST = .venv/bin/python -m pytest
PARALLEL = -n 2 --dist loadscope --no-loadscope-reorder

# Compiled modules are kept: without them every run compiles the AWS SDK anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup pulumi up scale deploy status logs doctor down run test prove check bench
.SILENT:

help: ## this list
	awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: ## make .venv with the locked packages (every other target does it)
	.ci/setup

up: setup ## make the stack what its settings say, print the URL
	$(GOLDFLEET) up -s $(STACK)

scale: setup ## change the number of clones: make scale N=4
	$(GOLDFLEET) scale -s $(STACK) $(N)

deploy: setup ## release the app of this checkout, replace the clones one by one
	$(GOLDFLEET) deploy -s $(STACK)

status: setup ## release, clones, stores, setting against what runs
	$(GOLDFLEET) status -s $(STACK)

logs: setup ## the clones' log lines
	$(GOLDFLEET) logs -s $(STACK)

doctor: setup ## is everything here that the stack needs?
	$(GOLDFLEET) doctor -s $(STACK)

down: setup ## stop the local cloud, leave nothing but caches
	$(GOLDFLEET) down -s $(STACK)

run: setup ## one reloading process of the app against the running local stores
	$(GOLDFLEET) run -s $(STACK)

check: setup ## style, types, who may import whom
	.venv/bin/ruff check --quiet .
	.venv/bin/ruff format --check --quiet .
	.venv/bin/mypy
	.venv/bin/lint-imports

pulumi: setup # the Pulumi CLI takes minutes where it must be built: before the tests, not within one
	.venv/bin/python -m goldfleet.cli.pulumi_finder

test: check pulumi ## every behaviour, at small counts
	$(PYTEST) $(PARALLEL)

prove: check pulumi ## the same tests at full counts
	$(PYTEST) $(PARALLEL) --prove

bench: setup ## the figures of docs/, measured here
	.venv/bin/python -m bench
