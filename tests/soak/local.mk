# Healthy connections among a million SYNs. The suite of tests/netns runs it for a hundred thousand.

EXTRA_DIST += tests/soak/table.awk
.PHONY: soak

if HAVE_CMOCKA
NETNS_TESTS += tests/netns/test_soak
tests_netns_test_soak_SOURCES = tests/netns/test_soak.c \
	tests/soak/chance.c tests/soak/chance.h \
	tests/soak/dial.c tests/soak/dial.h \
	tests/soak/forge.c tests/soak/forge.h \
	tests/soak/keeper.c tests/soak/keeper.h \
	tests/soak/member.c tests/soak/member.h \
	tests/soak/place.c tests/soak/place.h \
	tests/soak/soak.c tests/soak/soak.h \
	tests/soak/stale.c tests/soak/stale.h \
	tests/soak/stream.c tests/soak/stream.h \
	tests/soak/told.c tests/soak/told.h
tests_netns_test_soak_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_netns_test_soak_CFLAGS = $(NETNS_CFLAGS)
tests_netns_test_soak_LDADD = $(NETNS_LIBS)

SOAK_SYNS = 1000000
SOAK_SEED = 1
soak: netns-programs
	CLOSEWAITD=./closewaitd CLOSEWAITD_RULES=conf/closewaitd-rules \
		SOAK_SYNS=$(SOAK_SYNS) SOAK_SEED=$(SOAK_SEED) tests/netns/test_soak
endif
