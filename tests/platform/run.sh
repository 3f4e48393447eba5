#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs every platform program of a build directory, or those named, and counts the results.
set -eu

if [ $# -lt 1 ] || [ "$1" = --help ]; then
    cat <<'HELP'
Usage: run.sh DIR [NAME]...
Runs the platform programs NAME... in DIR (default: every one there); as root. A line for each, the
facts it measured in DIR/NAME.facts; they are printed for those that fail, for all with FACTS=1.
Exit status: 0 nothing failed, 1 something did, 2 there is nothing to run.
HELP
    [ $# -ge 1 ] && exit 0
    exit 2
fi

dir=$1
shift
if [ $# -eq 0 ]; then
    for program in "$dir"/*; do
        case $program in
        *.sh) continue ;; # this file, where source and build directory are one
        esac
        if [ -f "$program" ] && [ -x "$program" ]; then
            set -- "$@" "$(basename "$program")"
        fi
    done
fi
if [ $# -eq 0 ]; then
    echo "run.sh: no programs in $dir; build them with 'make check-platform'" >&2
    exit 2
fi

passed=0 failed=0 skipped=0
for name in "$@"; do
    facts=$dir/$name.facts
    status=0
    # The longest program waits some seconds for a client's retransmissions.
    timeout 120 "$dir/$name" >"$facts" 2>&1 || status=$?
    case $status in
    0)
        passed=$((passed + 1))
        echo "ok   $name"
        ;;
    77)
        skipped=$((skipped + 1))
        echo "SKIP $name: $(sed -n 's/^SKIP //p' "$facts")"
        ;;
    *)
        failed=$((failed + 1))
        echo "FAIL $name (exit status $status)"
        ;;
    esac
    case $status,${FACTS:-0} in
    0,0 | 77,*) ;;
    *) sed 's/^/     /' "$facts" ;;
    esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
