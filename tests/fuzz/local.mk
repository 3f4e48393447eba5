# What must hold whatever the bytes are: one target for each way into the program. `make fuzz`
# searches with libFuzzer, from the kept inputs on; `make check` repeats them with any compiler.

FUZZ_TARGETS = packet endpoint diagmsg queuemsg verdicts conf control ctl mitigate
FUZZ_COMMON = tests/fuzz/fuzz.h tests/fuzz/fuzz.c
FUZZ_MODEL = tests/unit/model.h tests/unit/model.c
# Beside the password file, the thread that sweeps and the daemon's socket, what is linked is real.
FUZZ_WRAP_conf = -Wl,--wrap=getpwnam_r
FUZZ_WRAP_control = -Wl,--wrap=sweeper_stats
FUZZ_WRAP_ctl = -Wl,--wrap=socket,--wrap=connect,--wrap=setsockopt,--wrap=send,--wrap=recv

EXTRA_DIST += tests/fuzz/run.sh tests/fuzz/conf.dict tests/fuzz/control.dict tests/fuzz/ctl.dict \
	tests/fuzz/corpus

# --- the kept inputs, as tests ----------------------------------------------------------------------

check_LIBRARIES += tests/fuzz/libreplay.a
tests_fuzz_libreplay_a_SOURCES = $(FUZZ_COMMON) tests/fuzz/replay.c
tests_fuzz_libreplay_a_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"$(abs_srcdir)/tests/fuzz/corpus"'
FUZZ_LIBS = tests/fuzz/libreplay.a $(CLOSEWAITD_LIBS)
FUZZ_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests

check_PROGRAMS += tests/fuzz/replay_packet
TESTS += tests/fuzz/replay_packet
tests_fuzz_replay_packet_SOURCES = tests/fuzz/fuzz_packet.c
tests_fuzz_replay_packet_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_replay_packet_LDADD = $(FUZZ_LIBS)

check_PROGRAMS += tests/fuzz/replay_endpoint
TESTS += tests/fuzz/replay_endpoint
tests_fuzz_replay_endpoint_SOURCES = tests/fuzz/fuzz_endpoint.c
tests_fuzz_replay_endpoint_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_replay_endpoint_LDADD = $(FUZZ_LIBS)

check_PROGRAMS += tests/fuzz/replay_diagmsg
TESTS += tests/fuzz/replay_diagmsg
tests_fuzz_replay_diagmsg_SOURCES = tests/fuzz/fuzz_diagmsg.c
tests_fuzz_replay_diagmsg_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_replay_diagmsg_LDADD = $(FUZZ_LIBS)

check_PROGRAMS += tests/fuzz/replay_queuemsg
TESTS += tests/fuzz/replay_queuemsg
tests_fuzz_replay_queuemsg_SOURCES = tests/fuzz/fuzz_queuemsg.c
tests_fuzz_replay_queuemsg_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_replay_queuemsg_LDADD = $(FUZZ_LIBS)

check_PROGRAMS += tests/fuzz/replay_verdicts
TESTS += tests/fuzz/replay_verdicts
tests_fuzz_replay_verdicts_SOURCES = tests/fuzz/fuzz_verdicts.c
tests_fuzz_replay_verdicts_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_replay_verdicts_LDADD = $(FUZZ_LIBS)

check_PROGRAMS += tests/fuzz/replay_conf
TESTS += tests/fuzz/replay_conf
tests_fuzz_replay_conf_SOURCES = tests/fuzz/fuzz_conf.c
tests_fuzz_replay_conf_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_replay_conf_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_WRAP_conf)
tests_fuzz_replay_conf_LDADD = $(FUZZ_LIBS)

check_PROGRAMS += tests/fuzz/replay_control
TESTS += tests/fuzz/replay_control
tests_fuzz_replay_control_SOURCES = tests/fuzz/fuzz_control.c
tests_fuzz_replay_control_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_replay_control_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_WRAP_control)
tests_fuzz_replay_control_LDADD = $(FUZZ_LIBS)

