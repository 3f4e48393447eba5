# Reproduction tools: they make the failure happen and measure it, with or without the daemon.

noinst_PROGRAMS += \
	tests/tools/leaky-listener \
	tests/tools/minefield \
	tests/tools/stop-thread \
	tests/tools/syn-probe

tests_tools_leaky_listener_SOURCES = tests/tools/leaky-listener.c
tests_tools_leaky_listener_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_tools_leaky_listener_LDADD = $(TESTLIB_LIBS)

tests_tools_minefield_SOURCES = \
	tests/tools/minefield.c \
	tests/tools/field.c tests/tools/field.h \
	tests/tools/holders.c tests/tools/holders.h \
	tests/tools/sources.c tests/tools/sources.h
tests_tools_minefield_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_tools_minefield_LDADD = $(TESTLIB_LIBS)

tests_tools_syn_probe_SOURCES = tests/tools/syn-probe.c
tests_tools_syn_probe_CPPFLAGS = $(TESTLIB_CPPFLAGS)
tests_tools_syn_probe_LDADD = $(TESTLIB_LIBS)
