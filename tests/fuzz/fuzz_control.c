/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of the daemon's control socket, which may be anybody. The first byte: in how many pieces
 * the rest is sent. The rest: what the client says before it says that nothing more will come.
 *
 * The real socket and the real answers, of a daemon without workers that never saw a kernel. What
 * is sent is read here as well, by the protocol of HACKING.md: every request gets its one answer,
 * and what is none ends the connection.
 */
#include "config.h"

#include "answer.h"
#include "explain.h"
#include "fuzz.h"
#include "log.h"
#include "ratelimit.h"
#include "reload.h"
#include "sweeper.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

const char fuzz_target[] = "control";

/* More than one request of the longest kind. */
#define INPUT_MAX (2 * CONTROL_REQUEST_MAX)
/* Every piece costs system calls. */
#define PIECES_MAX 32

/* --- the daemon -------------------------------------------------------------------------------*/

static char folder[] = "/tmp/closewaitd-fuzz-XXXXXX";
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static const struct service_options options = {.conf_path = "/nowhere/closewaitd.conf"};
static struct service service = {.options = &options};

/* Stand in for explain.c, which asks the kernel. */
void explain_syn(const struct explain_sources *sources, const struct policy *policy, enum mode mode,
		 const struct tuple *syn, struct explanation *ret_explanation)
{
	(void)sources;
	(void)policy;
	*ret_explanation = (struct explanation){.incident = {.syn = *syn, .mode = mode}};
}

json_t *explain_object(const struct explanation *explanation, const char *cgroup)
{
	char text[TUPLE_STRLEN];

	(void)cgroup;
	return json_pack("{s:s}", "syn", tuple_format(&explanation->incident.syn, text));
}

/* Stand in for sweeper.c, whose thread asks the kernel too. */
const struct sweepstats *sweeper_stats(const struct sweeper *sweeper)
{
	static const struct sweepstats none;

	(void)sweeper;
	return &none;
}

int sweeper_configure(struct sweeper *sweeper, const struct conf *conf, enum mode mode,
		      uint64_t generation)
{
	(void)sweeper;
	(void)conf;
	(void)mode;
	(void)generation;
	return 0;
}

uint64_t sweeper_generation(const struct sweeper *sweeper)
{
	(void)sweeper;
	return service.generation;
}

/* And for the thread that sweeps. */
const struct sweepstats *__wrap_sweeper_stats(const struct sweeper *s);
const struct sweepstats *__wrap_sweeper_stats(const struct sweeper *s)
{
	static const struct sweepstats none;

	(void)s;
	return &none;
}

static void discard(enum log_level level, const char *line, void *ctx)
{
	(void)level;
	(void)line;
	(void)ctx;
}

static void stop(void)
{
	control_close(service.control);
	rmdir(folder);
}

static void add_incidents(void)
{
	static const enum finding findings[] = {FINDING_COLLISION, FINDING_UNPROVEN};

	for (size_t i = 0; i < sizeof(findings) / sizeof(findings[0]); i++) {
		const struct incident incident = {
			.finding = findings[i],
			.has_occupant = true,
			.occupant = {.state = TCPSTATE_CLOSE_WAIT, .has_age = true},
			.rule = "default",
		};

		recent_add(&service.recent, &incident);
	}
}

static void start(void)
{
	if (service.control)
		return;
	log_set_sink(discard, NULL);
	FUZZ_CHECK(mkdtemp(folder));
	FUZZ_CHECK(conf_defaults(&service.conf) == 0);
	snprintf(service.conf->control.socket, sizeof(service.conf->control.socket), "%s/s",
		 folder);
	strcpy(address.sun_path, service.conf->control.socket);
	FUZZ_CHECK(cgroup_open(CGROUP_WALK_DAEMON_US, &service.cgroups) == 0);
	add_incidents();
	FUZZ_CHECK(answer_open(&service) == 0);
	atexit(stop);
}

static bool has_work(void)
{
	struct pollfd pfd = {.fd = control_fd(service.control), .events = POLLIN};

	return poll(&pfd, 1, 0) > 0;
}

static void work(void)
{
	struct change change;

	while (has_work()) {
		control_work(service.control);
		while (reload_take_done(&service, &change))
			answer_done(&service, &change);
	}
}

