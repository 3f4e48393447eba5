#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Tests closewaitd-rules with the real kernel: each test in its own network namespace, with its own
# /run, and, where rules carry traffic, once per backend: nft, iptables over nf_tables, iptables-legacy.
#
# usage: rules.sh [TEST...]
# CLOSEWAITD_RULES names the program, else conf/closewaitd-rules
# BACKENDS names some of: nft iptables-nft iptables-legacy
#
# A test is a function test_NAME, or each_NAME to run per backend; it fails at its first command that
# fails. "needs" ends it as skipped.

set -eu
LC_ALL=C
export LC_ALL
self=$(readlink -f "$0")
CLOSEWAITD_RULES=$(readlink -f "${CLOSEWAITD_RULES:-conf/closewaitd-rules}")
export CLOSEWAITD_RULES

# --- helpers inside a test ----------------------------------------------------------------------

rules() {
    "$CLOSEWAITD_RULES" "$@"
}

skip() {
    echo "$*"
    exit 77
}

die() {
    echo "$*"
    exit 1
}

# expect STATUS COMMAND...: the output is left in $out.
expect() {
    expected=$1
    shift
    status=0
    out=$("$@" 2>&1) || status=$?
    [ "$status" -eq "$expected" ] || die "$*: status $status, expected $expected:
$out"
}

says() { # TEXT
    case $out in
    *"$1"*) ;;
    *) die "\"$1\" is not in:
$out" ;;
    esac
}

says_not() { # TEXT
    case $out in
    *"$1"*) die "\"$1\" is in:
$out" ;;
    esac
}

same() { # WHAT BEFORE AFTER
    [ "$2" = "$3" ] || die "$1 differs: before:
$2
after:
$3"
}

# Everything that netfilter holds here, with the counters of rules. Those of policies are left out:
# iptables-legacy sets them to 0 whatever it changes, were it a plain "iptables -A".
everything() {
    nft list ruleset 2>/dev/null
    for variant in nft legacy; do
        for family in ip ip6; do
            [ "$variant" = nft ] || grep -qs . "/proc/net/${family}_tables_names" || continue
            has "${family}tables-$variant-save" || continue
            echo "$family $variant"
            "${family}tables-$variant-save" -c 2>/dev/null | sed '/^#/d; /^:/s/\[.*//'
        done
    done
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# A file that is in the way of a program: for this test alone, in its mount namespace.
hide() { # PROGRAM
    mount --bind /dev/null "$(readlink -f "$(command -v "$1")")"
}

# The daemon's -n and --filter, with values that a test may set.
make_stub() {
    cat >"$dir/closewaitd" <<'EOF'
#!/bin/sh
[ "$1" = -c ] || { echo "closewaitd: bad call: $*" >&2; exit 2; }
[ -z "${STUB_ERROR-}" ] || { echo "$2:3: $STUB_ERROR" >&2; exit 1; }
case $3 in
-n) ;;
--filter) echo "${STUB_FALLBACK-${STUB_FILTER-all}}"; exit ;;
*) echo "closewaitd: bad call: $*" >&2; exit 2 ;;
esac
cat <<STUB
mode = "audit";
queue = {
  number = ${STUB_QUEUE-61};
  workers = ${STUB_WORKERS-1};
  max_held = 1024;
  filter = "${STUB_FILTER-all}";
  filter_mark = ${STUB_MARK-0x20000000};
};
limits = {
  number = 7;
};
STUB
EOF
    chmod +x "$dir/closewaitd"
    export CLOSEWAITD="$dir/closewaitd"
}

# connect [-t] ADDRESS PORT [SOURCE]: makes a listener on the address, connects to it and prints
# what came of it. With -w the listener is on all addresses; with -t SOURCE need not be local.
# bind QUEUE...: binds queues, says so, and answers nothing until it is killed.
make_net_tool() {
    cat >"$dir/net" <<'EOF'
use strict; use warnings; use Socket qw(:all);
sub address {
    my ($text, $port) = @_;
    return $text =~ /:/ ? pack_sockaddr_in6($port, inet_pton(AF_INET6, $text))
                        : pack_sockaddr_in($port, inet_pton(AF_INET, $text));
}
my $command = shift;
if ($command eq 'connect') {
    my %option;
    $option{shift()} = 1 while @ARGV && $ARGV[0] =~ /^-/;
    my ($to, $port, $from) = @ARGV;
    my $family = $to =~ /:/ ? AF_INET6 : AF_INET;
    socket(my $listener, $family, SOCK_STREAM, 0) or die $!;
    setsockopt($listener, SOL_SOCKET, SO_REUSEADDR, 1);
    my $local = $option{'-w'} ? ($family == AF_INET ? '0.0.0.0' : '::') : $to;
    bind($listener, address($local, $port)) or die "bind: $!";
    listen($listener, 10) or die $!;
    socket(my $client, $family, SOCK_STREAM, 0) or die $!;
    setsockopt($client, 0, 19, 1) or die $! if $option{'-t'};    # IP_TRANSPARENT
    if (defined $from) { bind($client, address($from, 0)) or die "bind $from: $!" }
    $SIG{ALRM} = sub { print "no answer\n"; exit 0 };
    alarm 2;
    print connect($client, address($to, $port)) ? "connected\n" : "$!\n";
} else {
    my @sockets;
    for my $queue (@ARGV) {
        socket(my $s, 16, SOCK_RAW, 12) or die $!;               # AF_NETLINK, NETLINK_NETFILTER
        my $body = pack('CCn', 0, 0, $queue)
            . pack('SSCCn', 8, 1, 1, 0, 0)                       # NFQA_CFG_CMD: bind
            . pack('SSNCx3', 9, 2, 0xffff, 2);                   # NFQA_CFG_PARAMS: copy packets
        send($s, pack('LSSLL', 16 + length $body, 3 << 8 | 2, 5, 1, 0) . $body, 0) or die $!;
        recv($s, my $answer, 4096, 0);
        my $error = unpack('l', substr($answer, 16));
        die "queue $queue: error $error" if $error;
        push @sockets, $s;
    }
    $| = 1; print "bound\n"; sleep 60;
}
EOF
}

