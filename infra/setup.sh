#!/bin/sh
# Installs what `make run` (setup.sh run), `make test` (setup.sh test) and `make test-versions` (setup.sh versions) need
# and this machine lacks. Does nothing, and takes no time, where everything is there. As root, or through sudo.
set -eu

# Finds pip. What else is in it is not used here, and `die` is another one below.
. "$(dirname "$0")/pip.sh"

purpose=${1:-run}
packages=
wanted=
optional=

say() { printf '%s\n' "$*" >&2; }

die() {
    say "error: $1"
    shift
    for line in "$@"; do say "       $line"; done
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# A folder with the server programs of a version that replab supports (14 or newer).
usable() {
    for program in initdb postgres pg_basebackup; do
        [ -x "$1/$program" ] || return 1
    done
    major=$("$1/postgres" --version | sed -n 's/^[^0-9]*\([0-9][0-9]*\).*/\1/p')
    [ "${major:-0}" -ge 14 ]
}

has_postgresql() {
    # A folder that was named is the one that replab takes; there is nothing to look for.
    if [ -n "${REPLAB_PG_BIN:-}" ]; then return 0; fi
    for folder in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin \
        /usr/local/opt/postgresql@*/bin; do
        if usable "$folder"; then return 0; fi
    done
    if has pg_config && usable "$(pg_config --bindir)"; then return 0; fi
    if has postgres && usable "$(dirname "$(readlink -f "$(command -v postgres)")")"; then return 0; fi
    return 1
}

has_browser() {
    has chromedriver && { has chromium || has chromium-browser || has google-chrome; }
}

# An engine that can be started or answers, what reads compose files, and what the stand-in for its image is built with.
has_docker() {
    has docker && { has dockerd || docker version >/dev/null 2>&1; } &&
        { has docker-compose || docker compose version >/dev/null 2>&1; } && { has mmdebstrap || has debootstrap; }
}

# What AWS's clients are installed with, and what lets one of them see names of its own.
has_venv() {
    python3 -c 'import ensurepip, venv' >/dev/null 2>&1 && [ -z "$(env LD_PRELOAD=libnss_wrapper.so true 2>&1)" ]
}

need() {
    wanted="$wanted${wanted:+, }$1"
    shift
    packages="$packages $*"
}

has cargo || die "Rust is missing" "install it from https://rustup.rs, or with apt-get install rustup && rustup default stable"
# The linker, and the compiler of the compression library.
has cc || need "a C compiler" gcc libc6-dev
has_postgresql || need "the PostgreSQL server" postgresql
skipped=
if [ "$purpose" = test ] && ! has_browser; then
    optional="chromium chromium-driver"
    skipped="no browser with chromedriver: the tests of the report's page"
fi
if [ "$purpose" = test ] && ! has_docker; then
    optional="$optional docker.io docker-compose mmdebstrap"
    skipped="$skipped${skipped:+; }no docker engine with compose: the tests of containers"
fi
if [ "$purpose" = test ] && ! find_pip; then
    optional="$optional python3-pip"
    skipped="$skipped${skipped:+; }no pip: the check of the Aurora templates"
fi
if [ "$purpose" = test ] && ! has_venv; then
    optional="$optional python3-venv libnss-wrapper"
    skipped="$skipped${skipped:+; }no Python with venv, or no libnss-wrapper: the tests with AWS's clients"
fi
if [ "$purpose" = versions ]; then
    find_pip || need "pip" python3-pip
fi
[ -n "$packages$optional" ] || exit 0

if ! has apt-get; then
    [ -z "$packages" ] || die "this machine lacks $wanted, and it has no apt-get to install that with" \
        "install it with this system's own means, and run make again;" \
        "a PostgreSQL that is elsewhere is named with REPLAB_PG_BIN=/path/to/bin"
    say "warning: $skipped are skipped"
    exit 0
fi

if [ "$(id -u)" -eq 0 ]; then
    as_root() { "$@"; }
elif has sudo; then
    as_root() { sudo "$@"; }
else
    [ -z "$packages" ] || die "this machine lacks $wanted" "as root: apt-get install$packages"
    say "warning: $skipped are skipped"
    exit 0
fi

# Debian makes a database cluster and starts it when the server is installed. Nobody asked for that one: it is switched
# off for the time of this installation, where nothing of PostgreSQL was installed before.
override=/etc/postgresql-common/createcluster.d/replab.conf
forget() {
    if [ -n "${placed:-}" ]; then as_root rm -f "$override"; fi
}
trap forget EXIT
trap 'exit 1' HUP INT TERM
case " $packages " in
*" postgresql "*)
    as_root mkdir -p "$(dirname "$override")"
    placed=yes
    printf 'create_main_cluster = false\n' | as_root tee "$override" >/dev/null
    ;;
esac

install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" </dev/null >&2
}

say "installing$packages${optional:+ $optional}"
as_root apt-get update -q </dev/null >&2 || say "warning: apt-get update failed; trying with the lists that are there"
if [ -n "$packages" ]; then
    # shellcheck disable=SC2086 # a list of words
    install $packages || die "apt-get could not install$packages" "the lines above say why"
fi
if [ -n "$optional" ]; then
    # shellcheck disable=SC2086 # a list of words
    install $optional || say "warning: $skipped are skipped"
fi
has_postgresql || die "the PostgreSQL that was installed is older than 14" "install a newer one: https://www.postgresql.org/download/"
