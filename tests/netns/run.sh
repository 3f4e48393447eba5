#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs every end-to-end program of a build directory, or those named, and adds up their tests.
set -eu

if [ $# -lt 1 ] || [ "$1" = --help ]; then
    cat <<'HELP'
Usage: run.sh BUILDDIR [NAME[:TEST]]...
Runs the end-to-end programs NAME... of BUILDDIR (default: every one there, and rules.sh); as root. Of
their tests only TEST: a pattern, or the name of one of rules.sh. A line for each, its output in
BUILDDIR/tests/netns/NAME.out; printed for those that fail, for all with VERBOSE=1. The tests that
were skipped or failed are named. A program that fails while the machine loses packets is run once
more, and that is said. Each may take CLOSEWAITD_TEST_TIMEOUT seconds, by default 600;
CLOSEWAITD_TEST_JOBS of them run at once, by default one per processor: most of them wait.
Exit status: 0 nothing failed, 1 something did, 2 there is nothing to run.
HELP
    [ $# -ge 1 ] && exit 0
    exit 2
fi

source=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
out=$build/tests/netns
shift
CLOSEWAITD=$build/closewaitd
CLOSEWAITD_RULES=$build/conf/closewaitd-rules
CLOSEWAITCTL=$build/closewaitctl
export CLOSEWAITD CLOSEWAITD_RULES CLOSEWAITCTL

if [ $# -eq 0 ]; then
    for program in "$out"/test_*; do
        name=${program##*/}
        case $name in
        *.*) continue ;; # objects, and the outputs of an earlier run
        esac
        [ ! -x "$program" ] || set -- "$@" "$name"
    done
    [ $# -eq 0 ] || set -- "$@" rules.sh
fi
if [ $# -eq 0 ]; then
    echo "run.sh: no programs in $out; build them with 'make netns-programs'" >&2
    exit 2
fi

# The longest first, so that none of them is left alone at the end.
long=() short=()
for name; do
    case ${name%%:*} in
    rules.sh | test_sweep | test_doctor | test_outages | test_soak) long+=("$name") ;;
    *) short+=("$name") ;;
    esac
done
names=("${long[@]}" "${short[@]}")

# A number that cmocka ("[  PASSED  ] 3 test(s)") or rules.sh ("3 passed, ...") has printed.
count() { # WORD FILE
    sed -n -e "s/^\[  *$1 *\] \([0-9]*\) test.*/\1/p" "$2" | tail -n 1
}

# The numbers of tests that passed, failed and were skipped, by what a program has printed.
counts() { # FILE
    local summary
    summary=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$1" | tail -n 1)
    if [ -n "$summary" ]; then
        p=${summary%% passed*}
        f=${summary#* passed, } f=${f%% *}
        s=${summary##*failed, } s=${s%% *}
    else
        p=$(count PASSED "$1") f=$(count FAILED "$1") s=$(count SKIPPED "$1")
    fi
}

# What came of one program: to stdout, and its numbers to a file beside its output.
report() { # NAME LOG STATUS SECONDS
    local name=$1 log=$2 status=$3 took=$4 p='' f='' s=''
    if [ "$status" -eq 77 ]; then
        echo "0 0 1" >"$log.counts"
        echo "SKIP $name: $(sed -n 's/^SKIP:* //p' "$log")"
        return
    fi
    counts "$log"
    if [ "$status" -eq 0 ] && [ $((${p:-0} + ${f:-0} + ${s:-0})) -eq 0 ]; then
        echo "no test has this name" >>"$log"
        status=2
    fi
    # A program that died has not counted that as a failure itself.
    [ "$status" -eq 0 ] || [ "${f:-0}" -gt 0 ] || f=1
    echo "${p:-0} ${f:-0} ${s:-0}" >"$log.counts"
    if [ "$status" -eq 0 ]; then
        echo "ok   $name: ${p:-0} passed, ${s:-0} skipped, $took s"
    else
        echo "FAIL $name: ${p:-0} passed, ${f:-0} failed, $took s (exit status $status)"
    fi
    # cmocka names a skipped test when it skips it and again at the end.
    sed -n -e 's/^\[  SKIPPED \] \([^0-9].*\)/SKIP \1/p' -e '/^SKIP/p' "$log" | sort -u
    case $status,${VERBOSE:-0} in
    0,0) ;;
    *) sed 's/^/     /' "$log" ;;
    esac
}

log_of() { # NAME[:TEST]
    echo "$out/${1//[!A-Za-z0-9_.]/-}.out"
}

# The packets that this machine has dropped because a processor's backlog was full
# (net.core.netdev_max_backlog): all namespaces share it, and some tests flood it. Whose they were is not
# told; a SYN among them comes again after a second.
lost_packets() {
    local lost total=0
    while read -r _ lost _; do total=$((total + 0x$lost)); done </proc/net/softnet_stat
    echo $total
}

run_one() { # NAME[:TEST]
    local name=$1 tests='' program log status=0 began=$SECONDS before lost
    program=$out/${name%%:*}
    [ "${name%%:*}" != rules.sh ] || program=$source/rules.sh
    [ "${name%%:*}" = "$name" ] || tests=${name#*:}
    log=$(log_of "$name")
    before=$(lost_packets)
    timeout "${CLOSEWAITD_TEST_TIMEOUT:-600}" "$program" ${tests:+"$tests"} >"$log" 2>&1 || status=$?
    lost=$(($(lost_packets) - before))
    if [ $status -ne 0 ] && [ $status -ne 77 ] && [ $lost -gt 0 ]; then
        mv "$log" "$log.first"
        status=0
        timeout "${CLOSEWAITD_TEST_TIMEOUT:-600}" "$program" ${tests:+"$tests"} >"$log" 2>&1 || status=$?
        echo "once more: $name, which failed while this machine lost $lost packets ($log.first)"
    fi
    # In one piece: others report too.
    report "$name" "$log" $status $((SECONDS - began)) >"$log.report"
    cat "$log.report"
}

jobs=${CLOSEWAITD_TEST_JOBS:-$(nproc)}
running=0
for name in "${names[@]}"; do
    rm -f "$(log_of "$name").counts"
    if [ "$running" -ge "$jobs" ]; then
        wait -n || true
        running=$((running - 1))
    fi
    run_one "$name" &
    running=$((running + 1))
done
wait

passed=0 failed=0 skipped=0
for name in "${names[@]}"; do
    read -r p f s <"$(log_of "$name").counts" || p=0 f=1 s=0
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