net() {
    perl "$dir/net" "$@"
}

# Starts "net bind" and waits until the queues are bound.
bind_queues() {
    mkfifo "$dir/bound"
    perl "$dir/net" bind "$@" >"$dir/bound" &
    binder=$!
    read -r line <"$dir/bound"
    [ "$line" = bound ]
}

# Makes the plain commands of a family, in a folder, those of a variant.
link_iptables() { # ip|ip6 nft|legacy FOLDER
    for suffix in '' -save -restore; do
        has "$1tables-$2$suffix" || skip "$1tables-$2$suffix is not installed"
        ln -sf "$(command -v "$1tables-$2$suffix")" "$3/$1tables$suffix"
    done
}

# Makes the backend of this run the one that closewaitd-rules uses.
use_backend() { # nft|iptables-nft|iptables-legacy
    which=$1
    case $which in
    nft)
        has nft || skip 'nft is not installed'
        kernel_has_nft_queue || skip 'this kernel has no nft_queue (CONFIG_NFT_QUEUE)'
        ;;
    *)
        link_iptables ip "${which#*-}" "$dir"
        link_iptables ip6 "${which#*-}" "$dir"
        PATH=$dir:$PATH
        unshare -n iptables -t mangle -A INPUT -j NFQUEUE --queue-num 0 --queue-bypass 2>/dev/null ||
            skip "this kernel has no NFQUEUE for $which"
        unshare -n ip6tables -t mangle -L >/dev/null 2>&1 || skip "this kernel has no ip6tables"
        # A legacy table stays once it is there, so it must be there in what is compared.
        [ "$which" = iptables-nft ] || for tool in iptables ip6tables; do
            $tool -L >/dev/null && $tool -t mangle -L >/dev/null
        done
        ;;
    esac
    backend=${which%%-*}
}

kernel_has_nft_queue() {
    nft -c -f - 2>/dev/null <<EOF
add table inet probe
add chain inet probe c { type filter hook input priority 0; }
add rule inet probe c queue num 0 bypass
EOF
}

up() {
    expect 0 rules up --backend "$backend" "$@"
}

# sent FAMILY: SYNs that our rules sent to the queue, as check tells.
sent() { # 4|6
    expect 0 rules check
    printf '%s\n' "$out" | sed -n "s/^note: .*IPv$1.*: SYNs to the queue since up: \([0-9]*\) .*/\1/p"
}

# Gives SYNs on lo to PORT a mark before they reach INPUT, as the filter bpf would.
mark_port() { # PORT
    if [ "$which" = nft ]; then
        nft "add table inet marks; add chain inet marks c { type filter hook prerouting priority -300; };
            add rule inet marks c tcp dport $1 meta mark set 0x40000000"
    else
        iptables -t mangle -A PREROUTING -i lo -p tcp --dport "$1" -j MARK --set-mark 0x40000000
        ip6tables -t mangle -A PREROUTING -i lo -p tcp --dport "$1" -j MARK --set-mark 0x40000000
    fi
}

# --- arguments and configuration ----------------------------------------------------------------

test_bad_arguments() {
    while IFS='|' read -r arguments message; do
        # shellcheck disable=SC2086 # several words
        expect 2 rules $arguments
        says "$message"
    done <<'EOF'
|usage:
raise|raise: not a command; allowed: up, down, show, check
up --queue 65536|--queue "65536": not a queue number, 0 to 65535
up --queue x|--queue "x": not a queue number, 0 to 65535
up --queue 061|--queue "061": not a queue number
up --queue -1|--queue "-1": not a queue number, 0 to 65535
up --queue 99999999999999999999|not a queue number
up --queue|--queue: a value is missing
show --workers 0|--workers "0": not a number from 1 to 64
show --workers=65|--workers "65": not a number from 1 to 64
show --queue 65535 --workers 2|the last queue would be 65536, over 65535
show --filter some|--filter "some": allowed: all, socket, bpf
show --backend pf|--backend "pf": allowed: nft, iptables
show --port 0|"0" is not a port, 1 to 65535
show --port 80,65536|"65536" is not a port
show --port 80,|"" is not a port
show --port 90-80|"90-80" is not a port, 1 to 65535, nor a range A-B
show --port 1-2-3|"1-2-3" is not a port
show --port http|"http" is not a port
show --port=|"" is not a port
show --verbose|--verbose: not an option
show extra|extra: not an option
EOF
    expect 2 rules show --port '80
443'
    expect 0 rules --help
    says 'usage: closewaitd-rules'
    expect 0 rules --version
}

test_configuration_error_is_passed_on() {
    export STUB_ERROR='queue.numbre: unknown key, did you mean "number"?'
    for command in up show check; do
        expect 1 rules $command --backend iptables -c /some/file
        same output "/some/file:3: $STUB_ERROR" "$out"
    done
    expect 0 rules down
}

