#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The life of the installed package under a systemd that is process 1: to be run in a guest of
# guest.sh -s, never on a machine that somebody uses.
#
#   service.sh BUILDDIR PACKAGE.deb
#
# CLOSEWAITD_ROUNDS   restarts under load, and as many reloads (default: 100)
# CLOSEWAITD_SLOW_MS  what a connect may take meanwhile (default: 200)
set -u

build=$(realpath "$1") deb=$(realpath "$2")
tools=$build/tests/tools
server=127.0.0.1:8000
passed=0 failed=0 skipped=0
state=/run/service-test
mkdir -p $state

if [ ! -d /guest ] || [ "$(cat /proc/1/comm)" != systemd ]; then
    echo 'SKIP service: this is no guest, in which systemd is process 1'
    exit 77
fi

# check WHAT COMMAND...: whether it succeeds.
check() {
    local what=$1
    shift
    if "$@" >$state/output 2>&1; then
        passed=$((passed + 1))
        echo "ok   $what"
    else
        failed=$((failed + 1))
        echo "FAIL $what: $*"
        sed 's/^/     /' $state/output | tail -n 20
    fi
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >$state/wait 2>&1; do
        [ "$SECONDS" -lt "$end" ] || { cat $state/wait; return 1; }
        sleep 0.2
    done
}

show() { # PROPERTY [UNIT]
    systemctl show -P "$1" "${2:-closewaitd.service}"
}

is() { # WANTED COMMAND...
    local wanted=$1 got
    shift
    got=$("$@")
    [ "$got" = "$wanted" ] || { echo "wanted $wanted, got $got"; return 1; }
}

# has_rules [COMMAND]...: whether they are in, asked through that command ("ip netns exec NAME").
has_rules() {
    "$@" nft list ruleset | grep -qi closewaitd || "$@" iptables-save 2>/dev/null | grep -qi closewaitd
}

no_rules() { # [COMMAND]...
    ! has_rules "$@"
}

pid_is_new() {
    [ "$(show ActiveState)" = active ] && [ "$(show MainPID)" != "$pid" ] && [ "$(show MainPID)" != 0 ]
}

# The newest entry of the kind of event, in the journal's export form.
entry() { # EVENT
    journalctl -q -b -o json -n 1 "CLOSEWAITD_EVENT=$1"
}

entry_has() { # EVENT FIELD VALUE
    entry "$1" | grep -qF "\"$2\":\"$3\""
}

# Every file there is, but for what dpkg, systemd and man write down about all packages.
files() {
    find /etc /opt /run /srv /usr /var -xdev \( -path /var/lib/dpkg/info -o -path /var/lib/systemd \
        -o -path /var/log -o -path /var/cache -o -path /run/systemd -o -path /run/log \
        -o -path $state \) -prune -o -print | sort
}

collide() { # PORT
    "$tools/syn-probe" -p "$1" -t 20000 $server
}

# --- a server that leaks ------------------------------------------------------------------------

systemd-run -q --unit=leaky-server "$tools/minefield" --listen -p 20000-20199 $server
wait_for 60 sh -c 'journalctl -q -b -u leaky-server | grep -q planted' || echo 'no mines'

# --- installation -------------------------------------------------------------------------------

collected=/var/lib/prometheus/node-exporter
mkdir -p $collected /run/netns # these tests' own
began=$SECONDS
files >$state/files.before
check 'the package installs' dpkg -i "$deb"
check 'the daemon runs after the installation' is active show ActiveState
check 'the unit is of Type=notify, and has said READY' is running show SubState
check 'the unit is enabled' systemctl is-enabled closewaitd
check 'it says what is in force' is 'mode audit, default action destroy, 0 rules' show StatusText
check 'the rules are in' has_rules
check 'the rules are right' closewaitd-rules check
check 'closewaitctl reaches it' closewaitctl ping
pid=$(show MainPID)
if [ "$pid" = 0 ]; then
    journalctl -q -b -u closewaitd | sed 's/^/     /'
    echo "$passed passed, $((failed + 1)) failed, $skipped skipped"
    exit 1
