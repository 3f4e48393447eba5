#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What stands in a document between the lines "<!-- NAME: begin ..." and "<!-- NAME: end ...".
set -eu

if [ $# -lt 3 ]; then
    cat <<'HELP'
Usage: marked.sh get NAME DOCUMENT          prints it
       marked.sh put NAME DOCUMENT <TEXT    replaces it by TEXT
HELP
    exit 2
fi
how=$1 name=$2 document=$3

if [ "$how" = put ]; then
    new=$(mktemp)
    trap 'rm -f "$new"' EXIT
    cat >"$new"
else
    new=''
fi
changed=$(awk -v name="$name" -v new="$new" '
    index($0, "<!-- " name ": end") == 1 { ends++; inside = 0 }
    (inside && new == "") || (!inside && new != "") { print }
    index($0, "<!-- " name ": begin") == 1 {
        begins++
        inside = 1
        while (new != "" && (getline line <new) > 0) { print line }
    }
    END { exit begins != 1 || ends != 1 }' "$document" && echo .) || {
    echo "marked.sh: $document has not one pair of lines \"<!-- $name: begin\" and \"... end\"" >&2
    exit 1
}
changed=${changed%.} # a shell cuts line feeds off the end
if [ "$how" = put ]; then
    printf %s "$changed" >"$document"
else
    printf %s "$changed"
fi
