/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One process does everything in an order that the seed determines: connects, forges, leaks,
 * checks. Beside it run the clients of netns/load, whose connects make up the bulk of the SYNs, and
 * the keeper.
 *
 * How a leaked socket ended tells who ended it: SOCK_DESTROY leaves ECONNABORTED, the reset that
 * the kernel's own challenge ACK provokes leaves EPIPE (tcp_reset()).
 */
#include "config.h"

#include "soak/soak.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/fdlimit.h"
#include "lib/monotime.h"
#include "lib/snmp.h"
#include "lib/sockets.h"
#include "netns/rules.h"
#include "soak/forge.h"

#define PATIENCE_MS 10000
/* After a connect its event comes in a moment, or never. */
#define SPEAK_MS 1000
/* A SYN is sent again after 1 s, which an overloaded machine can take. */
#define REPEATED_MS	1000
#define STEPS		30
#define DIALS		48
#define FORGED_MEMBERS	16
#define LOAD_PORT	7999
#define LOAD_CLIENTS	1
#define STALE_PER_PLACE 150
/* A member lives for so many steps, about. */
#define LIFETIME 60

static const char conf[] = "mode = \"enforce\";\n"
			   "limits = { events_per_second = 0; destroy_per_second = 0; };\n";

/* --- the oracle -------------------------------------------------------------------------------*/

static void harmed(struct soak *s, const struct member *m, int rc)
{
	s->figures.wrongly_destroyed++;
	print_error("a member was harmed: %s, %s, cookies %" PRIx64 " and %" PRIx64 ": %s\n",
		    place_name(m->place), member_kind_name(m->kind), m->client_cookie,
		    m->server_cookie, strerror(-rc));
}

/* Where does a cookie that was told of and not expected belong? */
static void blame(struct soak *s, uint64_t cookie, const char *event)
{
	s->figures.wrongly_destroyed++;
	for (int i = 0; i < MEMBERS; i++) {
		const struct member *m = &s->members[i];

		if (s->lives[i] && (m->client_cookie == cookie || m->server_cookie == cookie))
			print_error("destroyed: a member, %s, %s\n", place_name(m->place),
				    member_kind_name(m->kind));
	}
	print_error("destroyed, and was not to be: cookie %" PRIx64 "; %s\n", cookie, event);
}

struct telling {
	struct soak *soak;
	const struct dial *dial;
};

static bool is_told(void *arg)
{
	const struct telling *telling = arg;
	struct told *told = &telling->soak->told;

	told_read(told, &telling->soak->stage->daemon);
	return told_take(told, telling->dial->met->cookie);
}

static const char *said_of(const struct telling *telling)
{
	struct told *told = &telling->soak->told;
	const struct dial *dial = telling->dial;

	told_read(told, &telling->soak->stage->daemon);
	return told_otherwise(told, dial->port, endpoint_port(&dial->place->answered));
}

static bool is_spoken_of(void *arg)
{
	return said_of(arg) != NULL;
}

/* It was not destroyed in a calm round: has the daemon said that it could not find out in time? */
static void judge_survivor(struct soak *s, const struct dial *dial, int err)
{
	struct telling telling = {s, dial};
	const char *said;

	wait_until(is_spoken_of, &telling, SPEAK_MS);
	said = said_of(&telling);
	if (said && strcmp(said, "lookup-failed") == 0) {
		s->figures.given_up++;
		return;
	}
	s->figures.missed++;
	print_error("missed: %s port %u, cookie %" PRIx64 ", ended by %s; the daemon said: %s\n",
		    place_name(dial->place), dial->port, dial->met->cookie, strerror(err),
		    said ? said : "nothing");
}

/* The connect has come through: what has become of the socket that its SYN met? */
static void judge(struct soak *s, const struct dial *dial, bool daemon_lived)
{
	struct telling telling = {s, dial};
	int err = sock_error(dial->met->fd);

	s->figures.collisions++;
	if (err == ECONNABORTED) {
		s->figures.destroyed++;
		/* A daemon that was killed may not have come to tell. */
		if (daemon_lived)
			must(wait_until(is_told, &telling, PATIENCE_MS),
			     "hear of a destroyed socket");
		else
			is_told(&telling);
	} else if (s->upset) {
		s->figures.healed_upset++;
	} else {
		judge_survivor(s, dial, err);
	}
	stales_remove(&s->stales, dial->place, dial->met);
}

