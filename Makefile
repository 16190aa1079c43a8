# All tasks of developers and of the pipeline. `make` alone lists them.

.DEFAULT_GOAL := help
.PHONY: help run events tables test check fmt lint shellcheck docs deny advisories markup pictures dashboards manifests snapshots clean
.PHONY: coverage codequality
.PHONY: gitlab-api image image-test reproduce publish deploy review review-stop smoke connect register ci-image pipeline lambda lambda-test sbom budgets composition bench microbench

# Warnings are errors in `lint` and `docs`. Elsewhere they are not, because other
# compiler flags would make cargo rebuild everything.
export RUSTDOCFLAGS ?= -D warnings
# For the same reason no target names a package: cargo would choose other features and build again.

# Where cargo builds.
TARGET := $(or $(CARGO_TARGET_DIR),target)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Features that only tests need change the crates on which everything depends, so without the tests cargo builds a second time
# what `make test` has built. With AFTER_TEST=1 it builds nothing.
PROGRAMS = build --bins $(if $(AFTER_TEST),--all-features --tests)

run: ## start the function with a fake Rocket.Chat and send it a sample push; ONCE=1 exits afterwards
	@echo "Building webhook-app and the fakes."
	@echo "This takes a few minutes the first time, and then seconds."
	@cargo $(PROGRAMS)
	@$(TARGET)/debug/demo $(if $(ONCE),--once)

events: ## print the message for every kind of event
	@sed -n '/^<!-- events: begin/,/^<!-- events: end/{/^<!--/d;p;}' function/docs/events.md

tables: ## rewrite the generated tables in the documentation
	UPDATE_TABLES=1 cargo test --workspace --test integration tables

# With JUNIT=1 cargo-nextest runs the tests, because only it writes a report for GitLab. It runs no examples in comments.
test: markup ## run the unit and integration tests, in ten minutes on two cores; JUNIT=1 also writes reports
ifdef JUNIT
	cargo nextest run --config-file function/ci/nextest.toml --profile ci --workspace --all-features
	cargo test --workspace --all-features --doc
else
	cargo test --workspace --all-features
endif

# The list of all checks. The pipeline has a job for each, and .ci/run calls each; a test compares the three.
# Separate are `e2e`, which needs a cluster and which .ci/run calls, and `release-test`, which needs cosign, whose build takes
# minutes, and which the pipeline runs.
check: fmt lint shellcheck docs deny advisories test manifests run pictures dashboards pipeline gitlab-api lambda-test prove image image-test budgets sbom ## run all checks
check: ONCE = 1
check: CHECK = 1
check: SHORT = 1
check: AFTER_TEST = 1

fmt: ## check the format of the sources
	cargo fmt --all --check

lint: ## check the sources with clippy
	cargo clippy --workspace --all-targets --all-features -- -D warnings

# The dot stands for the character that begins a comment here, too.
SCRIPTS = $(shell git grep -lE '^.!.*[ /](ba|da)?sh( |$$)')
# A directive in each names its shell; the script that reads it sets its variables.
SCRIPT_PARTS = $(shell git ls-files '*.sh')

shellcheck: ## check all scripts with shellcheck
	shellcheck $(SCRIPTS)
	shellcheck --exclude=SC2034,SC2154 $(SCRIPT_PARTS)

docs: ## check the documentation
	cargo doc --workspace --all-features --no-deps --document-private-items

# Another file can name a copy of the RustSec database.
DENY_CONFIG ?= .cargo/deny.toml

deny: ## check the dependencies: licences, duplicates, sources
	cargo deny --config .cargo/deny.toml check licenses bans sources

advisories: ## check the dependencies for known vulnerabilities: DENY_CONFIG
	cargo deny --config $(DENY_CONFIG) check advisories

coverage: ## measure which lines the tests run, with cargo-llvm-cov
	mkdir -p $(OUT)
	cargo llvm-cov --workspace --cobertura --output-path $(OUT)/coverage.xml
	cargo llvm-cov report

# Where clippy fails, `lint` shows why.
codequality: ## write the findings of clippy for GitLab's merge requests
	mkdir -p $(OUT)
	-cargo clippy --quiet --workspace --all-targets --all-features --message-format json > $(OUT)/clippy.json
	jq --slurp --from-file function/ci/codequality.jq $(OUT)/clippy.json > $(OUT)/codequality.json

markup: ## install Rocket.Chat's own parser and run the tests that need it, if Node is present
	@command -v npm >/dev/null || function/ci/skip "the tests with Rocket.Chat's own parser; Node is not installed"
	! command -v npm >/dev/null || npm --prefix function/tests/markup ci --silent --no-audit --no-fund
	! command -v npm >/dev/null || npm --prefix function/tests/markup test --silent

