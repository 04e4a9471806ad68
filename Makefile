# Prompt Store. `make` lists what can be made.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
CARGO ?= cargo
# One domain: `make test ONLY=prompts`
ONLY ?=
# One engine: `make test STORE=postgres`
STORE ?=

.PHONY: help setup test lint fmt deny audit coverage bench rules bench-engines bench-search bench-lint bench-bulk bench-analytics bench-overload chaos promises kills figures fuzz dev openapi dist clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 20

setup: ## install what the tests need, if it is missing: redis-server, postgresql, pgbouncer, nginx, haproxy, prometheus and some tools
	@deploy/setup-tests.sh

test: setup ## build the binaries, run every test on both engines, and a few thousand cases of fuzz; ONLY=prompts, STORE=sqlite
	$(CARGO) build --locked --workspace --bins
ifneq ($(STORE),postgres)
	TEST_STORE=sqlite $(CARGO) test --locked --workspace -- $(ONLY)
endif
ifneq ($(STORE),sqlite)
	TEST_STORE=postgres $(CARGO) test --locked --workspace --test it -- $(ONLY)
endif
ifeq ($(ONLY)$(STORE),)
	deploy/fuzz/run.sh target/debug/prompt-store 2 || [ $$? -eq 69 ]
endif

lint: ## format, clippy, docs, and who may depend on whom
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" $(CARGO) doc --locked --workspace --no-deps
	@deploy/check-dependencies.sh

fmt: ## format
	$(CARGO) fmt --all

deny: ## licences, banned crates and sources
	@deploy/install-tool.sh cargo-deny $(DENY_VERSION)
	$(CARGO) deny --all-features check bans licenses sources

audit: ## known vulnerabilities; needs the network
	@deploy/install-tool.sh cargo-deny $(DENY_VERSION)
	$(CARGO) deny --all-features check advisories

coverage: setup ## line coverage of the tests
	@deploy/install-tool.sh cargo-tarpaulin $(TARPAULIN_VERSION)
	deploy/coverage.sh

bench: setup ## how fast the store answers over HTTP, beside nginx; fails when an aim is missed; BENCH_PROMPTS=1000, BENCH_SECONDS=1
	@command -v wrk > /dev/null || deploy/install-packages.sh wrk
	@[ -x /usr/sbin/nginx ] || deploy/install-packages.sh nginx-light
	$(CARGO) build --locked --release --workspace --bins
	TEST_BINARIES=$(CURDIR)/target/release $(CARGO) bench --locked --package tests --bench serving

rules: ## let promtool look at the alerts, and see each fire when it should
	@command -v promtool > /dev/null || deploy/install-packages.sh prometheus
	promtool check rules deploy/prometheus/alerts.yml
	promtool test rules deploy/prometheus/alerts.test.yml

bench-engines: setup ## how fast both engines are beside sqlx alone; fails when a ratio is beyond its bound
	$(CARGO) bench --locked --package tests --bench engines

bench-search: setup ## how fast searches are beside the engine alone; fails when an aim is missed
	$(CARGO) bench --locked --package tests --bench search

bench-lint: ## how long a lint takes; fails when 100 KB take longer than 50 ms
	$(CARGO) bench --locked --package tests --bench lint

bench-bulk: setup ## how fast bulk operations and jobs are beside bare inserts and updates; fails below its bounds
	$(CARGO) bench --locked --package tests --bench bulk

bench-analytics: setup ## how fast usage is taken in beside bare inserts, and how long a summary takes; fails when a bound is missed
	$(CARGO) bench --locked --package tests --bench analytics

bench-overload: setup ## what becomes of a store that is asked for four times what it can do; fails when a promise is broken; BENCH_SECONDS=60
	$(CARGO) build --locked --release --workspace --bins
	TEST_BINARIES=$(CURDIR)/target/release $(CARGO) bench --locked --package tests --bench overload

chaos: setup ## kill, stop and empty what runs, and look whether anything was lost; SEED=7, SECONDS=1200, STORE=postgres, CONTROL=1
	$(CARGO) build --locked --package api --package worker --bins \
		$(if $(CONTROL),--features shared/unfenced --target-dir target/unfenced)
	$(if $(CONTROL),CHAOS_CONTROL=1 TEST_BINARIES=$(CURDIR)/target/unfenced/debug) \
		TEST_STORE=$(STORE) $(if $(SEED),CHAOS_SEED=$(SEED)) CHAOS_SECONDS=$(or $(SECONDS),600) \
		$(CARGO) test --locked --package tests --test it -- --nocapture processes::chaos

promises: setup ## show what is promised of jobs, refinements, the cache, backups, keys and overload, in full and with figures; STORE=postgres, ITEMS=200000
	$(CARGO) build --locked --package api --package worker --bins
	PROMISES=long TEST_STORE=$(STORE) $(if $(ITEMS),PROMISES_ITEMS=$(ITEMS)) \
		$(CARGO) test --locked --package tests --test it -- --nocapture --test-threads 1 promises cache:: \
		processes::refinement processes::backup processes::repeats processes::dripping processes::full_disk processes::audit processes::damaged processes::migrations

fuzz: setup ## ask whatever the contract allows, and what it does not: no error of ours, no answer it does not know; CASES=100
	$(CARGO) build --locked --release --package api --bin prompt-store
	deploy/fuzz/run.sh target/release/prompt-store $(or $(CASES),100)

kills: setup ## kill who tells of events, and look whether anybody missed one; EVENTS=5000, KILLS=200, STORE=postgres
	$(CARGO) build --locked --package api --package worker --bins
	TEST_STORE=$(STORE) WEBHOOK_EVENTS=$(or $(EVENTS),5000) WEBHOOK_KILLS=$(or $(KILLS),200) \
		$(CARGO) test --locked --package tests --test it -- --nocapture webhooks::kills

figures: setup ## print what is promised of webhooks, as it is here; EVENTS=3000, DELIVERIES=10000, STORE=postgres
	$(CARGO) build --locked --package api --package worker --bins
	TEST_STORE=$(STORE) WEBHOOK_EVENTS=$(or $(EVENTS),3000) WEBHOOK_DELIVERIES=$(or $(DELIVERIES),10000) \
		$(CARGO) test --locked --package tests --test it -- --nocapture --test-threads 1 \
		webhooks::figures webhooks::bounds outgoing::

dev: ## serve, and start again on every change
	@deploy/dev.sh

openapi: ## write api/openapi.json anew
	$(CARGO) run --quiet --package api -- openapi > api/openapi.json.new
	mv api/openapi.json.new api/openapi.json

dist: ## the binaries as they are shipped
	$(CARGO) build --locked --profile dist --package api --package worker --bins

clean: ## remove what was built
	$(CARGO) clean

DENY_VERSION := 0.20.2
TARPAULIN_VERSION := 0.37.5
