#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Holds the sources to the two tables under "Layers" in HACKING.md, which are the only place where
# layers and the users of libraries are written down.
#
#   check-layers.sh         checks the tree it is in, and first, on broken copies, that it can fail
#   check-layers.sh DIR     checks DIR only
#
# `make check` runs it with $srcdir set.
set -eu

# Reads HACKING.md, then the sources; prints what is wrong, one line each, and exits 1 if anything is.
# shellcheck disable=SC2016 # the program is awk's, not the shell's
program='
function complain(what)
{
    print what
    bad = 1
}

# The next `word` of a table cell; takes it out of the global rest.
function next_word(    word)
{
    if (!match(rest, /`[^`]+`/))
        return ""
    word = substr(rest, RSTART + 1, RLENGTH - 2)
    rest = substr(rest, RSTART + RLENGTH)
    return word
}

function matches(name, pattern)
{
    gsub(/[.+]/, "[&]", pattern)
    gsub(/[*]/, ".*", pattern)
    return name ~ ("^" pattern "$")
}

# The layer of a module, "" for one that does not stand in the table.
function layer_of(module,    pattern)
{
    for (pattern in layer) {
        if (matches(module, pattern))
            return layer[pattern]
    }
    return ""
}

FILENAME == "HACKING.md" {
    if (/^#/)
        in_section = /^## Layers$/
    if (!in_section || split($0, cell, "|") != 4)
        next
    if (cell[2] ~ /^ [0-9]/) {
        number = cell[2] + 0
        if (cell[2] ~ / pure $/)
            pure[number] = 1
        rest = cell[3]
        while ((word = next_word()) != "") {
            if (word in layer)
                complain("HACKING.md: " word " stands in two layers")
            layer[word] = number
            n_layers++
        }
    } else if (cell[2] ~ /^ `/) {
        rest = cell[2]
        while ((word = next_word()) != "") {
            users[word] = cell[3]
            n_users++
        }
    }
    next
}

# May module include this header of the outside?
function is_allowed(module, header,    pattern, word, listed)
{
    for (pattern in users) {
        if (!matches(header, pattern))
            continue
        listed = 1
        rest = users[pattern]
        while ((word = next_word()) != "") {
            if (matches(module, word))
                return 1
        }
    }
    return !listed
}

