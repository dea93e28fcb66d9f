# Everything a user or a developer does with Holdfast. `make` alone lists it.
#
# Variables, on the command line (`make up API_PORT=9000`) or from the environment:
#   STAGE  API_PORT  WORKER_PORT  DB_PORT  HOLDFAST_WORK_DELAY  HOLDFAST_POLICIES  HOLDFAST_LOG_FORMAT  RUST_LOG
#   (see `lab --help`)
#   HOLDFAST_BINARIES=folder of the services' programs, where that is not the lab's own
#   SCREENSHOTS=folder for browser, under the root; without, they stay among what cargo built
#   SERVICE=worker|api|db FOLLOW=1 for logs     ROUNDS=30 SECONDS=1 for bench
#   RATE=20 DURATION=30s SEED=7 ACCEPTED=FILE for load     ACCEPTED=FILE WAIT=120s for check-lost
#   EXPERIMENT="worker-killed partition" REPEAT=3 SEED=7 KEEP=1 for experiments
#   DURATION=60s SEED=7 REPLICAS=1|2 RATE=20 KEEP=1 for torture     (without SEED: one at random, which is printed)

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Where cargo puts it: its own choice, unless the environment makes another.
BIN := $(or $(CARGO_TARGET_DIR),target)/release
LAB := $(BIN)/lab

# What is given on make's command line must reach the lab as well. Empty counts as unset there.
export STAGE API_PORT WORKER_PORT DB_PORT HOLDFAST_WORK_DELAY HOLDFAST_POLICIES HOLDFAST_BINARIES HOLDFAST_RESULTS \
  HOLDFAST_LOG_FORMAT RUST_LOG SCREENSHOTS

# A first build takes minutes and shows its progress; later ones speak only of errors.
define build
@quiet=; [ ! -x $(BIN)/$(1) ] || quiet=--quiet; \
cargo build --release --locked $$quiet $(2)
endef
BUILD_LAB = $(call build,lab,-p holdfast-lab)
BUILD_ALL = $(call build,holdfast-api,-p holdfast-api -p holdfast-worker -p holdfast-lab)

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1|\2/p' Makefile | \
	while IFS='|' read -r target text; do printf '  %-15s %s\n' "$$target" "$$text"; done

# --- The lab ----------------------------------------------------------------------------------------------------------

.PHONY: demo up down status logs compare
demo: ## Guided tour: up, compare, kill and heal worker and database, down (on local processes, or STAGE=compose)
	$(if $(filter compose,$(STAGE)),$(BUILD_LAB),$(BUILD_ALL))
	@$(LAB) demo

up: ## Bring the stage up, fresh (Compose where a Docker engine answers, else local processes; STAGE=compose|local)
	$(BUILD_LAB)
	@case "$$($(LAB) stage)" in local) $(MAKE) services ;; esac
	@$(LAB) up

.PHONY: services
services:
	$(BUILD_ALL)

down: ## Stop everything and delete the data
	$(BUILD_LAB)
	@$(LAB) down

status: ## Show how each service is, and what the API thinks of its dependencies
	$(BUILD_LAB)
	@$(LAB) status

logs: ## Show the logs (SERVICE=worker|api|db, FOLLOW=1)
	$(BUILD_LAB)
	@$(LAB) logs $(SERVICE) $(if $(FOLLOW),--follow)

compare: ## Call the naive and the resilient endpoint with curl, show both answers side by side
	$(BUILD_LAB)
	@$(LAB) compare

# --- Break and heal ---------------------------------------------------------------------------------------------------

.PHONY: kill-worker kill-db kill-api start-worker start-db start-api pause-worker pause-db resume-worker resume-db
kill-worker: ## Kill the worker (SIGKILL): its port refuses
kill-db: ## Kill Postgres
kill-api: ## Kill the API
start-worker: ## Start the worker again
start-db: ## Start Postgres again, on the data it had
start-api: ## Start the API again
pause-worker: ## Stop the worker with its port open: it accepts and never answers
pause-db: ## Stop Postgres with its port open
resume-worker: ## Let the paused worker go on
resume-db: ## Let the paused Postgres go on

# `kill-worker` becomes `lab kill worker`.
kill-worker kill-db kill-api start-worker start-db start-api pause-worker pause-db resume-worker resume-db:
	$(BUILD_LAB)
	@$(LAB) $(subst -, ,$@)

# --- Nothing accepted is lost -----------------------------------------------------------------------------------------

.PHONY: load check-lost torture
load: ## Send requests at a steady rate and write down which were accepted (RATE=20 DURATION=30s SEED=…)
	$(BUILD_LAB)
	@$(LAB) load $(if $(RATE),--rate $(RATE)) $(if $(DURATION),--for $(DURATION)) $(if $(SEED),--seed $(SEED)) \
	  $(if $(ACCEPTED),--out $(ACCEPTED))

check-lost: ## Hold what was accepted against Postgres: each is there once, done (ACCEPTED=FILE WAIT=120s)
	$(BUILD_LAB)
	@$(LAB) check $(ACCEPTED) $(if $(WAIT),--wait $(WAIT))

