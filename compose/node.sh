#!/bin/sh
# One node of compose.yaml. The same for the official `postgres` image and for the one that offline-image.sh builds.
#
#     node.sh start           makes the data directory if there is none, then becomes the server
#     node.sh check           whether the server answers a query
#     node.sh configuration   what is appended to postgresql.conf
#     node.sh follow HOST     writes down that the server receives from HOST; one that runs reads it on SIGHUP
#     node.sh freeze PID      stops the WAL receiver while it waits for something to arrive; prints its /proc/PID/stat
#
# For a server that is down, in a container of their own that has its volume:
#
#     node.sh rewind HOST     undoes what the server has and the one on HOST has not
#     node.sh copy HOST       throws away what the server has, and copies the one on HOST
#     node.sh control         what pg_controldata says
#     node.sh standby         whether it would start as a replica: yes or no
#
# REPLAB_NODE is the node's name. REPLAB_PRIMARY, the host of the node to copy, is empty for the primary. The other
# variables are explained in compose.yaml.
set -eu

home=/var/lib/replab
data=$home/data
# The volume is the node's for good. A data directory without this file was not finished, and is made anew.
made=$home/made
# How long the primary may take to answer for the first time, in seconds.
patience=120

die() {
    printf 'node.sh: %s\n' "$*" >&2
    exit 1
}

# What the local topology writes, too; a test holds them together.
configuration() {
    cat <<END

# replab: durability, spelt out
fsync = on
full_page_writes = on
synchronous_commit = ${REPLAB_SYNCHRONOUS_COMMIT:-on}
synchronous_standby_names = '${REPLAB_STANDBY_NAMES:-}'

# replab: replication
wal_level = replica
hot_standby = on
hot_standby_feedback = ${REPLAB_FEEDBACK:-off}
recovery_min_apply_delay = ${REPLAB_APPLY_DELAY:-0ms}
max_wal_senders = ${REPLAB_SENDERS:-16}
max_replication_slots = ${REPLAB_SENDERS:-16}
# The checkpoint with which one base backup begins may remove what another, whose slot is only just made, still needs.
wal_keep_size = 256MB
# The default, 10 s, leaves the positions of an idle replica out of date for as long.
wal_receiver_status_interval = 1s
# The default, 5 s, would be most of what a short experiment sees of a primary's restart.
wal_retrieve_retry_interval = 500ms

# replab: room for the clients; and a backend that crashes takes its server with it, so that nobody overlooks it
max_connections = ${REPLAB_CONNECTIONS:-200}
restart_after_crash = off
# A shop that is out of stock says so thousands of times; the statement adds nothing.
log_min_error_statement = fatal
log_line_prefix = '%m [%p] %q%a '
lc_messages = 'C'
END
}

# Becomes the user that may run the server, keeping the process: a signal for the container reaches the postmaster.
as_postgres() {
    for program in gosu su-exec; do
        if command -v "$program" >/dev/null 2>&1; then exec "$program" postgres "$@"; fi
    done
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"
}

# The engine's address on the network between the nodes: the first of the network, as engines choose it. /proc/net/route
# has addresses as numbers whose lowest byte is the first.
peers_gateway() {
    own=$(getent hosts "$REPLAB_NODE.peers" | cut -d ' ' -f 1)
    [ -n "$own" ] || die "$REPLAB_NODE.peers has no address: the node is not on the network of the others"
    number=0
    for byte in $(printf '%s' "$own" | tr . '\n' | sed '1!G;h;$!d'); do number=$((number * 256 + byte)); done
    while read -r _ destination gateway _ _ _ _ mask _; do
        case $mask in Mask | 00000000) continue ;; esac
        if [ "$gateway" = 00000000 ] && [ $((number & 0x$mask)) -eq $((0x$destination)) ]; then
            first=$((0x$destination + 0x1000000))
            printf '%d.%d.%d.%d\n' $((first & 255)) $((first >> 8 & 255)) $((first >> 16 & 255)) $((first >> 24 & 255))
            return
        fi
    done </proc/net/route
    die "no network holds $own, the address of $REPLAB_NODE.peers"
}

make_primary() {
    printf '%s\n' "$REPLAB_PASSWORD" >"$home/password"
    initdb --pgdata="$data" --username=postgres --pwfile="$home/password" --encoding=UTF8 --locale=C \
        --data-checksums --auth=scram-sha-256 >"$home/initdb.log" 2>&1 || die "$(cat "$home/initdb.log")"
    rm "$home/password"
    configuration >>"$data/postgresql.conf"
    # The socket is for those who are in the container anyway. Everybody else, on either network, needs the password. Who
    # comes from the engine on the network of the nodes is a client: of a node that is cut off from its clients, where the
    # engine has moved the published port to the network that is left.
    gateway=$(peers_gateway)
    cat >"$data/pg_hba.conf" <<END
local all         postgres peer map=replab
host  all         all      $gateway/32 reject
host  all         all      all scram-sha-256
host  replication postgres all scram-sha-256
END
    printf 'replab %s postgres\n' root postgres >"$data/pg_ident.conf"
}

