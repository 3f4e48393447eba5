#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Builds closewaitd in every way that matters and runs every suite, from nothing: installs the
# packages it needs, leaves only build folders behind. Needs root, for network namespaces.
#
#   sudo tests/check.sh            everything
#   sudo tests/check.sh STAGE...   some stages, by the names that it prints
set -u

top=$(cd "$(dirname "$0")/.." && pwd)
source_dir=$top
# shellcheck source=tests/lib/setup.sh
. "$top/tests/lib/setup.sh"
packages="$packages clang libbpf-dev shellcheck conntrack man-db groff netcat-openbsd python3
    debhelper lintian systemd dbus clang-tidy cppcheck valgrind"

passed=0
failed=0
skipped=0
failures=()
skips=()

# one NAME COMMAND...: a check that passes or fails as a whole; its output goes to a log.
one() {
    local name=$1 log=$logs/$current.$((passed + failed)).log
    shift
    if ("$@") >"$log" 2>&1; then
        passed=$((passed + 1))
        say "ok    $name"
    else
        failed=$((failed + 1))
        failures+=("$current: $name")
        say "FAIL  $name (the end of $log follows)"
        tail -n 40 "$log"
    fi
}

# suite NAME COMMAND...: a runner that closes with "N passed, N failed, N skipped" and prints a
# line "SKIP name: reason" for each test that could not run.
suite() {
    local name=$1 log=$logs/$current.suite$((passed + failed)).log counts status p f s line
    shift
    "$@" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    counts=$(grep -Eo '[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?' "$log" | tail -n 1)
    if [ -z "$counts" ]; then
        failed=$((failed + 1))
        failures+=("$current: $name printed no counts (exit status $status)")
        return
    fi
    read -r p _ f _ s _ <<<"$counts"
    passed=$((passed + p))
    failed=$((failed + f))
    skipped=$((skipped + ${s:-0}))
    while read -r line; do skips+=("$current: $line"); done < <(grep -E '^SKIP' "$log")
    if [ "$f" -gt 0 ]; then
        failures+=("$current: $name: $f failed")
    elif [ "$status" -ne 0 ] && [ "$status" -ne 77 ]; then
        failed=$((failed + 1))
        failures+=("$current: $name: exit status $status")
    fi
}

# make_check BUILDDIR [TARGET]: the unit tests of a build folder, as a suite.
make_check() {
    local status=0
    make -C "$1" -j"$(nproc)" "${2:-check}" >"$1/check.out" 2>&1 || status=$?
    grep -E '^(FAIL|ERROR|SKIP|XPASS):? ' "$1/check.out" | sort -u
    [ $status -eq 0 ] || tail -n 60 "$1/test-suite.log" 2>/dev/null || tail -n 40 "$1/check.out"
    awk '/^# PASS:/ {p = $3} /^# SKIP:/ {s = $3} /^# FAIL:/ {f = $3} /^# ERROR:/ {e = $3}
        END {if (p == "") exit 1; print p " passed, " f + e " failed, " s " skipped"}' \
        "$1/check.out" || tail -n 40 "$1/check.out"
    return $status
}

stage_gcc() {
    one "gcc builds without warnings" build_tree "$builds/gcc" --enable-werror CC=gcc
    suite "unit tests" make_check "$builds/gcc"
}

stage_clang() {
    one "clang builds without warnings" build_tree "$builds/clang" --enable-werror CC=clang
    suite "unit tests, clang" make_check "$builds/clang"
}

stage_lint() {
    one "shell scripts are clean" lint_scripts
}

stage_platform() {
    suite "kernel facts" make -C "$builds/gcc" -s check-platform
}

stage_netns() {
    suite "end-to-end tests" "$top/tests/netns/run.sh" "$builds/gcc"
}

stage_package() {
    one "the Debian package builds, and lintian finds nothing" \
        "$top/tests/kernel/package.sh" "$source_dir" "$builds/package"
    one "the tools of that suite build" make -C "$builds/gcc" service-programs
    # A fourth of the restarts under load; "make check-service" has them all.
    CLOSEWAITD_ROUNDS=25 suite "the installed package under systemd" \
        "$top/tests/kernel/container.sh" "$top/tests/kernel/service.sh" \
        "$builds/gcc" "$builds"/package/closewaitd_*.deb
}

# "make check-kernels" has everything, on three kernels, and takes half an hour for each.
stage_kernels() {
    suite "kernel facts and nft on another kernel" "$top/tests/kernel/matrix.sh" "$builds/gcc" 6.1 \
        "platform quick"
}