pictures: ## take the pictures of messages in the documentation with Chromium; CHECK=1 only checks them
	$(if $(WEBHOOK_APP),,cargo $(PROGRAMS) -q)
	! command -v $(or $(CHROMIUM),chromium) >/dev/null || npm --prefix function/tests/pictures ci --silent --no-audit --no-fund
	$(if $(CHECK),npm --prefix function/tests/pictures test --silent)
	node function/tests/pictures/pictures.mjs $(if $(CHECK),check,write)

dashboards: ## check Grafana's dashboards, and show them with real metrics in Chromium; CHECK=1 only checks them
	$(if $(CHECK),,cargo $(PROGRAMS) -q)
	function/tests/dashboards/check $(if $(CHECK),check,write)

manifests: ## render the manifests and check them against schemas and checkov; `make test` checks that they agree
	function/tests/manifests/check

snapshots: ## review changed snapshots with cargo-insta
	cargo insta test --review

IMAGE_NAME ?= localhost/webhook-app:dev
LAMBDA_NAME ?= localhost/webhook-app-lambda:dev
OUT := $(TARGET)/delivery

image: ## build the server's image with podman, buildah or docker: IMAGE_NAME, RUST, ENGINE
	function/packaging/build server $(IMAGE_NAME)

image-test: ## run the image with all restrictions and send it a webhook
	function/tests/image/check $(IMAGE_NAME)

budgets: ## compare size, hardening and work of the image with their limits
	function/tests/image/budgets $(IMAGE_NAME) $(OUT)

composition: ## list what makes up the server program, by crate
	function/tests/image/composition

bench: ## compare it with other servers: FORM=full for the published figures, profile, or short
	function/benches/run $(or $(FORM),short)

microbench: ## measure verify, parse and render separately
	cargo bench -p webhook-app --bench micro

reproduce: ## build the image twice from scratch and compare the bytes
	function/tests/image/reproduce $(IMAGE_NAME)

sbom: ## list the contents of the programs (CycloneDX) and the origin of the image (in-toto)
	function/packaging/sbom server $(OUT)/webhook-app.cdx.json
	function/packaging/sbom lambda $(OUT)/webhook-app-lambda.cdx.json
	function/packaging/extract $(IMAGE_NAME) /webhook-app $(OUT)/webhook-app
	function/tests/image/contents $(OUT)/webhook-app $(OUT)/webhook-app.cdx.json
	function/packaging/provenance $(IMAGE_NAME) $(OUT)/webhook-app > $(OUT)/webhook-app.intoto.json

lambda: ## build the archive for AWS Lambda
	function/packaging/build lambda $(LAMBDA_NAME)
	function/packaging/archive $(LAMBDA_NAME) $(OUT)/webhook-app-lambda.zip

lambda-test: ## send webhooks through the Lambda program on cargo-lambda's emulator
	cargo build -q --bins --all-features $(if $(AFTER_TEST),--tests)
	function/tests/lambda/check

.PHONY: release release-check release-test

# The image without a tag.
RELEASE_IMAGE ?= $(CI_REGISTRY_IMAGE)

release: ## build, publish and sign the release of a tag: RELEASE_IMAGE, PLATFORMS, COSIGN_SIGN_KEY
	function/packaging/release "$(RELEASE_IMAGE)" "$(OUT)/release"

release-check: ## check a published release and the files beside it: RELEASE_IMAGE, FILES, COSIGN_VERIFY_KEY
	function/packaging/release-check "$$(function/packaging/release-version)" "$(RELEASE_IMAGE)" "$(or $(FILES),$(OUT)/release/files)"

release-test: ## test those two with a registry on this machine
	function/tests/release/check

publish: ## build the image, push it and write its digest to image.env: IMAGE_NAME
	function/packaging/publish $(IMAGE_NAME)

deploy: ## roll out IMAGE, by digest, and undo it if it fails: OVERLAY with your settings, KUBE_CONTEXT, DRY_RUN
	@function/ci/deploy "$(IMAGE)" "$(OVERLAY)"

review: ## roll out IMAGE to a namespace of a merge request: OVERLAY, KUBE_CONTEXT, REVIEW_SECRETS, REVIEW_PULL_SECRET
	function/ci/review "$(OVERLAY)"

review-stop: ## delete the namespace of a merge request: KUBE_CONTEXT
	function/ci/review --stop

smoke: ## check a deployed function without sending a message: WEBHOOK_URL, GITLAB_SIGNING_KEY
	function/ci/smoke

connect: ## create the bot, the webhook and the Secret of a namespace: PROJECT, NAMESPACE or OVERLAY, SETUP_OPTIONS, KUBE_CONTEXT
	@function/ci/connect "$(PROJECT)" "$(OVERLAY)"