fi
status() { # FIELD VALUE [PID], of every thread
    awk -v field="$1:" -v value="$2" '$1 == field { n++; if ($2 != value) { print FILENAME, $0; bad = 1 } }
        END { exit bad || !n }' /proc/"${3:-$pid}"/task/*/status
}
check 'it runs as its own user' is closewaitd ps -o user= -p "$pid"
check 'CAP_NET_ADMIN is all it may do' status CapEff 0000000000001000
check 'and all it may ever get' status CapBnd 0000000000001000
check 'no new privileges' status NoNewPrivs 1
check 'the seccomp filter is on' status Seccomp 2

# --- a collision in audit mode ------------------------------------------------------------------

check 'a connect collides' collide 20000
check 'closewaitctl shows the collision' wait_for 20 sh -c "closewaitctl events | grep -q 127.0.0.1:20000"
check 'the journal has it' wait_for 20 entry_has collision CLOSEWAITD_SRC 127.0.0.1:20000
check 'with its message id' entry_has collision MESSAGE_ID 17f451735c6e4bbf872db02cb2f5bcaf
check 'with the result' entry_has collision CLOSEWAITD_RESULT audited
check 'with the leaking unit' entry_has collision CLOSEWAITD_UNIT leaky-server.service
check 'with the daemon as its origin' entry_has collision _SYSTEMD_UNIT closewaitd.service
check 'journalctl -x explains it' sh -c \
    'journalctl -q -b -x CLOSEWAITD_EVENT=collision | grep -q "A client at 127.0.0.1:20000 opened"'
echo "     the journal:"
journalctl -q -b -n 1 -x CLOSEWAITD_EVENT=collision | sed 's/^/     | /'

# --- what the README has new users do -----------------------------------------------------------

if example=$(dpkg -L closewaitd | grep '/first-collision[.]py$') && command -v python3 >/dev/null; then
    check 'the first collision of the README' sh -c "python3 $example >$state/example"
    sed 's/^/     /' $state/example
    check 'and closewaitctl shows it' wait_for 20 sh -c \
        "closewaitctl events | grep -q \"$(grep -o '^src=[^ ]*' $state/example | cut -d= -f2)\""
else
    skipped=$((skipped + 1))
    echo 'SKIP the first collision of the README: no python3'
fi

# --- reloads ------------------------------------------------------------------------------------

sed -i 's/^mode = "audit"/mode = "enforce"/' /etc/closewaitd/closewaitd.conf
check 'systemctl reload' systemctl reload closewaitd
check 'the new mode is in force' wait_for 20 is 'mode enforce, default action destroy, 0 rules' \
    show StatusText
check 'without a restart' is "$pid" show MainPID
check 'a connect collides in enforce mode' collide 20001
check 'and the old socket is destroyed' wait_for 20 entry_has collision CLOSEWAITD_RESULT destroyed
sed -i 's/^mode = "enforce"/mode = "strict"/' /etc/closewaitd/closewaitd.conf
check 'a bad file makes the reload fail' sh -c '! systemctl reload closewaitd'
check 'with the reason in the journal' sh -c \
    'journalctl -q -b -u closewaitd -n 20 | grep -q "closewaitd.conf:.*strict"'
check 'and the daemon goes on' is "$pid" show MainPID
sed -i 's/^mode = "strict"/mode = "enforce"/' /etc/closewaitd/closewaitd.conf
check 'and can be reloaded again' systemctl reload closewaitd

# --- metrics for node_exporter, as closewaitd.conf(5) has it ------------------------------------

mkdir -p /etc/systemd/system/closewaitd.service.d
chgrp closewaitd $collected
chmod g+w $collected
printf '[Service]\nReadWritePaths=%s\n' $collected >/etc/systemd/system/closewaitd.service.d/metrics.conf
sed -i "s|textfile = \"\"|textfile = \"$collected/closewaitd.prom\"|" /etc/closewaitd/closewaitd.conf
systemctl daemon-reload
check 'it restarts with a drop-in' systemctl restart closewaitd
check 'and writes its metrics there' wait_for 40 grep -q '^closewaitd_' $collected/closewaitd.prom
check 'for every reader' is 644 stat -c %a $collected/closewaitd.prom
rm -r $collected/closewaitd.prom /etc/systemd/system/closewaitd.service.d
sed -i 's|textfile = ".*"|textfile = ""|' /etc/closewaitd/closewaitd.conf
systemctl daemon-reload
check 'and without it' systemctl restart closewaitd
pid=$(show MainPID)