stage_sanitizers() {
    one "builds with ASan and UBSan" build_tree "$builds/asan" --enable-werror \
        --enable-sanitizers CC=gcc
    suite "unit tests, sanitizers" make_check "$builds/asan"
    # Without rules.sh, which runs nothing that was built with sanitizers. Of the soak the part without
    # connection tracking: the other one wants a daemon that is not several times slower.
    mapfile -t programs < <(cd "$builds/asan/tests/netns" && find . -name 'test_*' ! -name '*.*' \
        -printf '%P\n' | sort | sed 's/^test_soak$/test_soak:nobody is harmed/')
    suite "end-to-end tests, sanitizers" "$top/tests/netns/run.sh" "$builds/asan" "${programs[@]}"
}

# The threads, and whatever tells them things: the ring, the counters, reloads, starts and stops, floods,
# sweeps, clients of the control socket, one worker and several. Of what runs without a thread beside it
# the unit tests are enough.
stage_tsan() {
    one "builds with ThreadSanitizer" build_tree "$builds/tsan" --enable-werror \
        --enable-sanitizers=thread CC=gcc
    suite "unit tests, ThreadSanitizer" make_check "$builds/tsan" check-modules
    one "its end-to-end programs build" make -C "$builds/tsan" -j"$(nproc)" netns-programs
    # The longest first. The other tests of sweeps differ in sockets and rules, not in what threads do.
    suite "end-to-end tests, ThreadSanitizer" "$top/tests/netns/run.sh" "$builds/tsan" \
        test_startstop test_ctl test_race "test_sweep:audit*" "test_sweep:tells*" \
        "test_sweep:leaves room" "test_sweep:changes" "test_sweep:stops in the middle" \
        test_ctl_abuse test_filter test_batch test_flood test_limits test_locked test_reload
}

stage_valgrind() {
    suite "unit tests, valgrind" make_check "$builds/gcc" check-valgrind
}

stage_analyze() {
    local analyser
    for analyser in gcc tidy cppcheck; do
        one "nothing found by $analyser" make -C "$builds/gcc" "analyze-$analyser" \
            ANALYZE_JOBS="$(nproc)"
    done
}

stage_coverage() {
    local report=$builds/coverage/report
    one "builds with --enable-coverage" build_tree "$builds/coverage" --enable-coverage CC=gcc
    suite "unit tests, counted" make_check "$builds/coverage" check-modules
    one "the pure modules are covered" report_coverage "$report"
    say "$(tail -n 1 "$report")"
}

report_coverage() { # FILE
    "$top/tests/coverage.sh" "$builds/coverage" 2>&1 | tee "$1"
    return "${PIPESTATUS[0]}"
}

# A look at each target, not a search: that takes hours, see HACKING.md.
stage_fuzz() {
    one "the fuzz targets build" make -C "$builds/gcc" -j"$(nproc)" fuzz-programs
    one "fuzzing finds nothing in 5 s each" make -C "$builds/gcc" -s fuzz FUZZ_SECONDS=5 \
        FUZZ_JOBS="$(nproc)"
}

stage_dist() {
    one "make distcheck" make -C "$builds/gcc" distcheck
}

# One short round: whether every variant works, not how fast.
stage_bench() {
    one "the benchmark runs, with every filter" env BENCH_ROUNDS=1 make -C "$builds/gcc" -s bench
}

stage_demo() {
    one "the demo shows what it promises" demo
}

# Its promises are about times, which a machine that stood still for a moment breaks as well: it
# gets a second chance.
demo() {
    "$top/tests/demo.sh" || {
        echo "once more:"
        "$top/tests/demo.sh"
    }
}

# promtool comes with a whole server, which nobody wants to run here: only the program is taken.
fetch_promtool() {
    has promtool || ! has apt-get || (
        mkdir -p "$builds/promtool" && cd "$builds/promtool" &&
            { apt_get download prometheus || { apt_get update && apt_get download prometheus; }; } &&
            dpkg-deb -x prometheus_*.deb .
    )
}

lint_scripts() {
    local scripts
    mapfile -t scripts < <(git -C "$top" ls-files '*.sh' .ci/run conf/closewaitd-rules.in)
    (cd "$top" && shellcheck -x "${scripts[@]}")
}

all="gcc clang lint platform netns package kernels sanitizers tsan valgrind analyze coverage fuzz \
dist bench demo"
need_root "$0"
for current in "$@"; do
    case " $all " in
    *" $current "*) ;;
    *) die "no stage '$current': there are $all" ;;
    esac
done

builds=$top/build-check
logs=$builds/logs
mkdir -p "$logs"
install_packages
quietly 'looking for promtool' fetch_promtool
PATH=$PATH:$builds/promtool/usr/bin
copy_source "$builds/source"
# shellcheck disable=SC2086 # a list of names
[ $# -gt 0 ] || set -- $all
for current in "$@"; do
    started=$SECONDS
    step "$current"
    "stage_$current"
    say "$current took $((SECONDS - started)) s"
done

step "summary, after $SECONDS s"
for line in "${skips[@]}"; do say "skipped  $line"; done
for line in "${failures[@]}"; do say "failed   $line"; done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