test_the_daemon_is_understood() {
    CLOSEWAITD=${CLOSEWAITD_RULES%/conf/*}/closewaitd
    [ -x "$CLOSEWAITD" ] || skip "$CLOSEWAITD is not built"
    echo 'queue = { number = 100; workers = 4; filter = "bpf"; filter_mark = 0x1000; };' >"$dir/conf"
    expect 0 rules show --backend nft -c "$dir/conf"
    says 'meta mark & 0x00001000 == 0x00001000 jump hold'
    says 'iifname "lo" tcp flags & (fin | syn | rst | ack) == syn'
    says 'queue num 100-103 bypass,fanout'
    echo 'queue = { numbre = 100; };' >"$dir/conf"
    expect 1 rules up -c "$dir/conf"
    says "$dir/conf:1: "
    says 'numbre'
}

test_no_daemon_to_read_the_configuration() {
    export CLOSEWAITD="$dir/absent"
    expect 1 rules show --backend nft
    says "$dir/absent is not there"
}

test_a_filter_that_cannot_be_had_is_not_used() {
    export STUB_FILTER=bpf STUB_FALLBACK=all
    expect 0 rules show --backend nft
    says_not 0x20000000
    expect 0 rules show --backend nft --filter bpf
    says 'meta mark & 0x20000000 == 0x20000000'
}

# One that could not have what root can have takes its fallback, and says so.
test_a_daemon_that_runs_is_asked() {
    export STUB_FILTER=bpf CLOSEWAITCTL="$dir/closewaitctl"
    cat >"$CLOSEWAITCTL" <<'EOF'
#!/bin/sh
[ "$*" = "-c $FILE -j status" ] || exit 2
printf '{"mode":"audit","queue":{"number":61,"filter":"%s","held":0},"filter":"socket"}\n' "$TOLD"
EOF
    chmod +x "$CLOSEWAITCTL"
    export FILE=/some/file TOLD=all
    expect 0 rules show --backend nft -c $FILE
    says_not 0x20000000
    export TOLD=bpf
    expect 0 rules show --backend nft -c $FILE
    says 'meta mark & 0x20000000 == 0x20000000'
    export TOLD=some
    expect 1 rules show --backend nft -c $FILE
    says 'the daemon tells of a filter "some": is it of the same version'
    expect 0 rules show --backend nft -c $FILE --filter all
    # What has not the form of a word is no answer.
    export TOLD='all;id'
    expect 0 rules show --backend nft -c $FILE
    says 'meta mark & 0x20000000 == 0x20000000'
}

test_mark_zero_is_refused() {
    export STUB_MARK=0
    expect 1 rules show --backend nft
    says 'queue.filter_mark = 0'
    # shellcheck disable=SC2016 # nothing shall expand it
    export STUB_MARK='x[$(id)]'
    expect 1 rules show --backend nft
    says 'not a mark'
}

test_values_come_from_the_configuration() {
    export STUB_QUEUE=100 STUB_WORKERS=4 STUB_FILTER=bpf STUB_MARK=4096
    expect 0 rules show --backend nft
    says 'meta mark & 0x00001000 == 0x00001000 jump hold'
    says 'queue num 100-103 bypass,fanout'
    expect 0 rules show --backend iptables
    says '--queue-balance 100:103 --queue-bypass --queue-cpu-fanout'
    expect 0 rules show --backend nft --queue 7 --workers 1 --filter socket
    says 'socket wildcard 0'
    says 'queue num 7 bypass comment'
    expect 0 rules show --backend iptables --queue 7 --workers 1 --filter socket
    says '-m socket'
    says '--queue-num 7 --queue-bypass'
}

test_ports_are_joined_and_split() {
    expect 0 rules show --backend nft --port 443,80,8000-8099,8090-9000,81,80
    says 'tcp dport { 80-81, 443, 8000-9000 }'
    expect 0 rules show --backend iptables --port 2,4,6,8,10,12,14,16,18,20,22,24,26,28-30,40,42
    says 'dports 2,4,6,8,10,12,14,16,18,20,22,24,26,28:30 '
    says 'dports 40,42 '
}

# --- choosing -----------------------------------------------------------------------------------

test_shown_nft_rules_are_valid_and_idempotent() {
    has nft || skip 'nft is not installed'
    for options in '' '--workers 3' '--filter socket --port 80' '--filter bpf --port 1-9,80,443'; do
        # shellcheck disable=SC2086 # several words
        rules show --backend nft $options >"$dir/rules"
        # Without nft_queue in the kernel everything but that one statement can be tried.
        kernel_has_nft_queue || sed -i 's/ queue num [0-9-]* [a-z,]*//' "$dir/rules"
        nft -c -f "$dir/rules"
        same 'the ruleset after a dry run' '' "$(nft list ruleset)"
        nft -f "$dir/rules"
        once=$(nft list ruleset)
        nft -f "$dir/rules"
        same 'the ruleset after the second time' "$once" "$(nft list ruleset)"
        nft delete table inet closewaitd
    done
}

test_choice_is_what_the_kernel_can_and_leaves_no_trace() {
    before=$(everything)
    expect 0 rules show
    if has nft && kernel_has_nft_queue; then
        says 'closewaitd-rules: backend nft: the kernel takes the rules'
    else
        says 'closewaitd-rules: backend iptables, because with nft: '
        says 'iptables-restore'
    fi
    same 'the ruleset' "$before" "$(everything)"
    same 'legacy tables' '' "$(cat /proc/net/ip_tables_names /proc/net/ip6_tables_names 2>/dev/null)"
}

test_missing_nft_queue_is_named() {
    has nft || skip 'nft is not installed'
    ! kernel_has_nft_queue || skip 'this kernel has nft_queue'
    expect 1 rules up --backend nft
    same output 'closewaitd-rules: backend nft: the kernel has no nft_queue (CONFIG_NFT_QUEUE)' "$out"
    same 'the ruleset' '' "$(nft list ruleset)"
}

test_missing_programs_are_named() {
    hide nft
    expect 1 rules up --backend nft
    same output 'closewaitd-rules: backend nft: nft is not installed (Debian package nftables)' "$out"
    hide iptables-nft
    hide iptables-legacy
    expect 1 rules up --backend iptables
    says 'iptables is not installed (Debian package iptables)'
    expect 1 rules up
    same output 'closewaitd-rules: no backend works: nft: nft is not installed (Debian package nftables); iptables: iptables is not installed (Debian package iptables)' "$out"
    expect 0 rules down
}

test_without_ip6tables_ipv4_is_served() {
    use_backend iptables-nft
    # The name alone must go: behind it is the program that iptables is as well.
    mkdir "$dir/sbin" "$dir/real"
    mount --bind /usr/sbin "$dir/real"
    ln -s "$dir"/real/* "$dir/sbin"
    rm "$dir/sbin/ip6tables" "$dir/ip6tables"
    mount --bind "$dir/sbin" /usr/sbin
    ! has ip6tables || skip 'ip6tables cannot be hidden here'
    up
    says 'ip6tables is not installed (Debian package iptables): rules for IPv4 only'
    expect 0 rules check
    says 'rules for IPv4 only'
    says 'ok: IPv4 (iptables): queue 61, bypass on'
    expect 0 rules down
    same 'the ruleset' '' "$(nft list ruleset)"
}

test_only_root_may() {
    has setpriv || skip 'setpriv is not installed'
    chmod 755 "$dir" "$dir/closewaitd"
    for command in up down check; do
        expect 1 setpriv --reuid 65534 --clear-groups "$CLOSEWAITD_RULES" $command
        says "$command: must be run as root"
    done
    expect 1 setpriv --reuid 65534 --clear-groups "$CLOSEWAITD_RULES" show
    says 'give --backend'
    expect 0 setpriv --reuid 65534 --clear-groups "$CLOSEWAITD_RULES" show --backend nft
}

# --- rules that carry traffic -------------------------------------------------------------------

each_nobody_bound_means_no_harm() {
    up
    same 'IPv4' connected "$(net connect 127.0.0.1 5000)"
    same 'IPv4' connected "$(net connect 127.1.2.3 5000)"
    same 'IPv6' connected "$(net connect ::1 5000)"
    same 'IPv4 SYNs counted' 2 "$(sent 4)"
    same 'IPv6 SYNs counted' 1 "$(sent 6)"
    expect 0 rules check
    says 'queue 61: nobody is bound'
}

each_syns_are_held_when_bound() {
    up --queue 62
    bind_queues 62
    same 'IPv4' 'no answer' "$(net connect 127.0.0.1 5000)"
    expect 0 rules check --queue 62
    says "queue 62: bound by port id "
    says 'held now '
    says_not 'held now 0'
    kill "$binder"
    wait "$binder" || true
    same 'IPv4' connected "$(net connect 127.0.0.1 5000)"
}

each_filter_socket_takes_what_meets_a_socket() {
    unshare -n iptables -t mangle -A INPUT -m socket 2>/dev/null || [ "$which" = nft ] ||
        skip 'this kernel has no xt_socket'
    export STUB_FILTER=socket
    up
    for address in 127.0.0.1 ::1; do
        same 'listener on all addresses' connected "$(net connect -w $address 5000)"
    done
    same 'SYNs counted, IPv4' 0 "$(sent 4)"
    same 'SYNs counted, IPv6' 0 "$(sent 6)"
    for address in 127.0.0.1 ::1; do
        same 'listener on this address' connected "$(net connect $address 5000)"
    done
    same 'SYNs counted, IPv4' 1 "$(sent 4)"
    same 'SYNs counted, IPv6' 1 "$(sent 6)"
}

each_filter_bpf_takes_marked_ones() {
    export STUB_FILTER=bpf
    up
    same 'not marked' connected "$(net connect 127.0.0.1 5000)"
    same 'SYNs counted' 0 "$(sent 4)"
    export STUB_MARK=0x40000000
    up
    mark_port 5000
    same 'marked' connected "$(net connect 127.0.0.1 5000)"
    same 'SYNs counted' 1 "$(sent 4)"
}

each_ports_limit_what_is_queued() {
    list=1-9,11,13,15,17,19,21,23,25,27,29,31,33,35,37,39,5000-5010,6000
    up --port "$list"
    for port in 4999 5000 5005 5010 5011 6000; do
        same "port $port" connected "$(net connect 127.0.0.1 $port)"
    done
    same 'SYNs counted' 4 "$(sent 4)"
    expect 0 rules check
    says "ports $list"
    expect 0 rules check --port "$list"
    expect 1 rules check --port 80
    up --port 5000
    expect 0 rules check
    says 'ports 5000)'
}

each_foreign_source_is_left_alone() {
    ip addr add 198.51.100.1/32 dev lo
    up
    same 'local source' connected "$(net connect 198.51.100.1 5000)"
    same 'SYNs counted' 1 "$(sent 4)"
    net connect -t 198.51.100.1 5000 203.0.113.9
    same 'SYNs counted' 1 "$(sent 4)"
    expect 0 nstat -asz IcmpInErrors
}

# With the kernel's default, a hash of the addresses, one queue would get them all.
each_several_queues_share_the_load() {
    [ "$(nproc)" -ge 2 ] || skip 'needs two processors'
    up --workers 2
    bind_queues 61 62
    taskset -c 0 perl "$dir/net" connect 127.0.0.1 5000
    taskset -c 1 perl "$dir/net" connect 127.0.0.1 5001
    same 'queues that hold something' '61 62' \
        "$(awk '$3 > 0 { print $1 }' /proc/net/netfilter/nfnetlink_queue | sort -n | xargs)"
    kill "$binder"
}

# --- up and down --------------------------------------------------------------------------------

each_up_twice_is_up_once() {
    up
    once=$(everything)
    up
    same 'the ruleset' "$once" "$(everything)"
    up --queue 90 --workers 2 --filter bpf --port 80
    expect 0 rules check --queue 90 --workers 2 --filter bpf
    expect 1 rules check
    up
    same 'the ruleset' "$once" "$(everything)"
    expect 0 rules down
    expect 0 rules down
}

each_shown_rules_are_those_of_up() {
    if [ "$which" = nft ]; then
        rules show --backend nft | nft -f -
    else
        rules show --backend iptables | sh
    fi
    shown=$(everything)
    expect 0 rules check
    expect 0 rules down
    up
    same 'the ruleset' "$shown" "$(everything)"
    [ "$which" = nft ] || rules show --backend iptables | sh
    same 'the ruleset, shown and run again' "$shown" "$(everything)"
}

# nft without the one statement that some kernels lack; what is held is held by another rule then.
make_nft_without_queue() {
    cat >"$dir/nft" <<EOF
#!/bin/sh
for last; do :; done
[ "\$last" = - ] || exec $(command -v nft) "\$@"
sed 's/ queue num [0-9-]* [a-z,]*//' | $(command -v nft) "\$@"
EOF
    chmod +x "$dir/nft"
    PATH=$dir:$PATH
}

held() {
    awk '$1 == 62 { print $3 }' /proc/net/netfilter/nfnetlink_queue
}

hold_a_syn() {
    bind_queues 62
    perl "$dir/net" connect 127.0.0.1 5000 >/dev/null &
    until [ "$(held)" -gt 0 ]; do kill -0 $!; done
}

# With a base chain that goes the kernel drops them all.
each_up_again_drops_no_held_syn() {
    up --queue 62
    hold_a_syn
    up --queue 62 --workers 2 --port 80
    [ "$(held)" -gt 0 ]
    kill "$binder"
}

test_nft_up_again_drops_no_held_syn_of_another_rule() {
    use_backend iptables-nft
    has nft || skip 'nft is not installed'
    make_nft_without_queue
    rules up --backend nft
    iptables -t mangle -A INPUT -i lo -p tcp --dport 5000 -j NFQUEUE --queue-num 62
    hold_a_syn
    rules up --backend nft --queue 70 --filter bpf
    [ "$(held)" -gt 0 ]
    expect 0 nft list table inet closewaitd
    says 'meta mark & 0x20000000 == 0x20000000 jump hold'
    kill "$binder"
}

# A table of another version, or one that somebody has changed, ends up as a new one would be.
test_nft_chains_of_others_are_replaced() {
    has nft || skip 'nft is not installed'
    make_nft_without_queue
    rules up --backend nft
    wanted=$(nft list ruleset)
    for change in 'add chain t more' 'add set t more { type ipv4_addr; }' \
        'flush chain t input; delete chain t input; delete chain t hold' \
        'add chain t input { policy drop; }' 'add table t { flags dormant; }' \
        'delete table t; add table t; add chain t hold;
            add chain t input { type filter hook input priority 0; }' \
        'delete table t; add table t; add chain t hold;
            add chain t input { type filter hook forward priority mangle; }'; do
        nft "$(printf '%s\n' "$change" | sed 's/ t\>/ inet closewaitd/g')"
        rules up --backend nft
        same "the ruleset after $change" "$wanted" "$(nft list ruleset)"
    done
}

# What a host may have before "up": each of these is set up, and must be there unchanged after "down".
# They run with the plain iptables; under the backend nft that is whatever the system has.
shape_nothing() { :; }
shape_other_chain_only() { iptables -t mangle -A POSTROUTING -p udp -j MARK --set-mark 3; }
shape_empty_input() { iptables -t mangle -A INPUT -p udp -j ACCEPT && iptables -t mangle -F INPUT; }
shape_empty_table() { iptables -t mangle -N GONE && iptables -t mangle -X GONE; }
shape_user_chain_only() { iptables -t mangle -N LEFT; ip6tables -N ALONE; }
shape_policies() {
    iptables -P INPUT DROP
    iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
    iptables -A INPUT -i lo -j ACCEPT
    iptables -t mangle -P INPUT DROP
    iptables -t mangle -A INPUT -i lo -j ACCEPT
    ip6tables -t mangle -P FORWARD DROP
}
shape_user_chains() {
    iptables -N WEB
    iptables -A WEB -p tcp -m multiport --dports 80,443 -m comment --comment 'web "-j DROP"' -j ACCEPT
    iptables -A INPUT -j WEB
    iptables -A INPUT -p tcp --dport 22 -m limit --limit 3/min -j LOG --log-prefix 'ssh -j ACCEPT: '
    iptables -A INPUT -j REJECT
    ip6tables -t mangle -N SIX
    ip6tables -t mangle -A SIX -i lo -j RETURN
    ip6tables -t mangle -A INPUT -g SIX
    ip6tables -t mangle -A INPUT -m mark --mark 0x1/0xff -j MARK --set-xmark 0x2/0xff
}
shape_native_tables() {
    ! has nft || nft 'add table inet fw; add set inet fw s { type ipv4_addr; };
        add chain inet fw input { type filter hook input priority 0; policy drop; };
        add rule inet fw input iif lo counter accept comment "lo"; add table ip closewait;
        add table inet empty'
}
shapes='nothing other_chain_only empty_input empty_table user_chain_only policies user_chains native_tables'

each_down_gives_everything_back() {
    for shape in $shapes; do
        nft flush ruleset 2>/dev/null || true
        if [ "$which" = iptables-legacy ]; then
            for tool in iptables ip6tables; do
                for table in mangle filter; do
                    $tool -t $table -F && $tool -t $table -X && $tool -t $table -P INPUT ACCEPT
                done
                $tool -t mangle -P FORWARD ACCEPT
            done
        fi
        "shape_$shape"
        net connect 127.0.0.1 5000 >/dev/null # for counters of the others that are not 0
        before=$(everything)
        up
        expect 0 rules check
        up --port 80 # what was recorded must outlive a second up
        expect 0 rules down
        same "the ruleset, $shape," "$before" "$(everything)"
    done
}

test_rules_that_came_after_up_survive_down() {
    use_backend iptables-nft
    up
    iptables -t mangle -A INPUT -p udp -j ACCEPT
    iptables -A FORWARD -j DROP
    ip6tables -t mangle -P INPUT DROP
    ip6tables -N LATER
    expect 0 rules down
    expect 0 iptables-save
    says '-A INPUT -p udp -j ACCEPT'
    says '-A FORWARD -j DROP'
    says_not CLOSEWAITD
    expect 0 ip6tables-save
    says ':INPUT DROP'
    says ':LATER'
    says_not CLOSEWAITD
}

# The jump in mangle stands before what could keep SYNs from it, and else last: rules after it are
# not seen by packets that were held.
test_jump_goes_where_it_is_reached() {
    use_backend iptables-nft
    while IFS='|' read -r wanted rule; do
        iptables -t mangle -F
        iptables -t mangle -X
        iptables -t mangle -N DEEP
        iptables -t mangle -A DEEP -p tcp -m comment --comment 'so -j ACCEPT it' -j MARK --set-mark 1
        iptables -t mangle -N DEEPER
        iptables -t mangle -A DEEPER -p icmp -j DROP
        iptables -t mangle -A DEEPER -j DEEP
        iptables -t mangle -A DEEPER -j RETURN
        iptables -t mangle -N TRAP
        iptables -t mangle -A TRAP -j DEEPER
        iptables -t mangle -A TRAP -p tcp --syn -j DROP
        iptables -t mangle -A INPUT -p tcp
        eval "iptables -t mangle -A INPUT $rule"
        up
        expect 0 rules check
        place=$(iptables -t mangle -S INPUT | sed 1d | grep -n 'j CLOSEWAITD' | cut -d: -f1)
        same "place of the jump with \"$rule\"" "$wanted" "$place"
        expect 0 rules down
    done <<'EOF'
2|-j ACCEPT
2|-i lo -j ACCEPT
2|-i lo -p tcp -j RETURN
2|-i l+ -j DROP
2|-i + -j DROP
2|! -i eth0 -j DROP
2|! -p udp -j ACCEPT
2|-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
2|-j NFQUEUE --queue-num 5
2|-j TRAP
2|-g DEEP
3|-i eth0 -j ACCEPT
3|-i e+ -j ACCEPT
3|! -i lo -j DROP
3|! -i l+ -j DROP
3|-p udp -j DROP
3|! -p tcp -j DROP
3|-j DEEPER
3|-j MARK --set-mark 0x5
3|-m comment --comment "x -j DROP y" -j MARK --set-mark 0x5
EOF
}

# --- check --------------------------------------------------------------------------------------

each_check_finds_what_is_wrong() {
    expect 1 rules check
    says 'no rules are there'
    says 'run "closewaitd-rules up"'
    up
    expect 0 rules check
    says_not wrong
    expect 1 rules check --queue 70
    says "queue 61 bypass; wanted: queue 70 bypass"
    expect 1 rules check --workers 2
    says 'wanted: queue 61-62 bypass'
    expect 1 rules check --filter bpf
    says 'the rules are not those that up makes'
    if [ "$which" = nft ]; then
        expect 1 rules check --backend iptables
        says 'rules are of the backend nft, wanted: iptables'
        nft add rule inet closewaitd hold iifname lo queue num 61
        expect 1 rules check
        says 'no bypass'
        up
        expect 0 rules check
        nft flush chain inet closewaitd input
        expect 1 rules check
        says 'wanted: '
    else
        expect 1 rules check --backend nft
        says 'rules are of the backend iptables, wanted: nft'
        check_finds_what_is_wrong_with_iptables
    fi
}

check_finds_what_is_wrong_with_iptables() {
    iptables -t mangle -I INPUT -i lo -m comment --comment mine -j ACCEPT
    expect 1 rules check
    says 'wrong: IPv4 (iptables): a rule before ours in mangle INPUT may keep SYNs from it: -A INPUT -i lo'
    says 'ok: IPv6 (ip6tables): nothing before it'
    up # puts the jump before it
    expect 0 rules check
    says 'rules behind it in mangle INPUT, which held SYNs pass by: 1'
    iptables -t mangle -I CLOSEWAITD -j NFQUEUE --queue-num 61
    expect 1 rules check
    says 'no bypass'
    up
    expect 0 rules check
    ip6tables -t mangle -D INPUT "$(ip6tables -t mangle -S INPUT | sed 1d | grep -n CLOSEWAITD | cut -d: -f1)"
    expect 1 rules check
    says 'wrong: IPv6 (ip6tables): no jump from mangle INPUT'
    up
    expect 0 rules check
    iptables -t mangle -F CLOSEWAITD
    expect 1 rules check
    says 'wanted: -A CLOSEWAITD'
    up
    expect 0 rules check
}

# --- both backends, several at once, signals, failures ------------------------------------------

test_other_backend_is_replaced() {
    use_backend iptables-nft
    has iptables-legacy || skip 'iptables-legacy is not installed'
    up
    legacy=$dir/legacy:$PATH
    mkdir "$dir/legacy"
    link_iptables ip legacy "$dir/legacy"
    link_iptables ip6 legacy "$dir/legacy"
    nft add table inet closewaitd
    expect 1 rules check
    says 'rules of several backends are there'
    expect 0 env "PATH=$legacy" "$CLOSEWAITD_RULES" up --backend iptables
    same 'the ruleset of nf_tables' '' "$(nft list ruleset)"
    expect 0 rules check
    says 'rules of the backend iptables are there, iptables(legacy)'
    up
    expect 0 rules check
    says 'rules of the backend iptables are there, iptables(nft)'
    # shellcheck disable=SC2016 # for that shell to expand
    env "PATH=$legacy" sh -c '"$CLOSEWAITD_RULES" show --backend iptables | sh'
    nft add table inet closewaitd
    expect 0 rules down
    same 'the ruleset of nf_tables' '' "$(nft list ruleset)"
    same 'CLOSEWAITD in legacy tables' '' "$(iptables-legacy-save | grep CLOSEWAITD)"
}

# Debian has an alternative for each family.
test_families_of_different_variants() {
    use_backend iptables-legacy # its tables are in what is compared
    nothing=$(everything)
    for ip in legacy nft; do
        ip6=nft
        [ "$ip" = legacy ] || ip6=legacy
        # What the other variants have put in is replaced, family by family.
        link_iptables ip $ip6 "$dir"
        link_iptables ip6 $ip "$dir"
        up
        link_iptables ip $ip "$dir"
        link_iptables ip6 $ip6 "$dir"
        up
        expect 0 rules check
        says "rules of the backend iptables are there, iptables($ip) ip6tables($ip6)"
        same 'connection' connected "$(net connect ::1 5000)"
        same 'SYNs counted, IPv6' 1 "$(sent 6)"
        same 'connection' connected "$(net connect 127.0.0.1 5000)"
        same 'SYNs counted, IPv4' 1 "$(sent 4)"
        up
        once=$(everything)
        rules show --backend iptables | sh
        same 'the ruleset, shown and run' "$once" "$(everything)"
        link_iptables ip6 $ip "$dir"
        rules show --backend iptables | sh
        expect 1 rules check
        says 'rules of several backends are there'
        expect 0 rules down
        same 'the ruleset' "$nothing" "$(everything)"
    done
}

# What the first family has got is taken back from where it is.
test_failed_up_with_different_variants_leaves_nothing() {
    use_backend iptables-legacy
    link_iptables ip6 nft "$dir"
    before=$(everything)
    here=$(readlink /proc/self/ns/net)
    rm "$dir/ip6tables-restore"
    cat >"$dir/ip6tables-restore" <<EOF
#!/bin/sh
[ "\$(readlink /proc/self/ns/net)" != "$here" ] || ! rm "$dir/break" 2>/dev/null || exit 1
exec $(command -v ip6tables-nft-restore) "\$@"
EOF
    chmod +x "$dir/ip6tables-restore"
    up # its rules for IPv6 must not outlive those for IPv4
    : >"$dir/break"
    expect 1 rules up --backend iptables
    says 'the rules for ip6 could not be put in'
    [ ! -e "$dir/break" ]
    same 'the ruleset' "$before" "$(everything)"
}

each_parallel_runs_leave_one_whole_set() {
    queues='101 102 103 104'
    pids=''
    for queue in $queues; do
        "$CLOSEWAITD_RULES" up --backend "$backend" --queue "$queue" &
        pids="$pids $!"
    done
    "$CLOSEWAITD_RULES" down &
    for pid in $pids $!; do
        wait "$pid"
    done
    whole=''
    for queue in $queues; do
        ! rules check --queue "$queue" >/dev/null 2>&1 || whole="$whole $queue"
    done
    case $whole in
    ' '???) ;;
    *) ! everything | grep -i closewaitd || die "sets that are whole:$whole" ;;
    esac
    expect 0 rules down
    same 'what is left' '' "$(everything | grep -i closewaitd || true)"
}

