# Two commands do everything on a fresh machine with Python 3.11+ and make: `make nightly` and `make test`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first of these that is a Python that the lock was made for.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
RUN := $(VENV)/bin/python
GROUNDSWELL := $(RUN) -m warehouse.cli
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --no-input

# What stands on the command line is text: Make expands nothing in it, no shell reads it, and it reaches the command
# through the environment (warehouse/cli/command.py), which refuses a name that it does not know.
GIVEN := $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
$(foreach name,$(GIVEN),$(eval override export $(name) := $$(value $(name))))
OF_MAKE := PYTHON VENV RUN SHELL ARGS SLOWEST FILES SEED KILLS BLUESKY_TOOLS GROUNDSWELL% AIRFLOW% MAKE%
$(foreach name,$(filter-out $(OF_MAKE),$(GIVEN)),$(eval export MAKE_GIVEN_$(name) := $$(value $(name))))

.PHONY: help preview inference-table reference fuzz chaos setup nightly capture expire terms test test-fast live-test lint airflow plan backfill releases rollback erase clean reject \
	acknowledge doctor quarantine replay bench bench-landing bench-before bench-history bench-capture bench-shortlist bench-postgres bench-spark eval-trust shortlist sample account metrics postgres mcp dictionary bi dashboards test-bi spark-start spark-stop test-spark docs lock

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: $(VENV)/.runtime ## install what the warehouse needs, locked and hashed, into .venv

nightly: $(VENV)/.runtime ## run the nightly job on what lies in landing (first time: the sample); DATE=2026-01-05 names a day
	@$(GROUNDSWELL) nightly

capture: $(VENV)/.runtime ## ask the sources of config/sources.yml for today's counts; SOURCE=bluesky, DRY_RUN=1 to look first
	@$(GROUNDSWELL) capture

expire: $(VENV)/.runtime ## remove answers of sources that are past the days of their terms; DRY_RUN=1 to look first
	@$(GROUNDSWELL) expire

terms: $(VENV)/.runtime ## print per source what is kept, for how long, by which term, and what would change it
	@$(GROUNDSWELL) terms

plan: $(VENV)/.runtime ## print what a nightly would replace and stop; DATE=2026-01-05 names a day, EXPLAIN=<model> its look-back
	@$(GROUNDSWELL) plan

backfill: $(VENV)/.runtime ## build a range again in one pass: FROM= TO=, MARTS=a,b for some, DRY_RUN=1 to look first
	@$(GROUNDSWELL) backfill

releases: $(VENV)/.runtime ## list the releases that are kept, and which one readers see
	@$(GROUNDSWELL) releases

rollback: $(VENV)/.runtime ## show readers an earlier release: TO=<its id>, WHY="..."
	@$(GROUNDSWELL) rollback

erase: $(VENV)/.runtime ## remove an account from everything that is kept: PLATFORM= ACCOUNT=
	@$(GROUNDSWELL) erase

test: $(VENV)/.dev ## run all tests, a file of them on each core; ARGS="tests/unit -k landing" runs some; SLOWEST=20
	@$(RUN) -m pytest $(or $(ARGS),-n logical --dist loadfile --no-loadscope-reorder) $(if $(SLOWEST),--slowest-files=$(SLOWEST))

test-fast: $(VENV)/.dev ## run the unit tests, and have dbt read the project
	@$(RUN) -m pytest -n logical --dist loadfile --no-loadscope-reorder tests/unit

live-test: $(VENV)/.dev ## capture Bluesky's own servers on this machine over played days: BLUESKY_TOOLS=<folder with them>
	@$(RUN) -m tests.live.bluesky

# It makes millions of objects that stay; looking through them for garbage so often takes half of its time.
SQLFLUFF := import gc; gc.set_threshold(50_000, 20, 20); from sqlfluff.cli.commands import cli; cli()
lint: $(VENV)/.dev ## check style, types and SQL; fixes nothing
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(RUN) -c "$(SQLFLUFF)" lint dbt_project/models

airflow: $(VENV)/.runtime ## start a local Airflow (UI and scheduler) on 127.0.0.1; PORT=8080
	@$(GROUNDSWELL) airflow

preview: $(VENV)/.runtime ## show what a file would become, before it is landed: FILE=, MAPPING=, FEED=, IGNORE_MAPPINGS=1, WRITE=1, FORCE=1
	@$(GROUNDSWELL) preview

