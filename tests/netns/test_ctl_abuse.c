/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bad clients of the control socket, while SYNs come in: not one connect has to be tried twice, and
 * the daemon has lost neither descriptors nor memory when they are gone.
 */
#include "config.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl.h"
#include "lib/monotime.h"
#include "lib/sockets.h"
#include "rawsyn.h"
#include "rules.h"
#include "stage.h"

/* What the allocator may keep after all those clients are gone: one answer's worth and more. */
#ifdef __SANITIZE_ADDRESS__
/* What it knows of freed memory, and of that in caches of each thread, it keeps besides. */
#define MEMORY_MARGIN_KB 16384
#else
#define MEMORY_MARGIN_KB 4096
#endif
/* To notice that the last of them has left. */
#define PATIENCE_MS 5000

struct resources {
	pid_t pid;
	long fds;
	long kb;
};

static struct resources resources_of(pid_t pid)
{
	struct resources found = {.pid = pid, .fds = -2}; /* "." and ".." */
	long pages = 0;
	char path[64];
	FILE *file;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir))
		found.fds++;
	closedir(dir);
	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*s %ld", &pages), 1);
	fclose(file);
	found.kb = pages * sysconf(_SC_PAGESIZE) / 1024;
	return found;
}

/* As many descriptors as before. */
static bool has_no_client(void *arg)
{
	const struct resources *before = arg;

	return resources_of(before->pid).fds == before->fds;
}

static int dial(const struct stage *s)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", s->daemon.control_path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* As much of it as the socket takes. */
static void say(int fd, const void *bytes, size_t len)
{
	ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	(void)sent; /* none is an answer too */
}

static void garbage(struct stage *s)
{
	unsigned int seed = 1;

	for (int i = 0; i < 2000; i++) {
		char bytes[5000];
		size_t len = (size_t)rand_r(&seed) % sizeof(bytes);
		int fd = dial(s);

		for (size_t k = 0; k < len; k++)
			bytes[k] = (char)rand_r(&seed);
		say(fd, bytes, len);
		close(fd);
	}
}

static void megabyte_without_newline(struct stage *s)
{
	static char megabyte[1 << 20];

	memset(megabyte, 'a', sizeof(megabyte));
	for (int i = 0; i < 20; i++) {
		int fd = dial(s);

		for (size_t sent = 0; sent < sizeof(megabyte);) {
			ssize_t n =
				send(fd, megabyte + sent, sizeof(megabyte) - sent, MSG_NOSIGNAL);

			if (n < 0)
				break; /* thrown out */
			sent += (size_t)n;
		}
		close(fd);
	}
}

static void hundred_clients(struct stage *s)
{
	static const char ping[] = "{\"version\":1,\"request\":\"ping\"}\n";
	int fds[100];

	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < COUNT_OF(fds); i++) {
			fds[i] = dial(s);
			say(fds[i], ping, sizeof(ping) - 1);
		}
		for (size_t i = 0; i < COUNT_OF(fds); i++)
			close(fds[i]);
	}
}

static void vanish_in_the_middle(struct stage *s)
{
	static const char *const pieces[] = {
		"{\"version\":1,\"requ",
		"{\"version\":1,\"request\":\"metrics\"}\n",
		"{\"version\":1,\"request\":\"events\",\"follow\":true}\n",
		"{\"version\":1,\"request\":\"reload\"}\n",
		"{\"version\":1,\"request\":\"stats\"}\n{\"version\":1,\"request\":\"sta",
	};

	for (size_t i = 0; i < 2000; i++) {
		const char *piece = pieces[i % COUNT_OF(pieces)];
		int fd = dial(s);

		say(fd, piece, strlen(piece));
		close(fd);
	}
}

/* --- while SYNs come in -----------------------------------------------------------------------*/

/*
 * One connect after the other, each accepted at once, so that none can be slow for any other
 * reason than the daemon. A lost SYN would cost a second.
 */
static void connect_once(struct stage *s)
{
	static uint16_t turn;
	uint16_t port = (uint16_t)(CLIENT_PORT + turn++ % 10000);
	int client = stage_connects(s, port);

	close(stage_accept_from(s, port));
	close(client);
}

static struct resources prepare(struct stage *s)
{
	struct resources before;
	long fds;

	/* AddressSanitizer keeps what was freed, a quarter of a gigabyte unless it is told. */
	setenv("ASAN_OPTIONS", "quarantine_size_mb=1", 0);
	daemon_want_control(&s->daemon);
	stage_listen(s, 8);
	stage_protect(s, NULL);
	fds = resources_of(s->daemon.pid).fds;
	/* What is only allocated once is there then. */
	assert_int_equal(ctl_run(&s->daemon, "metrics", NULL)->status, 0);
	assert_int_equal(ctl_run(&s->daemon, "stats", NULL)->status, 0);
	before = resources_of(s->daemon.pid);
	before.fds = fds;
	return before;
}