# A signal at each eighteenth of the time that an undisturbed "up" takes, and some after it.
each_interrupted_up_leaves_all_or_nothing() {
    nothing=$(everything)
    started=$(date +%s%N)
    rules up --backend "$backend"
    step=$((($(date +%s%N) - started) / 18))
    rules down
    set -- INT TERM HUP
    for part in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21; do
        delay=$((part * step))
        timeout -s "$1" "$(printf '%d.%09d' $((delay / 1000000000)) $((delay % 1000000000)))" \
            "$CLOSEWAITD_RULES" up --backend "$backend" >/dev/null 2>&1 || true
        # "check" and "down" wait until a child that outlived the rest gives up the lock.
        [ "$(everything)" = "$nothing" ] || expect 0 rules check
        expect 0 rules down
        same "the ruleset after SIG$1 at part $part" "$nothing" "$(everything)"
        set -- "$2" "$3" "$1"
    done
}

# The restore commands fail in this namespace, but not in the one where the rules are tried.
test_failed_up_leaves_nothing() {
    use_backend iptables-nft
    here=$(readlink /proc/self/ns/net)
    for tool in iptables-restore ip6tables-restore; do
        real=$(readlink -f "$(dirname "$(command -v iptables-nft)")")/$(echo $tool |
            sed s/tables/tables-nft/)
        rm "$dir/$tool"
        cat >"$dir/$tool" <<EOF
#!/bin/sh
if [ "\$(readlink /proc/self/ns/net)" != "$here" ] || [ ! -e "$dir/break-$tool" ]; then
    exec $real "\$@"
fi
rm "$dir/break-$tool"
echo "broken on purpose" >&2
exit 1
EOF
        chmod +x "$dir/$tool"
        for shape in nothing other_chain_only policies user_chains; do
            nft flush ruleset
            "shape_$shape"
            before=$(everything)
            : >"$dir/break-$tool"
            expect 1 rules up --backend iptables
            says 'broken on purpose'
            says 'could not be put in: taking back what was'
            [ ! -e "$dir/break-$tool" ]
            same "the ruleset, $shape," "$before" "$(everything)"
        done
    done
}

