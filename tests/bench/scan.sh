#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures "closewaitctl scan" against "ss -tanp state close-wait", and what it takes to list every
# descriptor; `make bench-scan` calls it.
set -eu

if [ $# -ne 1 ] || [ "$1" = --help ]; then
    cat <<'HELP'
Usage: scan.sh BUILDDIR
Plants mines in a network namespace of its own, held by several processes, and lets both programs of
BUILDDIR and of the system look at them in turn, as root. Prints the medians; memory is the most that
was resident.

  BENCH_ROUNDS=N   rounds (default 5); 1 is a quick look whether everything works
  BENCH_MINES=N    mines (default 100000, with one round 4000)

Exit status: 0 scan took no longer than ss, and less than 64 MiB whatever it was to print; 1 it did
not, or something failed; 2 wrong usage.
HELP
    [ $# -eq 1 ] && exit 0
    exit 2
fi

build=$(cd "$1" && pwd)
rounds=${BENCH_ROUNDS:-5}
if [ "$rounds" -gt 1 ]; then
    mines=${BENCH_MINES:-100000}
else
    mines=${BENCH_MINES:-4000}
fi
# Mines are found, which is no failure.
found=5
limit_kib=65536

work=$(mktemp -d)
space=cwscan$$
planter=''
PATH=$PATH:/usr/sbin:/sbin

fail() {
    echo "scan.sh: $*" >&2
    exit 1
}

clean_up() {
    [ -z "$planter" ] || kill "$planter" 2>/dev/null || :
    wait 2>/dev/null || :
    ip netns delete "$space" 2>/dev/null || :
    rm -rf "$work"
}

plant() {
    # Not by a subshell, which would stand between us and the process.
    ip netns exec "$space" "$build/tests/tools/minefield" --listen --count "$mines" \
        --source 127.0.0.1-127.0.0.16 127.0.0.1:8000 >"$work/planted" 2>&1 &
    planter=$!
    tries=1200
    until grep -q '^planted ' "$work/planted"; do
        tries=$((tries - 1))
        if [ "$tries" -eq 0 ] || ! kill -0 "$planter" 2>/dev/null; then
            fail "cannot plant: $(cat "$work/planted")"
        fi
        sleep 0.1
    done
}

# One run; its figures go to a file of their own.
look() { # NAME EXIT-STATUS COMMAND...
    name=$1 status=$2
    shift 2
    ip netns exec "$space" "$build/tests/bench/takes" "$@" >"$work/last"
    [ "$(cut -d ' ' -f 5 "$work/last")" = "$status" ] || fail "$*: $(cat "$work/last")"
    cat "$work/last" >>"$work/$name"
}

median() { # NAME FIELD
    cut -d ' ' -f "$2" "$work/$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

report() { # NAME LABEL
    printf '%-32s %6d ms (%d ms user, %d ms system), %6d KiB\n' "$2" \
        "$(median "$1" 1)" "$(median "$1" 2)" "$(median "$1" 3)" "$(median "$1" 4)"
}

trap clean_up EXIT
trap 'exit 1' INT TERM
ip netns add "$space"
ip netns exec "$space" ip link set lo up
plant
round=0
while [ "$round" -lt "$rounds" ]; do
    look ss 0 ss -tanp state close-wait
    look scan "$found" "$build/closewaitctl" scan
    look fds "$found" "$build/closewaitctl" scan --fds
    look json "$found" "$build/closewaitctl" scan --json
    look fds-json "$found" "$build/closewaitctl" scan --fds --json
    round=$((round + 1))
done
echo "$mines sockets in CLOSE_WAIT, medians of $rounds:"
report ss 'ss -tanp state close-wait'
report scan 'closewaitctl scan'
report fds 'closewaitctl scan --fds'
report json 'closewaitctl scan --json'
report fds-json 'closewaitctl scan --fds --json'
[ "$(median scan 1)" -le "$(median ss 1)" ] || fail 'scan took longer than ss'
for name in scan fds json fds-json; do
    [ "$(median "$name" 4)" -lt "$limit_kib" ] || fail "$name took 64 MiB or more"
done
