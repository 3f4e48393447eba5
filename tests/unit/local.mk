# Unit tests need cmocka and nothing else: no root, no network, no file outside the build folder.
if HAVE_CMOCKA
UNIT_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -Werror=unused-function
UNIT_LIBS = tests/unit/libunit.a $(CLOSEWAITD_LIBS) $(CMOCKA_LIBS)

check_LIBRARIES += tests/unit/libunit.a
tests_unit_libunit_a_SOURCES = \
	tests/unit/synth.h tests/unit/synth.c \
	tests/unit/unit.h tests/unit/unit.c
tests_unit_libunit_a_CFLAGS = $(UNIT_CFLAGS)

check_PROGRAMS += tests/unit/test_action
TESTS += tests/unit/test_action
tests_unit_test_action_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_action_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_attribution
TESTS += tests/unit/test_attribution
tests_unit_test_attribution_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_attribution_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=diag_lookup
tests_unit_test_attribution_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_child
TESTS += tests/unit/test_child
tests_unit_test_child_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_child_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_control
TESTS += tests/unit/test_control
tests_unit_test_control_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_control_LDADD = $(UNIT_LIBS)
tests_unit_test_control_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_gettime,--wrap=accept4 \
	-Wl,--wrap=bind,--wrap=mkdir

check_PROGRAMS += tests/unit/test_coverage
TESTS += tests/unit/test_coverage
tests_unit_test_coverage_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_coverage_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_ctlclient
TESTS += tests/unit/test_ctlclient
tests_unit_test_ctlclient_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_ctlclient_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=setsockopt,--wrap=ctl_complain
tests_unit_test_ctlclient_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_ctldoctor
TESTS += tests/unit/test_ctldoctor
tests_unit_test_ctldoctor_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_ctldoctor_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_ctlprint
TESTS += tests/unit/test_ctlprint
tests_unit_test_ctlprint_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_ctlprint_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_ctlscan
TESTS += tests/unit/test_ctlscan
tests_unit_test_ctlscan_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_ctlscan_LDADD = $(UNIT_LIBS) -lm

check_PROGRAMS += tests/unit/test_ctltable
TESTS += tests/unit/test_ctltable
tests_unit_test_ctltable_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_ctltable_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_event
TESTS += tests/unit/test_event
tests_unit_test_event_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_event_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_explain
TESTS += tests/unit/test_explain
tests_unit_test_explain_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_explain_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=diag_lookup,--wrap=diag_sockets_on,--wrap=diag_destroys_closed \
	-Wl,--wrap=hostaddr_lo,--wrap=hostaddr_tracks_connections,--wrap=cgroup_unit
tests_unit_test_explain_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_failopen
TESTS += tests/unit/test_failopen
tests_unit_test_failopen_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_failopen_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=queue_let_go,--wrap=poll
tests_unit_test_failopen_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_metrics
TESTS += tests/unit/test_metrics
EXTRA_DIST += tests/unit/metrics.prom
tests_unit_test_metrics_CPPFLAGS = $(AM_CPPFLAGS) \
	-DEXPECTED='"$(abs_srcdir)/tests/unit/metrics.prom"'
tests_unit_test_metrics_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_metrics_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_textfile
TESTS += tests/unit/test_textfile
tests_unit_test_textfile_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_textfile_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_diagmsg
TESTS += tests/unit/test_diagmsg
tests_unit_test_diagmsg_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_diagmsg_LDADD = $(UNIT_LIBS)

FAKEMNL_SOURCES = tests/unit/fakemnl.h tests/unit/fakemnl.c
FAKEMNL_WRAP = -Wl,--wrap=mnl_socket_open2,--wrap=mnl_socket_bind,--wrap=mnl_socket_close \
	-Wl,--wrap=mnl_socket_get_fd,--wrap=mnl_socket_get_portid,--wrap=setsockopt \
	-Wl,--wrap=mnl_socket_sendto,--wrap=mnl_socket_recvfrom