inference-table: $(VENV)/.dev ## what preview infers of exports of many tools by locales: right, asked, wrong; ARGS="--all" says why
	@$(RUN) -m tests.unit.ingestion.exports $(ARGS)

reference: $(VENV)/.runtime ## write the reference of mappings anew, for editors and for people
	@$(RUN) -m ingestion.mapping.reference

fuzz: $(VENV)/.dev ## land hostile small files of every format: FILES=20000, SEED=1
	@$(RUN) -m tests.unit.ingestion.hostile --files $(or $(FILES),20000) --seed $(or $(SEED),1)

chaos: $(VENV)/.dev ## kill writers at random instants, again and again: KILLS=76, SEED=1
	@KILLS=$(or $(KILLS),76) SEED=$(or $(SEED),1) $(RUN) -m pytest -q tests/integration/test_chaos.py

reject: $(VENV)/.runtime ## take a delivery back: BATCH=<start of its id>, WHY="..."
	@$(GROUNDSWELL) reject

acknowledge: $(VENV)/.runtime ## publish over a critical check of data, once: CHECK= DATE= WHY="...", PLATFORM= for one of several
	@$(GROUNDSWELL) acknowledge

doctor: $(VENV)/.runtime ## say what is wrong and the command that mends it; changes nothing; QUICK=1 hashes no file
	@$(GROUNDSWELL) doctor

quarantine: $(VENV)/.runtime ## write quarantined rows and files as CSV, with reasons; FEED=orders, OUT=rows.csv
	@$(GROUNDSWELL) quarantine

replay: $(VENV)/.runtime ## have files that were quarantined read again; FEED= BATCH=; REVIVE=1 undoes a reject; WHAT=1 only says
	@$(GROUNDSWELL) replay

account: $(VENV)/.runtime ## write one account's page: PLATFORM=youtube ID=UC...
	@$(GROUNDSWELL) account

shortlist: $(VENV)/.runtime ## list creators that meet a target, or a budget: FOLLOWERS= BUDGET= PLATFORM= (docs/shortlist.md)
	@$(GROUNDSWELL) shortlist

metrics: $(VENV)/.metrics ## list metrics, or ask for some: METRICS=spend,roi_net BY=campaign MODEL=linear (docs/metrics.md)
	@$(GROUNDSWELL) metrics

mcp: export MAKE_GIVEN_ENTRY := 1
mcp: $(VENV)/.mcp ## install what agents need, and print what an MCP client is given to start `groundswell mcp` (docs/agents.md)
	@$(GROUNDSWELL) mcp

postgres: $(VENV)/.runtime ## load the release that readers see into PostgreSQL and show it there (docs/postgres.md)
	@$(GROUNDSWELL) postgres

bi: $(VENV)/.runtime ## start Superset with the dashboards on 127.0.0.1 (first time: installs it, 5 minutes); PORT=8088
	@$(GROUNDSWELL) bi

dashboards: $(VENV)/.runtime ## make the YAML of Superset's dashboards anew from its spec and the marts (a test holds it equal)
	@$(RUN) -m warehouse.dashboards

test-bi: $(VENV)/.dev ## install Superset, import three times, compare each chart with SQL, publish under queries; 10 minutes
	@$(RUN) -m pytest -q -s tests/live/bi.py

spark-start: $(VENV)/.spark ## start Spark, two workers and a Thrift server, on 127.0.0.1 (first time: installs it); PORT=10000
	@$(GROUNDSWELL) spark start

spark-stop: $(VENV)/.runtime ## stop the Spark that spark-start began
	@$(GROUNDSWELL) spark stop

test-spark: $(VENV)/.dev $(VENV)/.spark ## compare every mart of DuckDB and of Spark, value by value; needs Java 17 or 21; ARGS="-k late"
	@$(RUN) -m pytest -q -s -rs tests/live/spark.py $(ARGS)

docs: $(VENV)/.runtime ## build the dbt docs site under reports/dbt_docs; it needs no network
	@$(GROUNDSWELL) docs

dictionary: $(VENV)/.runtime ## make docs/data-dictionary.md anew from the marts' YAML (a test holds it equal)
	@$(RUN) -m warehouse.data_dictionary

