# shellcheck shell=sh
# Read by servers.sh, lint.sh and moto.sh: fetches from the Python package index into a folder, once. setup.sh asks it for pip.

die() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

# Not below the checkout: for root the servers run as another account, which may not be able to enter that.
if [ "$(id -u)" -eq 0 ]; then
    fetched=/var/tmp/replab-servers
else
    fetched=${XDG_CACHE_HOME:-$HOME/.cache}/replab/servers
fi

# Sets `python3` to one that has pip, if there is one.
find_pip() {
    for python3 in python3 /usr/bin/python3; do
        if "$python3" -m pip --version >/dev/null 2>&1; then return 0; fi
    done
    return 1
}

# fetch WHAT FOLDER REQUIREMENTS OPTION…: installs what the text REQUIREMENTS names in FOLDER, where that is not there yet.
# Ends the shell if it cannot.
fetch() {
    what=$1 folder=$2 requirements=$3
    shift 3
    umask 022
    mkdir -p "$fetched"
    # What is in it will be run.
    [ -O "$fetched" ] || die "$fetched belongs to another user"
    if [ -d "$folder" ]; then return 0; fi
    find_pip || die "no python3 here has pip, which would fetch $what"
    new=$(mktemp -d "$fetched/.new-XXXXXX") || die "there is no room for $what in $fetched"
    trap 'rm -rf "$new"' EXIT
    trap 'exit 1' HUP INT TERM
    chmod 755 "$new"
    printf '%s\n' "$requirements" >"$new/requirements.txt"
    printf 'fetching %s\n' "$what" >&2
    PIP_ROOT_USER_ACTION=ignore "$python3" -m pip install --quiet --disable-pip-version-check --no-input --no-compile \
        --only-binary=:all: "$@" --target "$new" --requirement "$new/requirements.txt" </dev/null >&2 ||
        die "pip did not fetch $what; the lines above say why"
    # Not mv, which would put it into a folder that somebody else has made meanwhile. That one is as good.
    "$python3" -c 'import os, sys; os.rename(*sys.argv[1:])' "$new" "$folder" 2>/dev/null ||
        [ -d "$folder" ] || die "$new could not become $folder"
}

# tool NAME RELEASE REQUIREMENTS: the same for a program of Python's, of which a part is compiled for one version of it. Sets
# `tool` to its folder; where it cannot be had, `why`, and fails.
tool() {
    why="no python3 here has pip, which would fetch $1"
    find_pip || return 1
    tool=$fetched/$1-$2-python$("$python3" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    why="there is no $1"
    (fetch "$1 $2" "$tool" "$3")
}

# skip WHY CODE: says why nothing is done, and ends with the code; with REPLAB_REQUIRE_AWS=1 it is a failure.
skip() {
    [ "${REPLAB_REQUIRE_AWS:-}" != 1 ] || die "REPLAB_REQUIRE_AWS=1, and $1"
    printf 'skipped: %s\n' "$1" >&2
    exit "$2"
}
