# Everything a user or a developer does with Holdfast. `make` alone lists it.
#
# Variables, on the command line (`make up API_PORT=9000`) or from the environment:
#   STAGE  API_PORT  WORKER_PORT  DB_PORT  HOLDFAST_WORK_DELAY  HOLDFAST_WORK_CAPACITY  HOLDFAST_WORK_WARMUP
#   HOLDFAST_POLICIES  HOLDFAST_LOG_FORMAT  RUST_LOG  (see `lab --help`)     HOLDFAST_INSTALL=no: nothing that is missing is installed
#   HOLDFAST_BINARIES=folder of the services' programs, where that is not the lab's own
#   SCREENSHOTS=folder for browser, under the root; without, they stay among what cargo built

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Where cargo puts it, by its own word: of its variables and its configuration files it knows best. Asked once, and not for
# `make help`.
TARGET = $(eval TARGET := $(or $(shell cargo metadata --no-deps --format-version 1 2>/dev/null | \
  sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'),target))$(TARGET)
# A target that the environment chooses has a folder of its own.
OUT = $(TARGET)$(if $(CARGO_BUILD_TARGET),/$(CARGO_BUILD_TARGET))
# Whatever is watched or tested is one unoptimised build: it takes a third of the time, and `make demo` and `make test` share it.
# What measures, or loads both sides side by side, is optimised.
PROFILE = debug
bench scale torture simulate map experiments ablate contenders grade-all failover observe-check api-check: PROFILE = release
BIN = $(OUT)/$(PROFILE)
LAB = $(BIN)/lab

# What is given on make's command line must reach the lab as well. Empty counts as unset there.
export STAGE API_PORT WORKER_PORT DB_PORT HOLDFAST_WORK_DELAY HOLDFAST_WORK_CAPACITY HOLDFAST_WORK_WARMUP HOLDFAST_POLICIES \
  HOLDFAST_ADMIN_TOKEN HOLDFAST_BINARIES HOLDFAST_RESULTS HOLDFAST_LOG_FORMAT HOLDFAST_INSTALL RUST_LOG SCREENSHOTS OTEL_EXPORTER_OTLP_ENDPOINT

# A first build takes minutes and shows its progress; later ones speak only of errors.
# With a test among what is built cargo gives the dependencies the features that tests need; it would build most of them twice.
define BUILD
@[ -x $(LAB) ] && quiet=--quiet || quiet=; \
[ "$$quiet" ] || echo 'building the services and the lab, $(PROFILE): $(if $(filter debug,$(PROFILE)),about three,about six) minutes the first time, on two cores' >&2; \
cargo build --locked $$quiet -p holdfast-api -p holdfast-worker -p holdfast-lab \
  $(if $(filter debug,$(PROFILE)),--bins --test architecture,-p holdfast-simulation --release)
endef

# A line `#: Title` begins a group, a line `target: ## text` is one of it.
.PHONY: help
help: ## List the targets
	@sed -n 's/^#: \(.*\)/\n\1/p; s/^\([a-z0-9-]*\):.*## \(.*\)/  \1|\2/p' Makefile | \
	while IFS='|' read -r target text; do \
	  if [ "$$text" ]; then printf '  %-14s %s\n' $$target "$$text"; else echo "$$target"; fi; done
	@echo
	@echo 'STAGE=compose|local|swarm, for experiments virtual too; lab --help has the rest.'

#: The lab

.PHONY: demo up down status reload logs compare
demo: ## Guided tour: break and heal, what was lost (STEP=1: key by key)
	$(BUILD)
	@$(LAB) demo $(if $(STEP),--step)

up: ## Start what is dead, keep what is there (FRESH=1: from nothing)
	$(BUILD)
	@$(LAB) up $(if $(FRESH),--fresh)

down: ## Stop everything, delete the data, say what was still owed
	$(BUILD)
	@$(LAB) down

status: ## How each service is; fails if one is dead
	$(BUILD)
	@$(LAB) status

reload: ## The API reads its policy file again (HOLDFAST_POLICIES)
	$(BUILD)
	@$(LAB) reload

logs: ## Logs by time (SERVICE=worker|api|db FOLLOW=1 REQUEST=id)
	$(BUILD)
	@$(LAB) logs $(SERVICE) $(if $(FOLLOW),--follow) $(if $(REQUEST),--request $(REQUEST))

compare: ## Call both endpoints with curl, side by side
	$(BUILD)
	@$(LAB) compare

#: Break and heal

.PHONY: control kill-worker kill-db kill-api start-worker start-db start-api pause-worker pause-db resume-worker resume-db
control: ## The page with buttons that break and heal (CONTROL_PORT=8090)
	$(BUILD)
	@$(LAB) control $(if $(CONTROL_PORT),--port $(CONTROL_PORT))

kill-worker: ## Kill the worker (SIGKILL): its port refuses
kill-db: ## Kill Postgres
kill-api: ## Kill the API
start-worker: ## Start the worker again
start-db: ## Start Postgres again, on the data it had
start-api: ## Start the API again
pause-worker: ## Stop the worker with its port open: it never answers
pause-db: ## Stop Postgres with its port open
resume-worker: ## Let the paused worker go on
resume-db: ## Let the paused Postgres go on

.PHONY: kill-node start-node cut-node mend-node drain-node activate-node
kill-node: ## STAGE=swarm: a power cut of one node (NODE=1)
start-node: ## That node again, with its disk
cut-node: ## Its cable out: all on it lives, and nobody hears of it
mend-node: ## Its cable in again
drain-node: ## End in order what runs on it, and start nothing there
activate-node: ## Start things there again
kill-node start-node cut-node mend-node drain-node activate-node:
	$(BUILD)
	@$(LAB) node $(@:%-node=%) $(or $(NODE),1)

# `kill-worker` becomes `lab kill worker`.
kill-worker kill-db kill-api start-worker start-db start-api pause-worker pause-db resume-worker resume-db:
	$(BUILD)
	@$(LAB) $(subst -, ,$@)

#: Nothing accepted is lost

.PHONY: load check-lost torture simulate map
load: ## Steady requests, accepted ids kept (RATE=20 DURATION=30s)
	$(BUILD)
	@$(LAB) load $(if $(RATE),--rate $(RATE)) $(if $(DURATION),--for $(DURATION)) $(if $(SEED),--seed $(SEED)) \
	  $(if $(ACCEPTED),--out $(ACCEPTED))

check-lost: ## Is each accepted one in Postgres? (ACCEPTED=FILE WAIT=120s)
	$(BUILD)
	@$(LAB) check $(ACCEPTED) $(if $(WAIT),--wait $(WAIT))

torture: ## Break all at random (DURATION=60s SEED= REPLICAS=2 STAGE=swarm)
	$(BUILD)
	@$(LAB) torture $(if $(DURATION),--duration $(DURATION)) $(if $(SEED),--seed $(SEED)) \
	  $(if $(REPLICAS),--replicas $(REPLICAS)) $(if $(RATE),--rate $(RATE)) $(if $(KEEP),--keep)

simulate: ## Any interleaving in virtual time (SEEDS= SEED= MUTANTS=)
	$(BUILD)
	@$(BIN)/simulate $(if $(SEED),--seed $(SEED)) \
	  $(if $(SEEDS),--seeds $(SEEDS)) $(if $(FROM),--from $(FROM)) $(if $(MUTANTS),--mutants $(MUTANTS)) \
	  $(if $(SPEED),--speed)

map: ## When does it fall over, and get up? (results/map.html)
	$(BUILD)
	@$(BIN)/simulate --map results/map.html

#: Experiments

# On local processes unless STAGE says otherwise: a stage of their own, on ports of their own, beside one that is up.
RUN_OPTIONS = $(if $(SEED),--seed $(SEED)) $(if $(REPEAT),--repeat $(REPEAT)) $(if $(RETRY),--retry) $(if $(KEEP),--keep)

.PHONY: experiments ablate report contenders grade-all
experiments: ## Break, load, judge both (EXPERIMENT=name REPEAT= RETRY=1 SEED=)
	$(BUILD)
	@$(LAB) run $(or $(EXPERIMENT),--all) $(RUN_OPTIONS)

ablate: ## What fails without which policy? (EXPERIMENT=name SEED=)
	$(BUILD)
	@$(LAB) ablate $(EXPERIMENT) $(if $(SEED),--seed $(SEED))

contenders: ## Others' APIs: who survives what? (EXPERIMENT=name)
	@$(call NEED,wrk,wrk)
	$(BUILD)
	@contenders/serve --prepare
	@contenders/.venv/bin/python contenders/throughput.py $(LAB) --check
	@cargo build --release --locked --quiet --manifest-path contenders/rust/Cargo.toml --target-dir target/contenders
	@python3 contenders/play.py $(LAB) $(EXPERIMENT)
	@contenders/.venv/bin/python contenders/throughput.py $(LAB)

grade-all: ## Grade the exercises' starters, solutions and wrong answers
	$(BUILD)
	@contenders/serve --prepare
	@exercises/teacher/grade-all.sh $(LAB) $(EXERCISES)

report: ## Write the index of all experiments' reports
	$(BUILD)
	@$(LAB) report

#: Measure

.PHONY: bench scale bench-policy
bench: ## Throughput beside pgbench (ROUNDS=9 SECONDS=1 RETENTION=1)
	$(BUILD)
	@$(LAB) bench $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(RETENTION),--retention)

scale: ## How cost grows: replicas, workers, rows (SECONDS= ROWS=1000000)
	$(BUILD)
	@$(LAB) scale $(if $(SECONDS),--seconds $(SECONDS)) $(if $(ROWS),--most-rows $(ROWS))

bench-policy: ## What a policed call costs, beside its rivals (ROUNDS=15)
	@cargo run --release --locked --quiet -p holdfast-rivals --no-default-features --bin speed -- $(ROUNDS)

#: Develop

# The packages of a program that is missing are installed where that needs nobody's permission; else it fails.
NEED = command -v $(1) >/dev/null || deploy/install.sh $(2)

.PHONY: test probes loom adopters api-snapshot mutants e2e e2e-swarm failover rollout browser observe-check api-check client-check requeue kubernetes lint fmt
# Most of what the tests do is wait, for timers and for Postgres: more of them at once than there are cores.
export RUST_TEST_THREADS ?= 4
test: ## Unit and integration tests, on a real Postgres
	@cargo test --locked

probes: ## What breaker crates get wrong, asked of ours and its rivals
	@cargo test --locked --quiet -p holdfast-rivals
	@cargo run --release --locked --quiet -p holdfast-rivals --bin probes

# A folder of its own: the flag rebuilds everything.
loom: ## The policies' shared state under every interleaving
	@RUSTFLAGS='--cfg holdfast_loom' cargo test --release --locked --target-dir $(TARGET)/loom -p holdfast-policy --lib interleavings

# They depend on a version, as if from the registry; what that is, is said here.
adopters: ## Others' services on the packaged policy crate: do they hold?
	@cargo package --quiet --locked --allow-dirty --no-verify -p holdfast-policy --target-dir $(TARGET)
	@version=$$(cargo pkgid --locked -p holdfast-policy | sed 's/.*[@#]//') && cd $(TARGET)/package && \
	  rm -rf holdfast-policy-$$version && tar xzf holdfast-policy-$$version.crate && \
	  cargo test --locked --manifest-path $(CURDIR)/bench/adopters/Cargo.toml --target-dir $(TARGET)/adopters \
	  --config "patch.crates-io.holdfast-policy.path='$(TARGET)/package/holdfast-policy-$$version'"

# rustdoc's JSON is not stable yet: it is asked for by the variable that is there for that, in a folder of its own, for with it all is
# built anew.
SNAPSHOT = crates/policy/public-api.txt
api-snapshot: ## Has the policy crate's public API changed? (ACCEPT=1)
	@cargo public-api --version >/dev/null 2>&1 || { echo 'it needs cargo-public-api: cargo install --locked cargo-public-api@0.52.0' >&2; exit 2; }
	@RUSTC_BOOTSTRAP=1 cargo rustdoc --quiet --locked --lib -p holdfast-policy --all-features --target-dir $(TARGET)/public-api \
	  -- -Zunstable-options --output-format json
	@cargo public-api -sss --rustdoc-json $(TARGET)/public-api/doc/holdfast_policy.json >$(TARGET)/public-api.txt
	@if [ '$(ACCEPT)' ]; then cp $(TARGET)/public-api.txt $(SNAPSHOT); \
	elif ! diff $(SNAPSHOT) $(TARGET)/public-api.txt >$(TARGET)/public-api.diff; then \
	  cat $(TARGET)/public-api.diff; \
	  if grep -q '^<' $(TARGET)/public-api.diff; then echo 'breaking: what is gone (<) asks for a new minor version, from 1.0 on a major one'; \
	  else echo 'an addition: a patch, from 1.0 on a minor version'; fi; \
	  echo 'if it is meant: make api-snapshot ACCEPT=1'; exit 1; fi

# The pure cores alone: what stands around them is waiting, which a mutant turns into a hang.
CORES = breaker/core breaker/core/sample breaker/tally breaker/probes breaker/window/mod breaker/window/count breaker/window/time \
  retry/bucket capacity/adaptive capacity/adaptive/sample capacity/adaptive/window hedge/latencies hedge/observed
mutants: ## Errors in the policies' cores that no test sees (SHARD=0/10)
	@cargo mutants --version >/dev/null 2>&1 || { echo 'it needs cargo-mutants: cargo install --locked cargo-mutants' >&2; exit 2; }
	@cargo mutants --package holdfast-policy $(CORES:%=--file crates/policy/src/%.rs) $(if $(SHARD),--shard $(SHARD)) \
	  --all-features --cargo-arg=--lib --cargo-arg=--test=policy --timeout 60 --output $(TARGET) -- -- --skip ten_times_the_load

# One after the other: each drives a whole stage.
E2E = cargo test --locked $(1) -- --ignored --test-threads=1 --nocapture

e2e: ## These targets as a user runs them, on each stage; minutes
	$(BUILD)
	@$(call E2E,--test e2e on_local_processes)
	@HOLDFAST_BINARIES=$(abspath $(BIN)) $(call E2E,--test e2e_experiments)
	@if docker version >/dev/null 2>&1; then $(call E2E,--test e2e on_compose); else \
	  echo '*** NOT TESTED: the Compose stage. No Docker engine answers `docker version`. ***' >&2; fi

e2e-swarm: ## The same on three Docker engines, one of which is gone; as root
	$(BUILD)
	@$(call E2E,-p holdfast-lab --test e2e while_a_node_dies)

FAILOVERS = primary-killed primary-partitioned standby-lost switchover primary-killed-asynchronous
failover: ## Experiments with Postgres under Patroni, which fails over
	@$(call NEED,patroni,patroni etcd-server python3-etcd)
	$(BUILD)
	@$(LAB) run $(FAILOVERS) $(RUN_OPTIONS)

rollout: ## Three replicas restarted in turn at half load: is a call hurt?
	@cargo test --locked -p holdfast-api --test rollout -- --ignored --nocapture

requeue: ## 15,000 failed requests owed again, replicas killed: 7 minutes
	@cargo test --locked -p holdfast-api --test api requeue_killed:: -- --ignored --nocapture

browser: ## The page in a real browser, broken and healed (SCREENSHOTS=dir)
	$(BUILD)
	@HOLDFAST_BINARIES=$(abspath $(BIN)) $(call E2E,-p holdfast-browser)

observe-check: ## A real Prometheus watches the worker die and return
	$(BUILD)
	@$(LAB) observe-check

api-check: ## The API against its /openapi.json (EXAMPLES=20 SEED=1)
	$(BUILD)
	@$(LAB) api-check $(if $(EXAMPLES),--examples $(EXAMPLES)) $(if $(SEED),--seed $(SEED))

client-check: ## A Python client generated from it talks to the API
	$(BUILD)
	@$(LAB) client-check

kubernetes: ## Its manifests against schemas, rules and compose.yml
	@python3 -m venv $(TARGET)/kubernetes && $(TARGET)/kubernetes/bin/pip install --quiet --disable-pip-version-check \
	  --requirement deploy/kubernetes/requirements.txt || { echo 'it needs python3, its venv and PyPI: sudo apt-get install -y python3-venv' >&2; exit 2; }
	@$(TARGET)/kubernetes/bin/python deploy/kubernetes/check.py

# Without the feature reqwest, which in this Cargo.lock needs a later one.
LOWEST_RUST = $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' crates/policy/Cargo.toml)
lint: ## Formatting, clippy, docs, dependency rules, shell scripts
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets --locked -- -D warnings
	@if cargo +$(LOWEST_RUST) --version >/dev/null 2>&1; then \
	  cargo +$(LOWEST_RUST) check --locked --quiet -p holdfast-policy --features metrics,tracing,http --target-dir $(TARGET)/lowest; else \
	  echo 'skipped: the lowest Rust of the policy crate is not installed (rustup toolchain install $(LOWEST_RUST))' >&2; fi
	@RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked --quiet
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --locked check bans licenses sources; else \
	  echo 'skipped: cargo-deny is not installed (cargo install --locked cargo-deny)' >&2; fi
	@$(call NEED,shellcheck,shellcheck) || true
	@if command -v shellcheck >/dev/null; then shellcheck .ci/run $$(find deploy -name '*.sh'); else \
	  echo 'skipped: shellcheck is not installed (sudo apt-get install -y shellcheck)' >&2; fi
	@$(MAKE) advisories

.PHONY: fuzz advisories sbom
# Those of fuzz/seeds, which a run begins with; what it finds beside them stays in fuzz/corpus, and a failure in fuzz/artifacts.
# Nothing of ours is unsafe, so no sanitizer: it would only be slower.
fuzz: ## Fuzz what reads bytes from outside (SECONDS=60 PARSER=name)
	@cargo +nightly fuzz --version >/dev/null 2>&1 || { \
	  echo 'it needs a nightly toolchain and cargo-fuzz: rustup toolchain install nightly; cargo install --locked cargo-fuzz' >&2; exit 2; }
	@for parser in $(or $(PARSER),$(notdir $(wildcard fuzz/seeds/*))); do \
	  dictionary=fuzz/$$parser.dict; [ -e $$dictionary ] || dictionary=; \
	  mkdir -p fuzz/corpus/$$parser && echo "fuzz: $$parser" && \
	  cargo +nightly fuzz run --sanitizer none $$parser fuzz/corpus/$$parser fuzz/seeds/$$parser -- \
	    -max_total_time=$(or $(SECONDS),60) -timeout=30 $${dictionary:+-dict=$$dictionary} || exit; done

advisories: ## Known holes in what is used, where their database is reached
	@if ! cargo deny --version >/dev/null 2>&1; then \
	  echo 'skipped: cargo-deny is not installed (cargo install --locked cargo-deny)' >&2; \
	elif ! timeout 60 cargo deny fetch db >/dev/null 2>&1; then \
	  echo 'skipped: the database of advisories cannot be reached' >&2; \
	else cargo deny --locked check advisories; fi

sbom: ## What the programs are made of, as CycloneDX
	@cargo cyclonedx --version >/dev/null 2>&1 || { echo 'it needs cargo-cyclonedx: cargo install --locked cargo-cyclonedx' >&2; exit 2; }
	@cargo cyclonedx --quiet --describe binaries --format json --spec-version 1.5 --no-build-deps
	@mkdir -p $(TARGET)/sbom && find crates bench -name '*_bin.cdx.json' -exec mv {} $(TARGET)/sbom/ \; && ls $(TARGET)/sbom/*

fmt: ## Format the code
	@cargo fmt --all
