#!/bin/sh
# Builds an image that stands in for the official `postgres` one, from Debian's packages, for machines that reach a
# package mirror and no registry of images. node.sh runs it like the official one.
#
#     compose/offline-image.sh            builds replab-postgres:offline, unless it is there and as it would be built
#     compose/offline-image.sh --force    builds it anew
#     compose/offline-image.sh --name     only says what it is called
#
# REPLAB_OFFLINE_IMAGE   its name
# REPLAB_DEBIAN_SUITE    the release it is made of [this machine's, if that is Debian; else bookworm]
# REPLAB_DEBIAN_MIRROR   where its packages come from [the tool's default]
#
# As root, with mmdebstrap or debootstrap. As another user with mmdebstrap alone, where the kernel lets users have
# namespaces.
# Without -f, the patterns below would be taken for files of this machine.
set -euf

image=${REPLAB_OFFLINE_IMAGE:-replab-postgres:offline}
mirror=${REPLAB_DEBIAN_MIRROR:-}
suite=${REPLAB_DEBIAN_SUITE:-}
if [ -z "$suite" ] && [ -r /etc/os-release ]; then
    # shellcheck source=/dev/null
    suite=$(. /etc/os-release && if [ "${ID:-}" = debian ]; then printf '%s' "${VERSION_CODENAME:-}"; fi)
fi
suite=${suite:-bookworm}

say() { printf '%s\n' "$*" >&2; }

die() {
    say "error: $*"
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

case ${1:-} in
--name)
    printf '%s\n' "$image"
    exit 0
    ;;
--force | '') ;;
*) die "nothing, --force or --name, not '$1'" ;;
esac

has docker || die "no docker: apt-get install docker.io"
docker version >/dev/null 2>&1 || die "the docker engine does not answer: start it, or name it with DOCKER_HOST"

# What it is made of and by: an image with the same mark need not be built again.
mark=$({
    printf '%s %s\n' "$suite" "$mirror"
    cat "$0"
} | sha256sum | cut -d ' ' -f 1)
if [ "${1:-}" != --force ] &&
    [ "$(docker image inspect --format '{{index .Config.Labels "replab.recipe"}}' "$image" 2>/dev/null)" = "$mark" ]; then
    say "$image is there already"
    exit 0
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

# Documentation, and the compiler for queries with its hundred megabytes: nobody asks the lab's servers for them.
exclude='/usr/share/doc/* /usr/share/man/* /usr/share/info/* /usr/share/locale/* */libLLVM* */llvmjit*'
# Debian makes a database cluster of its own when the server is installed, unless it is told not to.
no_cluster() {
    mkdir -p "$1/etc/postgresql-common/createcluster.d"
    printf 'create_main_cluster = false\n' >"$1/etc/postgresql-common/createcluster.d/replab.conf"
}

say "building $image from Debian $suite; this takes a minute or two"
root=$folder/root
if has mmdebstrap; then
    set --
    for path in $exclude; do set -- "$@" "--dpkgopt=path-exclude=$path"; done
    mmdebstrap --quiet --variant=minbase --include=postgresql --aptopt='APT::Install-Recommends "false"' "$@" \
        --essential-hook='mkdir -p "$1/etc/postgresql-common/createcluster.d"' \
        --essential-hook='echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.d/replab.conf"' \
        "$suite" "$folder/root.tar" ${mirror:+"$mirror"} >&2
elif has debootstrap; then
    [ "$(id -u)" -eq 0 ] || die "debootstrap runs as root only; mmdebstrap does not need that"
    debootstrap --variant=minbase "$suite" "$root" ${mirror:+"$mirror"} >&2
    no_cluster "$root"
    for path in $exclude; do printf 'path-exclude=%s\n' "$path"; done >"$root/etc/dpkg/dpkg.cfg.d/replab"
    DEBIAN_FRONTEND=noninteractive chroot "$root" \
        apt-get install -y --no-install-recommends postgresql >&2
    rm -rf "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
    tar -C "$root" --numeric-owner -cf "$folder/root.tar" .
else
    die "neither mmdebstrap nor debootstrap: apt-get install mmdebstrap"
fi

# Debian keeps the programs of each version in a folder of their own; the official image has it in PATH.
major=$(tar -tf "$folder/root.tar" | sed -n 's|^\./usr/lib/postgresql/\([0-9][0-9]*\)/bin/initdb$|\1|p')
[ -n "$major" ] || die "the packages of Debian $suite hold no initdb"
[ "$major" -ge 14 ] || die "Debian $suite has PostgreSQL $major; the lab needs 14 or newer"
docker import \
    --change "ENV PATH=/usr/lib/postgresql/$major/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    --change "LABEL replab.recipe=$mark" --change 'CMD ["postgres"]' \
    "$folder/root.tar" "$image" >/dev/null
say "$image holds PostgreSQL $major"