check_PROGRAMS += tests/fuzz/replay_ctl
TESTS += tests/fuzz/replay_ctl
tests_fuzz_replay_ctl_SOURCES = tests/fuzz/fuzz_ctl.c
tests_fuzz_replay_ctl_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_replay_ctl_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_WRAP_ctl)
tests_fuzz_replay_ctl_LDADD = $(FUZZ_LIBS)

check_PROGRAMS += tests/fuzz/replay_mitigate
TESTS += tests/fuzz/replay_mitigate
tests_fuzz_replay_mitigate_SOURCES = tests/fuzz/fuzz_mitigate.c $(FUZZ_MODEL)
tests_fuzz_replay_mitigate_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_replay_mitigate_LDADD = $(FUZZ_LIBS)

# --- the search -------------------------------------------------------------------------------------

# The daemon's objects once more, by clang, whatever compiler the build has: libFuzzer is clang's.
# Its sanitizers take the place of what hardens the installed programs.
FUZZ_DIR = tests/fuzz/clang
FUZZ_CFLAGS = -std=gnu17 -O1 -g -fno-omit-frame-pointer \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_OBJECTS = $(patsubst %.c,$(FUZZ_DIR)/%.o,$(filter %.c,$(libclosewaitd_a_SOURCES)))
FUZZ_BINARIES = $(FUZZ_TARGETS:%=$(FUZZ_DIR)/fuzz_%)
# Of each target; JOBS of them run at a time.
FUZZ_SECONDS = 60
FUZZ_JOBS = 2

$(FUZZ_DIR)/%.o: %.c
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CLANG) $(FUZZ_CFLAGS) $(DEFS) $(DEFAULT_INCLUDES) \
		$(FUZZ_CPPFLAGS) $(CPPFLAGS) $(NFQ_CFLAGS) $(NFNL_CFLAGS) $(MNL_CFLAGS) \
		$(CONFIG_CFLAGS) $(JANSSON_CFLAGS) $(CAPNG_CFLAGS) $(SECCOMP_CFLAGS) $(BPF_CFLAGS) \
		-MMD -c -o $@ $<
-include $(FUZZ_OBJECTS:.o=.d) $(FUZZ_DIR)/tests/*/*.d

$(FUZZ_DIR)/daemon/prefilter.o: $(PREFILTER_OBJECT)
$(FUZZ_DIR)/libclosewaitd.a: $(FUZZ_OBJECTS)
	$(AM_V_AR)rm -f $@ && $(AR) cr $@ $(FUZZ_OBJECTS)

$(FUZZ_DIR)/fuzz_mitigate: $(FUZZ_DIR)/tests/unit/model.o
$(FUZZ_BINARIES): $(FUZZ_DIR)/fuzz_%: $(FUZZ_DIR)/tests/fuzz/fuzz_%.o \
		$(FUZZ_DIR)/tests/fuzz/fuzz.o $(FUZZ_DIR)/libclosewaitd.a
	$(AM_V_CCLD)$(CLANG) -fsanitize=fuzzer,address,undefined $(FUZZ_WRAP_$*) -o $@ \
		$(filter %.o,$^) $(FUZZ_DIR)/$(CLOSEWAITD_LIBS)

fuzz-programs: $(FUZZ_BINARIES)
fuzz: fuzz-programs
	$(srcdir)/tests/fuzz/run.sh -s $(FUZZ_SECONDS) -j $(FUZZ_JOBS) $(FUZZ_DIR) $(FUZZ_TARGETS)
clean-local: clean-fuzz
clean-fuzz:
	rm -rf $(FUZZ_DIR)
.PHONY: fuzz fuzz-programs clean-fuzz
# A target's object is not to be removed as a step on the way.
.SECONDARY:
