# Everything a person or the pipeline does here. `make` alone lists it.

.DEFAULT_GOAL := help
.PHONY: help run test check fmt lint docs deny markup manifests snapshots clean

# Warnings are errors in `lint` and `docs`. Elsewhere they are not: flags of our own would make these
# targets and plain cargo build everything anew after each other.
export RUSTDOCFLAGS ?= -D warnings
# For the same reason no target names a package: cargo would choose other features and build again.

help: ## list what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start the function with a stand-in for Rocket.Chat and send it a sample push
	cargo build -q --bins
	cargo run -q --bin demo

test: markup ## run everything a newcomer needs to trust it, in less than five minutes
	cargo test --workspace

check: fmt lint docs deny test manifests ## run everything the pipeline runs

fmt: ## check the format of the sources
	cargo fmt --all --check

lint: ## check the sources for mistakes and style
	cargo clippy --workspace --all-targets -- -D warnings

docs: ## check the documentation
	cargo doc --workspace --no-deps --document-private-items

deny: ## check the dependencies: licences, duplicates, sources
	cargo deny --config .cargo/deny.toml check licenses bans sources

markup: ## install Rocket.Chat's own parser and test the proof that uses it, where Node is present
	@command -v npm >/dev/null || echo "SKIPPED: without Node, Rocket.Chat's own parser is not asked"
	! command -v npm >/dev/null || npm --prefix function/tests/markup ci --silent --no-audit --no-fund
	! command -v npm >/dev/null || npm --prefix function/tests/markup test --silent

manifests: ## render the manifests and check them against schemas, checkov and each other
	function/tests/manifests/check
	cargo test --workspace --test manifests

snapshots: ## look at changed snapshots one by one, with cargo-insta, and accept or refuse them
	cargo insta test --review

clean: ## remove everything that was built
	cargo clean
	rm -rf function/tests/markup/node_modules
