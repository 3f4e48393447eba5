# SPDX-License-Identifier: GPL-2.0-or-later
# bench.csv to tables (Markdown, on the standard output; in short in the file `summary`) and a plot
# (SVG, in the file `svg`).
#
# A ratio is taken within each round, between two measurements that are seconds apart; the median
# over the rounds is shown, and in parentheses the first and the third quartile.

BEGIN {
    FS = ","
    n_variants = split("none again bypass reference all one socket bpf", variants, " ")
    n_clients = split("1 4 16", client_counts, " ")
    n_listeners = split("0.0.0.0 127.0.0.1", listeners, " ")
    title["none"] = "no rule"
    title["again"] = "no rule, once more"
    title["bypass"] = "rule, nobody listens"
    title["reference"] = "accept-all reference"
    title["all"] = "closewaitd, all"
    title["one"] = "closewaitd, all, one worker"
    title["socket"] = "closewaitd, socket"
    title["bpf"] = "closewaitd, bpf"
}

/^#/ {
    if (++n_comments <= 2) {
        header = header substr($0, 3) "\n"
    }
    next
}

# What was measured, by key and round: key is part/listener/clients/variant.
{
    key = $1 "/" $3 "/" $4 "/" $5
    round = $2
    if (round > rounds) {
        rounds = round
    }
    if (round > seen[$1]) {
        seen[$1] = round
    }
}

$1 == "idle" {
    value["wakeups", key, round] = $6 / $7
    value["rss", key, round] = $8
    value["pss", key, round] = $9
    value["private", key, round] = $10
    next
}

{
    value["connects", key, round] = $6
    value["seconds", key, round] = $7
    value["rate", key, round] = $6 / $7
    value["p50", key, round] = $8
    value["p99", key, round] = $9
    value["p999", key, round] = $10
    value["daemon", key, round] = $13 / $6 * 100000
    value["all", key, round] = ($12 + $13) / $6 * 100000
    overflows += $14
}

# --- statistics: sample[1..n] of one figure over the rounds --------------------------------------

function sort_sample(    i, j, v) {
    for (i = 2; i <= n; i++) {
        v = sample[i]
        for (j = i - 1; j >= 1 && sample[j] > v; j--) {
            sample[j + 1] = sample[j]
        }
        sample[j + 1] = v
    }
}

function quantile(q,    at, below) {
    at = 1 + (n - 1) * q
    below = int(at)
    return below >= n ? sample[n] : sample[below] + (at - below) * (sample[below + 1] - sample[below])
}

function take(figure, key,    r) {
    n = 0
    for (r = 1; r <= rounds; r++) {
        if ((figure, key, r) in value) {
            sample[++n] = value[figure, key, r]
        }
    }
    sort_sample()
    return n
}

function take_ratio(figure, key, base,    r) {
    n = 0
    for (r = 1; r <= rounds; r++) {
        if (((figure, key, r) in value) && ((figure, base, r) in value) && value[figure, base, r] > 0) {
            sample[++n] = value[figure, key, r] / value[figure, base, r]
        }
    }
    sort_sample()
    return n
}

function median(figure, key) {
    return take(figure, key) ? quantile(0.5) : 0
}

function ratio(figure, key, base) {
    return take_ratio(figure, key, base) ? quantile(0.5) : 0
}

function ratio_text(figure, key, base) {
    if (!take_ratio(figure, key, base)) {
        return "-"
    }
    return sprintf("%.2f (%.2f-%.2f)", quantile(0.5), quantile(0.25), quantile(0.75))
}

# --- tables --------------------------------------------------------------------------------------

function connect_key(listener, clients, variant) {
    return "connect/" listener "/" clients "/" variant
}

# What is compared with no rule: the mean of the two variants without one, in each round.
function no_rule(    l, c, r, key, one, other) {
    for (l = 1; l <= n_listeners; l++) {
        for (c = 1; c <= n_clients; c++) {
            one = connect_key(listeners[l], client_counts[c], "none")
            other = connect_key(listeners[l], client_counts[c], "again")
            key = connect_key(listeners[l], client_counts[c], "no rule")
            for (r = 1; r <= rounds; r++) {
                if (("rate", one, r) in value) {
                    value["rate", key, r] = (value["rate", one, r] + value["rate", other, r]) / 2
                }
            }
        }
    }
}

