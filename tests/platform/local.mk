# One program per group of kernel facts that the design rests on. They need root, and so they are
# not in TESTS: `make check-platform` runs them, each in a network namespace of its own.

PLATFORM_TESTS = \
	tests/platform/diag-age \
	tests/platform/diag-cgroup \
	tests/platform/diag-destroy \
	tests/platform/diag-locked \
	tests/platform/diag-lookup \
	tests/platform/diag-mapped \
	tests/platform/diag-pipeline \
	tests/platform/diag-queues \
	tests/platform/destroyed-owner \
	tests/platform/keepalive \
	tests/platform/link-local \
	tests/platform/mine-fixture \
	tests/platform/queue-checksum \
	tests/platform/queue-config \
	tests/platform/queue-reject \
	tests/platform/queue-stop \
	tests/platform/redirect-claimant \
	tests/platform/socket-match \
	tests/platform/syn-collision

EXTRA_DIST += tests/platform/run.sh
check_PROGRAMS += $(PLATFORM_TESTS)
CLEANFILES += $(PLATFORM_TESTS:=.facts)

check_LIBRARIES += tests/platform/libfact.a
tests_platform_libfact_a_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_platform_libfact_a_SOURCES = \
	tests/platform/fact.c tests/platform/fact.h \
	tests/platform/scene.c tests/platform/scene.h \
	tests/platform/testqueue.c tests/platform/testqueue.h

PLATFORM_LIBS = tests/platform/libfact.a $(TESTLIB_LIBS) $(MNL_LIBS)

tests_platform_diag_age_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_platform_diag_age_LDADD = $(PLATFORM_LIBS)
tests_platform_diag_cgroup_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_platform_diag_cgroup_LDADD = $(PLATFORM_LIBS)
tests_platform_diag_destroy_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_platform_diag_destroy_LDADD = $(PLATFORM_LIBS)
tests_platform_diag_locked_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_platform_diag_locked_LDADD = $(PLATFORM_LIBS)
tests_platform_diag_lookup_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_platform_diag_lookup_LDADD = $(PLATFORM_LIBS)
tests_platform_diag_mapped_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_platform_diag_mapped_LDADD = $(PLATFORM_LIBS)
tests_platform_diag_pipeline_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_platform_diag_pipeline_LDADD = $(PLATFORM_LIBS)
tests_platform_diag_queues_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_platform_diag_queues_LDADD = $(PLATFORM_LIBS)
tests_platform_destroyed_owner_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_platform_destroyed_owner_LDADD = $(PLATFORM_LIBS)
tests_platform_keepalive_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_platform_keepalive_LDADD = $(PLATFORM_LIBS)
tests_platform_link_local_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_platform_link_local_LDADD = $(PLATFORM_LIBS)
tests_platform_mine_fixture_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_platform_mine_fixture_LDADD = $(PLATFORM_LIBS)
tests_platform_queue_checksum_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_platform_queue_checksum_LDADD = $(PLATFORM_LIBS)
tests_platform_queue_config_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_platform_queue_config_LDADD = $(PLATFORM_LIBS)
tests_platform_queue_reject_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_platform_queue_reject_LDADD = $(PLATFORM_LIBS) $(NFQ_LIBS)
tests_platform_queue_stop_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_platform_queue_stop_LDADD = $(PLATFORM_LIBS)
tests_platform_redirect_claimant_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_platform_redirect_claimant_LDADD = $(PLATFORM_LIBS)
tests_platform_socket_match_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_platform_socket_match_LDADD = $(PLATFORM_LIBS)
tests_platform_syn_collision_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_platform_syn_collision_LDADD = $(PLATFORM_LIBS)

.PHONY: check-platform
check-platform: $(PLATFORM_TESTS)
	$(srcdir)/tests/platform/run.sh tests/platform
