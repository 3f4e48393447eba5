#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Holds the alert rules and the dashboard to the metrics that there are, and the rules to their
# tests. `make check` runs it with $srcdir set.
set -eu

source=${srcdir:-$(dirname "$0")/..}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Every metric that a file speaks of, one a line.
spoken_of()
{
    grep -o 'closewaitd_[a-z_]*' "$1" | sort -u
}

# tests/unit/metrics.prom is what the daemon writes: test_metrics sees to that.
grep -o '^closewaitd_[a-z_]*' "$source/tests/unit/metrics.prom" | sort -u >"$work/there"
failed=0
for file in closewaitd-alerts.yml closewaitd-dashboard.json; do
    spoken_of "$source/conf/$file" >"$work/spoken"
    if [ ! -s "$work/spoken" ]; then
        echo "conf/$file speaks of no metric"
        failed=1
    fi
    for name in $(comm -23 "$work/spoken" "$work/there"); do
        echo "conf/$file: there is no metric $name"
        failed=1
    done
done
[ $failed -eq 0 ] || exit 1

if ! command -v promtool >/dev/null; then
    echo "SKIP: no promtool (Debian: apt install prometheus)"
    exit 77
fi
cp "$source/conf/closewaitd-alerts.yml" "$source/tests/alerts.yml" "$work"
promtool check rules "$work/closewaitd-alerts.yml"
promtool test rules "$work/alerts.yml"

# A rule that is never true would pass for one that never fires: each has to be asked for.
sed -n 's/^ *- alert: //p' "$source/conf/closewaitd-alerts.yml" | while read -r alert; do
    grep -q "$alert" "$source/tests/alerts.yml" || {
        echo "tests/alerts.yml: nothing about $alert"
        exit 1
    }
done

# The dashboard's expressions, with something in place of what Grafana puts in.
# shellcheck disable=SC2016 # the dollars are Grafana's
{
    printf 'groups:\n  - name: dashboard\n    rules:\n'
    sed -n 's/^ *"expr": \(".*"\),\{0,1\}$/      - {record: panel, expr: \1}/p' \
        "$source/conf/closewaitd-dashboard.json" |
        sed -e 's/\$__rate_interval/5m/g' -e 's/\$__range/1d/g'
} >"$work/dashboard.yml"
promtool check rules --lint=none "$work/dashboard.yml"
