# make run             from nothing to a verdict: installs PostgreSQL where it is missing, builds, runs
# make test            installs what the tests need, and runs them all
# make test-versions   those that need a server against PostgreSQL 16, 17 and 18 too (or VERSIONS="17 18")
# make lint            formatting, clippy, documentation, the Aurora templates

export PATH := $(HOME)/.cargo/bin:$(PATH)
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: run test test-versions lint

run:
	@sh infra/setup.sh run
	cargo build --release --locked
	$(TARGET)/release/replab run $(ARGS)

test:
	@sh infra/setup.sh test
	cargo test --locked

test-versions:
	@sh infra/setup.sh versions
	@sh infra/test-versions.sh $(VERSIONS)

lint:
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	cargo clippy --no-default-features --locked -- -D warnings
	RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps --locked
	@sh infra/lint.sh
