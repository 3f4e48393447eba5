#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Which part of the daemon's lines the unit tests and the kept fuzz inputs have run.
#
#   coverage.sh BUILDDIR    after configure --enable-coverage and make check
#
# Fails if a module of the layers "values" and "pure" in HACKING.md's table, or the core that judges
# and acts, has less than 95 %. What the others lack is the netns suite's to run.
set -eu

top=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
build=$1
least=95

# "PERCENT LINES MODULE" for each source of the daemon; of a program's main() too.
measure() {
    (cd "$build" && gcov -n daemon/*.gcda 2>/dev/null) | awk -v q="'" '
        /^File / { gsub(q, ""); n = split($2, part, "/"); module = part[n] }
        /^File / && part[n - 1] != "daemon" { module = "" }
        /^Lines executed:/ && module ~ /\.c$/ {
            sub(/^Lines executed:/, "")
            sub(/%/, "", $1)
            sub(/\.c$/, "", module)
            print $1, $3, module
        }'
}

held_to() {
    awk -F'|' '/^## /{ in_layers = /Layers/ } in_layers && $2 ~ /^ (0 values|1 pure) $/ {
        n = split($3, word, "`")
        for (i = 2; i <= n; i += 2) print word[i]
    }' "$top/HACKING.md"
    printf '%s\n' judge mitigate
}

held_to >"$build/coverage.held"
measure | sort -n | awk -v least=$least '
    NR == FNR { held[$1] = 1; next }
    {
        lines += $2
        run += $1 * $2 / 100
        low = ($3 in held) && $1 < least
        printf "%6.2f %% of %4d lines  %s%s\n", $1, $2, $3, low ? "  <- less than " least " %" : ""
        failed += low
        seen += $3 in held
    }
    END {
        if (lines == 0) {
            print "no counts: was this built with --enable-coverage, and make check run?"
            exit 1
        }
        printf "%6.2f %% of %4d lines  in all; %d modules are held to %d %%, %d have less\n",
            100 * run / lines, lines, seen, least, failed
        exit failed > 0
    }' "$build/coverage.held" -