/* --- the client -------------------------------------------------------------------------------*/

static struct {
	int fd;
	char line[CONTROL_ANSWER_MAX];
	size_t len;
	size_t answers; /* last lines of answers */
	bool closed;
} client;

/* Every line is an object, and the last one of an answer says whether all is well. */
static void take_line(void)
{
	json_t *line = json_loadb(client.line, client.len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *ok = json_object_get(line, "ok");

	FUZZ_CHECK(json_is_object(line));
	if (ok) {
		FUZZ_CHECK(json_is_boolean(ok));
		FUZZ_CHECK(json_integer_value(json_object_get(line, "version")) == 1);
		FUZZ_CHECK(json_is_true(ok) || (json_is_string(json_object_get(line, "error")) &&
						json_is_string(json_object_get(line, "code"))));
		client.answers++;
	}
	json_decref(line);
	client.len = 0;
}

/* Reads what is there; whether anything was. */
static bool take_answers(void)
{
	static char buf[65536];
	ssize_t got = recv(client.fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (got < 0)
		FUZZ_CHECK(errno == EAGAIN || errno == ECONNRESET);
	client.closed = got == 0 || (got < 0 && errno == ECONNRESET);
	for (ssize_t i = 0; i < got; i++) {
		if (buf[i] == '\n') {
			take_line();
		} else {
			FUZZ_CHECK(client.len < sizeof(client.line));
			client.line[client.len++] = buf[i];
		}
	}
	return got > 0;
}

/* Until neither has anything to say. */
static void settle(void)
{
	do {
		work();
	} while (take_answers());
}

static void send_input(const uint8_t *data, size_t size, size_t step)
{
	while (size > 0 && !client.closed) {
		size_t n = size < step ? size : step;
		ssize_t done = send(client.fd, data, n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (done < 0)
			FUZZ_CHECK(errno == EAGAIN || errno == EPIPE || errno == ECONNRESET);
		if (done < 0 && errno != EAGAIN)
			break;
		if (done > 0) {
			data += done;
			size -= (size_t)done;
		}
		settle();
	}
}

/* --- the protocol -----------------------------------------------------------------------------*/

struct expected {
	size_t answers;
	bool turned_out; /* the daemon closes, whatever else was sent */
	bool follows;	 /* what comes after that is read, or not, as it happens to arrive */
};

static void expect_line(struct expected *e, const uint8_t *line, size_t len)
{
	json_t *request = json_loadb((const char *)line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *name = json_string_value(json_object_get(request, "request"));

	e->answers++;
	if (json_integer_value(json_object_get(request, "version")) != 1 || !name)
		e->turned_out = true;
	else if (strcmp(name, "events") == 0 && json_is_true(json_object_get(request, "follow")))
		e->follows = true;
	json_decref(request);
}

static struct expected expect(const uint8_t *data, size_t size)
{
	struct expected e = {.answers = 0};

	while (!e.turned_out && !e.follows) {
		const uint8_t *newline = memchr(data, '\n', size);
		size_t len = newline ? (size_t)(newline - data) : size;

		if (len >= CONTROL_REQUEST_MAX) {
			e.answers++;
			e.turned_out = true;
		}
		if (!newline || e.turned_out)
			break;
		expect_line(&e, data, len);
		data += len + 1;
		size -= len + 1;
	}
	return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct expected e;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	start();
	client.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	client.len = client.answers = 0;
	client.closed = false;
	FUZZ_CHECK(connect(client.fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
	settle();
	send_input(data + 1, size - 1, 1 + size / (1 + data[0] % PIECES_MAX));
	shutdown(client.fd, SHUT_WR);
	settle();

	e = expect(data + 1, size - 1);
	FUZZ_CHECK(client.len == 0);
	FUZZ_CHECK(client.answers == e.answers || (e.follows && client.answers == e.answers + 1));
	FUZZ_CHECK(client.closed || e.follows);
	FUZZ_CHECK(!e.follows || client.closed || control_is_followed(service.control));
	close(client.fd);
	work();
	FUZZ_CHECK(!control_is_followed(service.control));
	return 0;
}
