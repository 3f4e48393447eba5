#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Holds the manual against the programs of the build directory: every page renders without a
# warning, options are those of --help (and known to the completion), settings and their defaults
# those of "closewaitd -n", the keys of events, the results and the journal's message ids those of
# the source and the catalog.
set -u
LC_ALL=C.UTF-8
export LC_ALL

root=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd)
failed=0

complain() {
    echo "$*"
    failed=1
}

# same WHAT A B: complains about lines that only one of two files has.
same() {
    sort -u "$2" >"$work/a"
    sort -u "$3" >"$work/b"
    only=$(comm -23 "$work/a" "$work/b" | tr '\n' ' ')
    [ -z "$only" ] || complain "$1: not in the manual: $only"
    only=$(comm -13 "$work/a" "$work/b" | tr '\n' ' ')
    [ -z "$only" ] || complain "$1: only in the manual: $only"
}

# Every program has these, and closewaitd-rules keeps them out of its summary.
usual='^(-h|--help|-V|--version)$'

# "-c" and "--config" of ".It Fl c , Fl -config Ar file" and of ".It Fl c , -config Ar file".
manual_options() { # PAGE
    awk '$1 == ".It" && $2 == "Fl" {
        for (i = 3; i <= NF && $i != "Ar" && $i != "Cm"; i++) {
            if ($i != "," && $i != "Fl") { print "-" $i }
        }
    }' "$1" | grep -Ev -e "$usual"
}

help_options() { # COMMAND...
    "$@" --help | grep -Eo -e '(^|[][ ,(])--?[a-zA-Z][a-z-]*' | sed 's/^[^-]*//' |
        grep -Ev -e "$usual"
}

check_options() { # PAGE COMMAND...
    page=$1
    shift
    help_options "$@" >"$work/program"
    [ -s "$work/program" ] || complain "$*: no options in its --help"
    manual_options "$root/man/$page" >"$work/manual"
    same "options of $page" "$work/program" "$work/manual"
    while read -r option; do
        case $option in
        --*) grep -qw -e "$option" "$root/conf/completion.bash" ||
            complain "conf/completion.bash has no $option" ;;
        esac
    done <"$work/program"
}

# "group.key = value" of every setting.
printed_settings() {
    ./closewaitd -c "$root/conf/closewaitd.conf" -n | awk '
        $NF == "{" { group = $1 "."; next }
        $1 == "};" { group = ""; next }
        { sub(/^ */, ""); sub(/;$/, ""); print group $0 }'
}

# Of .It Li "key = value" below .Ss group; "mode" is in no group, and its section has its name.
manual_settings() {
    sed 's/\\(dq/"/g' "$root/man/closewaitd.conf.5" | awk '
        $1 == ".Ss" { group = ($2 == "mode") ? "" : $2 "." }
        $1 == ".Sh" { inside = ($2 == "SETTINGS") }
        inside && $1 == ".It" && $2 == "Li" && / = / {
            sub(/^\.It Li "/, ""); sub(/"$/, ""); print group $0
        }'
}

# Of ".It Li a , b" in a section.
manual_words() { # SECTION
    awk -v section="$1" '
        /^\.Sh/ { inside = ($0 == ".Sh " section) }
        inside && $1 == ".It" && $2 == "Li" {
            for (i = 3; i <= NF && $i != "Pq"; i++) { if ($i != ",") { print $i } }
        }' "$root/man/closewaitd.8"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for page in "$root"/man/*.[1-9]; do
    if ! command -v man >/dev/null; then
        echo "man is not installed: pages are not rendered"
        break
    fi
    warnings=$(man --warnings -l "$page" 2>&1 >/dev/null)
    [ -z "$warnings" ] || complain "${page##*/}: $warnings"
done

check_options closewaitd.8 ./closewaitd
check_options closewaitctl.8 ./closewaitctl
check_options closewaitd-rules.8 conf/closewaitd-rules

# The number of workers is printed as what 0 means here.
printed_settings | sed 's/^\(queue[.]workers\) = .*/\1 = 0/' >"$work/program"
[ -s "$work/program" ] || complain 'closewaitd -n prints nothing'
manual_settings >"$work/manual"
same settings "$work/program" "$work/manual"

sed -En 's/.*add_(text|number)\(&?b, "([a-z_]*)".*/\2/p' "$root/daemon/event.c" >"$work/program"
sed -En 's/.*\[FINDING_.*\] = "[0-9a-f]{32}".*/&/; s/.*\[FINDING_([A-Z_]*)\] = "[0-9a-f]{32}".*/\1/p' \
    "$root/daemon/journal.c" | tr '[:upper:]_' '[:lower:]-' >>"$work/program"
sed -En 's/.* ([a-z]+)_id\[\] = "[0-9a-f]{32}".*/\1/p' "$root/daemon/journal.c" >>"$work/program"
manual_words EVENTS >"$work/manual"
same 'keys and kinds of events' "$work/program" "$work/manual"

grep -Eo '[0-9a-f]{32}' "$root/daemon/journal.c" >"$work/program"
grep -Eo '[0-9a-f]{32}' "$root/man/closewaitd.8" >"$work/manual"
same 'message ids' "$work/program" "$work/manual"
sed -n 's/^-- //p' "$root/systemd/closewaitd.catalog" >"$work/manual"
same 'message ids of the catalog' "$work/program" "$work/manual"
sed -En 's/.*add_(text|number)\(&?b, "([a-z_]*)".*/CLOSEWAITD_\2/p' "$root/daemon/event.c" |
    tr '[:lower:]' '[:upper:]' >"$work/program"
grep -Eo '@[A-Z_]*@' "$root/systemd/closewaitd.catalog" | tr -d @ | sort -u |
    grep -vxF -f "$work/program" >"$work/manual" &&
    complain "the catalog names fields that no event has: $(tr '\n' ' ' <"$work/manual")"

while read -r result; do
    grep -Eq "^[.]Li .*\b$result\b" "$root/man/closewaitd.8" || complain "closewaitd.8 has no result $result"
done <<RESULTS
$(grep -Eo '\[RESULT_[A-Z]*\] = "[a-z]*"' "$root/daemon/outcome.c" | sed 's/.*"\(.*\)"/\1/')
RESULTS

# The README's table is that of doc/kernels.md.
for document in README.md doc/kernels.md; do
    "$root/tests/lib/marked.sh" get kernels "$root/$document" >"$work/$(basename "$document")" ||
        complain "no table of kernels in $document"
done
[ -s "$work/kernels.md" ] || complain 'the table of kernels is empty: make kernel-table'
cmp -s "$work/README.md" "$work/kernels.md" ||
    complain 'README.md and doc/kernels.md differ about the kernels: make kernel-table'

exit "$failed"
