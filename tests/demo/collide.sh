# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# collide: many collisions under one condition after the other, and the table of what came of them.
#
# Each condition gets a server on a port of its own, with mines made the honest way: connect, close,
# wait for tcp_fin_timeout. Each mine is met once, by a client bound to its port.

# shellcheck disable=SC2154 # from setup.sh: bold, plain; from story.sh: tools, work, build_dir

# What was measured, by name of the condition. Times in ms; alive: occupants still in CLOSE_WAIT;
# challenges: what the kernel's own cure was asked for, which is not at all where closewaitd acts.
# shellcheck disable=SC2034 # challenges_of is for the verdict
declare -A count_of outcome_of p50_of p99_of alive_of destroyed_of challenges_of

first_port=40000 # of the clients
server_port=8001 # of the next condition
field=''         # the process that holds the mines
daemon=''

# For what is a matter of moments, and how often it looks.
wait_seconds=15
wait_pause=0.02

# wait_for WHAT COMMAND...: until it succeeds.
wait_for() {
    local what=$1 deadline=$((SECONDS + wait_seconds))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || die "waited $wait_seconds s in vain for $what"
        sleep "$wait_pause"
    done
}

counter() { # NAME, as nstat calls it
    nstat -asz "$1" | awk -v name="$1" '$1 == name { print $2 }'
}

count_sockets() { # STATE FILTER
    ss -Htn state "$1" "$2" | wc -l
}

# --- what breaks the kernel's own cure ----------------------------------------------------------

# break_kernel acks|resets|nothing PORT: throws away what one side sends in answer.
break_kernel() {
    local rule
    case $1 in
    acks) rule="tcp sport $2 tcp flags & (fin | syn | rst | psh | ack) == ack" ;;
    resets) rule="tcp dport $2 tcp flags & rst == rst" ;;
    nothing) return ;;
    esac
    nft -f - <<EOF || die 'cannot put in the rule that breaks the kernel'\''s own cure'
table inet breakage {
	chain output {
		type filter hook output priority filter; policy accept;
		$rule counter drop
	}
}
EOF
}

heal_kernel() {
    nft delete table inet breakage 2>/dev/null || true
}

# --- the mines and who steps on them ------------------------------------------------------------

plant() { # COUNT
    : >"$work/field" # the last one's "planted" must not be taken for this one's
    "$tools/minefield" --listen --honest --ports "$first_port-$((first_port + $1 - 1))" \
        "127.0.0.1:$server_port" >"$work/field" 2>&1 &
    field=$!
    wait_for 'the mines to be planted' grep '^planted' "$work/field"
    grep -q "^planted $1 of $1 " "$work/field" || die "mines: $(cat "$work/field")"
}

clear_field() {
    kill "$field"
    wait "$field" || true
}

# One client after the other, for times that no other client spoils; all at once where each waits
# for seconds, and those whose turn has not come after patience seconds.
collide() { # in-turn|at-once COUNT
    local last=$((first_port + $2 - 1)) met=0 patience=10
    : >"$work/attempts"
    if [ "$1" = in-turn ]; then
        timeout "$patience" "$tools/syn-probe" --source 127.0.0.1 --ports "$first_port-$last" \
            "127.0.0.1:$server_port" >"$work/attempts" 2>&1 || true # failing may be the point
        met=$(grep -c ' -> ' "$work/attempts" || true)
    fi
    seq "$((first_port + met))" "$last" | xargs -r -P "$2" -I PORT \
        "$tools/syn-probe" --source 127.0.0.1 --ports PORT "127.0.0.1:$server_port" \
        >>"$work/attempts" 2>&1 || true
    [ "$(grep -c ' -> ' "$work/attempts")" -eq "$2" ] || die "clients: $(tail -n 3 "$work/attempts")"
}

# "connected", or "48 ETIMEDOUT, 2 connected"
outcomes() {
    awk '{ print $4 }' "$work/attempts" | sort | uniq -c | sort -rn |
        awk '{ list = list sep $1 " " $2; name = $2; sep = ", " }
            END { print NR == 1 ? name : list }'
}

