/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "metrics.h"
#include "packet.h"

#include <inttypes.h>

/* One metric: its series are written by write, or it is the one counter stat. */
struct family {
	const char *name; /* without "closewaitd_" */
	const char *type;
	const char *help;
	void (*write)(const struct metrics *m, const char *name, FILE *out);
	enum stat stat;
};

static void put(FILE *out, const char *name, uint64_t value)
{
	fprintf(out, "closewaitd_%s %" PRIu64 "\n", name, value);
}

static void put_labelled(FILE *out, const char *name, const char *label, const char *value,
			 uint64_t number)
{
	fprintf(out, "closewaitd_%s{%s=\"%s\"} %" PRIu64 "\n", name, label, value, number);
}

static void write_build_info(const struct metrics *m, const char *name, FILE *out)
{
	put_labelled(out, name, "version", m->version, 1);
}

static void write_start_time(const struct metrics *m, const char *name, FILE *out)
{
	put(out, name, m->start_time);
}

static void write_workers(const struct metrics *m, const char *name, FILE *out)
{
	put(out, name, m->workers);
}

static void write_workers_away(const struct metrics *m, const char *name, FILE *out)
{
	put(out, name, m->workers_away);
}

static void write_mode(const struct metrics *m, const char *name, FILE *out)
{
	for (unsigned int mode = 0; mode < MODE_COUNT; mode++)
		put_labelled(out, name, "mode", mode_name((enum mode)mode), m->mode == mode);
}

static void write_generation(const struct metrics *m, const char *name, FILE *out)
{
	put(out, name, m->generation);
}

static void write_reload(const struct metrics *m, const char *name, FILE *out)
{
	put(out, name, !m->reload_failed);
}

static void write_coverage(const struct metrics *m, const char *name, FILE *out)
{
	for (unsigned int state = 0; state < COVERAGE_COUNT; state++)
		put_labelled(out, name, "state", coverage_name((enum coverage_state)state),
			     m->coverage->state == state);
}

static void write_packets(const struct metrics *m, const char *name, FILE *out)
{
	for (unsigned int kind = 0; kind < PACKET_KIND_COUNT; kind++)
		put_labelled(out, name, "kind", packet_kind_name((enum packet_kind)kind),
			     stats_get(&m->stats->packet[kind]));
}

static void write_syns(const struct metrics *m, const char *name, FILE *out)
{
	for (unsigned int finding = 0; finding < FINDING_COUNT; finding++) {
		if (finding != FINDING_NOT_JUDGED)
			put_labelled(out, name, "finding", finding_name((enum finding)finding),
				     stats_get(&m->stats->finding[finding]));
	}
}

static void write_not_stale(const struct metrics *m, const char *name, FILE *out)
{
	for (unsigned int state = TCPSTATE_ESTABLISHED; state < TCPSTATE_COUNT; state++) {
		if (state != TCPSTATE_LISTEN)
			put_labelled(out, name, "state", tcpstate_name((enum tcpstate)state),
				     stats_get(&m->stats->not_stale[state]));
	}
}

/* In audit mode nothing else comes of any action; in enforce mode each has its own results. */
static bool can_result(enum action action, enum result result)
{
	switch (result) {
	case RESULT_AUDITED:
		return true;
	case RESULT_LOGGED:
		return action == ACTION_LOG;
	case RESULT_DESTROYED:
	case RESULT_GONE:
	case RESULT_LIMITED:
		return action == ACTION_DESTROY;
	case RESULT_FAILED:
		return action != ACTION_LOG; /* the destroy, or the verdict */
	case RESULT_DROPPED:
		return action == ACTION_DROP;
	case RESULT_REJECTED:
		return action == ACTION_REJECT;
	}
	return false;
}