static void judge_all(struct soak *s, const struct dials *dials, bool daemon_lived)
{
	for (size_t i = 0; i < dials->n; i++) {
		if (dials->list[i].met)
			judge(s, &dials->list[i], daemon_lived);
	}
	told_read(&s->told, &s->stage->daemon);
	for (size_t i = 0; i < s->told.count; i++)
		blame(s, s->told.destroyed[i].cookie, s->told.destroyed[i].text);
	told_clear(&s->told);
}

/* --- forged SYNs ------------------------------------------------------------------------------*/

static void forge_for_members(struct soak *s)
{
	for (int i = 0; i < FORGED_MEMBERS; i++) {
		uint32_t k = chance_below(&s->chance, MEMBERS);
		long n;

		if (!s->lives[k])
			continue;
		n = forge_for_member(&s->members[k], &s->chance);
		s->figures.forged += n;
		s->challenges += n;
	}
}

/*
 * What came of SYNs that met a connection. One that was replayed has an old timestamp; older kernels
 * (6.1) look at that first, count it as rejected, and answer it like any other old segment
 * (tcp_validate_incoming()).
 */
static long challenges_so_far(const struct soak *s)
{
	return stage_challenges() + (long)snmp_counter("TcpExt", "PAWSEstab") -
	       s->challenges_before;
}

static bool have_arrived(void *arg)
{
	const struct soak *s = arg;

	return challenges_so_far(s) >= s->challenges;
}

static bool holds_nothing(void *arg)
{
	(void)arg;
	return rules_held() <= 0;
}

/* A member may go only when no forged SYN for it is on its way. */
static void settle(struct soak *s)
{
	if (s->upset) /* some may have been lost with the daemon */
		must(wait_until(holds_nothing, NULL, PATIENCE_MS), "see the queue empty");
	else
		must(wait_until(have_arrived, s, PATIENCE_MS), "see every forged SYN arrive");
}

/* Nobody is in SYN_SENT: the daemon must leave it alone. The kernel's challenge ACK ends it. */
static void forge_for_a_stale_one(struct soak *s)
{
	const struct place *place = &s->places[chance_below(&s->chance, THERE_COUNT)];
	uint16_t port = stales_pick(&s->stales, place, &s->chance);
	struct stale *stale = stales_find(&s->stales, place, port);

	/* An honest one may have a living client in FIN_WAIT_2 still. */
	if (!stale || stale->honest || s->upset)
		return;
	forge_from(place, port, &s->chance);
	s->figures.forged++;
	s->challenges++;
	settle(s);
	if (sock_error(stale->fd) == ECONNABORTED)
		blame(s, stale->cookie, "met by a forged SYN only");
	else
		s->figures.unproven++;
	stales_remove(&s->stales, place, stale);
}

/* --- the population ---------------------------------------------------------------------------*/

/* The place in the array says what a member is. */
static enum member_kind kind_of(int index)
{
	return index < THERE_COUNT ? MEMBER_WAITING
				   : (enum member_kind)((index / THERE_COUNT - 1) / COPIES);
}

static struct place *place_of(struct soak *s, int index)
{
	int way = index % THERE_COUNT;

	return &s->places[kind_of(index) == MEMBER_WAITING ? THERE_COUNT + way : way];
}

static void retire_some(struct soak *s)
{
	for (int i = 0; i < MEMBERS; i++) {
		int rc;

		if (!s->lives[i] || !chance_one_in(&s->chance, LIFETIME))
			continue;
		rc = member_finish(&s->members[i]);
		if (rc < 0)
			harmed(s, &s->members[i], rc);
		s->lives[i] = false;
	}
}

static void population_goes_on(struct soak *s)
{
	for (int i = 0; i < MEMBERS; i++) {
		int rc = s->lives[i] ? member_go_on(&s->members[i], &s->chance) : 0;

		if (rc < 0) {
			harmed(s, &s->members[i], rc);
			member_finish(&s->members[i]);
			s->lives[i] = false;
		}
	}
}

/* Dials for the members that are missing; whose[i] is the one that the dial i is for. */
static void dial_for_members(struct soak *s, struct dials *dials, int whose[DIALS_MAX])
{
	for (int i = 0; i < MEMBERS && dials->n < DIALS / 4; i++) {
		size_t before = dials->n;

		if (s->lives[i])
			continue;
		dials_begin(dials, place_of(s, i), 0, &s->stales);
		if (dials->n > before)
			whose[before] = i;
	}
}