FNR == 1 {
    place = module = FILENAME
    sub(/^.*\//, "", module)
    sub(/[.][ch]$/, "", module)
    mine = layer_of(module)
    if (mine == "")
        complain(place ": the module " module " does not stand in the table of HACKING.md")
    for (pattern in layer) {
        if (matches(module, pattern))
            seen[pattern] = 1
    }
    n_files++
    n_includes = 0
    is_source = place ~ /[.]c$/
}

/^[ \t]*#[ \t]*include/ {
    at = place ":" FNR ": "
    header = $0
    sub(/^[ \t]*#[ \t]*include[ \t]*/, "", header)
    if (!match(header, /^("[^"]+"|<[^>]+>)/)) {
        complain(at "an include that cannot be read: " $0)
        next
    }
    quoted = substr(header, 1, 1) == "\""
    header = substr(header, 2, RLENGTH - 2)
    n_includes++
    if (is_source && n_includes == 1 && header != "config.h")
        complain(at "the first include is " header ", not config.h")
    if (is_source && n_includes == 2 && (module ".h") in own && header != module ".h")
        complain(at "the second include is " header ", not the own header " module ".h")
    if (quoted && header == "config.h")
        next
    if (!quoted && !(header in own)) {
        if (!is_allowed(module, header))
            complain(at module " may not include <" header ">")
        if ((mine in pure) &&
            header ~ /^(stdio|fcntl|poll|time|unistd|pthread|syslog|sys\/(time|stat|mman))[.]h$/)
            complain(at module " is pure and may not include <" header ">")
        next
    }
    if (!quoted)
        complain(at "\"" header "\" is one of ours and belongs in quotes")
    if (!(header in own)) {
        complain(at "there is no include/" header)
        next
    }
    other = header
    sub(/[.]h$/, "", other)
    theirs = layer_of(other)
    if (mine != "" && theirs != "" && theirs > mine)
        complain(at module " of layer " mine " includes " header " of layer " theirs)
    if ((mine in pure) && (other == "log" || other == "clock"))
        complain(at module " is pure and may not include " header)
}

# failopen ends it when a signal has told it to.
is_source && module == "failopen" && /^\tabort[(][)];/ {
    next
}

is_source && module != "main" && /(^|[^A-Za-z0-9_])(_?_?exit|_Exit|quick_exit|abort|errx?)[ ]*[(]/ {
    complain(place ":" FNR ": only main.c may end the process: " $0)
}

BEGIN {
    n = split(headers, name, " ")
    for (i = 1; i <= n; i++)
        own[name[i]] = 1
}

END {
    if (!n_layers || !n_users)
        complain("HACKING.md: no table of layers or of headers under \"## Layers\"")
    if (!n_files)
        complain("no sources found")
    for (pattern in layer) {
        if (!(pattern in seen))
            complain("HACKING.md: " pattern " stands in the table, but there is no such module")
    }
    exit bad
}
'

check_tree() {
    (
        cd "$1"
        headers=$(cd include && echo *.h)
        # *.bpf.c are programs for the kernel: another compiler, no config.h.
        find daemon include -name '*.[ch]' ! -name '*.bpf.c' -exec \
            awk -v headers="$headers" "$program" HACKING.md {} +
    )
}

# broken WHAT EXPECTED COMMAND...: runs COMMAND in a copy of the tree, which must then be refused with
# a message that holds EXPECTED.
broken() {
    what=$1 expected=$2
    shift 2
    rm -rf "$work/tree"
    mkdir -p "$work/tree"
    cp -R "$root/daemon" "$root/include" "$root/HACKING.md" "$work/tree/"
    chmod -R u+w "$work/tree"
    (cd "$work/tree" && "$@")
    if output=$(check_tree "$work/tree"); then
        echo "self-test: $what is not noticed"
        failed=1
    else
        case $output in
        *"$expected"*) ;;
        *)
            echo "self-test: $what: expected \"$expected\", got: $output"
            failed=1
            ;;
        esac
    fi
}

append() {
    printf '%s\n' "$2" >>"$1"
}

edit() {
    sed "$2" "$1" >edited
    mv edited "$1"
}

# shellcheck disable=SC2016 # the back quotes are those of HACKING.md
self_test() {
    failed=0
    broken "a header of a higher layer" "packet of layer 1 includes diag.h of layer 2" \
        append include/packet.h '#include "diag.h"'
    broken "a source that includes upwards" "tuple of layer 0 includes policy.h of layer 1" \
        append daemon/tuple.c '  #  include "policy.h" /* why */'
    broken "a module in no layer" "the module stray does not stand in the table" \
        append daemon/stray.c '#include "config.h"'
    broken "a header in no layer" "the module stray does not stand in the table" \
        append include/stray.h ''
    broken "a layer's module without a file" "ghost stands in the table" \
        edit HACKING.md 's/`packet`/`packet` `ghost`/'
    broken "a module in two layers" "packet stands in two layers" \
        edit HACKING.md 's/^| 3 core | /&`packet` /'
    broken "no table of layers" "no table of layers" edit HACKING.md '/^| [0-9]/d'
    broken "no table of headers" "no table of layers or of headers" edit HACKING.md '/^| `/d'
    broken "no section" "no table of layers" edit HACKING.md 's/^## Layers/## Other/'
    broken "libconfig outside conf" "policy may not include <libconfig.h>" \
        append daemon/policy.c '#include <libconfig.h>'
    broken "libnetfilter_queue outside queue" "diag may not include <libnetfilter_queue/" \
        append daemon/diag.c '#include <libnetfilter_queue/libnetfilter_queue.h>'
    broken "libmnl in mitigate" "mitigate may not include <libmnl/libmnl.h>" \
        append include/mitigate.h '#include <libmnl/libmnl.h>'
    broken "a netlink header in mitigate" "mitigate may not include <linux/netlink.h>" \
        append daemon/mitigate.c '#include <linux/netlink.h>'
    broken "a pure module that logs" "packet is pure and may not include log.h" \
        append daemon/packet.c '#include "log.h"'
    broken "a pure module with a clock" "policy is pure and may not include <time.h>" \
        append daemon/policy.c '#include <time.h>'
    broken "a pure module with our clock" "policy is pure and may not include clock.h" \
        append daemon/policy.c '#include "clock.h"'
    broken "a header that is not there" "there is no include/nowhere.h" \
        append daemon/tuple.c '#include "nowhere.h"'
    broken "our header in angle brackets" "tuple of layer 0 includes policy.h of layer 1" \
        append daemon/tuple.c '#include <policy.h>'
    broken "an include by macro" "cannot be read" append daemon/tuple.c '#include HEADER'
    broken "config.h not first" "not config.h" edit daemon/tuple.c '/"config.h"/d'
    broken "the own header not second" "not the own header tuple.h" \
        edit daemon/tuple.c '/"tuple.h"/d'
    broken "a library that exits" "only main.c may end the process" \
        append daemon/conf.c 'void f(void) { exit(1); }'
    return "$failed"
}

if [ $# -eq 1 ]; then
    check_tree "$1"
    exit
fi

root=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
self_test
check_tree "$root"
