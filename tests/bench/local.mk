# `make bench` measures what the daemon costs; see HACKING.md. As root, with network namespaces.

BENCH_TOOLS = tests/bench/accept-all tests/bench/load tests/bench/takes
EXTRA_PROGRAMS += $(BENCH_TOOLS)
CLEANFILES += $(BENCH_TOOLS)
EXTRA_DIST += tests/bench/bench.sh tests/bench/publish.sh tests/bench/report.awk tests/bench/scan.sh

tests_bench_accept_all_SOURCES = tests/bench/accept-all.c
tests_bench_accept_all_LDADD = $(NFQ_LIBS) $(NFNL_LIBS)

tests_bench_load_SOURCES = \
	tests/bench/cputime.c tests/bench/cputime.h \
	tests/bench/histogram.c tests/bench/histogram.h \
	tests/bench/load.c
tests_bench_load_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_bench_load_LDADD = $(TESTLIB_LIBS)

tests_bench_takes_SOURCES = tests/bench/takes.c
tests_bench_takes_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_bench_takes_LDADD = $(TESTLIB_LIBS)

.PHONY: bench bench-publish bench-scan
bench: $(BENCH_TOOLS) closewaitd conf/closewaitd-rules tests/tools/minefield
	$(srcdir)/tests/bench/bench.sh .

# The results of the last `make bench`, into the documentation of the source tree.
bench-publish:
	$(srcdir)/tests/bench/publish.sh . $(srcdir)

# Apart, since it compares with another program and may say that it was worse.
bench-scan: $(BENCH_TOOLS) closewaitctl tests/tools/minefield
	$(srcdir)/tests/bench/scan.sh .