static void become_member(struct soak *s, const struct dial *dial, int index)
{
	struct member *m = &s->members[index];
	int rc = member_init(m, kind_of(index), dial->place, dial->client, dial->server,
			     (uint32_t)chance_next(&s->chance));

	s->lives[index] = true;
	s->figures.members++;
	if (rc < 0)
		harmed(s, m, rc);
}

/* --- connects ---------------------------------------------------------------------------------*/

static void dial_strangers(struct soak *s, struct dials *dials)
{
	size_t left = DIALS - dials->n;

	while (left-- > 0) {
		const struct place *place = &s->places[chance_below(&s->chance, THERE_COUNT)];
		uint16_t port = 0;

		if (chance_one_in(&s->chance, 3))
			port = stales_pick(&s->stales, place, &s->chance);
		dials_begin(dials, place, port, &s->stales);
	}
}

/*
 * A daemon that stood still holds the SYN and its repetition; where connections are tracked, the
 * second one can reach the listener with what is remembered of the old connection.
 */
static void bury(struct soak *s, const struct dial *dial)
{
	if (!(s->upset || dial->ms >= REPEATED_MS) || !dial->place->redirected ||
	    dial->err != ECONNRESET)
		fail_msg("a connect to %s, which met %s, failed: %s", place_name(dial->place),
			 dial->met ? "a stale socket" : "nobody", strerror(dial->err));
	s->figures.failed_upset++;
	close(dial->client);
	if (dial->server >= 0)
		close(dial->server);
}

/* A stranger's connection is leaked by the server, or closed by both. */
static void part(struct soak *s, const struct dial *dial)
{
	if (dial->place->way != THERE_FOREIGN &&
	    s->stales.count[dial->place->way] < STALE_PER_PLACE &&
	    chance_below(&s->chance, 4) < 3) {
		stales_leak(&s->stales, dial->place, dial->client, dial->server,
			    chance_one_in(&s->chance, 3));
		return;
	}
	sock_reset(dial->client);
	close(dial->server);
}

static void note_slowest(struct soak *s, const struct dials *dials, long stalled_before)
{
	long *slowest = s->upset ? &s->figures.slowest_upset_ms : &s->figures.slowest_ms;
	long worst = 0;

	for (size_t i = 0; i < dials->n; i++) {
		if (dials->list[i].ms > worst)
			worst = dials->list[i].ms;
	}
	if (worst > *slowest)
		worst -= pulse_stalled_now_ms(s->pulse) - stalled_before;
	if (worst > *slowest)
		*slowest = worst;
}

/* --- the daemon -------------------------------------------------------------------------------*/

static void revive(struct soak *s)
{
	told_read(&s->told, &s->stage->daemon);
	daemon_spawn(&s->stage->daemon, 0, NULL);
	daemon_message(&s->stage->daemon, "ready: ");
}

enum trouble { TROUBLE_NONE, TROUBLE_STOP, TROUBLE_KILL, TROUBLE_RESTART };

/* Comes while connects are on their way. */
static void make_trouble(struct soak *s, enum trouble trouble)
{
	struct daemon *daemon = &s->stage->daemon;

	switch (trouble) {
	case TROUBLE_NONE:
		break;
	case TROUBLE_STOP:
		poll(NULL, 0, (int)chance_below(&s->chance, 1500));
		daemon_thaw(daemon);
		s->figures.stops++;
		break;
	case TROUBLE_KILL:
		daemon_signal(daemon, SIGKILL);
		assert_int_equal(daemon_wait_exit(daemon), 128 + SIGKILL);
		s->figures.kills++;
		break;
	case TROUBLE_RESTART:
		daemon_signal(daemon, SIGTERM);
		assert_int_equal(daemon_wait_exit(daemon), 0);
		s->figures.restarts++;
		break;
	}
}

static void maybe_reload(struct soak *s)
{
	if (!chance_one_in(&s->chance, 10))
		return;
	daemon_reload(&s->stage->daemon, conf);
	s->figures.reloads++;
}

/* --- steps and rounds -------------------------------------------------------------------------*/

static void take_back(struct soak *s, const struct lent *lent)
{
	int rc = member_take_back(lent, &s->keeper);

	s->figures.handed++;
	if (rc < 0)
		harmed(s, lent->member, rc);
}

