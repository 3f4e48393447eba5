#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# story.sh: the demonstration itself. Started by tests/demo.sh as the first process of its sandbox.

set -eEu -o pipefail
if [ $# -ne 2 ] || [ $$ -ne 1 ]; then
    echo "${0##*/}: to be started by tests/demo.sh only" >&2
    exit 2
fi
exec 2>&3 3>&- # see demo.sh
source_dir=$1
build_dir=$2 # '': in the sandbox
# shellcheck source=tests/lib/setup.sh
. "$source_dir/tests/lib/setup.sh"
# shellcheck source=tests/demo/collide.sh
. "$source_dir/tests/demo/collide.sh"
# shellcheck source=tests/demo/verdict.sh
. "$source_dir/tests/demo/verdict.sh"
trap 'die "line $LINENO: \"$BASH_COMMAND\" failed with status $?"' ERR

clients=50
fin_timeout=3 # seconds, for the story
syn_retries=1

# The command as typed, then what it says.
show() { # COMMAND LINE
    printf '    %s# %s%s\n' "$dim" "$1" "$plain"
    bash -c "$1" | tr -s ' ' | fold -s -w 76 | sed 's/^ */    /; s/ *$//'
}

prepare() {
    mount -n -t tmpfs tmpfs /run # -n: or it makes /run/mount, outside, first
    work=/run/demo
    mkdir "$work"
    export TMPDIR=$work # the compiler's files too
    if [ -n "$build_dir" ]; then
        local owner=$source_dir
        copy_source "$build_dir/source"
        build_tree "$build_dir"
        chown -R --reference="$owner" "$build_dir"
    else
        copy_source "$work/source"
        build_tree "$work/build"
    fi
    tools=$build_dir/tests/tools
    ip link set lo up
    sysctl -q -w "net.ipv4.tcp_syn_retries=$syn_retries" "net.ipv4.tcp_fin_timeout=$fin_timeout" \
        net.ipv4.ip_local_port_range="$first_port $((first_port + clients - 1))"
}

# --- the failure, in the order in which it was once found ---------------------------------------

the_server_leaks() {
    step '1. A server that forgets to close'
    say "A server listens on 127.0.0.1:8000. It has one bug: when a client has closed its" \
        "connection, the server does not close its own side. $clients clients come, and go."
    "$tools/leaky-listener" 127.0.0.1:8000 >"$work/server" 2>&1 &
    server=$!
    wait_for 'the server' grep '^listening' "$work/server"
    for ((i = 0; i < clients; i++)); do
        : >/dev/tcp/127.0.0.1/8000
    done
    wait_for 'the clients to have closed' all_half_closed
}

all_half_closed() {
    [ "$(count_sockets fin-wait-2 'dport = :8000')" -eq "$clients" ]
}

all_expired() {
    [ "$(count_sockets fin-wait-2 'dport = :8000')" -eq 0 ]
}

the_suspects_are_innocent() {
    step '2. The usual suspects are innocent'
    say 'The accept queue is empty: the first number says how many clients wait in it, the' \
        'second how many could. It has never overflowed.'
    show "ss -Hltn 'sport = :8000'"
    show "nstat -asz TcpExtListenOverflows | awk '/Listen/ { print \$1, \$2 }'"
    say "Descriptors are plentiful: the server has $(find "/proc/$server/fd" -type l | wc -l) open and" \
        "may have $(awk '/Max open files/ { print $4 }' "/proc/$server/limits")."
}

the_mines_appear() {
    step '3. CLOSE_WAIT sockets pile up'
    say "Each connection still has two ends here. The client's has said goodbye and waits for the" \
        "server's goodbye. The server's waits for a close() that never comes."
    show "ss -Htn 'dport = :8000' | awk '{ print \$1 }' | sort | uniq -c"
    show "ss -Htn 'sport = :8000' | awk '{ print \$1 }' | sort | uniq -c"
    say "FIN_WAIT_2 ends by itself after tcp_fin_timeout, $fin_timeout seconds here, usually 60." \
        "CLOSE_WAIT never does. A little later:"
    wait_for 'FIN_WAIT_2 to expire' all_expired
    show "ss -Htn 'dport = :8000' | wc -l"
    show "ss -Htn 'sport = :8000' | awk '{ print \$1 }' | sort | uniq -c"
    say "The clients' ends are gone, and their ports are free for others. The server's ends stay:" \
        "$clients mines, each waiting for somebody to be given the port of its former client."
}

the_port_comes_again() {
    step '4. The same port is drawn again'
    say "Linux 3.8 to 3.17 did not answer a SYN that meets such a socket. Later ones answer with a" \
        "question, a \"challenge ACK\", and heal, unless a firewall swallows question or answer." \
        "To see the original failure on any kernel, this rule swallows the question:"
    break_kernel acks 8000
    show "nft -s list table inet breakage | grep -o 'tcp sport.*'"
    say "Now the next client connects. The kernel draws its source port out of $clients here, usually" \
        "out of 28232: which is why it takes thousands of connections to hit a mine."
    retransmissions=$(counter TcpExtTCPSynRetrans)
    "$tools/syn-probe" 127.0.0.1:8000 >"$work/attempts" &
    local client=$!
    wait_for 'a SYN to be sent again' syn_was_repeated
    show 'ss -Htno state syn-sent'
    say "The SYN is not answered and was sent again (the timer's last number). The client waits ..."
    wait "$client" || true # failing is its part
    retransmissions=$(($(counter TcpExtTCPSynRetrans) - retransmissions))
}

syn_was_repeated() {
    ss -Htno state syn-sent | grep -q 'timer:(on,[^,]*,[1-9]'
}

the_client_times_out() {
    local src ms
    src=$(awk '{ print $1 }' "$work/attempts")
    ms=$(awk '{ print $(NF - 1) }' "$work/attempts")
    step '5. Connection timed out'
    printf '    %s%s%s\n' "$red" "$(sed 's/(errno.*)/after/' "$work/attempts")" "$plain"
    say "$((retransmissions + 1)) SYNs (TcpExtTCPSynRetrans + 1), no answer, $(time_text "$ms") lost;" \
        "more than two minutes with the usual tcp_syn_retries = 6 instead of $syn_retries. The accept" \
        "queue is as empty as before, no counter of overflows has moved:"
    show "ss -Hltn 'sport = :8000'"
    show "nstat -asz TcpExtListenOverflows | awk '/Listen/ { print \$1, \$2 }'"
    say 'For the SYN never came to the listener. It met the mine on the very same pair of ports:'
    show "ss -Htnp 'sport = :8000' 'dport = :${src##*:}'"
    heal_kernel
    kill "$server"
    wait "$server"
}

# --- the same failure under one condition after the other ---------------------------------------

without_closewaitd() {
    step '6. The same many times over, without closewaitd'
    say 'The original failure, as above.'
    condition 'original failure' acks at-once 50
    say "A firewall that drops resets: the kernel's question arrives, the answer does not."
    condition 'resets dropped' resets at-once 50
    say "Nothing in the way: what Linux $(uname -r) does by itself."
    condition 'stock kernel' nothing in-turn 200
}

with_closewaitd() {
    step '7. With closewaitd, against the original failure'
    write_configuration enforce destroy
    rules up
    say "Its rules are in ($(sed -n 's/^closewaitd-rules: up: //p' "$work/rules.log")). They hold each" \
        "SYN on loopback until closewaitd has looked up what it would meet."
    say 'audit: it decides and reports, and touches nothing. For the first days.'
    condition audit acks at-once 50 audit destroy
    say 'Its first report:'
    grep -m 1 'event=collision' "$work/daemon.log" | sed 's/.* event=/event=/' | fold -s -w 76 |
        sed 's/^/    /; s/ *$//'
    say 'log: the same as the policy for some ports or users, while others are protected.'
    condition log acks at-once 50 enforce log
    say 'destroy: it destroys the mine while the SYN is held; then the SYN reaches the listener.'
    condition destroy acks in-turn 200 enforce destroy
    say 'drop: it throws the SYN away. The client waits in vain; no kernel resets the occupant.'
    condition drop acks at-once 50 enforce drop
    say 'reject: it has the client refused at once; a proxy goes on to its next upstream.'
    condition reject acks in-turn 200 enforce reject
    rules down
}

the_result() {
    local name
    step '8. The result'
    heading
    say 'without closewaitd'
    for name in 'original failure' 'resets dropped' 'stock kernel'; do
        row "$name"
    done
    say 'with closewaitd, against the original failure'
    for name in audit log destroy drop reject; do
        row "$name"
    done
    say "Times are those of connect(), whatever became of it: p50 is the median, 99 of 100 took no" \
        "longer than p99. Time-outs would be over two minutes with the usual tcp_syn_retries. The" \
        'stock kernel resets the occupant even if its server still works for it.'
}

prepare
the_server_leaks
the_suspects_are_innocent
the_mines_appear
the_port_comes_again
the_client_times_out
sysctl -q -w net.ipv4.tcp_fin_timeout=1
without_closewaitd
with_closewaitd
the_result
verdict
