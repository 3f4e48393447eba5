# SPDX-License-Identifier: GPL-2.0-or-later
#
# table.awk: the README's table from the output of "make soak":
#     make soak | tee soak.out; awk -f tests/soak/table.awk soak.out

/^soak: seed/ { run++; next }
/^soak:/ {
    name = $0
    sub(/^soak: +/, "", name)
    value = name
    sub(/   *.*/, "", name)
    sub(/.*   */, "", value)
    if (!(name in known)) {
        known[name] = 1
        order[++rows] = name
    }
    cell[name, run] = value
}
END {
    if (run != 2) {
        print "table.awk: not the output of a whole \"make soak\"" > "/dev/stderr"
        exit 1
    }
    print "| | without connection tracking | with it, and REDIRECT |"
    print "|---|---|---|"
    for (i = 1; i <= rows; i++)
        printf "| %s | %s | %s |\n", order[i], cell[order[i], 1], cell[order[i], 2]
}
