#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs fuzz targets that were built with libFuzzer, and says what each has found.
#
#   run.sh [-s SECONDS] [-j JOBS] DIR TARGET...
#
# DIR holds the programs fuzz_TARGET. What a run finds stays there: DIR/TARGET/ the inputs that
# reach something new, from which the next run goes on; DIR/TARGET.findings/ those that break
# something; DIR/TARGET.log what libFuzzer said. Fails if there is a finding.
set -u

here=$(cd "$(dirname "$0")" && pwd)
seconds=60
jobs=1
while getopts s:j: option; do
    case $option in
    s) seconds=$OPTARG ;;
    j) jobs=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
dir=$1
shift

search() { # TARGET
    local arguments=(-max_total_time="$seconds" -timeout=10 -print_final_stats=1 -verbosity=0
        -artifact_prefix="$dir/$1.findings/")
    [ ! -f "$here/$1.dict" ] || arguments+=(-dict="$here/$1.dict")
    mkdir -p "$dir/$1" "$dir/$1.findings"
    # The first folder is written to, the second only read.
    "$dir/fuzz_$1" "${arguments[@]}" "$dir/$1" "$here/corpus/$1" >"$dir/$1.log" 2>&1 </dev/null
    echo "exit status $?" >>"$dir/$1.log"
}

stat() { # TARGET NAME
    sed -n "s/^stat::$2: *//p" "$dir/$1.log" | tail -n 1
}

# What took long is kept there too, and is none: this machine may have stood still.
findings() { # TARGET
    find "$dir/$1.findings" -type f ! -name 'slow-unit-*'
}

running=0
for target in "$@"; do
    if [ $running -eq "$jobs" ]; then
        wait -n
        running=$((running - 1))
    fi
    search "$target" &
    running=$((running + 1))
done
wait

failed=0
printf '%-10s %14s %10s %9s\n' target executions per-second findings
for target in "$@"; do
    count=$(findings "$target" | wc -l)
    printf '%-10s %14s %10s %9s\n' "$target" "$(stat "$target" number_of_executed_units)" \
        "$(stat "$target" average_exec_per_sec)" "$count"
    grep -qx 'exit status 0' "$dir/$target.log" && [ "$count" -eq 0 ] && continue
    failed=1
    grep -E 'does not hold|ERROR:|runtime error|exit status' "$dir/$target.log" | sed 's/^/    /'
    findings "$target" | sed 's/^/    /'
done
exit $failed