/* The first of the new connections become members, the others are strangers'. */
static void use(struct soak *s, const struct dials *dials, size_t for_members, const int *whose)
{
	for (size_t i = 0; i < dials->n; i++) {
		const struct dial *dial = &dials->list[i];

		if (dial->err)
			bury(s, dial);
		else if (i < for_members)
			become_member(s, dial, whose[i]);
		else
			part(s, dial);
	}
}

static void step(struct soak *s)
{
	enum trouble trouble = s->upset ? (enum trouble)chance_below(&s->chance, 4) : TROUBLE_NONE;
	struct member *lent_one = &s->members[chance_below(&s->chance, MEMBERS)];
	bool lends = s->lives[lent_one - s->members];
	long stalled = pulse_stalled_ms(s->pulse);
	struct dials dials = {.n = 0};
	int whose[DIALS_MAX];
	size_t for_members;
	struct lent lent;

	s->figures.unproven += stales_sweep(&s->stales);
	if (trouble == TROUBLE_STOP)
		daemon_freeze(&s->stage->daemon);
	if (lends)
		lent = member_lend(lent_one, &s->keeper, &s->chance);
	dial_for_members(s, &dials, whose);
	for_members = dials.n;
	dial_strangers(s, &dials);
	s->figures.connects += (long)dials.n;
	forge_for_members(s);
	make_trouble(s, trouble);
	dials_finish(&dials, s->places, s->upset);
	note_slowest(s, &dials, stalled);
	judge_all(s, &dials, trouble != TROUBLE_KILL);
	if (s->stage->daemon.pid == 0)
		revive(s);
	if (lends)
		take_back(s, &lent);
	use(s, &dials, for_members, whose);
	stales_go_on(&s->stales);
	population_goes_on(s);
	settle(s);
	forge_for_a_stale_one(s);
	retire_some(s);
	if (!s->upset)
		maybe_reload(s);
}

static long retransmitted(void)
{
	return must((int)snmp_counter("TcpExt", "TCPSynRetrans"), "read TCPSynRetrans");
}

/*
 * A SYN that was sent again while its first copy was held meets the connection that this one has
 * made, and is challenged as well.
 */
static void account_for_challenges(struct soak *s)
{
	long unexplained =
		challenges_so_far(s) - s->challenges - (retransmitted() - s->retransmitted_before);

	if (s->upset || unexplained <= 0)
		return;
	s->figures.unexplained += unexplained;
	print_error("%ld challenges, %ld of them expected, %ld SYNs sent again\n",
		    challenges_so_far(s), s->challenges, retransmitted() - s->retransmitted_before);
}

static void account_for_load(struct soak *s, const struct load_result *result)
{
	long *slowest = s->upset ? &s->figures.slowest_upset_ms : &s->figures.slowest_ms;

	if (result->failed > 0)
		fail_msg("%ld of %ld connects of the load failed%s, the first: %s", result->failed,
			 result->connects,
			 s->upset ? " while the daemon was stopped, killed, ..." : "",
			 strerror(result->first_error));
	s->figures.connects += result->connects;
	if (result->worst_ms > *slowest)
		*slowest = result->worst_ms;
}

void soak_round(struct soak *s, bool upset)
{
	const union endpoint server = stage_end("127.0.0.1", LOAD_PORT);
	struct load_result result;

	s->upset = upset;
	s->challenges = 0;
	s->challenges_before = 0;
	s->challenges_before = challenges_so_far(s);
	s->retransmitted_before = retransmitted();
	s->load = load_start(&server, LOAD_CLIENTS);
	for (int i = 0; i < STEPS; i++)
		step(s);
	result = load_stop(s->load);
	account_for_load(s, &result);
	account_for_challenges(s);
}

void soak_begin(struct soak *s, struct stage *stage, uint64_t seed, bool tracks)
{
	*s = (struct soak){.stage = stage, .chance = {seed}};
	fdlimit_raise();
	stales_init(&s->stales);
	s->pulse = pulse_start();
	s->keeper = keeper_start();
	places_make(s->places, tracks);
	daemon_start(&stage->daemon, conf);
	must(rules_up(stage->daemon.conf_path), "put the rules in");
	places_queue_foreign();
}

void soak_end(struct soak *s)
{
	for (int i = 0; i < MEMBERS; i++) {
		int rc = s->lives[i] ? member_finish(&s->members[i]) : 0;

		if (rc < 0)
			harmed(s, &s->members[i], rc);
	}
	keeper_stop(&s->keeper);
	pulse_stop(s->pulse);
	stales_release(&s->stales);
	told_release(&s->told);
}
