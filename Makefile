# Each target sets up what it needs and calls the command. STACK names the stack: make up STACK=dev.
STACK ?= local
GOLDFLEET = .venv/bin/goldfleet
PYTEST = .venv/bin/python -m pytest
PARALLEL = -n 2 --dist loadscope --no-loadscope-reorder

# Compiled modules are kept: without them every run compiles the AWS SDK anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup pulumi image-tools up scale deploy rollback promote status logs doctor down run chaos
.PHONY: image-bake image-update image-test image-prune test prove check bench
.SILENT:

help: ## this list
	awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

setup: ## make .venv with the locked packages (every other target does it)
	.ci/setup

up: setup ## make the stack what its settings say, print the URL
	$(GOLDFLEET) up -s $(STACK)

scale: setup ## change the number of clones: make scale N=4
	$(GOLDFLEET) scale -s $(STACK) $(N)

deploy: setup ## release the app of this checkout, replace the clones one by one
	$(GOLDFLEET) deploy -s $(STACK)

rollback: setup ## go back to the release before, replace the clones one by one
	$(GOLDFLEET) rollback -s $(STACK)

promote: setup ## make a replica the main whose data is lost: make promote REPLICA=id
	$(GOLDFLEET) promote -s $(STACK) $(REPLICA)

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

chaos: setup ## break the local fleet under load, show which promises held
	$(GOLDFLEET) chaos -s $(STACK)

image-bake: setup ## make the layers of the golden image from the lock and this checkout
	$(GOLDFLEET) image bake

image-update: setup ## lock the newest packages for the golden image
	$(GOLDFLEET) image update

image-test: setup ## boot the very disk that ships, in a virtual machine
	$(GOLDFLEET) image test

image-prune: setup ## remove images that nothing refers to
	$(GOLDFLEET) image prune -s $(STACK)

check: setup ## style, types, who may import whom
	.venv/bin/ruff check --quiet .
	.venv/bin/ruff format --check --quiet .
	.venv/bin/mypy
	.venv/bin/lint-imports

pulumi: setup # the Pulumi CLI takes minutes where it must be built: before the tests, not within one
	.venv/bin/python -m goldfleet.cli.pulumi_finder

image-tools: # system packages that bake and boot images: installed where this is root, else named
	.ci/image-tools

test: check pulumi image-tools ## every behaviour, at small counts
	$(PYTEST) $(PARALLEL)

prove: check pulumi image-tools ## the same tests at full counts
	$(PYTEST) $(PARALLEL) --prove

bench: setup ## the figures of docs/, measured here
	.venv/bin/python -m bench
