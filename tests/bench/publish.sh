#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Puts the results of the last `make bench` where readers find them; `make bench-publish` calls it.
set -eu

if [ $# -ne 2 ]; then
    cat <<'HELP'
Usage: publish.sh BUILDDIR SOURCEDIR
Copies bench.md, bench.csv and bench.svg of BUILDDIR to SOURCEDIR/doc, and the summary between the
two marked lines of SOURCEDIR/README.md.
HELP
    exit 2
fi
build=$1 source=$2

rounds=$(awk -F, '!/^#/ { if ($2 > most[$1]) most[$1] = $2 }
    END { for (part in most) if (least == "" || most[part] < least) least = most[part]; print least + 0 }' \
    "$build/bench.csv")
if [ "$rounds" -lt 5 ]; then
    echo "publish: $rounds rounds of some part in $build/bench.csv are too few to be shown: at least 5" >&2
    exit 1
fi
for kind in md csv svg; do
    cp "$build/bench.$kind" "$source/doc/bench.$kind"
done
awk -v summary="$build/bench-summary.md" '
    /^<!-- bench: end/ { skip = 0; ends++ }
    !skip { print }
    /^<!-- bench: begin/ {
        begins++
        skip = 1
        while ((getline line <summary) > 0) { print line }
    }
    END { exit begins != 1 || ends != 1 }' "$source/README.md" >"$build/README.bench" || {
    echo "publish: $source/README.md has not one pair of lines \"<!-- bench: begin\" and \"... end\"" >&2
    exit 1
}
cat "$build/README.bench" >"$source/README.md"
rm "$build/README.bench"
