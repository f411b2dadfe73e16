#!/bin/sh
# Runs the integration tests that need a server against other major versions than this machine's (test-versions.sh 17;
# without an argument against all that servers.sh installs), and prints a line for each.
set -eu
cd "$(dirname "$0")/.."

logs=${CARGO_TARGET_DIR:-target}/test-versions
mkdir -p "$logs"

# These start no server of this machine, and so are the same with each. tests/it/tidy.rs fails when one of them does.
skipped="--skip browser:: --skip compose:: --skip container_failover:: --skip fuzz:: --skip histories:: --skip infra:: --skip planted:: --skip report:: --skip stored:: --skip tidy:: --skip transactions:: --skip usage::"
# In these the server is the scenery, and replab's own doings are what is tested: they run against the oldest version that is
# at hand, which is this machine's.
scenery="--skip aurora:: --skip bench:: --skip clusters:: --skip environment:: --skip forum:: --skip matrix:: --skip rds:: --skip rto:: --skip shrink:: --skip tls::"
# In these a server's processes are started, ended, cut off and promoted, or the load is judged after that, and what a server
# answers is tested elsewhere: they run against this machine's version and the newest, and not against those in between.
processes="--skip bank_and_set:: --skip disk:: --skip experiment:: --skip failover:: --skip faults:: --skip killed:: --skip lab:: --skip long_fork:: --skip partition:: --skip suspend::"
newest=18

cargo test --locked --test it --no-run
worst=0
for major in ${*:-16 17 18}; do
    log=$logs/$major.log
    if ! bin=$(sh infra/servers.sh "$major"); then
        echo "PostgreSQL $major: NOT TESTED, it cannot be installed here; the lines above say why"
        if [ "${REPLAB_REQUIRE_PG:-}" = 1 ]; then worst=1; fi
        continue
    fi
    version=$("$bin/postgres" --version | sed 's/.*(PostgreSQL) //')
    left_out="$skipped $scenery"
    if [ "$major" != "$newest" ]; then left_out="$left_out $processes"; fi
    before=$(date +%s)
    # shellcheck disable=SC2086 # a list of words
    REPLAB_PG_BIN=$bin REPLAB_REQUIRE_PG=1 cargo test --locked --test it -- $left_out >"$log" 2>&1 || true
    seconds=$(($(date +%s) - before))
    # A run that ended early has no such line, and one that tested nothing has none with another number than 0.
    passed=$(sed -n 's/^test result: ok\. \([1-9][0-9]*\) passed; 0 failed.*/\1/p' "$log")
    if [ -n "$passed" ]; then
        echo "PostgreSQL $version: $passed tests passed in $seconds s"
    else
        sed -n '/^failures:$/,$p' "$log" >&2
        echo "PostgreSQL $version: FAILED after $seconds s, $(tail -n 1 "$log" | cut -c 1-100); all of it is in $log"
        worst=1
    fi
done
exit "$worst"