sample: $(VENV)/.runtime ## make the simulated part of the sample anew (a test holds it equal)
	@$(RUN) -m sample.simulate
	@$(RUN) -m sample.simulate_commerce
	@$(RUN) -m sample.simulate_social
	@$(RUN) -m sample.world.make

bench: $(VENV)/.runtime ## time nights against their own SQL run bare, and a hand-written core; ARGS="--accounts 100000 --posts 500000"
	@$(RUN) -m bench.night $(ARGS)

bench-before: $(VENV)/.runtime ## time each node of a night beside those of the commit before; ARGS="--rev HEAD~5" for another
	@$(RUN) -m bench.before $(ARGS)

bench-history: $(VENV)/.runtime ## time the same night after 30 days of history and after 365; ARGS="--days 30 90" for others
	@$(RUN) -m bench.history $(ARGS)

eval-trust: $(VENV)/.runtime ## measure the trust verdicts on real and simulated curves with purchases put in; ARGS="--sample choosing"
	@$(RUN) -m bench.trust $(ARGS)

bench-landing: $(VENV)/.runtime ## time landing 1M rows against DuckDB's own copy of the same file
	@$(RUN) -m bench.landing $(ARGS)

bench-capture: $(VENV)/.runtime ## time a capture of 10,000 accounts from a server on this machine; ARGS="--accounts 1000"
	@$(RUN) -m bench.capture $(ARGS)

bench-shortlist: $(VENV)/.runtime ## time shortlists over 10,000 candidates, with the proven gap; ARGS="--candidates 30000"
	@$(RUN) -m bench.shortlist $(ARGS)

bench-postgres: $(VENV)/.dev ## time a load into PostgreSQL, and ten queries there and in the file; ARGS="--accounts 10000 --posts 50000"
	@$(RUN) -m bench.postgres $(ARGS)

bench-spark: $(VENV)/.dev $(VENV)/.spark ## time the windowed models on DuckDB and on a Spark that runs; ARGS="--accounts 10000 --posts 50000 --times 1"
	@$(RUN) -m bench.spark $(ARGS)

clean: ## remove .venv, .venv-bi, .venv-spark, caches and dbt's output; data stays
	rm -rf $(VENV) .venv-bi .venv-spark .pytest_cache .mypy_cache .ruff_cache build *.egg-info dbt_project/target dbt_project/logs
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

lock: ## make the locks anew from pyproject.toml (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-strip-extras -q \
		pyproject.toml requirements.in -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-strip-extras -q \
		-c requirements.txt --extra metrics pyproject.toml requirements.in -o requirements-metrics.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-strip-extras -q \
		-c requirements.txt --extra mcp pyproject.toml requirements.in -o requirements-mcp.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-strip-extras -q \
		-c requirements-metrics.txt -c requirements-mcp.txt --extra dev --extra metrics --extra mcp \
		pyproject.toml requirements.in -o requirements-dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-strip-extras -q \
		requirements-bi.in -o requirements-bi.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-strip-extras -q \
		-c requirements.txt --extra spark pyproject.toml requirements.in -o requirements-spark.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-strip-extras -q \
		requirements-spark-server.in -o requirements-spark-server.txt

# The locks are complete, so pip resolves nothing (--no-deps) and takes only files whose hash is written down.
$(VENV)/.runtime: requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12"; exit 1; }
	@echo "setting up .venv (once; 1 to 4 minutes)"
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@$(PIP) install -q --no-deps --require-hashes -r requirements.txt
	@$(PIP) install -q --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.metrics: $(VENV)/.runtime requirements-metrics.txt
	@echo "setting up what metrics need (once)"
	@$(PIP) install -q --no-deps --require-hashes -r requirements-metrics.txt
	@touch $@

$(VENV)/.mcp: $(VENV)/.runtime requirements-mcp.txt
	@echo "setting up what agents need (once)" >&2
	@$(PIP) install -q --no-deps --require-hashes -r requirements-mcp.txt
	@touch $@

$(VENV)/.spark: $(VENV)/.runtime requirements-spark.txt
	@echo "setting up what sends models to Spark (once)"
	@$(PIP) install -q --no-deps --require-hashes -r requirements-spark.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	@echo "setting up the tools for tests (once)"
	@$(PIP) install -q --no-deps --require-hashes -r requirements-dev.txt
	@touch $@
