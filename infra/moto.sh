#!/bin/sh
# moto's server, a stand-in for the RDS API that knows no transitions: fetched once from the Python package index, and run
# with the arguments that are given (-H 127.0.0.1 -p PORT). Where it cannot be had that is said, with exit code 3; with
# REPLAB_REQUIRE_AWS=1 it is a failure.
set -eu
. "$(dirname "$0")/pip.sh"

release=5.2.5

skip() {
    [ "${REPLAB_REQUIRE_AWS:-}" != 1 ] || die "REPLAB_REQUIRE_AWS=1, and $1"
    printf 'skipped: %s\n' "$1" >&2
    exit 3
}

find_pip || skip "no python3 here has pip, which would fetch moto"
# A part of what it needs is compiled, for one version of Python.
version=$("$python3" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
server=$fetched/moto-$release-python$version
# Not moto[server], which brings every service's own needs, more than twice as much.
(fetch "moto $release" "$server" "moto==$release
flask==3.1.3
flask-cors==6.0.5") || skip "there is no moto"
export PYTHONPATH="$server"
exec "$python3" -m moto.server "$@"
