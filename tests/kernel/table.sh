#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# "SYN meets CLOSE_WAIT" by kernel: measures it (collisions.sh) on three kernels of Debian in virtual
# machines and on the one that runs here, and writes doc/kernels.md and the same table into README.md.
#
#   table.sh BUILDDIR SOURCEDIR
#
# What was measured stays in BUILDDIR/kernels and is not measured again. Nothing is written unless
# every kernel was there. Takes about ten minutes for each of them.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=$(realpath "$1") source=$(realpath "$2")
results=$build/kernels
kernels='5.10 6.1 6.12 here'
mkdir -p "$results"

for kernel in $kernels; do
    result=$results/$kernel.tsv
    [ ! -s "$result" ] || continue
    echo "table.sh: Linux $kernel"
    if [ "$kernel" = here ]; then
        "$here/collisions.sh" "$build" >"$result.new"
    else
        CLOSEWAITD_AT_ONCE_MS=10000 "$here/guest.sh" -k "$kernel" "$here/collisions.sh" "$build" \
            >"$result.new"
    fi || { cat "$result.new"; echo "table.sh: not measured on Linux $kernel" >&2; exit 1; }
    mv "$result.new" "$result"
done

release() { # KERNEL
    sed -n 's/^kernel \([0-9.]*\(-[0-9][0-9]*\)\{0,1\}\).*/\1/p' "$results/$1.tsv"
}

# One line for each firewall, one column for each kernel.
table() { # off|on
    local kernel files=() heading='| firewall |' rule='|---|'
    for kernel in $kernels; do
        heading+=" Linux $(release "$kernel" | cut -d . -f 1,2) |"
        rule+='---|'
        files+=("$results/$kernel.tsv")
    done
    printf '%s\n%s\n' "$heading" "$rule"
    awk -F '\t' -v daemon="$1" '
        FNR == 1 { kernels++ }
        $2 == daemon {
            text = $3
            # Short times of an emulated processor tell nothing about closewaitd.
            if (daemon == "on" && FILENAME !~ /here/)
                sub(/, [0-9.]* ms$/, ", at once", text)
            cell[$1, kernels] = text
        }
        END {
            n = split("nothing resets acks limited limited-burst invalid redirect", order, " ")
            name["nothing"] = "none"
            name["resets"] = "resets dropped"
            name["acks"] = "the bare ACKs of the server dropped"
            name["limited"] = "resets limited to 2 per second, one collision"
            name["limited-burst"] = "the same, 20 collisions at once"
            name["invalid"] = "conntrack'\''s INVALID dropped"
            name["redirect"] = "a NAT that redirects to another port"
            for (i = 1; i <= n; i++) {
                line = "| " name[order[i]] " |"
                for (k = 1; k <= kernels; k++) { line = line " " cell[order[i], k] " |" }
                print line
            }
        }' "${files[@]}"
}

tables() {
    printf 'Without closewaitd:\n\n'
    table off
    printf '\nWith closewaitd, action "destroy":\n\n'
    table on
}

details() {
    local kernel
    echo '| Linux | firewall | closewaitd | collisions | outcome | old sockets alive | destroyed by closewaitd |'
    echo '|---|---|---|---|---|---|---|'
    for kernel in $kernels; do
        awk -F '\t' -v kernel="$(release "$kernel")" 'NF == 6 {
            printf("| %s | %s | %s | %s | %s | %s | %s |\n", kernel, $1, $2, $6, $3, $4, $5)
        }' "$results/$kernel.tsv"
    done
}

tables >"$results/tables"
cat >"$source/doc/kernels.md" <<EOF
# What becomes of a SYN that meets a CLOSE_WAIT socket

Written by "make kernel-table", which measures it again.

A server on 127.0.0.1 has leaked sockets, their clients are gone, and new clients come from the same
ports. The time is that of connect(), the median where there were more; ETIMEDOUT comes after the
kernel's own tcp_syn_retries. The firewall drops, limits or redirects on loopback only.

<!-- kernels: begin (written by "make kernel-table") -->
$(cat "$results/tables")
<!-- kernels: end -->

5.10, 6.1 and 6.12 are Debian's, in virtual machines whose processors are emulated, so that times below
a second are longer than those of a real machine. With closewaitd they are all there is: "at once" is
less than that second, after which the SYN would have been sent again. And 20 clients "at once" begin
within about a second there, not within milliseconds, which a limit lets more of through.

Where connections are tracked, which the last two firewalls need, the client has to send its SYN again,
for an entry of its own, and does so at once: hence the milliseconds.

## In detail

Where a client was connected without closewaitd, the kernel has reset the old socket, whether or not
its server still worked for it.

$(details)
EOF
"$here/../lib/marked.sh" put kernels "$source/README.md" <"$results/tables"
