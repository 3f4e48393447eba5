# What every test and tool shares. It knows nothing of the daemon's own code, whose understanding of
# the kernel the tests check: hence the include path without include/.

TESTLIB_CPPFLAGS = -I$(srcdir)/tests
TESTLIB_LIBS = tests/lib/libtest.a

noinst_LIBRARIES += tests/lib/libtest.a
tests_lib_libtest_a_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_lib_libtest_a_SOURCES = \
	tests/lib/endpoint.c tests/lib/endpoint.h \
	tests/lib/errname.c tests/lib/errname.h \
	tests/lib/fdlimit.c tests/lib/fdlimit.h \
	tests/lib/kernel.c tests/lib/kernel.h \
	tests/lib/leak.c tests/lib/leak.h \
	tests/lib/mine.c tests/lib/mine.h \
	tests/lib/monotime.c tests/lib/monotime.h \
	tests/lib/netns.c tests/lib/netns.h \
	tests/lib/number.c tests/lib/number.h \
	tests/lib/ports.c tests/lib/ports.h \
	tests/lib/run.c tests/lib/run.h \
	tests/lib/samples.c tests/lib/samples.h \
	tests/lib/snmp.c tests/lib/snmp.h \
	tests/lib/sockdiag.c tests/lib/sockdiag.h \
	tests/lib/sockets.c tests/lib/sockets.h \
	tests/lib/socklock.c tests/lib/socklock.h \
	tests/lib/usage.c tests/lib/usage.h
