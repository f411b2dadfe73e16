#!/bin/sh
# moto's server, a stand-in for the RDS API that knows no transitions: fetched once from the Python package index, and run
# with the arguments that are given (-H 127.0.0.1 -p PORT). Where it cannot be had that is said, with exit code 3; with
# REPLAB_REQUIRE_AWS=1 it is a failure.
set -eu
. "$(dirname "$0")/pip.sh"

release=5.2.5
# Not moto[server], which brings every service's own needs, more than twice as much.
tool moto "$release" "moto==$release
flask==3.1.3
flask-cors==6.0.5" || skip "$why" 3
export PYTHONPATH="$tool"
exec "$python3" -m moto.server "$@"
