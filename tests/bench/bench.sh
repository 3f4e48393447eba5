#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures what closewaitd costs and what it buys; `make bench` calls it.
set -eu

if [ $# -ne 1 ] || [ "$1" = --help ]; then
    cat <<'HELP'
Usage: bench.sh BUILDDIR
Measures with the programs of BUILDDIR, as root, each variant in a network namespace of its own, the
variants in turn within each round. Results: BUILDDIR/bench.csv, bench.md and bench.svg, and
bench-summary.md for the README.

  BENCH_ROUNDS=N   rounds (default 21); 1 is a quick look whether everything works. To tell a twentieth of
                   the connects on a virtual machine takes some 200 rounds of the part connect.
  BENCH_MS=N       milliseconds of each measurement (default 60): short, so that what is compared is close
  BENCH_PARTS=LIST parts of it (default "connect mines scale idle"); what the last run has found about
                   the others is kept
HELP
    [ $# -eq 1 ] && exit 0
    exit 2
fi

source=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
rounds=${BENCH_ROUNDS:-21}
ms=${BENCH_MS:-60}
parts=${BENCH_PARTS:-connect mines scale idle}
if [ "$rounds" -gt 1 ]; then
    heals=20 many=100000 some=10000 idle_s=3
    first_port=32768 alone_port=33767 last_port=60999 # Linux' ephemeral ports
else
    heals=10 many=4000 some=400 idle_s=1
    first_port=32768 alone_port=32867 last_port=34767
fi

load=$build/tests/bench/load
minefield=$build/tests/tools/minefield
csv=$build/bench.csv
work=$(mktemp -d)
prefix=cwbench$$
spaces='' pids='' started=''
PATH=$PATH:/usr/sbin:/sbin

fail() {
    echo "bench: $*" >&2
    exit 1
}

clean_up() {
    # shellcheck disable=SC2086 # a list
    [ -z "$pids" ] || kill $pids 2>/dev/null || :
    wait 2>/dev/null || :
    for space in $spaces; do ip netns delete "$prefix-$space" || :; done
    rm -rf "$work"
}

# --- namespaces and what runs in them -----------------------------------------------------------

inside() { # SPACE COMMAND...
    where=$1
    shift
    ip netns exec "$prefix-$where" "$@"
}

make_space() { # NAME
    ip netns add "$prefix-$1"
    spaces="$spaces $1"
    inside "$1" ip link set lo up
    # Room for every connect of a moment in which no accepting thread is given a processor.
    inside "$1" sysctl -qw net.core.somaxconn=65535
}

# Starts a program that says TEXT when it is ready; $started is its process.
start() { # SPACE TEXT COMMAND...
    where=$1 text=$2 output=$work/$1.$(basename "$3").out
    shift 2
    : >"$output"
    # Not inside(): a subshell would stand between us and the process.
    ip netns exec "$prefix-$where" "$@" >"$output" 2>&1 &
    started=$!
    pids="$pids $started"
    tries=600
    until grep -q "$text" "$output"; do
        tries=$((tries - 1))
        if [ $tries -eq 0 ] || ! kill -0 $started 2>/dev/null; then
            sed 's/^/    /' "$output" >&2
            fail "$1 did not become ready"
        fi
        sleep 0.1
    done
}

stop_started() {
    kill "$started"
    wait "$started" 2>/dev/null || :
}

put_conf() { # SPACE FILTER WORKERS
    cat >"$work/$1.conf" <<EOF
mode = "enforce";
queue = { number = 61; filter = "$2"; workers = $3; };
limits = { destroy_per_second = 0; };
log = { target = "stderr"; };
control = { socket = ""; };
EOF
}

put_rules() { # SPACE
    CLOSEWAITD=$build/closewaitd inside "$1" "$build/conf/closewaitd-rules" up \
        -c "$work/$1.conf" >"$work/rules.out" 2>&1 && return
    cat "$work/rules.out" >&2
    fail "no rules for $1"
}

start_daemon() { # SPACE FILTER [WORKERS]
    put_conf "$1" "$2" "${3-0}"
    start "$1" 'ready: ' "$build/closewaitd" -c "$work/$1.conf"
    grep -q "filter $2," "$output" ||
        fail "the filter $2 cannot be had here: $(head -n 1 "$output")"
    put_rules "$1"
}

# One line of results: what was measured and how, then what the load generator says.
measure() { # WHAT ROUND LISTENER CLIENTS VARIANT SPACE OPTIONS...
    what="$1,$2,$3,$4,$5" space=$6 clients=$4
    shift 6
    inside "$space" "$load" --clients="$clients" "$@" >"$work/line" ||
        fail "measuring $what: connects have failed"
    echo "$what,$(tr ' ' ',' <"$work/line")" >>"$csv"
}

# A variant whose daemon sees no SYN at all measures nothing.
check_that_it_took_part() { # PID WHAT
    awk '{ exit !($8 > 0) }' "$work/line" || fail "$2: process $1 has not seen a SYN"
}

# --- connect: the price of an ordinary connection -----------------------------------------------

# "again" is "none" once more: what the two differ by is what the measurement cannot tell.
variants='none bypass reference all again one socket bpf'

connect_set_up() {
    for variant in $variants; do
        started=''
        make_space "$variant"
        case $variant in
        none | again) ;;
        bypass)
            put_conf bypass all 1
            put_rules bypass
            ;;
        reference)
            put_conf reference all 1
            put_rules reference
            start reference ready "$build/tests/bench/accept-all" 61
            ;;
        one) start_daemon one all 1 ;;
        *) start_daemon "$variant" "$variant" ;;
        esac
        eval "pid_$variant=$started"
    done
}