# --- settings for which closewaitd.conf(5) has a drop-in ------------------------------------------

dropins=/etc/systemd/system/closewaitd.service.d
# The one that gives this capability, for the next daemon-reload.
drop_in_of_manual() { # CAPABILITY
    mkdir -p $dropins
    dpkg-deb --fsys-tarfile "$deb" | tar -xO ./usr/share/man/man5/closewaitd.conf.5.gz | gzip -d |
        awk -v wanted="AmbientCapabilities=.*$1" '
            $0 == "[Service]" { inside = 1; text = "" }
            inside && $0 == ".Ed" { if (text ~ wanted) { printf "%s", text }; inside = 0 }
            inside { text = text $0 "\n" }' >$dropins/manual.conf
}

# --- the filter bpf -----------------------------------------------------------------------------

filter_in_force() {
    closewaitctl status --json | grep -o '"filter":"[a-z]*"' | cut -d '"' -f 4
}
rules_are_for() { # FILTER
    closewaitd-rules check >$state/rules && grep -q "(filter $1," $state/rules
}

drop_in_of_manual CAP_BPF
check 'the manual has a drop-in for the filter bpf' test -s $dropins/manual.conf
sed -i 's/filter = "all"/filter = "bpf"/' /etc/closewaitd/closewaitd.conf
systemctl reset-failed closewaitd
check 'without it the service starts all the same' systemctl restart closewaitd
check 'with its fallback' is all filter_in_force
check 'and the rules for that' rules_are_for all
check 'a connect collides' collide 20090
systemctl daemon-reload
check 'with it the service starts' systemctl restart closewaitd
check 'has the filter' is bpf filter_in_force
check 'and the rules for it' rules_are_for bpf
check 'a connect collides' collide 20091
check 'systemd finds it safe enough' systemd-analyze security --threshold=18 closewaitd
rm -r $dropins
sed -i 's/filter = "bpf"/filter = "all"/' /etc/closewaitd/closewaitd.conf
systemctl daemon-reload
check 'without all this it starts as before' systemctl restart closewaitd
pid=$(show MainPID)

# --- naming processes ---------------------------------------------------------------------------
owner_server() {
    pgrep -x -P "$(show MainPID)" closewaitd-own
}
# One event's field in the journal: a number, as systemd knows them, is text too.
field() { # SRC FIELD
    journalctl -q -b -o cat -n 1 --output-fields="$2" "CLOSEWAITD_SRC=$1"
}
# The descriptor that the event names must lead to the very socket.
names_the_descriptor() { # SRC
    local pid fd inode
    pid=$(field "$1" CLOSEWAITD_LEAKER_PID) fd=$(field "$1" CLOSEWAITD_LEAKER_FD)
    inode=$(field "$1" CLOSEWAITD_INODE)
    is "socket:[$inode]" readlink "/proc/$pid/fd/$fd" &&
        grep -q '/leaky-server.service$' "/proc/$pid/cgroup"
}
# They are told with a process, or after ten seconds without.
event_of() { # SRC
    wait_for 20 sh -c "journalctl -q -b CLOSEWAITD_SRC=$1 | grep -q ."
}

drop_in_of_manual CAP_SYS_PTRACE
check 'the manual has a drop-in for it' test -s $dropins/manual.conf
sed -i 's/leaker = "unit"/leaker = "process"/' /etc/closewaitd/closewaitd.conf
systemctl reset-failed closewaitd
check 'without it the service starts all the same' systemctl restart closewaitd
check 'and says what is missing' wait_for 20 sh -c \
    'journalctl -q -b -u closewaitd -n 20 | grep -q "CAP_SYS_PTRACE or CAP_DAC_READ_SEARCH is missing"'
check 'and there is no second process' sh -c '! pgrep -x closewaitd-own'
systemctl daemon-reload
check 'with it the service starts' systemctl restart closewaitd
check 'and gets ready' is running show SubState
check 'and is to name processes' sh -c 'closewaitctl status --json | grep -q "\"leaker\":\"process\""'
pid=$(show MainPID) helper=$(owner_server)
check 'there is one second process' test "$(pgrep -xc closewaitd-own)" -eq 1
check 'of the same user' is closewaitd ps -o user= -p "$helper"
for set in Eff Prm; do
    check "the daemon has CAP_NET_ADMIN alone (Cap$set)" status Cap$set 0000000000001000
    check "the second process the two to read /proc (Cap$set)" status Cap$set 0000000000080004 "$helper"