function connect_table(listener,    c, v, key) {
    print "\n| clients | | connects/s | to no rule | to the reference | p50 us | p99 us | p99.9 us | daemon CPU s | all CPU s |"
    print "|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    for (c = 1; c <= n_clients; c++) {
        for (v = 1; v <= n_variants; v++) {
            key = connect_key(listener, client_counts[c], variants[v])
            if (!take("rate", key)) {
                continue
            }
            printf "| %d | %s | %d | %s | %s | %.1f | %.0f | %.0f | %.2f | %.2f |\n",
                client_counts[c], title[variants[v]], median("rate", key),
                ratio_text("rate", key, connect_key(listener, client_counts[c], "no rule")),
                ratio_text("rate", key, connect_key(listener, client_counts[c], "reference")),
                median("p50", key), median("p99", key), median("p999", key),
                median("daemon", key), median("all", key)
        }
    }
}

# The four parts of the way through the mines, as one.
function whole_way(variant,    r, part, key, connects, seconds) {
    for (r = 1; r <= rounds; r++) {
        connects = seconds = 0
        for (part = 1; part <= 4; part++) {
            key = "mines/127.0.0.1/16/" variant part
            connects += value["connects", key, r]
            seconds += value["seconds", key, r]
        }
        if (seconds > 0) {
            value["rate", "mines/127.0.0.1/16/" variant, r] = connects / seconds
            value["connects", "mines/127.0.0.1/16/" variant, r] = connects
        }
    }
}

function mines_row(name, key) {
    printf "| %s | %d | %.1f | %.0f |\n", name, median("rate", key), median("p50", key),
        median("p99", key)
}

function mines_table(    part) {
    print "\n| | connects/s | p50 us | p99 us |"
    print "|---|--:|--:|--:|"
    mines_row("1 client, every port mined, without the daemon: the kernel heals", "mines/127.0.0.1/1/heal")
    mines_row("1 client, no mines", "mines/127.0.0.1/1/clear")
    mines_row("1 client, every port mined", "mines/127.0.0.1/1/mined")
    for (part = 1; part <= 4; part++) {
        mines_row("16 clients, no mines, part " part " of the ports", "mines/127.0.0.1/16/clear" part)
    }
    for (part = 1; part <= 4; part++) {
        mines_row("16 clients, every port mined, part " part " of the ports", "mines/127.0.0.1/16/mined" part)
    }
}

# The numbers of sockets that were measured, in order.
function scale_counts(    name, fields, i, j, v) {
    n_counts = 0
    for (name in value) {
        split(name, fields, SUBSEP)
        if (fields[1] == "rate" && fields[3] == 1 && fields[2] ~ /^scale\/127.0.0.1\/1\//) {
            counts[++n_counts] = substr(fields[2], length("scale/127.0.0.1/1/") + 1) + 0
        }
    }
    for (i = 2; i <= n_counts; i++) {
        v = counts[i]
        for (j = i - 1; j >= 1 && counts[j] > v; j--) {
            counts[j + 1] = counts[j]
        }
        counts[j + 1] = v
    }
}

function scale_table(    c, i, key) {
    print "\n| clients | CLOSE_WAIT sockets | connects/s | p50 us | to none |"
    print "|--:|--:|--:|--:|--:|"
    for (c = 1; c <= n_clients; c += 2) {
        for (i = 1; i <= n_counts; i++) {
            key = "scale/127.0.0.1/" client_counts[c] "/" counts[i]
            printf "| %d | %d | %d | %.1f | %s |\n", client_counts[c], counts[i],
                median("rate", key), median("p50", key),
                ratio_text("p50", key, "scale/127.0.0.1/" client_counts[c] "/0")
        }
    }
}

# --- what is wanted ------------------------------------------------------------------------------

function want(what, measured, sign, limit, text,    ok) {
    ok = sign == ">=" ? measured >= limit : measured <= limit
    printf "| %s | %s %s | %s | %s |\n", what, sign, limit, text, ok ? "yes" : "**no**"
}

function want_rate(listener, clients, variant, base, limit,    key, base_key) {
    key = connect_key(listener, clients, variant)
    base_key = connect_key(listener, clients, base)
    want(title[variant] ", " clients (clients == 1 ? " client, " : " clients, ") listener ": connects/s to " \
        (base in title ? title[base] : base),
        ratio("rate", key, base_key), ">=", limit, ratio_text("rate", key, base_key))
}