register: ## create or update the webhook of a GitLab project: WEBHOOK_URL, GITLAB_API_TOKEN, GITLAB_SIGNING_KEY, TRIGGERS
	function/ci/register

ci-image: ## build and push the image with the tools of the pipeline, unless it exists: CI_IMAGE
	function/ci/tools-image $(CI_IMAGE)

pipeline: ## check the pipeline, its templates and .ci, and run the jobs that do not need GitLab
	npm --prefix function/tests/gitlab-ci ci --silent --no-audit --no-fund
	cargo $(PROGRAMS) -q
	npm --prefix function/tests/gitlab-ci test --silent

gitlab-api: ## check the fake of GitLab's API with two clients of other people, python-gitlab and gitbeaker
	cargo $(PROGRAMS) -q
	function/tests/gitlab-api/check

clean: ## remove everything that was built
	cargo clean
	rm -rf function/tests/markup/node_modules function/tests/pictures/node_modules function/tests/gitlab-ci/node_modules function/tests/gitlab-api/node_modules function/tests/dashboards/node_modules function/tests/dashboards/renderer/node_modules

.PHONY: monitoring monitoring-check monitoring-down monitoring-cost alert-test

monitoring: ## install Prometheus, Alertmanager, the rules and dashboards, and wait: NAMESPACE, OVERLAY, PROMETHEUS, CLUSTER, KUBE_CONTEXT
	@function/ci/monitoring/up

monitoring-check: ## say whether the monitoring works, and what to do if not: NAMESPACE, PROMETHEUS, CLUSTER, KUBE_CONTEXT
	@function/ci/monitoring/check

monitoring-down: ## remove what `make monitoring` has created: CLUSTER, KUBE_CONTEXT
	@function/ci/monitoring/down

monitoring-cost: ## measure what Prometheus needs for a hundred pods, in five minutes
	@cargo $(PROGRAMS) -q
	@npm --prefix function/tests/dashboards ci --silent --no-audit --no-fund
	@node function/tests/dashboards/cost.mjs

alert-test: ## send one alert through Alertmanager and say what arrived: ALERTMANAGER_URL, or one from PATH with fakes
	@cargo run -q -p fakes --bin alert-test -- $(ALERTMANAGER_URL)

.PHONY: logs

# Not among the checks, because OpenTelemetry Collector, VictoriaLogs and Jaeger take minutes to build.
logs: ## follow a delivery from its ID to its log line, trace and metric; needs otelcol-contrib, victoria-logs, jaeger
	@cargo $(PROGRAMS) -q
	@function/tests/logs/check

.PHONY: drill e2e up demo load dry-run down

# Not among the checks, because it takes half an hour.
drill: ## break one thing after another on the cluster of KUBECONFIG, and show which alerts arrive: IMAGE_REGISTRY, CASES, KEEP
	function/tests/drill/run

e2e: ## test both packagings on the cluster of KUBECONFIG: IMAGE_REGISTRY, STEPS, KEEP
	function/tests/e2e/run

up: ## check what is needed, and create a local cluster with a registry: CLUSTER=kind, k3d or existing
	function/tests/e2e/local up

demo: ## deploy the function and the fakes to that cluster, send a webhook, show the message: CLUSTER
	function/tests/e2e/local demo

load: ## send many webhooks to that cluster and watch the autoscaler: CLUSTER
	function/tests/e2e/local load

dry-run: ## print the manifests of the demo, for kubectl apply -f -: PACKAGING=deployment or knative, MONITORING=1 or adapter
	@PACKAGING=$(PACKAGING) MONITORING=$(MONITORING) function/tests/e2e/local dry-run

down: ## remove that cluster or, on an existing one, everything with the label of the tests: CLUSTER
	function/tests/e2e/local down

.PHONY: prove

# Needs haproxy, nginx, squid, RabbitMQ, cargo-fuzz and cargo-mutants. A check whose tool is missing is not run, and
# the run fails unless ALLOW_MISSING=1. WEBHOOK_APP names another program to test than a release build, such as that of the image.
# The checks themselves need no optimization, so after the tests they are built already.
prove: SYSTEM_TESTS = $(if $(AFTER_TEST),$(TARGET)/debug/system-tests,cargo run -q --release -p system-tests --)
prove: ## run the system tests: faults, crashes, hostile clients; SHORT=1 takes 8 minutes, LONG=1 hours; WEBHOOK_APP
	$(if $(WEBHOOK_APP),,cargo build -q --release -p webhook-app)
	$(if $(AFTER_TEST),cargo $(PROGRAMS) -q)
	WEBHOOK_APP=$(or $(WEBHOOK_APP),$(abspath $(TARGET)/release/webhook-app)) $(SYSTEM_TESTS) $(if $(SHORT),short,$(if $(LONG),long,normal)) $(if $(ALLOW_MISSING),allow-missing) $(CHECKS)