# In many containers no namespace can be made: then up is itself the trial.
test_without_the_right_to_make_namespaces() {
    use_backend iptables-nft
    has setpriv || skip 'setpriv is not installed'
    expect 0 setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "$CLOSEWAITD_RULES" up \
        --backend iptables
    expect 0 setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "$CLOSEWAITD_RULES" check
    says 'not compared'
    expect 0 rules check
    says_not 'not compared'
}

test_lock_is_waited_for() {
    use_backend iptables-nft
    exec 8>/run/closewaitd-rules.lock
    flock 8
    "$CLOSEWAITD_RULES" up --backend iptables 8>&- &
    waiting=$!
    until pgrep -P $waiting -x flock >/dev/null; do kill -0 $waiting; done
    same 'the ruleset while it waits' '' "$(nft list ruleset)"
    flock -u 8
    wait $waiting
    expect 0 rules check
}

# --- the runner ---------------------------------------------------------------------------------

inside() { # FUNCTION [BACKEND]
    mount -t tmpfs none /run
    dir=/run/test
    mkdir -m 700 $dir
    ip link set lo up
    make_stub
    make_net_tool
    [ $# -eq 1 ] || use_backend "$2"
    "$1"
}

# One of those that run at the same time; what it has to say comes in one piece.
run() { # FUNCTION [BACKEND]
    title=${1#*_}${2+ ($2)}
    status=0
    log=$(unshare -n -m sh "$self" --inside "$@" 2>&1) || status=$?
    flock 1
    case $status in
    0) echo "ok $title" ;;
    77) echo "SKIP $title: $log" ;;
    *) echo "FAIL $title"; printf '%s\n' "$log" | sed 's/^/    /' ;;
    esac
}