function want_all(listener, variant,    key, base) {
    want_rate(listener, 16, variant, "reference", 1.3)
    want_rate(listener, 4, variant, "reference", 1.1)
    key = connect_key(listener, 1, variant)
    base = connect_key(listener, 1, "reference")
    want(title[variant] ", 1 client, " listener ": p50 to " title["reference"],
        ratio("p50", key, base), "<=", 1.05, ratio_text("p50", key, base))
}

function want_connect(    l, c) {
    for (l = 1; l <= n_listeners; l++) {
        want_all(listeners[l], "all")
        for (c = 1; c <= n_clients; c++) {
            want_rate(listeners[l], client_counts[c], "bpf", "no rule", 0.95)
        }
    }
    for (c = 1; c <= n_clients; c++) {
        want_rate("0.0.0.0", client_counts[c], "socket", "no rule", 0.95)
    }
}

function want_mines(    heal, mined) {
    heal = "mines/127.0.0.1/1/heal"
    mined = "mines/127.0.0.1/1/mined"
    want("a collision, 1 client: the kernel's heal to our p50", ratio("p50", heal, mined), ">=", 60,
        ratio_text("p50", heal, mined))
    want("a collision, 1 client: p99, us", median("p99", mined), "<=", 2000,
        sprintf("%.0f", median("p99", mined)))
    want("16 clients: connects/s through mines to none",
        ratio("rate", "mines/127.0.0.1/16/mined", "mines/127.0.0.1/16/clear"), ">=", 0.5,
        ratio_text("rate", "mines/127.0.0.1/16/mined", "mines/127.0.0.1/16/clear"))
    want("16 clients: p50 in the last part of the mines to the first",
        ratio("p50", "mines/127.0.0.1/16/mined4", "mines/127.0.0.1/16/mined1"), "<=", 1.1,
        ratio_text("p50", "mines/127.0.0.1/16/mined4", "mines/127.0.0.1/16/mined1"))
}

function want_scale(    key, base) {
    key = "scale/127.0.0.1/1/" counts[n_counts]
    base = "scale/127.0.0.1/1/0"
    want(counts[n_counts] " CLOSE_WAIT sockets, 1 client: p50 to none", ratio("p50", key, base),
        "<=", 1.05, ratio_text("p50", key, base))
}

function want_idle(    key) {
    key = "idle/-/0/all"
    want("resident memory, KiB", median("rss", key), "<=", 4096,
        sprintf("%d, of it private %d", median("rss", key), median("private", key)))
    want("wake-ups per second when idle", median("wakeups", key), "<=", 0,
        sprintf("%.1f", median("wakeups", key)))
}

# --- the plot: a panel per listener, a group of bars per number of clients ------------------------

function bar(x, width, key, colour,    height, from, to) {
    if (!take("rate", key)) {
        return
    }
    height = quantile(0.5) * scale
    from = base_y - quantile(0.25) * scale
    to = base_y - quantile(0.75) * scale
    printf "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n",
        x, base_y - height, width, height, colour >svg
    printf "<path d=\"M%.1f %.1fV%.1f\" stroke=\"#333\"/>\n", x + width / 2, from, to >svg
}

function label(x, y, anchor, text) {
    printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor, text >svg
}

function highest(    l, c, v, top) {
    for (l = 1; l <= n_listeners; l++) {
        for (c = 1; c <= n_clients; c++) {
            for (v = 1; v <= n_variants; v++) {
                if (take("rate", connect_key(listeners[l], client_counts[c], variants[v])) &&
                    quantile(0.75) > top) {
                    top = quantile(0.75)
                }
            }
        }
    }
    return top
}

function plot(    l, c, v, x, left, step, y) {
    split("#888888 #888888 #bbbbbb #c44e52 #4c72b0 #7fa3e0 #55a868 #dd8452", colours, " ")
    base_y = 300
    scale = 250 / highest()
    step = 10000
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 900 380\" font-family=\"sans-serif\" font-size=\"12\">\n" >svg
    print "<rect width=\"900\" height=\"380\" fill=\"white\"/>" >svg
    for (y = 0; y * scale <= 255; y += step) {
        printf "<path d=\"M60 %.1fH890\" stroke=\"#ddd\"/>\n", base_y - y * scale >svg
        label(55, base_y - y * scale + 4, "end", y)
    }
    for (l = 1; l <= n_listeners; l++) {
        left = 70 + (l - 1) * 415
        label(left + 195, 25, "middle", "connects per second, listener on " listeners[l])
        for (c = 1; c <= n_clients; c++) {
            x = left + (c - 1) * 135
            for (v = 1; v <= n_variants; v++) {
                bar(x + (v - 1) * 15, 13, connect_key(listeners[l], client_counts[c], variants[v]), colours[v])
            }
            label(x + 57, base_y + 18, "middle", client_counts[c] (client_counts[c] == 1 ? " client" : " clients"))
        }
    }
    for (v = 1; v <= n_variants; v++) {
        x = 60 + (v - 1) % 4 * 210
        y = 340 + int((v - 1) / 4) * 20
        printf "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" fill=\"%s\"/>\n", x, y, colours[v] >svg
        label(x + 16, y + 10, "start", title[variants[v]])
    }
    print "</svg>" >svg
}

