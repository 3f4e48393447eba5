# The real daemon, the real rules, the real kernel: one program per theme, each test in a network
# namespace of its own. They need root, and so they are not in TESTS: `make check-netns` runs them.

CLEANFILES += tests/netns/*.out tests/netns/*.out.*
EXTRA_DIST += tests/netns/run.sh tests/netns/rules.sh
.PHONY: check-netns netns-programs

if HAVE_CMOCKA
NETNS_TESTS = \
	tests/netns/test_collision \
	tests/netns/test_ctl \
	tests/netns/test_ctl_abuse \
	tests/netns/test_doctor \
	tests/netns/test_states \
	tests/netns/test_attribution \
	tests/netns/test_audit \
	tests/netns/test_strange \
	tests/netns/test_memory \
	tests/netns/test_original \
	tests/netns/test_outages \
	tests/netns/test_places \
	tests/netns/test_faults \
	tests/netns/test_filter \
	tests/netns/test_filter_clsact \
	tests/netns/test_policy \
	tests/netns/test_reload \
	tests/netns/test_startstop \
	tests/netns/test_race \
	tests/netns/test_limits \
	tests/netns/test_locked \
	tests/netns/test_flood \
	tests/netns/test_manager \
	tests/netns/test_scan \
	tests/netns/test_scan_chance \
	tests/netns/test_batch \
	tests/netns/test_sweep \
	tests/netns/test_table

NETNS_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -Werror=unused-function
NETNS_LIBS = tests/netns/libnetns.a $(TESTLIB_LIBS) $(CMOCKA_LIBS) $(JANSSON_LIBS)

check_PROGRAMS += $(NETNS_TESTS)
check_LIBRARIES += tests/netns/libnetns.a
tests_netns_libnetns_a_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_libnetns_a_CFLAGS = $(NETNS_CFLAGS)
tests_netns_libnetns_a_SOURCES = \
	tests/netns/check.c tests/netns/check.h \
	tests/netns/claimant.c tests/netns/claimant.h \
	tests/netns/ctl.c tests/netns/ctl.h \
	tests/netns/daemon.c tests/netns/daemon.h \
	tests/netns/leaker.c tests/netns/leaker.h \
	tests/netns/load.c tests/netns/load.h \
	tests/netns/loglines.c tests/netns/loglines.h \
	tests/netns/pulse.c tests/netns/pulse.h \
	tests/netns/rawsyn.c tests/netns/rawsyn.h \
	tests/netns/rules.c tests/netns/rules.h \
	tests/netns/stage.c tests/netns/stage.h

tests_netns_test_collision_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_collision_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_collision_LDADD = $(NETNS_LIBS)

tests_netns_test_memory_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_memory_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_memory_LDADD = $(NETNS_LIBS)

tests_netns_test_outages_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_outages_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_outages_LDADD = $(NETNS_LIBS)

check_PROGRAMS += tests/netns/failmalloc.so
tests_netns_failmalloc_so_SOURCES = tests/netns/failmalloc.c tests/netns/failmalloc.h
tests_netns_failmalloc_so_CPPFLAGS = -D_GNU_SOURCE $(AM_CPPFLAGS)
tests_netns_failmalloc_so_CFLAGS = $(WARN_CFLAGS) $(CONFIG_CFLAGS) $(SECCOMP_CFLAGS) -fPIC
tests_netns_failmalloc_so_LDFLAGS = -shared

tests_netns_test_original_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_original_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_original_LDADD = $(NETNS_LIBS)

tests_netns_test_states_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_states_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_states_LDADD = $(NETNS_LIBS)

tests_netns_test_attribution_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_attribution_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_attribution_LDADD = $(NETNS_LIBS)

tests_netns_test_audit_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_audit_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_audit_LDADD = $(NETNS_LIBS)

tests_netns_test_strange_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_strange_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_strange_LDADD = $(NETNS_LIBS)

tests_netns_test_places_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_places_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_places_LDADD = $(NETNS_LIBS)
tests_netns_test_faults_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_faults_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_faults_LDADD = $(NETNS_LIBS)

# To be preloaded: not an executable, and without the sanitizers.
check_PROGRAMS += tests/netns/jumpclock.so
tests_netns_jumpclock_so_SOURCES = tests/netns/jumpclock.c
tests_netns_jumpclock_so_CFLAGS = $(WARN_CFLAGS) -fPIC
tests_netns_jumpclock_so_LDFLAGS = -shared

tests_netns_test_filter_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_filter_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_filter_LDADD = $(NETNS_LIBS)

tests_netns_test_filter_clsact_SOURCES = tests/netns/test_filter.c
tests_netns_test_filter_clsact_CPPFLAGS = $(TESTLIB_CPPFLAGS) -DWITHOUT_TCX
tests_netns_test_filter_clsact_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_filter_clsact_LDADD = $(NETNS_LIBS) $(SECCOMP_LIBS)

tests_netns_test_policy_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_policy_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_policy_LDADD = $(NETNS_LIBS)

tests_netns_test_reload_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_reload_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_reload_LDADD = $(NETNS_LIBS)

tests_netns_test_startstop_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_startstop_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_startstop_LDADD = $(NETNS_LIBS)

tests_netns_test_race_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_race_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_race_LDADD = $(NETNS_LIBS)

tests_netns_test_limits_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_limits_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_limits_LDADD = $(NETNS_LIBS)
tests_netns_test_locked_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_locked_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_locked_LDADD = $(NETNS_LIBS)

tests_netns_test_flood_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_flood_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_flood_LDADD = $(NETNS_LIBS)

tests_netns_test_manager_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_manager_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_manager_LDADD = $(NETNS_LIBS)

tests_netns_test_batch_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_batch_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_batch_LDADD = $(NETNS_LIBS)

tests_netns_test_sweep_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_sweep_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_sweep_LDADD = $(NETNS_LIBS)

tests_netns_test_table_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_table_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_table_LDADD = $(NETNS_LIBS)

tests_netns_test_ctl_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_ctl_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_ctl_LDADD = $(NETNS_LIBS)

tests_netns_test_doctor_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_doctor_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_doctor_LDADD = $(NETNS_LIBS)
tests_netns_test_scan_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_scan_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_scan_LDADD = $(NETNS_LIBS)

tests_netns_test_scan_chance_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_scan_chance_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_scan_chance_LDADD = $(NETNS_LIBS) -lm

tests_netns_test_ctl_abuse_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_ctl_abuse_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_ctl_abuse_LDADD = $(NETNS_LIBS)

netns-programs: $(NETNS_TESTS) tests/netns/jumpclock.so tests/netns/failmalloc.so tests/tools/minefield closewaitd closewaitctl conf/closewaitd-rules
check-netns: netns-programs
	$(srcdir)/tests/netns/run.sh .
endif