# Nearest rank, of the time until connect() had an answer, whichever.
percentile() { # PERCENT
    awk '{ print $(NF - 1) }' "$work/attempts" | sort -n |
        awk -v percent="$1" '{ ms[NR] = $1 }
            END { rank = int((percent * NR + 99) / 100); print ms[rank ? rank : 1] }'
}

time_text() { # MILLISECONDS
    awk -v ms="$1" 'BEGIN {
        if (ms < 1000) { printf "%.2f ms", ms } else { printf "%.2f s", ms / 1000 }
    }'
}

# --- the daemon ---------------------------------------------------------------------------------

write_configuration() { # MODE ACTION
    cat >"$work/closewaitd.conf" <<EOF
mode = "$1";
policy = { default = "$2"; };
log = { target = "stderr"; };
control = { socket = ""; };
EOF
}

start_daemon() { # MODE ACTION
    write_configuration "$1" "$2"
    : >"$work/daemon.log"
    "$build_dir/closewaitd" -c "$work/closewaitd.conf" 2>"$work/daemon.log" &
    daemon=$!
    wait_for 'closewaitd to be ready' daemon_has_spoken
    grep -q ready "$work/daemon.log" || die "closewaitd: $(tail -n 1 "$work/daemon.log")"
}

daemon_has_spoken() {
    grep -q ready "$work/daemon.log" || ! kill -0 "$daemon"
}

stop_daemon() {
    [ -n "$daemon" ] || return 0
    kill "$daemon"
    wait "$daemon" || die "closewaitd ended with status $?: $(tail -n 1 "$work/daemon.log")"
    daemon=''
}

rules() { # up|down
    CLOSEWAITD=$build_dir/closewaitd "$build_dir/conf/closewaitd-rules" "$@" \
        -c "$work/closewaitd.conf" 2>"$work/rules.log" || die "$(cat "$work/rules.log")"
}

# --- one condition ------------------------------------------------------------------------------

# condition NAME acks|resets|nothing in-turn|at-once COUNT [MODE ACTION]; without the daemon if
# no MODE is given.
condition() {
    local name=$1 count=$4 challenges
    destroyed_of[$name]=0
    printf '    %s%s%s: planting %s mines ... ' "$bold" "$name" "$plain" "$count"
    plant "$count"
    break_kernel "$2" "$server_port"
    [ $# -eq 4 ] || start_daemon "$5" "$6"
    printf 'colliding ... '
    challenges=$(counter TcpExtTCPSYNChallenge)
    collide "$3" "$count"
    challenges_of[$name]=$(($(counter TcpExtTCPSYNChallenge) - challenges))
    if [ -n "$daemon" ]; then
        stop_daemon
        destroyed_of[$name]=$(sed -n 's/.* destroyed=\([0-9]*\).*/\1/p' "$work/daemon.log" | tail -n 1)
    fi
    alive_of[$name]=$(count_sockets close-wait "sport = :$server_port")
    count_of[$name]=$count
    outcome_of[$name]=$(outcomes)
    p50_of[$name]=$(percentile 50)
    p99_of[$name]=$(percentile 99)
    heal_kernel
    clear_field
    server_port=$((server_port + 1))
    printf '%s%s%s in %s\n' "$bold" "${outcome_of[$name]}" "$plain" "$(time_text "${p50_of[$name]}")"
}

fate() { # NAME
    local count=${count_of[$1]}
    if [ "${alive_of[$1]}" -eq "$count" ]; then
        echo alive
    elif [ "${alive_of[$1]}" -gt 0 ]; then
        echo "${alive_of[$1]} of $count alive"
    elif [ "${destroyed_of[$1]}" -eq "$count" ]; then
        echo 'destroyed'
    else
        echo 'reset by the kernel'
    fi
}

# --- the table ----------------------------------------------------------------------------------

heading() {
    printf '%s%-16s %10s  %-12s %8s %8s  %s%s\n' "$bold" condition collisions outcome p50 p99 \
        'occupant afterwards' "$plain"
}

row() { # NAME
    printf '%-16s %10s  %-12s %8s %8s  %s\n' "$1" "${count_of[$1]}" "${outcome_of[$1]}" \
        "$(time_text "${p50_of[$1]}")" "$(time_text "${p99_of[$1]}")" "$(fate "$1")"
}