static void check_nothing_is_left(struct stage *s, struct resources before)
{
	struct resources after;

	assert_int_equal(ctl_run(&s->daemon, "ping", NULL)->status, 0);
	if (wait_until(has_no_client, &before, PATIENCE_MS) < 0)
		fail_msg("it keeps descriptors: %ld of %ld", resources_of(before.pid).fds,
			 before.fds);
	after = resources_of(s->daemon.pid);
	if (after.kb > before.kb + MEMORY_MARGIN_KB)
		fail_msg("it has grown from %ld to %ld kB", before.kb, after.kb);
	daemon_stop(&s->daemon);
}

static void under_abuse(struct stage *s, void (*abuse)(struct stage *s))
{
	struct resources before = prepare(s);
	pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (child == 0) {
		abuse(s);
		_exit(0);
	}
	while (waitpid(child, &status, WNOHANG) == 0)
		connect_once(s);
	assert_int_equal(status, 0);
	check_nothing_is_left(s, before);
}

static void test_garbage(struct stage *s)
{
	under_abuse(s, garbage);
}

static void test_megabyte(struct stage *s)
{
	under_abuse(s, megabyte_without_newline);
}

static void test_hundred(struct stage *s)
{
	under_abuse(s, hundred_clients);
}

static void test_vanish(struct stage *s)
{
	under_abuse(s, vanish_in_the_middle);
}

/* They ask for ever, and read nothing. */
static void test_never_read(struct stage *s)
{
	static const char request[] = "{\"version\":1,\"request\":\"metrics\"}\n";
	struct resources before = prepare(s);
	int fds[8];

	for (size_t i = 0; i < COUNT_OF(fds); i++) {
		fds[i] = dial(s);
		for (int n = 0; n < 1000; n++)
			say(fds[i], request, sizeof(request) - 1);
	}
	for (int i = 0; i < 200; i++)
		connect_once(s);
	assert_int_equal(ctl_run(&s->daemon, "ping", NULL)->status, 0);
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		close(fds[i]);
	check_nothing_is_left(s, before);
}

/* --- a follower that does not read ------------------------------------------------------------*/

/* Each copy of the SYN of a client that goes on trying is a collision of its own, and an event. */
static void knock(struct stage *s, unsigned int n)
{
	const union endpoint client = stage_client(s, CLIENT_PORT);
	const struct rawsyn syn = rawsyn_make(&client, &s->server);

	while (n-- > 0)
		must(rawsyn_send(&syn), "knock");
}

static json_t *next_line(FILE *stream)
{
	char line[4096];
	json_t *object;

	assert_non_null(fgets(line, sizeof(line), stream));
	object = json_loads(line, 0, NULL);
	assert_non_null(object);
	return object;
}

/* What followers were sent so far, in the end: every event but those that a full ring has lost. */
static long published(struct stage *s)
{
	json_t *stats = ctl_json(&s->daemon, "stats", NULL);
	long count = ctl_number(stats, "findings.collision") - ctl_number(stats, "events_lost");

	json_decref(stats);
	return count;
}

static bool has_judged_all(void *arg)
{
	struct stage *s = arg;
	json_t *stats = ctl_json(&s->daemon, "stats", NULL);
	long count = ctl_number(stats, "findings.collision");

	json_decref(stats);
	return count == rules_queued();
}

/*
 * Somebody who does not read misses events, is told how many, and costs nobody else anything; the
 * numbers add up to what the daemon has seen.
 */
static void slow_follower(struct stage *s)
{
	static const char request[] = "{\"version\":1,\"request\":\"events\",\"follow\":true}\n";
	const union endpoint client = stage_client(s, CLIENT_PORT);
	long received = 0, missed = 0, total;
	json_t *line;
	FILE *stream;
	int fd;

	daemon_want_control(&s->daemon);
	stage_listen(s, 8);
	stage_mine(s, CLIENT_PORT);
	stage_drop_resets(s); /* which would end the mine */
	stage_protect(s, "limits = { events_per_second = 1; };");
	fd = dial(s);
	say(fd, request, sizeof(request) - 1);
	stream = fdopen(fd, "r");
	assert_non_null(stream);
	line = next_line(stream); /* nothing is kept yet: it follows from here on */
	assert_true(json_is_true(json_object_get(line, "ok")));
	json_decref(line);

	must(sock_connect_start(&client, &s->server), "collide");
	for (uint16_t n = 0; n < 6000; n += 100) {
		knock(s, 100);
		must(wait_until(has_judged_all, s, PATIENCE_MS), "see all SYNs judged");
	}
	total = published(s);
	assert_true(total > 1000);
	while (received + missed < total) {
		line = next_line(stream);
		if (json_object_get(line, "missed"))
			missed += ctl_number(line, "missed");
		else
			received++;
		json_decref(line);
	}
	assert_int_equal(received + missed, total);
	assert_true(missed > 0);
	fclose(stream);
	daemon_stop(&s->daemon);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"garbage", test_garbage, 0, IN_ENFORCE},
		{"a megabyte without a newline", test_megabyte, 0, IN_ENFORCE},
		{"a hundred clients", test_hundred, 0, IN_ENFORCE},
		{"clients that vanish", test_vanish, 0, IN_ENFORCE},
		{"clients that never read", test_never_read, 0, IN_ENFORCE},
		{"a follower that does not read", slow_follower, 0, IN_AUDIT},
	};

	return stage_run("ctl_abuse", tests, COUNT_OF(tests), argc, argv);
}