done
for process in "$pid" "$helper"; do
    check 'there is no other to inherit' status CapInh 0000000000000000 "$process"
    check 'nor to keep over an exec' status CapAmb 0000000000000000 "$process"
    check 'no new privileges' status NoNewPrivs 1 "$process"
    check 'the seccomp filter is on' status Seccomp 2 "$process"
done
check 'systemd finds it safe enough' systemd-analyze security --threshold=18 closewaitd
check 'a connect collides' collide 20100
check 'its event is told' event_of 127.0.0.1:20100
check 'and has found its process' is held field 127.0.0.1:20100 CLOSEWAITD_LEAKER
check 'by its name' is minefield field 127.0.0.1:20100 CLOSEWAITD_LEAKER_COMM
check 'its number and its descriptor' names_the_descriptor 127.0.0.1:20100
check 'closewaitctl names it too' sh -c 'closewaitctl events -n 1 | grep -q minefield'
check 'systemctl reload' systemctl reload closewaitd
check 'by the same daemon' is "$pid" show MainPID
check 'with the same second process' is "$helper" owner_server
check 'another connect collides' collide 20101
check 'its event is told' event_of 127.0.0.1:20101
check 'and names the process' is minefield field 127.0.0.1:20101 CLOSEWAITD_LEAKER_COMM
restarts=$(show NRestarts)
kill -KILL "$helper"
check 'when the second process dies, the log says so' wait_for 20 sh -c \
    'journalctl -q -b -u closewaitd | grep -q "the owner server has ended"'
check 'the daemon goes on' is "$pid" show MainPID
check 'and is well' closewaitctl ping
check 'a connect collides' collide 20102
check 'its event is told' event_of 127.0.0.1:20102
check 'with the unit only' entry_has collision CLOSEWAITD_UNIT leaky-server.service
check 'and without a process' is '' field 127.0.0.1:20102 CLOSEWAITD_LEAKER_PID
check 'a reload works' systemctl reload closewaitd
check 'and nothing was restarted' is "$restarts" show NRestarts
check 'a restart brings it back' systemctl restart closewaitd
helper=$(owner_server) pid=$(show MainPID)
kill -KILL "$pid"
check 'when the daemon dies, it is started again' wait_for 60 pid_is_new
check 'with a second process of its own' test "$(owner_server)" != "$helper"
check 'and with no other' test "$(pgrep -xc closewaitd-own)" -eq 1
check 'it stops' systemctl stop closewaitd
check 'and no process is left' sh -c '! pgrep "^closewaitd"'
rm -r $dropins
sed -i 's/leaker = "process"/leaker = "unit"/' /etc/closewaitd/closewaitd.conf
systemctl daemon-reload
check 'without all this it starts as before' systemctl restart closewaitd
pid=$(show MainPID)

# --- it dies, it hangs --------------------------------------------------------------------------

kill -KILL "$pid"
check 'after SIGKILL it is started again' wait_for 60 pid_is_new
check 'with its rules' has_rules
check 'and works' collide 20002

