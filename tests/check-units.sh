#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Holds the units of the build directory against "systemd-analyze security": an exposure of 1.5 or
# less, and every setting that it finds fault with is named in the unit, where the reason stands.
set -u
LC_ALL=C.UTF-8 # in other locales the marks of the report are other ones
export LC_ALL

limit=15 # tenths

units=systemd # tests run in the build directory
if ! systemd-analyze --help 2>/dev/null | grep -q -e '--offline'; then
    echo 'SKIP: no systemd-analyze that judges a file (systemd 250)'
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# judge UNIT: prints what is wrong with it.
judge() {
    report=$(systemd-analyze security --offline=true --no-pager "$1" 2>&1)
    exposure=$(printf '%s\n' "$report" | sed -n 's/.*Overall exposure level.*: \([0-9]*\)\.\([0-9]\).*/\1\2/p')
    if [ -z "$exposure" ]; then
        printf 'no exposure level in:\n%s\n' "$report"
    elif [ "$exposure" -gt "$limit" ]; then
        echo "exposure $exposure tenths, at most $limit are allowed"
    fi
    # "RootDirectory=/RootImage=" and "SystemCallFilter=~@chown" begin with the setting's name.
    printf '%s\n' "$report" | grep '✗' | sed 's/^[^A-Za-z]*\([A-Za-z]*\)=.*/\1/' | sort -u |
        while read -r setting; do
            grep -q "$setting=" "$1" || echo "$setting= is missing, and no word says why"
        done
}

# broken WHAT EXPECTED SED-SCRIPT: the unit is refused after this edit.
broken() {
    sed "$3" "$units/closewaitd.service" >"$work/closewaitd.service"
    case $(judge "$work/closewaitd.service") in
    *"$2"*) ;;
    *)
        echo "self-test: $1 is not noticed"
        failed=1
        ;;
    esac
}

failed=0
broken 'a root daemon with every capability' 'at most 15 are allowed' \
    '/^User=/d; /^CapabilityBoundingSet=/d; /^SystemCallFilter=/d'
broken 'a missing setting without a reason' 'PrivateUsers= is missing' '/PrivateUsers/d'

for unit in "$units"/*.service; do
    faults=$(judge "$unit")
    [ -n "$faults" ] || continue
    printf '%s: %s\n' "$unit" "$faults"
    failed=1
done
exit "$failed"
