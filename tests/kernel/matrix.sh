#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs suites of a build on kernels of Debian, each in a virtual machine, one after the other.
#
#   matrix.sh BUILDDIR "KERNEL..." "SUITE..."
#
# KERNEL as kernel.sh knows it, SUITE as suites.sh does. What the suites print, after the kernel's name;
# a table at the end; and "N passed, N failed, N skipped".
# Exit status: 0 nothing failed, 77 no kernel could be had.
set -u

here=$(cd "$(dirname "$0")" && pwd)
build=$(realpath "$1")
log=$(mktemp)
trap 'rm -f "$log"' EXIT
table=$(printf '%-8s %-10s %6s %6s %7s %6s' kernel suite passed failed skipped time)
passed=0 failed=0 skipped=0

for kernel in $2; do
    # shellcheck disable=SC2086 # a list of names
    "$here/guest.sh" -t "${CLOSEWAITD_GUEST_TIMEOUT:-36000}" -k "$kernel" "$here/suites.sh" "$build" $3 2>&1 |
        tee "$log" | sed -u "s/^SKIP /&Linux $kernel: /; t; s/^/Linux $kernel: /"
    case ${PIPESTATUS[0]} in
    0 | 1) ;;
    77)
        skipped=$((skipped + 1))
        table+=$(printf '\n%-8s not to be had, see above' "$kernel")
        continue
        ;;
    *)
        failed=$((failed + 1))
        table+=$(printf '\n%-8s died' "$kernel")
        ;;
    esac
    while read -r _ suite p _ f _ s _ seconds _; do
        passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
        table+=$(printf '\n%-8s %-10s %6s %6s %7s %5ss' "$kernel" "${suite%:}" "$p" "$f" "$s" "$seconds")
    done < <(grep '^suite ' "$log")
done
printf '\n%s\n\n' "$table"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$passed" -gt 0 ] || [ "$failed" -gt 0 ] || exit 77
[ "$failed" -eq 0 ]
