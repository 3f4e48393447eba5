# libclosewaitd.a is everything but the programs' main(), so that tests link the real objects.
noinst_LIBRARIES += libclosewaitd.a
libclosewaitd_a_SOURCES = \
	include/cgroup.h daemon/cgroup.c \
	include/clock.h \
	include/outbox.h daemon/outbox.c \
	include/peer.h daemon/peer.c \
	include/control.h daemon/control.c \
	include/ephemeral.h daemon/ephemeral.c \
	include/event.h daemon/event.c \
	include/fullqueue.h daemon/fullqueue.c \
	include/journal.h daemon/journal.c \
	include/scan.h daemon/scan.c \
	include/scangroup.h daemon/scangroup.c \
	include/sockdump.h daemon/sockdump.c \
	include/sockfile.h daemon/sockfile.c \
	include/coverage.h daemon/coverage.c \
	include/child.h daemon/child.c \
	include/trial.h daemon/trial.c \
	include/trialreuse.h daemon/trialreuse.c \
	include/trialsock.h daemon/trialsock.c \
	include/explain.h daemon/explain.c \
	include/kstat.h daemon/kstat.c \
	include/metrics.h daemon/metrics.c \
	include/recent.h daemon/recent.c \
	include/answer.h daemon/answer.c \
	include/reload.h daemon/reload.c \
	include/statsjson.h daemon/statsjson.c \
	include/totals.h daemon/totals.c \
	include/textfile.h daemon/textfile.c \
	include/startup.h daemon/startup.c \
	include/service.h daemon/service.c \
	include/servicestate.h \
	include/watchdog.h daemon/watchdog.c \
	include/failopen.h daemon/failopen.c \
	include/worker.h daemon/worker.c \
	include/judge.h daemon/judge.c \
	include/candidates.h daemon/candidates.c \
	include/sweep.h daemon/sweep.c \
	include/sweeper.h daemon/sweeper.c \
	include/sweepstats.h daemon/sweepstats.c \
	include/mitigate.h daemon/mitigate.c \
	include/ratelimit.h daemon/ratelimit.c \
	include/ctl.h \
	include/ctlclient.h daemon/ctlclient.c \
	include/ctloptions.h daemon/ctloptions.c \
	include/ctlprint.h daemon/ctlprint.c \
	include/ctldiagnosis.h daemon/ctldiagnosis.c \
	daemon/ctldoctor.c \
	include/ctldoctordaemon.h daemon/ctldoctordaemon.c \
	include/ctldoctorguard.h daemon/ctldoctorguard.c \
	include/ctldoctorleaks.h daemon/ctldoctorleaks.c \
	include/ctldoctorqueue.h daemon/ctldoctorqueue.c \
	include/ctldoctorreuse.h daemon/ctldoctorreuse.c \
	include/ctldoctorrules.h daemon/ctldoctorrules.c \
	include/ctldoctorsysctl.h daemon/ctldoctorsysctl.c \
	include/ctldoctortrial.h daemon/ctldoctortrial.c \
	include/ctltable.h daemon/ctltable.c \
	daemon/ctlevents.c \
	daemon/ctlexplain.c \
	daemon/ctlgrowth.c \
	include/ctlscan.h daemon/ctlscan.c \
	daemon/ctlscanjson.c \
	daemon/ctlscanprint.c \
	daemon/ctlscanwords.c \
	include/ctlsentence.h daemon/ctlsentence.c \
	daemon/ctlscansource.c \
	daemon/ctlsimple.c \
	daemon/ctlstats.c \
	daemon/ctlstatus.c \
	include/diag.h daemon/diag.c \
	include/diagsock.h daemon/diagsock.c \
	include/hostaddr.h daemon/hostaddr.c \
	include/track.h daemon/track.c \
	include/isolate.h daemon/isolate.c \
	include/syscalls.h daemon/syscalls.c \
	include/incident.h \
	include/processors.h daemon/processors.c \
	include/queue.h daemon/queue.c \
	include/stats.h daemon/stats.c \
	include/action.h daemon/action.c \
	include/conf.h daemon/conf.c \
	include/confcond.h daemon/confcond.c \
	include/conferror.h daemon/conferror.c \
	include/conffile.h daemon/conffile.c \
	daemon/confprint.c \
	include/confrule.h daemon/confrule.c \
	include/confschema.h daemon/confschema.c \
	include/conftext.h daemon/conftext.c \
	include/conftype.h daemon/conftype.c \
	include/confvalue.h daemon/confvalue.c \
	include/diagmsg.h daemon/diagmsg.c \
	include/idlookup.h daemon/idlookup.c \
	include/log.h daemon/log.c \
	include/names.h daemon/names.c \
	include/notify.h daemon/notify.c \
	include/attribution.h daemon/attribution.c \
	include/leaker.h daemon/leaker.c \
	include/owner.h daemon/owner.c \
	include/ownerserver.h daemon/ownerserver.c \
	include/ownerstart.h daemon/ownerstart.c \
	include/ownertable.h daemon/ownertable.c \
	include/outcome.h daemon/outcome.c \
	include/packet.h daemon/packet.c \
	include/policy.h daemon/policy.c \
	include/portdraw.h daemon/portdraw.c \
	include/portset.h daemon/portset.c \
	include/prefilter.h include/prefilter_shared.h \
	include/queuemsg.h daemon/queuemsg.c \
	include/reset.h daemon/reset.c \
	include/ring.h daemon/ring.c \
	include/tcpstate.h daemon/tcpstate.c \
	include/tuple.h daemon/tuple.c \
	include/utf8.h daemon/utf8.c

# The bpf filter: a program for the kernel, carried in the daemon as the bytes of its object file.
EXTRA_DIST += daemon/prefilter.bpf.c
if HAVE_BPF
PREFILTER_OBJECT = daemon/prefilter.bpf.o
libclosewaitd_a_SOURCES += daemon/prefilter.c
CLEANFILES += $(PREFILTER_OBJECT)
AM_CPPFLAGS += -DPREFILTER_OBJECT='"$(PREFILTER_OBJECT)"'

daemon/prefilter.$(OBJEXT): $(PREFILTER_OBJECT)
$(PREFILTER_OBJECT): daemon/prefilter.bpf.c include/prefilter_shared.h
	$(AM_V_GEN)$(MKDIR_P) daemon && $(CLANG) $(BPF_PROGRAM_FLAGS) -I$(srcdir)/include \
		$(BPF_CFLAGS) -c $(srcdir)/daemon/prefilter.bpf.c -o $@
else
libclosewaitd_a_SOURCES += daemon/prefilter_none.c
endif

CLOSEWAITD_LIBS = libclosewaitd.a $(NFQ_LIBS) $(NFNL_LIBS) $(MNL_LIBS) $(CONFIG_LIBS) \
	$(JANSSON_LIBS) $(CAPNG_LIBS) $(SECCOMP_LIBS) $(BPF_LIBS)

sbin_PROGRAMS += closewaitd
closewaitd_SOURCES = daemon/main.c
closewaitd_LDADD = $(CLOSEWAITD_LIBS)

sbin_PROGRAMS += closewaitctl
closewaitctl_SOURCES = daemon/ctl.c
closewaitctl_LDADD = $(CLOSEWAITD_LIBS)