connect_round() { # ROUND
    for clients in 1 4 16; do
        for listener in 0.0.0.0 127.0.0.1; do
            for variant in $variants; do
                eval "pid=\$pid_$variant"
                measure connect "$1" "$listener" "$clients" "$variant" "$variant" \
                    --listen=$listener --time="$ms" ${pid:+--watch="$pid"} 127.0.0.1:8000
                case $variant in
                reference | all | one) check_that_it_took_part "$pid" "$variant" ;;
                esac
            done
        done
    done
    # The first one of this round is the last one of the next: no variant has a place of its own.
    variants="${variants#* } ${variants%% *}"
}

# --- mines: every connect collides --------------------------------------------------------------

mines_set_up() {
    make_space heal
    make_space mines
    start_daemon mines all
    pid_mines=$started
}

plant() { # SPACE PORTS
    start "$1" planted "$minefield" --listen --hand-over --ports="$2" 127.0.0.1:8000
}

# Through the ports, the first thousand by one client, the rest by 16, in four parts to see whether
# it becomes slower on the way.
cross() { # ROUND VARIANT
    measure mines "$1" 127.0.0.1 1 "$2" mines --listen --watch="$pid_mines" \
        --ports="$first_port-$alone_port" 127.0.0.1:8000
    quarter=$(((last_port - alone_port) / 4))
    from=$((alone_port + 1))
    for part in 1 2 3 4; do
        measure mines "$1" 127.0.0.1 16 "$2$part" mines --listen --watch="$pid_mines" \
            --ports="$from-$((from + quarter - 1))" 127.0.0.1:8000
        from=$((from + quarter))
    done
}

mines_round() { # ROUND
    plant heal "$first_port-$((first_port + heals - 1))"
    measure mines "$1" 127.0.0.1 1 heal heal --listen \
        --ports="$first_port-$((first_port + heals - 1))" 127.0.0.1:8000
    stop_started

    cross "$1" clear
    plant mines "$first_port-$last_port"
    cross "$1" mined
    stop_started
}

# --- scale: so many CLOSE_WAIT sockets ----------------------------------------------------------

scale_set_up() {
    for count in 0 $some $many; do
        make_space "scale$count"
        start_daemon "scale$count" all
        eval "pid_scale$count=$started"
        [ "$count" -eq 0 ] || start "scale$count" planted "$minefield" --listen \
            --count="$count" --source=127.0.0.2-127.0.0.9 127.0.0.1:7000
    done
}

scale_round() { # ROUND
    for clients in 1 16; do
        for count in 0 $some $many; do
            eval "pid=\$pid_scale$count"
            measure scale "$1" 127.0.0.1 "$clients" "$count" "scale$count" --listen \
                --time="$ms" --watch="$pid" 127.0.0.1:8000
        done
    done
}

# --- idle: what the daemon takes when nothing happens -------------------------------------------

idle_set_up() {
    make_space idle
    start_daemon idle all 1
    pid_idle=$started
}

# The daemon and its helper, if it has one.
family() { # PID
    echo "$1 $(cat /proc/"$1"/task/"$1"/children)"
}

switches() { # PID...
    for pid in "$@"; do cat /proc/"$pid"/task/*/status; done | awk '/^voluntary_ctxt_switches/ { sum += $2 } END { print sum }'
}

idle_round() { # ROUND
    members=$(family "$pid_idle")
    # shellcheck disable=SC2086 # a list
    before=$(switches $members)
    sleep $idle_s
    # shellcheck disable=SC2086
    after=$(switches $members)
    for pid in $members; do cat "/proc/$pid/smaps_rollup"; done | awk -v what="idle,$1,-,0,all" -v wakeups="$((after - before))" -v seconds=$idle_s '
        { kib[$1] += $2 }
        END {
            print what "," wakeups "," seconds "," kib["Rss:"] "," kib["Pss:"] "," kib["Private_Dirty:"]
        }' >>"$csv"
}

# --- all of it ----------------------------------------------------------------------------------

[ "$(id -u)" -eq 0 ] || fail "needs root, for network namespaces"
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -e "$csv" ]; then
    # shellcheck disable=SC2086 # a list of words becomes an alternation
    grep -vE "^(#|$(printf '%s|' $parts)nothing)" "$csv" >"$work/kept" || :
fi
{
    cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
    echo "# $(date -u +%Y-%m-%d), Linux $(uname -r), $(nproc) processors ($cpu)"
    echo "# $ms ms for each measurement; load of the machine before: $(cut -d' ' -f1-3 /proc/loadavg)"
    echo '# part,round,listener,clients,variant,connects,seconds,p50_us,p99_us,p999_us,max_us,load_cpu_s,daemon_cpu_s,overflows,failed'
    echo '# idle,round,-,0,variant,wakeups,seconds,rss_kib,pss_kib,private_kib'
    [ ! -e "$work/kept" ] || cat "$work/kept"
} >"$csv"
for part in $parts; do
    echo "bench: preparing $part" >&2
    "${part}_set_up"
done
round=1
while [ "$round" -le "$rounds" ]; do
    for part in $parts; do
        echo "bench: round $round of $rounds, $part" >&2
        "${part}_round" "$round"
    done
    round=$((round + 1))
done
awk -v svg="$build/bench.svg" -v summary="$build/bench-summary.md" -f "$source/report.awk" "$csv" >"$build/bench.md"
cat "$build/bench.md"