case ${1-} in
--inside) shift; inside "$@"; exit 0 ;;
--run) shift; run "$@"; exit 0 ;;
esac

[ "$(id -u)" -eq 0 ] || { echo 'SKIP: needs root'; exit 77; }
unshare -n -m true 2>/dev/null || { echo 'SKIP: needs network and mount namespaces'; exit 77; }
for tool in ip perl flock pgrep taskset timeout; do
    has $tool || { echo "SKIP: $tool is not installed"; exit 77; }
done
[ -x "$CLOSEWAITD_RULES" ] || { echo "SKIP: $CLOSEWAITD_RULES is not built"; exit 77; }

functions=$(sed -n 's/^\([te][a-z]*_[a-z0-9_]*\)() {.*/\1/p' "$self" | grep -e '^test_' -e '^each_')
results=$(mktemp)
trap 'rm -f "$results"' EXIT
for function in $functions; do
    [ $# -eq 0 ] || case " $* " in
    *" ${function#*_} "*) ;;
    *) continue ;;
    esac
    case $function in
    test_*) echo "$function" ;;
    *) for backend in ${BACKENDS:-nft iptables-nft iptables-legacy}; do echo "$function $backend"; done ;;
    esac
done | xargs -r -L 1 -P "${CLOSEWAITD_TEST_JOBS:-$(nproc)}" sh "$self" --run >"$results"
cat "$results"
count() {
    grep -c "^$1 " "$results" || true
}
failed=$(count FAIL)
echo "$(count ok) passed, $failed failed, $(count SKIP) skipped"
[ "$failed" -eq 0 ]
