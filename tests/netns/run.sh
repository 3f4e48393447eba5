#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs every end-to-end program of a build directory, or those named, and adds up their tests.
set -eu

if [ $# -lt 1 ] || [ "$1" = --help ]; then
    cat <<'HELP'
Usage: run.sh BUILDDIR [NAME[:TEST]]...
Runs the end-to-end programs NAME... of BUILDDIR (default: every one there, and rules.sh); as root. Of
their tests only TEST: a pattern, or the name of one of rules.sh. A line for each, its output in
BUILDDIR/tests/netns/NAME.out; printed for those that fail, for all with VERBOSE=1. The tests that
were skipped or failed are named. Each may take CLOSEWAITD_TEST_TIMEOUT seconds, by default 600.
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
    [ $# -eq 0 ] || [ ! -x "$source/rules.sh" ] || set -- "$@" rules.sh
fi
if [ $# -eq 0 ]; then
    echo "run.sh: no programs in $out; build them with 'make netns-programs'" >&2
    exit 2
fi

# A number that cmocka ("[  PASSED  ] 3 test(s)") or rules.sh ("3 passed, ...") has printed.
count() { # WORD FILE
    sed -n -e "s/^\[  *$1 *\] \([0-9]*\) test.*/\1/p" "$2" | tail -n 1
}

add_up() { # FILE
    if summary=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$1" | tail -n 1) && [ -n "$summary" ]; then
        p=${summary%% passed*}
        f=${summary#* passed, } f=${f%% *}
        s=${summary##*failed, } s=${s%% *}
    else
        p=$(count PASSED "$1") f=$(count FAILED "$1") s=$(count SKIPPED "$1")
    fi
    passed=$((passed + ${p:-0}))
    failed=$((failed + ${f:-0}))
    skipped=$((skipped + ${s:-0}))
}

passed=0 failed=0 skipped=0
for name in "$@"; do
    program=$out/${name%%:*}
    [ "${name%%:*}" != rules.sh ] || program=$source/rules.sh
    tests=''
    [ "${name%%:*}" = "$name" ] || tests=${name#*:}
    log=$out/${name%%:*}.out
    status=0 p='' f='' s=''
    began=$(date +%s)
    timeout "${CLOSEWAITD_TEST_TIMEOUT:-600}" "$program" ${tests:+"$tests"} >"$log" 2>&1 || status=$?
    took=$(($(date +%s) - began))
    if [ $status -eq 77 ]; then
        skipped=$((skipped + 1))
        echo "SKIP $name: $(sed -n 's/^SKIP:* //p' "$log")"
        continue
    fi
    add_up "$log"
    if [ $status -eq 0 ]; then
        echo "ok   $name: ${p:-0} passed, ${s:-0} skipped, $took s"
    else
        # A program that died has not counted that as a failure itself.
        [ "${f:-0}" -gt 0 ] || failed=$((failed + 1))
        echo "FAIL $name: ${p:-0} passed, ${f:-0} failed, $took s (exit status $status)"
    fi
    # cmocka names a skipped test when it skips it and again at the end.
    sed -n -e 's/^\[  SKIPPED \] \([^0-9].*\)/SKIP \1/p' -e '/^SKIP/p' "$log" | sort -u
    case $status,${VERBOSE:-0} in
    0,0) ;;
    *) sed 's/^/     /' "$log" ;;
    esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
