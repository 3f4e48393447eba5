#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs suites of a build in a guest of guest.sh; matrix.sh starts it there.
#
#   suites.sh BUILDDIR SUITE...
#
# SUITE is platform, netns, or quick: the part of netns that has most to do with the kernel, once, with
# nft. The tests that have failed are run once more, one after the other: an emulated processor is slow, and
# tests that wait for something have a deadline.
# Ends with a line "suite NAME: N passed, N failed, N skipped, N s" for each.
# Exit status: 0 nothing failed.
set -u

source=$(cd "$(dirname "$0")/../.." && pwd)
cd "$1" || exit 2
shift
work=$(mktemp -d)
failed=0
# A minute's work elsewhere, and of the soak a tenth.
export CLOSEWAITD_TEST_TIMEOUT=7200 CLOSEWAITD_TEST_EMULATED=1 SOAK_SYNS=10000

count() { # WORD FILE
    sed -n "s/^\(.* \)\{0,1\}\([0-9]\{1,\}\) $1.*/\2/p" "$2" | tail -n 1
}

# What has failed: each test of tests/netns, or all of a program that has died.
failed() { # FILE
    awk '
        function end() {
            if (program != "" && !named) { print program }
            program = ""
        }
        /^(ok|FAIL) / {
            end()
            if ($1 == "FAIL") {
                program = $0
                sub(/^FAIL /, "", program)
                sub(/(:[^:]*passed,.*| \(exit status.*)$/, "", program)
                named = 0
            }
        }
        program == "" { next }
        /^ +\[  FAILED  \] / && !/ test\(s\), listed below:$/ { sub(/^ +\[  FAILED  \] /, ""); test = $0 }
        program ~ /^rules\.sh/ && /^ +FAIL / { test = $2 }
        test != "" {
            named = 1
            sub(/:.*/, "", program)
            if (!seen[program ":" test]++) { print program ":" test }
            test = ""
        }
        END { end() }' "$1"
}

for suite; do
    began=$SECONDS
    names=()
    case $suite in
    platform) run=("$source/tests/platform/run.sh" tests/platform) ;;
    netns) run=("$source/tests/netns/run.sh" .) ;;
    quick)
        run=(env BACKENDS=nft "$source/tests/netns/run.sh" .)
        names=('test_collision:destroy, IPv4*' rules.sh:syns_are_held_when_bound)
        ;;
    *)
        echo "suites.sh: no suite '$suite'" >&2
        exit 2
        ;;
    esac
    "${run[@]}" "${names[@]}" 2>&1 | tee "$work/first"
    passed=$(count passed "$work/first")
    lost=$(count failed "$work/first")
    skipped=$(count skipped "$work/first")
    mapfile -t names < <(failed "$work/first")
    if [ ${#names[@]} -gt 0 ]; then
        echo "once more: ${names[*]}"
        CLOSEWAITD_TEST_JOBS=1 "${run[@]}" "${names[@]}" 2>&1 | tee "$work/second"
        again=$(count failed "$work/second")
        passed=$((passed + lost - again)) lost=$again
    fi
    [ "$lost" -eq 0 ] || failed=1
    echo "suite $suite: $passed passed, $lost failed, $skipped skipped, $((SECONDS - began)) s"
done
rm -rf "$work"
exit $failed