check_PROGRAMS += tests/unit/test_cgroup
TESTS += tests/unit/test_cgroup
tests_unit_test_cgroup_SOURCES = tests/unit/test_cgroup.c
tests_unit_test_cgroup_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cgroup_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_gettime,--wrap=readdir,--wrap=fopen
tests_unit_test_cgroup_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_track
TESTS += tests/unit/test_track
tests_unit_test_track_SOURCES = tests/unit/test_track.c $(FAKEMNL_SOURCES)
tests_unit_test_track_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_track_LDFLAGS = $(AM_LDFLAGS) $(FAKEMNL_WRAP)
tests_unit_test_track_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_hostaddr
TESTS += tests/unit/test_hostaddr
tests_unit_test_hostaddr_SOURCES = tests/unit/test_hostaddr.c $(FAKEMNL_SOURCES)
tests_unit_test_hostaddr_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_hostaddr_LDFLAGS = $(AM_LDFLAGS) $(FAKEMNL_WRAP) \
	-Wl,--wrap=nlif_open,--wrap=nlif_close,--wrap=nlif_query,--wrap=nlif_get_ifflags \
	-Wl,--wrap=open,--wrap=access
tests_unit_test_hostaddr_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_fullqueue
TESTS += tests/unit/test_fullqueue
tests_unit_test_fullqueue_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fullqueue_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_isolate
TESTS += tests/unit/test_isolate
tests_unit_test_isolate_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_isolate_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_journal
TESTS += tests/unit/test_journal
tests_unit_test_journal_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_journal_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_log
TESTS += tests/unit/test_log
tests_unit_test_log_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_log_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_notify
TESTS += tests/unit/test_notify
tests_unit_test_notify_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_notify_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_names
TESTS += tests/unit/test_names
tests_unit_test_names_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_names_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_candidates
TESTS += tests/unit/test_candidates
tests_unit_test_candidates_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_candidates_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=realloc,--wrap=malloc
tests_unit_test_candidates_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_outbox
TESTS += tests/unit/test_outbox
tests_unit_test_outbox_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_outbox_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=realloc
tests_unit_test_outbox_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_outcome
TESTS += tests/unit/test_outcome
tests_unit_test_outcome_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_outcome_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_owner
TESTS += tests/unit/test_owner
tests_unit_test_owner_SOURCES = tests/unit/test_owner.c $(FAKEPROC_SOURCES)
tests_unit_test_owner_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_owner_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=openat,--wrap=readlinkat
tests_unit_test_owner_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_ownertable
TESTS += tests/unit/test_ownertable
tests_unit_test_ownertable_SOURCES = tests/unit/test_ownertable.c $(FAKEPROC_SOURCES)
tests_unit_test_ownertable_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_ownertable_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=owner_holds
tests_unit_test_ownertable_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_packet
TESTS += tests/unit/test_packet
tests_unit_test_packet_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_packet_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_policy
TESTS += tests/unit/test_policy
tests_unit_test_policy_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_policy_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_processors
TESTS += tests/unit/test_processors
tests_unit_test_processors_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_processors_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=sched_getaffinity,--wrap=sched_setaffinity
tests_unit_test_processors_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_portdraw
TESTS += tests/unit/test_portdraw
tests_unit_test_portdraw_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_portdraw_LDADD = $(UNIT_LIBS) -lm

check_PROGRAMS += tests/unit/test_portset
TESTS += tests/unit/test_portset
tests_unit_test_portset_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_portset_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_queue
TESTS += tests/unit/test_queue
tests_unit_test_queue_SOURCES = tests/unit/test_queue.c $(FAKENL_SOURCES)
tests_unit_test_queue_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_queue_LDFLAGS = $(AM_LDFLAGS) $(FAKENL_WRAP) -Wl,--wrap=fopen
tests_unit_test_queue_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_queuemsg
TESTS += tests/unit/test_queuemsg
tests_unit_test_queuemsg_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_queuemsg_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_reset
TESTS += tests/unit/test_reset
tests_unit_test_reset_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_reset_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_recent
TESTS += tests/unit/test_recent
tests_unit_test_recent_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_recent_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_ring
TESTS += tests/unit/test_ring
tests_unit_test_ring_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_ring_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_scan
TESTS += tests/unit/test_scan
tests_unit_test_scan_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_scan_LDADD = $(UNIT_LIBS) -lm