static void write_collisions(const struct metrics *m, const char *name, FILE *out)
{
	for (unsigned int i = 0; i < TCPSTATE_COUNT * ACTION_COUNT * RESULT_COUNT; i++) {
		enum tcpstate state = i / (ACTION_COUNT * RESULT_COUNT);
		enum action action = i / RESULT_COUNT % ACTION_COUNT;
		enum result result = i % RESULT_COUNT;
		enum mode mode = result == RESULT_AUDITED ? MODE_AUDIT : MODE_ENFORCE;

		if (!tcpstate_can_be_stale(state) || !can_result(action, result))
			continue;
		fprintf(out,
			"closewaitd_%s{state=\"%s\",action=\"%s\",result=\"%s\",mode=\"%s\"} "
			"%" PRIu64 "\n",
			name, tcpstate_name(state), action_name(action), result_name(result),
			mode_name(mode), stats_get(&m->stats->collision[state][action][result]));
	}
}

static void write_destroy_errors(const struct metrics *m, const char *name, FILE *out)
{
	uint64_t sum = 0;

	for (unsigned int state = 0; state < TCPSTATE_COUNT; state++)
		sum += stats_get(&m->stats->collision[state][ACTION_DESTROY][RESULT_FAILED]);
	put(out, name, sum);
}

static void write_suppressed(const struct metrics *m, const char *name, FILE *out)
{
	put(out, name, m->events_suppressed);
}

static void write_sweeps(const struct metrics *m, const char *name, FILE *out)
{
	put(out, name, stats_get(&m->sweep->count[SWEEP_STAT_SWEEPS]));
}

static void write_sweep_failures(const struct metrics *m, const char *name, FILE *out)
{
	put(out, name, stats_get(&m->sweep->count[SWEEP_STAT_FAILURES]));
}

static void write_sweep_lookup_errors(const struct metrics *m, const char *name, FILE *out)
{
	put(out, name, stats_get(&m->sweep->count[SWEEP_STAT_LOOKUP_ERRORS]));
}

static void write_sweep_limited(const struct metrics *m, const char *name, FILE *out)
{
	put(out, name, stats_get(&m->sweep->count[SWEEP_STAT_LIMITED]));
}

/* What is done to a SYN cannot be done to a mine; one that the pace holds back waits its turn. */
static bool is_sweep_result(enum result result)
{
	return result != RESULT_DROPPED && result != RESULT_REJECTED && result != RESULT_LIMITED;
}

static void write_sweep_mines(const struct metrics *m, const char *name, FILE *out)
{
	for (unsigned int result = 0; result < RESULT_COUNT; result++) {
		if (is_sweep_result((enum result)result))
			put_labelled(out, name, "result", result_name((enum result)result),
				     stats_get(&m->sweep->mines[result]));
	}
}

static void write_sweep_last_mines(const struct metrics *m, const char *name, FILE *out)
{
	put(out, name, stats_get(&m->sweep->last[SWEEP_LAST_MINES]));
}

static void write_sweep_last_duration(const struct metrics *m, const char *name, FILE *out)
{
	fprintf(out, "closewaitd_%s %.6f\n", name,
		(double)stats_get(&m->sweep->last[SWEEP_LAST_US]) / 1e6);
}

static void write_sweep_last_start(const struct metrics *m, const char *name, FILE *out)
{
	put(out, name, stats_get(&m->sweep->last_start_ns) / 1000000000);
}

