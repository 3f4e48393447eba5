#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a SYN that meets a CLOSE_WAIT socket comes to on the running kernel, under one firewall after
# the other, without closewaitd and with it. As root, on any machine: in network namespaces of its
# own, and with this kernel's own tcp_syn_retries, so that it takes two minutes.
#
#   collisions.sh BUILDDIR
#
# Prints a line "kernel RELEASE" and one for each measurement, with tabs between
#   FIREWALL  off|on  OUTCOME  OCCUPANTS-ALIVE  DESTROYED  COLLISIONS
# OUTCOME is "connected, 12 ms", or more of these after their numbers: "2 connected, 12 ms; 18 ...".
# Times are medians, of connect(), whatever it came to.
# Exit status: 0, or 1 if closewaitd did not have every client connected at once.
set -eEu -o pipefail

source_dir=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib/setup.sh
. "$source_dir/tests/lib/setup.sh"
# shellcheck source=tests/demo/collide.sh
. "$source_dir/tests/demo/collide.sh"
trap 'die "line $LINENO: \"$BASH_COMMAND\" failed with status $?"' ERR

# The firewall, how its collisions come, and how many. What is known to take until ETIMEDOUT is
# first, and all at once, so that the others go on meanwhile.
firewalls='resets:at-once:5 acks:at-once:5 limited-burst:at-once:20
    nothing:in-turn:5 limited:in-turn:1 invalid:in-turn:5 redirect:in-turn:5'
# What a client may wait that closewaitd protects, in ms: less than a retransmission takes (RFC 6298),
# unless the machine is so slow that nothing can be said.
at_once_ms=${CLOSEWAITD_AT_ONCE_MS:-700}
wait_seconds=120
wait_pause=0.5
front_port=9000

firewall() { # -A|-D NAME
    case $2 in
    nothing) ;;
    resets) iptables "$1" INPUT -p tcp --dport "$server_port" --tcp-flags RST RST -j DROP ;;
    acks)
        iptables "$1" OUTPUT -p tcp --sport "$server_port" --tcp-flags SYN,RST,FIN,PSH,ACK ACK \
            -j DROP
        ;;
    limited*)
        iptables "$1" INPUT -p tcp --tcp-flags RST RST -m limit --limit 2/s --limit-burst 2 -j ACCEPT
        iptables "$1" INPUT -p tcp --tcp-flags RST RST -j DROP
        ;;
    invalid)
        iptables "$1" INPUT -m conntrack --ctstate INVALID -j DROP
        iptables "$1" OUTPUT -m conntrack --ctstate INVALID -j DROP
        ;;
    redirect)
        iptables -t nat "$1" OUTPUT -p tcp --dport "$front_port" -j REDIRECT \
            --to-ports "$server_port"
        ;;
    esac
}

# "connected, 12 ms", and what else there was.
outcome() {
    awk '{ print $4, $(NF - 1) }' "$work/attempts" | sort -k 1,1 -k 2,2n | awk '
        function text(ms) {
            if (ms < 1000)
                return sprintf(ms < 10 ? "%.1f ms" : "%.0f ms", ms)
            return sprintf(ms < 10000 ? "%.1f s" : "%.0f s", ms / 1000)
        }
        function finish() {
            if (n > 0) {
                groups++
                list[groups] = name ", " text(ms[int((n + 1) / 2)])
                count[groups] = n
            }
            n = 0
        }
        $1 != name { finish(); name = $1 }
        { ms[++n] = $2 }
        END {
            finish()
            if (groups == 1)
                print list[1]
            else
                for (i = 1; i <= groups; i++)
                    printf("%s%d %s", (i == 1 ? "" : "; "), count[i], list[i])
        }'
}

# One measurement. $work/begun: nothing more will happen for some time.
measure() { # FIREWALL in-turn|at-once COUNT off|on
    local text alive destroyed=0 occupied=$server_port
    plant "$3"
    firewall -A "$1"
    [ "$2" = in-turn ] || : >"$work/begun"
    [ "$1" != redirect ] || server_port=$front_port
    collide "$2" "$3"
    server_port=$occupied
    firewall -D "$1"
    text=$(outcome)
    alive=$(count_sockets close-wait "sport = :$server_port")
    [ "$4" = off ] ||
        destroyed=$(grep -c " dst=127.0.0.1:$server_port .* result=destroyed" "$work/daemon.log" || true)
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$4" "$text" "$alive" "$destroyed" "$3" >>"$work/result"
    clear_field
}

# Whether each client was connected at once, and each occupant was destroyed by closewaitd.
protected() {
    local name destroyed count
    IFS=$'\t' read -r name _ _ _ destroyed count < <(tail -n 1 "$work/result")
    if [ "$destroyed" -ne "$count" ] || awk -v most="$at_once_ms" \
        '$4 != "connected" || $(NF - 1) > most { bad = 1 } END { exit !bad }' "$work/attempts"; then
        echo "FAIL $name: closewaitd has not protected every client:"
        cat "$work/attempts" "$work/daemon.log"
        return 1
    fi >&2
}

# One after the other, as none takes long.
with_closewaitd() {
    local what failed=0
    mount -t tmpfs run /run
    write_configuration enforce destroy
    rules up
    start_daemon enforce destroy
    for what in $firewalls; do
        # shellcheck disable=SC2086 # its three parts
        measure ${what//:/ } on
        protected || failed=1
        server_port=$((server_port + 1))
    done
    stop_daemon
    return "$failed"
}

build_dir=$(realpath "$1")
tools=$build_dir/tests/tools
if [ $# -gt 1 ]; then # inside
    work=$2
    shift 2
    ip link set lo up
    sysctl -q -w net.ipv4.tcp_fin_timeout=1
    case $1 in
    with) with_closewaitd ;;
    without) measure "$2" "$3" "$4" off ;;
    esac
    exit
fi

need_root "$0"
all=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$all"' EXIT

# In namespaces of its own, in the background.
begin() { # DIRECTORY with|without [FIREWALL in-turn|at-once COUNT]
    mkdir "$1"
    unshare --net --pid --fork --mount-proc --kill-child bash "$0" "$build_dir" "$@" \
        2>"$1/errors" &
    pids+=($!)
}

for what in $firewalls; do
    # shellcheck disable=SC2086 # its three parts
    begin "$all/${what%%:*}" without ${what//:/ }
    work=$all/${what%%:*}
    until [ -e "$work/begun" ] || [ -e "$work/result" ] || ! kill -0 $! 2>/dev/null; do
        sleep "$wait_pause"
    done
done
begin "$all/on" with
failed=0
for pid in "${pids[@]}"; do
    wait "$pid" || failed=1
done
echo "kernel $(uname -r)"
for what in $firewalls on; do
    cat "$all/${what%%:*}/errors" >&2
    cat "$all/${what%%:*}/result"
done
exit $failed
