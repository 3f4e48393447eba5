# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# verdict: whether the table says what closewaitd promises. What the stock kernel does differs from
# kernel to kernel and is no promise of ours.

# shellcheck disable=SC2154 # from setup.sh: red, green, plain; from collide.sh: what was measured

broken=0

expect() { # TEXT COMMAND...
    local text=$1
    shift
    "$@" && return
    broken=$((broken + 1))
    printf '  %sbroken promise: %s%s\n' "$red" "$text" "$plain" >&2
}

expect_outcome() { # NAME OUTCOME alive|gone
    local alive=0
    [ "$3" = gone ] || alive=${count_of[$1]}
    expect "$1: every outcome is $2, not: ${outcome_of[$1]}" [ "${outcome_of[$1]}" = "$2" ]
    expect "$1: $alive of ${count_of[$1]} occupants are left, not ${alive_of[$1]}" \
        [ "${alive_of[$1]}" -eq "$alive" ]
}

expect_faster() { # NAME PERCENTILE MEASURED LIMIT, in ms
    expect "$1: p$2 is under $4 ms, not $3 ms" less "$3" "$4"
}

less() {
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a < b) }'
}

verdict() {
    expect_outcome 'original failure' ETIMEDOUT alive
    expect_outcome 'resets dropped' ETIMEDOUT alive
    expect_outcome audit ETIMEDOUT alive
    expect_outcome log ETIMEDOUT alive
    expect_outcome drop ETIMEDOUT alive
    expect_outcome destroy connected gone
    expect_faster destroy 50 "${p50_of[destroy]}" 1
    expect_faster destroy 99 "${p99_of[destroy]}" 5
    expect "destroy: closewaitd destroyed ${count_of[destroy]}, not ${destroyed_of[destroy]}" \
        [ "${destroyed_of[destroy]}" -eq "${count_of[destroy]}" ]
    expect_outcome reject ECONNREFUSED alive
    expect_faster reject 50 "${p50_of[reject]}" 5
    for name in destroy drop reject; do
        expect "$name: no SYN meets an occupant, not ${challenges_of[$name]} (TcpExtTCPSYNChallenge)" \
            [ "${challenges_of[$name]}" -eq 0 ]
    done
    # Times are those of a machine with a processor to spare: the reader is to know whether it was.
    [ "$broken" -eq 0 ] || die "$broken of closewaitd's promises did not hold (load average" \
        "$(cut -d ' ' -f 1 /proc/loadavg), $(nproc) processors)"
    say "${green}All of this is what closewaitd promises.$plain"
}