check_PROGRAMS += tests/unit/test_tcpstate
TESTS += tests/unit/test_tcpstate
tests_unit_test_tcpstate_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_tcpstate_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_tuple
TESTS += tests/unit/test_tuple
tests_unit_test_tuple_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_tuple_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_utf8
TESTS += tests/unit/test_utf8
tests_unit_test_utf8_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_utf8_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_watchdog
TESTS += tests/unit/test_watchdog
tests_unit_test_watchdog_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_watchdog_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_worker
TESTS += tests/unit/test_worker
tests_unit_test_worker_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_worker_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=queue_open,--wrap=queue_receive,--wrap=queue_wake,--wrap=queue_verdicts \
	-Wl,--wrap=queue_stop,--wrap=queue_let_go,--wrap=queue_resume \
	-Wl,--wrap=failopen_watch,--wrap=failopen_begin,--wrap=failopen_end,--wrap=failopen_back \
	-Wl,--wrap=diag_open,--wrap=track_open,--wrap=cgroup_open \
	-Wl,--wrap=hostaddr_open,--wrap=hostaddr_lo,--wrap=hostaddr_is_loopback_device
tests_unit_test_worker_LDADD = $(UNIT_LIBS)

MODEL_SOURCES = tests/unit/model.h tests/unit/model.c
DIAGWIRE_SOURCES = tests/unit/diagwire.h tests/unit/diagwire.c
FAKEPROC_SOURCES = tests/unit/fakeproc.h tests/unit/fakeproc.c
FAKENL_SOURCES = tests/unit/fakenl.h tests/unit/fakenl.c
FAKENL_WRAP = -Wl,--wrap=socket,--wrap=bind,--wrap=setsockopt,--wrap=close \
	-Wl,--wrap=sendto,--wrap=recv,--wrap=recvfrom,--wrap=recvmmsg \
	-Wl,--wrap=poll,--wrap=clock_gettime

check_PROGRAMS += tests/unit/test_diag
TESTS += tests/unit/test_diag
tests_unit_test_diag_SOURCES = tests/unit/test_diag.c $(FAKENL_SOURCES) $(MODEL_SOURCES) \
	$(DIAGWIRE_SOURCES)
tests_unit_test_diag_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_diag_LDFLAGS = $(AM_LDFLAGS) $(FAKENL_WRAP) -Wl,--wrap=uname
tests_unit_test_diag_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_sockdump
TESTS += tests/unit/test_sockdump
tests_unit_test_sockdump_SOURCES = tests/unit/test_sockdump.c $(FAKENL_SOURCES) $(DIAGWIRE_SOURCES)
tests_unit_test_sockdump_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sockdump_LDFLAGS = $(AM_LDFLAGS) $(FAKENL_WRAP)
tests_unit_test_sockdump_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_mitigate
TESTS += tests/unit/test_mitigate
tests_unit_test_mitigate_SOURCES = tests/unit/test_mitigate.c $(MODEL_SOURCES)
tests_unit_test_mitigate_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_mitigate_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_mitigate_random
TESTS += tests/unit/test_mitigate_random
tests_unit_test_mitigate_random_SOURCES = tests/unit/test_mitigate_random.c $(MODEL_SOURCES)
tests_unit_test_mitigate_random_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_mitigate_random_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_sweep
TESTS += tests/unit/test_sweep
tests_unit_test_sweep_SOURCES = tests/unit/test_sweep.c $(MODEL_SOURCES)
tests_unit_test_sweep_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sweep_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_ratelimit
TESTS += tests/unit/test_ratelimit
tests_unit_test_ratelimit_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_ratelimit_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_stats
TESTS += tests/unit/test_stats
tests_unit_test_stats_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_stats_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_conf
TESTS += tests/unit/test_conf
tests_unit_test_conf_CPPFLAGS = $(AM_CPPFLAGS) \
	-DEXAMPLE='"$(abs_srcdir)/conf/closewaitd.conf"' \
	-DMANUAL='"$(abs_srcdir)/man/closewaitd.conf.5"'
tests_unit_test_conf_CFLAGS = $(UNIT_CFLAGS)
# Allocations of the tested objects, not of the libraries, can be made to fail.
tests_unit_test_conf_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=processors_count
tests_unit_test_conf_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_conferror
TESTS += tests/unit/test_conferror
tests_unit_test_conferror_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_conferror_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_conffile
TESTS += tests/unit/test_conffile
tests_unit_test_conffile_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_conffile_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_conftype
TESTS += tests/unit/test_conftype
tests_unit_test_conftype_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_conftype_LDADD = $(UNIT_LIBS)
endif