pid=$(show MainPID)
# Whichever of them the client's processor belongs to.
workers=$(grep -lx 'queue-[0-9]*' "/proc/$pid"/task/*/comm | cut -d / -f 5)
for worker in $workers; do "$tools/stop-thread" "$worker" >>$state/stopped & done
all_stopped() {
    [ "$(wc -l <$state/stopped)" -eq "$(wc -w <<<"$workers")" ]
}
check 'the workers stop' wait_for 20 all_stopped
stopped=$SECONDS
"$tools/syn-probe" -t 60000 $server >$state/probe 2>&1 &
probe=$!
check 'the watchdog restarts it' wait_for 90 pid_is_new
echo "     after $((SECONDS - stopped)) s"
check 'the log says why' sh -c \
    'journalctl -q -b -u closewaitd | grep -q "held SYNs and not one verdict"'
check 'systemd says that it was the watchdog' sh -c \
    'journalctl -q -b -u closewaitd | grep -q "Watchdog timeout"'
check 'the client that waited is connected' wait "$probe"
sed 's/^/     /' $state/probe
check 'and it works' collide 20003

# --- restarts and reloads under load ------------------------------------------------------------

rounds=${CLOSEWAITD_ROUNDS:-100}
# Far below the second that a lost SYN costs.
slow_ms=${CLOSEWAITD_SLOW_MS:-200}
# From other ports each time, so that no client meets what is left of one before it.
# shellcheck disable=SC2016 # for that shell
systemd-run -q --unit=load -p StandardOutput="truncate:$state/load" sh -c '
    while :; do
        for from in $(seq 10000 500 59500); do
            "$0" --listen --clients=2 --ports=$from-$((from + 499)) 127.0.0.1:9000
            sleep 0.02
        done
    done' "$build/tests/bench/load"
wait_for 20 test -s $state/load
repeated() {
    nstat -asz TcpExtTCPSynRetrans | awk '/TCPSynRetrans/ { print $2 }'
}
under_load() { # WHAT
    local i
    for ((i = 0; i < rounds; i++)); do
        systemctl reset-failed closewaitd
        systemctl "$1" closewaitd || return 1
    done
}
began_load=$SECONDS
repeated_before=$(repeated)
check "$rounds restarts under load" under_load restart
check "$rounds reloads under load" under_load reload
check 'and the number of processors is what it was' sh -c \
    '! journalctl -q -b -u closewaitd | grep "the queue settings have changed"'
systemctl stop load
# Connects, the slowest in microseconds, and failed ones.
read -r connects slowest lost <<<"$(awk '{ n += $1; if ($6 > max) max = $6; failed += $NF }
    END { printf "%d %d %d", n, max, failed }' $state/load)"
# To tell why one was slow, if it was: a SYN that meets the last state of its port's former connection is
# sent again too, without a delay to speak of.
echo "     in $((SECONDS - began_load)) s, $connects connects, the slowest took $slowest us;" \
    "$(($(repeated) - repeated_before)) SYNs were sent again"
check "no connect took longer than $slow_ms ms" test "$slowest" -le $((slow_ms * 1000))
check 'no connect failed' test "$connects" -gt 0 -a "$lost" -eq 0

# --- a network namespace of its own -------------------------------------------------------------

ip netns add blue
ip -n blue link set lo up
sed 's|/run/closewaitd/|/run/closewaitd-blue/|' /etc/closewaitd/closewaitd.conf \
    >/etc/closewaitd/blue.conf
check 'an instance for a network namespace starts' systemctl start closewaitd@blue
check 'its rules are in that namespace' has_rules ip netns exec blue
check 'and right' ip netns exec blue closewaitd-rules check -c /etc/closewaitd/blue.conf
check 'and answers' closewaitctl -c /etc/closewaitd/blue.conf ping
ip netns exec blue "$tools/minefield" --listen -p 21000 $server >$state/blue &
check 'a connect in there collides' wait_for 60 grep -q planted $state/blue
check 'and connects' ip netns exec blue "$tools/syn-probe" -p 21000 -t 20000 $server
check 'and is in the journal of the instance' wait_for 20 entry_has collision _SYSTEMD_UNIT closewaitd@blue.service
check 'an instance stops' systemctl stop closewaitd@blue
check 'and leaves no rule' no_rules ip netns exec blue
check 'the other daemon does not notice' is active show ActiveState

# --- the end ------------------------------------------------------------------------------------

check 'it stops' systemctl stop closewaitd
check 'and leaves no rule behind' no_rules
check 'no connect was lost at the end' sh -c 'journalctl -q -b -u closewaitd | grep -q "stopped: "'
check 'it starts again' systemctl start closewaitd
check 'the package is upgraded while it runs' dpkg -i "$deb"
check 'and runs' is active show ActiveState
systemctl start closewaitd@blue
check 'the package is removed' dpkg -r closewaitd
check 'no rule is left' no_rules
check 'nor in the network namespace' no_rules ip netns exec blue
check 'no process is left' sh -c '! pgrep -x closewaitd'
check 'the configuration is left' test -f /etc/closewaitd/closewaitd.conf
ip netns del blue
rm -f /etc/closewaitd/blue.conf
check 'the package is purged' dpkg -P closewaitd
files >$state/files.after
check 'no file is left, and none is missing' diff $state/files.before $state/files.after
echo "     took $((SECONDS - began)) s"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