torture: ## Kill, pause and heal everything at random under load, then nothing may be lost (DURATION=60s SEED=… REPLICAS=1|2)
	$(BUILD_ALL)
	@$(LAB) torture $(if $(DURATION),--duration $(DURATION)) $(if $(SEED),--seed $(SEED)) \
	  $(if $(REPLICAS),--replicas $(REPLICAS)) $(if $(RATE),--rate $(RATE)) $(if $(KEEP),--keep)

# --- Experiments ------------------------------------------------------------------------------------------------------

# On local processes unless STAGE=compose: a stage of their own, on ports of their own, beside one that is up.
RUN_OPTIONS = $(if $(SEED),--seed $(SEED)) $(if $(REPEAT),--repeat $(REPEAT)) $(if $(KEEP),--keep)

.PHONY: experiments ablate report
experiments: ## Break it on purpose, under load, with a two-sided verdict (EXPERIMENT=name REPEAT=3 SEED=… KEEP=1; without a name: all)
	$(if $(filter compose,$(STAGE)),$(BUILD_LAB),$(BUILD_ALL))
	@$(LAB) run $(or $(EXPERIMENT),--all) $(RUN_OPTIONS)

ablate: ## Play an experiment with one policy taken out at a time: what fails without it? (EXPERIMENT=name SEED=…)
	$(if $(filter compose,$(STAGE)),$(BUILD_LAB),$(BUILD_ALL))
	@$(LAB) ablate $(EXPERIMENT) $(if $(SEED),--seed $(SEED))

report: ## Write the index of all experiments' reports, and say where it is
	$(BUILD_LAB)
	@$(LAB) report

# --- Measure ----------------------------------------------------------------------------------------------------------

.PHONY: bench bench-policy
bench: ## Throughput and latency of both endpoints against pgbench, and what observers cost (ROUNDS=30 SECONDS=1)
	$(BUILD_ALL)
	@$(LAB) bench $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECONDS),--seconds $(SECONDS))

bench-policy: ## What a policed call costs, beside failsafe, recloser, seatbelt and tower-resilience (ROUNDS=15)
	@cargo run --release --locked --quiet -p holdfast-rivals --no-default-features --bin speed -- $(ROUNDS)

# --- Develop ----------------------------------------------------------------------------------------------------------

.PHONY: test probes loom e2e browser observe-check api-check lint fmt
test: ## Unit and integration tests, on real sockets and a real Postgres
	@cargo test --locked

probes: ## What breaker crates do when calls hang, panic or come back late: ours beside its rivals
	@cargo test --locked --quiet -p holdfast-rivals
	@cargo run --release --locked --quiet -p holdfast-rivals --bin probes

# A folder of its own: the flag rebuilds everything.
loom: ## The policies' shared state under every interleaving of two threads
	@RUSTFLAGS='--cfg holdfast_loom' cargo test --release --locked --target-dir target/loom -p holdfast-policy --lib interleavings

# One after the other: each drives a whole stage.
E2E = cargo test --locked -p holdfast-lab --test $(1) -- --ignored --test-threads=1 --nocapture

e2e: ## The make targets as a user runs them, on both stages; minutes
	$(BUILD_ALL)
	@$(call E2E,e2e_local)
	@HOLDFAST_BINARIES=$(abspath $(BIN)) $(call E2E,e2e_experiments)
	@if docker version >/dev/null 2>&1; then $(call E2E,e2e_compose); else \
	  echo '*** NOT TESTED: the Compose stage. No Docker engine answers `docker version`. ***' >&2; fi

browser: ## The page at / in a real browser, over a stage that is broken and healed (SCREENSHOTS=folder); a minute
	$(BUILD_ALL)
	@HOLDFAST_BINARIES=$(abspath $(BIN)) $(call E2E,browser)

observe-check: ## Have a real Prometheus watch the worker die and return: every query of the dashboard must find data
	$(BUILD_ALL)
	@$(LAB) observe-check

api-check: ## The API against its /openapi.json, by Schemathesis: healthy and with each dependency dead (EXAMPLES=20 SEED=1)
	$(BUILD_ALL)
	@$(LAB) api-check $(if $(EXAMPLES),--examples $(EXAMPLES)) $(if $(SEED),--seed $(SEED))

lint: ## Formatting, clippy, documentation, dependency rules, shell scripts
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets --locked -- -D warnings
	@RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked --quiet
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --locked check bans licenses sources; else \
	  echo 'skipped: cargo-deny is not installed (cargo install --locked cargo-deny)' >&2; fi
	@command -v shellcheck >/dev/null || { [ "$$(id -u)" = 0 ] && [ -e /etc/debian_version ] && \
	  echo 'shellcheck is missing: installing it with apt-get' >&2 && \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends shellcheck >/dev/null; } || true
	@if command -v shellcheck >/dev/null; then shellcheck .ci/run $$(find deploy -name '*.sh'); else \
	  echo 'skipped: shellcheck is not installed (sudo apt-get install -y shellcheck)' >&2; fi

fmt: ## Format the code
	@cargo fmt --all