# --- the README's part ---------------------------------------------------------------------------

function summary_row(name, listener, variant,    c, line) {
    line = "| " name
    for (c = 1; c <= n_clients; c++) {
        line = line " | " sprintf("%d", median("rate", connect_key(listener, client_counts[c], variant)))
    }
    for (c = 1; c <= n_clients; c++) {
        line = line " | " sprintf("%.0f", median("p50", connect_key(listener, client_counts[c], variant)))
    }
    line = line " | " sprintf("%.0f", 10 * median("daemon", connect_key(listener, 16, variant)))
    print line " |" >summary
}

function rounds_text(    parts, n, i, text) {
    n = split("connect mines scale idle", parts, " ")
    for (i = 1; i <= n; i++) {
        if (seen[parts[i]]) {
            text = text (text == "" ? "" : ", ") parts[i] " " seen[parts[i]]
        }
    }
    return "Rounds: " text "."
}

function summarise(    v, mined) {
    print header rounds_text() "\n" >summary
    print "| | connects/s with 1 client | 4 | 16 | p50 us with 1 | 4 | 16 | daemon's CPU us per connect |" >summary
    print "|---|--:|--:|--:|--:|--:|--:|--:|" >summary
    for (v = 1; v <= n_variants; v++) {
        if (variants[v] != "again") {
            summary_row(title[variants[v]], "0.0.0.0", variants[v])
        }
    }
    summary_row(title["socket"] ", a 127.0.0.1 listener", "127.0.0.1", "socket")
    if (seen["mines"]) {
        mined = "mines/127.0.0.1/1/mined"
        printf "\nA connect that collides: p50 %.0f us, p99 %.0f us with `destroy`; %.0f us where the kernel\n" \
            "heals it by itself.", median("p50", mined), median("p99", mined),
            median("p50", "mines/127.0.0.1/1/heal") >summary
        printf " 16 clients through %d mines: %d connects/s, without the mines %d.\n",
            median("connects", "mines/127.0.0.1/16/mined"),
            median("rate", "mines/127.0.0.1/16/mined"), median("rate", "mines/127.0.0.1/16/clear") >summary
    }
    if (seen["idle"]) {
        printf "Resident with one worker: %.1f MB, of it private %.1f; wake-ups per second when idle: %.1f.\n",
            median("rss", "idle/-/0/all") / 1024, median("private", "idle/-/0/all") / 1024,
            median("wakeups", "idle/-/0/all") >summary
    }
}

END {
    print header rounds_text() "\n"
    print "A ratio is the median over the rounds of the ratio within a round, with quartiles in"
    print "parentheses. What is compared with no rule is compared with the mean of the two variants that"
    print "have none; what these differ by cannot be told. CPU seconds are per 100,000 connects; \"all\" is the"
    print "load generator with the kernel's work for it, and the daemon."
    printf "Overflows of the accept queue, which falsify: %d.\n", overflows
    if (seen["connect"]) {
        no_rule()
        for (l = 1; l <= n_listeners; l++) {
            print "\nListener on " listeners[l] ":"
            connect_table(listeners[l])
        }
        plot()
    }
    if (seen["mines"]) {
        print "\nEvery connect from a port of its own, with filter \"all\" and action \"destroy\":"
        mines_table()
        whole_way("clear")
        whole_way("mined")
    }
    if (seen["scale"]) {
        print "\nConnects while so many other CLOSE_WAIT sockets exist, filter \"all\":"
        scale_counts()
        scale_table()
    }
    print "\n| wanted | | measured | reached |"
    print "|---|--:|--:|---|"
    if (seen["connect"]) {
        want_connect()
    }
    if (seen["mines"]) {
        want_mines()
    }
    if (seen["scale"]) {
        want_scale()
    }
    if (seen["idle"]) {
        want_idle()
    }
    if (seen["connect"]) {
        summarise()
    }
}