static void write_verdict_time(const struct metrics *m, const char *name, FILE *out)
{
	uint64_t count = 0;

	for (unsigned int i = 0; i < STATS_BUCKETS; i++) {
		count += stats_get(&m->stats->bucket[i]);
		fprintf(out, "closewaitd_%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
			stats_bucket_us[i] / 1e6, count);
	}
	count += stats_get(&m->stats->bucket[STATS_BUCKETS]);
	fprintf(out, "closewaitd_%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, count);
	fprintf(out, "closewaitd_%s_sum %.6f\n", name, (double)stats_get(&m->stats->time_us) / 1e6);
	fprintf(out, "closewaitd_%s_count %" PRIu64 "\n", name, count);
}

static void write_challenges(const struct metrics *m, const char *name, FILE *out)
{
	put(out, name, m->kernel->syn_challenges);
}

static void write_missed_syns(const struct metrics *m, const char *name, FILE *out)
{
	put(out, name, m->coverage->missed);
}

static void write_listen_overflows(const struct metrics *m, const char *name, FILE *out)
{
	put(out, name, m->kernel->listen_overflows);
}

static void write_listen_drops(const struct metrics *m, const char *name, FILE *out)
{
	put(out, name, m->kernel->listen_drops);
}

static void write_prefilter_syns(const struct metrics *m, const char *name, FILE *out)
{
	put(out, name, m->prefilter->syns);
}

static void write_prefilter_marked(const struct metrics *m, const char *name, FILE *out)
{
	put(out, name, m->prefilter->marked);
}

static void write_owner_server(const struct metrics *m, const char *name, FILE *out)
{
	put(out, name, m->owner_server);
}

static void write_leakers(const struct metrics *m, const char *name, FILE *out)
{
	for (unsigned int kind = LEAKER_NOT_SOUGHT + 1; kind < LEAKER_KIND_COUNT; kind++)
		put_labelled(out, name, "leaker", leaker_kind_name((enum leaker_kind)kind),
			     m->leakers[kind]);
}

static const struct family families[] = {
	{"build_info", "gauge", "The release that runs.", write_build_info, 0},
	{"start_time_seconds", "gauge", "When it started, since the epoch.", write_start_time, 0},
	{"workers", "gauge", "Queues, each with a thread of its own.", write_workers, 0},
	{"workers_away", "gauge",
	 "Those of them that the kernel keeps; SYNs pass their queues unjudged.",
	 write_workers_away, 0},
	{"mode", "gauge", "1 for the mode in force.", write_mode, 0},
	{"config_generation", "gauge", "Changes of configuration or mode since the start.",
	 write_generation, 0},
	{"config_last_reload_successful", "gauge",
	 "0 if the configuration in force is not the file's since that was refused.", write_reload,
	 0},
	{"coverage", "gauge", "1 for what closewaitctl status says of the rules.", write_coverage,
	 0},
	{"packets_total", "counter", "Packets that the rules put into the queue, by what they are.",
	 write_packets, 0},
	{"packets_not_loopback_total", "counter",
	 "Packets that came in on another interface; passed unjudged.", NULL, STAT_NOT_LOOPBACK},
	{"syns_total", "counter", "SYNs seen, by what they were found to be.", write_syns, 0},
	{"not_stale_total", "counter",
	 "SYNs that met a socket in a state that the configuration does not call stale.",
	 write_not_stale, 0},
	{"collisions_total", "counter",
	 "SYNs that met a stale socket whose peer was proven gone, by what was done about it.",
	 write_collisions, 0},
	{"destroys_total", "counter", "Stale sockets destroyed.", NULL, STAT_DESTROYED},
	{"destroy_errors_total", "counter", "Destroys that the kernel refused.",
	 write_destroy_errors, 0},
	{"lookup_errors_total", "counter", "SYNs let pass because a look-up failed.", NULL,
	 STAT_LOOKUP_ERRORS},
	{"queue_overruns_total", "counter", "Times the queue's receive buffer was full (ENOBUFS).",
	 NULL, STAT_OVERRUNS},
	{"queue_missed_total", "counter", "Packets of the queue that never reached the daemon.",
	 NULL, STAT_MISSED},
	{"queue_bad_messages_total", "counter", "Messages of the queue that could not be read.",
	 NULL, STAT_BAD_MESSAGES},
	{"verdict_errors_total", "counter", "Verdicts that the kernel did not take.", NULL,
	 STAT_VERDICT_ERRORS},
	{"let_go_total", "counter",
	 "Packets that were let go because their worker did not come back.", NULL, STAT_LET_GO},
	{"batches_total", "counter", "Receives that brought at least one packet.", NULL,
	 STAT_BATCHES},
	{"held_syns_peak", "gauge", "Most packets in one batch since the start.", NULL,
	 STAT_HELD_PEAK},
	{"events_suppressed_total", "counter",
	 "Events not told because of limits.events_per_second.", write_suppressed, 0},
	{"events_lost_total", "counter", "Events dropped because they came too fast to be taken.",
	 NULL, STAT_EVENTS_LOST},
	{"sweeps_total", "counter", "Sweeps that came to their end.", write_sweeps, 0},
	{"sweep_failures_total", "counter",
	 "Sweeps given up because the kernel gave no usable answer.", write_sweep_failures, 0},
	{"sweep_lookup_errors_total", "counter",
	 "Sockets that a sweep left alone because a look-up failed.", write_sweep_lookup_errors, 0},
	{"sweep_limited_total", "counter",
	 "CLOSE_WAIT sockets that a sweep passed over since there were too many for one.",
	 write_sweep_limited, 0},
	{"sweep_mines_total", "counter",
	 "Mines that sweeps have proved, at each sweep anew, by what was done about them.",
	 write_sweep_mines, 0},
	{"sweep_last_mines", "gauge", "Mines that the last sweep has proved.",
	 write_sweep_last_mines, 0},
	{"sweep_last_duration_seconds", "gauge", "How long the last sweep took.",
	 write_sweep_last_duration, 0},
	{"sweep_last_start_time_seconds", "gauge",
	 "When the last sweep began, since the epoch; 0 for never.", write_sweep_last_start, 0},
	{"verdict_seconds", "histogram", "Time from the receipt of a packet to its verdict.",
	 write_verdict_time, 0},
};

/* Only where the kernel's counters can be read: a zero would say that all is well. */
static const struct family kernel_families[] = {
	{"kernel_syn_challenges_total", "counter",
	 "SYNs that the kernel gave to a connected socket (TCPSYNChallenge) since the start.",
	 write_challenges, 0},
	{"missed_syns", "gauge", "Those of them that did not come through the queue.",
	 write_missed_syns, 0},
	{"kernel_listen_overflows_total", "counter",
	 "SYNs and last ACKs of handshakes that met a full accept queue (ListenOverflows).",
	 write_listen_overflows, 0},
	{"kernel_listen_drops_total", "counter",
	 "What listeners have dropped for this or any other reason (ListenDrops).",
	 write_listen_drops, 0},
};

/* Only where it is attached. */
static const struct family prefilter_families[] = {
	{"prefilter_syns_total", "counter", "SYNs that the bpf filter has looked at.",
	 write_prefilter_syns, 0},
	{"prefilter_marked_total", "counter", "Those of them that it has marked for the queue.",
	 write_prefilter_marked, 0},
};

/* Only where events are to name processes. */
static const struct family owner_families[] = {
	{"owner_server_up", "gauge", "0 if the process that looks for leakers has ended.",
	 write_owner_server, 0},
	{"leaker_lookups_total", "counter",
	 "Events whose process was looked for, by what was found.", write_leakers, 0},
};

#define N_FAMILIES(table) (sizeof(table) / sizeof((table)[0]))

static void write_families(const struct metrics *m, const struct family *family, size_t n,
			   FILE *out)
{
	for (; n > 0; n--, family++) {
		fprintf(out, "# HELP closewaitd_%s %s\n# TYPE closewaitd_%s %s\n", family->name,
			family->help, family->name, family->type);
		if (family->write)
			family->write(m, family->name, out);
		else
			put(out, family->name, stats_get(&m->stats->count[family->stat]));
	}
}

void metrics_write(const struct metrics *metrics, FILE *out)
{
	write_families(metrics, families, N_FAMILIES(families), out);
	if (metrics->kernel)
		write_families(metrics, kernel_families, N_FAMILIES(kernel_families), out);
	if (metrics->prefilter)
		write_families(metrics, prefilter_families, N_FAMILIES(prefilter_families), out);
	if (metrics->leakers)
		write_families(metrics, owner_families, N_FAMILIES(owner_families), out);
}
