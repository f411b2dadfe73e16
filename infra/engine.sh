#!/bin/sh
# A docker engine of one's own, for the tests: beside any other, and without a trace in the machine's network settings. Its
# images stay for the next time.
#
#     infra/engine.sh start DIR    starts it with all its files in DIR, waits until it answers, prints its DOCKER_HOST
#     infra/engine.sh stop DIR     stops it, and waits until it has gone
#
# As root, with dockerd (Debian: docker.io).
set -eu

say() { printf '%s\n' "$*" >&2; }

die() {
    say "error: $*"
    exit 1
}

[ $# -eq 2 ] || die "start DIR, or stop DIR"
folder=$2
socket=$folder/docker.sock

# Its number, if the process that has it is the engine of this folder.
engine() {
    pid=$(cat "$folder/pid" 2>/dev/null) || return 1
    tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF "$folder/data" || return 1
    printf '%s\n' "$pid"
}

start() {
    [ "$(id -u)" -eq 0 ] || die "only root can start a docker engine"
    command -v dockerd >/dev/null || die "no dockerd: apt-get install docker.io"
    engine >/dev/null && die "an engine runs in $folder already"
    mkdir -p "$folder"
    # What a killed engine left would keep this one from starting.
    rm -f "$folder/pid" "$folder/exec/containerd/containerd.pid"
    # No firewall, no forwarding and no bridge but those of the tests' own networks: containers speak with each other and,
    # through published ports, with this machine; that needs none of them.
    setsid dockerd --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/pid" \
        --host "unix://$socket" --bridge=none --iptables=false --ip-forward=false \
        </dev/null >"$folder/log" 2>&1 &
    started=$!
    for _ in $(seq 300); do
        if DOCKER_HOST=unix://$socket docker version >/dev/null 2>&1; then
            printf 'unix://%s\n' "$socket"
            return
        fi
        kill -0 "$started" 2>/dev/null || break
        sleep 0.2
    done
    tail -n 20 "$folder/log" >&2
    stop
    die "the docker engine does not answer; the lines above are the end of $folder/log"
}

stop() {
    pid=$(engine) || return 0
    # Containers that are still there end with it.
    kill "$pid"
    for _ in $(seq 300); do
        engine >/dev/null || return 0
        sleep 0.1
    done
    say "warning: the docker engine, process $pid, does not stop; it is killed"
    kill -9 "$pid"
}

case $1 in
start | stop) "$1" ;;
*) die "start or stop, not '$1'" ;;
esac