# How the server on host $1 is reached. In no argument: the password. And no application_name: a replica's is its
# cluster_name.
reach() { printf 'host=%s port=5432 user=postgres passfile=%s' "$1" "$home/pgpass"; }

# Slots have fewer letters than nodes.
slot_name() { printf '%s' "$REPLAB_NODE" | tr -c 'A-Za-z0-9' '_' | tr 'A-Z' 'a-z'; }

make_replica() {
    primary=$(reach "$REPLAB_PRIMARY")
    slot=$(slot_name)
    sql="SELECT pg_create_physical_replication_slot('$slot', true)
         WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '$slot')"
    end=$(($(date +%s) + patience))
    until psql -X -q -d "$primary dbname=postgres connect_timeout=5" -c "$sql" >"$home/psql.log" 2>&1; do
        [ "$(date +%s)" -lt "$end" ] ||
            die "$REPLAB_PRIMARY does not answer after $patience s: $(cat "$home/psql.log")"
        sleep 0.2
    done
    # Not synced here: a server that starts from a backup syncs its whole directory first.
    pg_basebackup --write-recovery-conf --wal-method=stream --checkpoint=fast --no-sync --no-manifest --no-password \
        --slot="$slot" --dbname="$primary" --pgdata="$data"
}

follow() {
    file=$data/postgresql.auto.conf
    {
        grep -v -e '^[[:space:]]*primary_conninfo' -e '^[[:space:]]*primary_slot_name' "$file" || true
        printf "primary_conninfo = '%s'\nprimary_slot_name = '%s'\n" "$(reach "$1")" "$(slot_name)"
    } >"$file.new"
    mv "$file.new" "$file"
    : >"$data/standby.signal"
}

# The server that wrote its number here is down, and in this container its number is somebody else's.
forget_process() { rm -f "$data/postmaster.pid"; }

rewind() {
    forget_process
    pg_rewind --source-server="$(reach "$1") dbname=postgres" --target-pgdata="$data"
}

copy() {
    REPLAB_PRIMARY=$1
    rm -rf "$data"
    make_replica
}

control() { LC_ALL=C pg_controldata -D "$data"; }

standby() { if [ -e "$data/standby.signal" ]; then echo yes; else echo no; fi; }

# In the middle of its work it would, when it goes on, first read whatever has arrived meanwhile, and only then see that it
# is to end. So it is stopped while it waits. Where the kernel does not tell what it does, that cannot be known.
freeze() {
    case $(uname -m) in
    # epoll_wait, epoll_pwait, poll, ppoll
    x86_64) waits=' 232 281 7 271 ' ;;
    # epoll_pwait, ppoll
    aarch64) waits=' 22 73 ' ;;
    *) waits= ;;
    esac
    attempts=2000
    while [ "$attempts" -gt 0 ]; do
        attempts=$((attempts - 1))
        kill -s STOP "$1" || die "process $1 is gone"
        looks=1000
        until grep -q '^State:[[:space:]]*T' "/proc/$1/status" 2>/dev/null; do
            looks=$((looks - 1))
            [ "$looks" -gt 0 ] || die "process $1 does not stop"
            sleep 0.005
        done
        call=
        { read -r call _ <"/proc/$1/syscall"; } 2>/dev/null || true
        case $waits in
        '' | *" ${call:-unknown} "*) call= ;;
        esac
        if [ -z "$call" ]; then
            cat "/proc/$1/stat"
            return
        fi
        kill -s CONT "$1"
        sleep 0.002
    done
    die "process $1 was never seen to wait"
}

start() {
    cd "$home"
    if [ ! -e "$made" ]; then
        rm -rf "$data"
        # Whoever is the primary now may have to receive later.
        printf '*:*:*:postgres:%s\n' "$REPLAB_PASSWORD" >"$home/pgpass"
        if [ -n "${REPLAB_PRIMARY:-}" ]; then make_replica; else make_primary; fi
        : >"$made"
    fi
    # No child of the server needs it.
    unset REPLAB_PASSWORD
    exec postgres -D "$data" -c "cluster_name=$REPLAB_NODE" -c 'listen_addresses=*' -c port=5432 \
        -c "unix_socket_directories=$home"
}

check() {
    psql -X -q -A -t -h "$home" -U postgres -d postgres -c 'SELECT 1' >/dev/null
}

case ${1:-} in
check | configuration | freeze) "$@" ;;
start | follow | rewind | copy | control | standby)
    # What it writes is the server's.
    if [ "$(id -u)" -eq 0 ]; then
        chown postgres:postgres "$home"
        as_postgres sh "$0" "$@"
    fi
    umask 077
    "$@"
    ;;
*) die "there is no '${1:-}'; the head of node.sh says what there is" ;;
esac
