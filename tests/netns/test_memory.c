/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that runs out, once at every place: a start fails cleanly, whatever runs goes on. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "failmalloc.h"
#include "lib/monotime.h"
#include "lib/sockets.h"
#include "stage.h"

/* More allocations than a start or a reload makes. */
#define TOO_MANY 20000
/* A start takes some ten milliseconds: not every one of its allocations has its turn. */
#define START_STEP 23

static const char conf[] = "mode = \"enforce\";\n"
			   "limits = { events_per_second = 0; };\n"
			   "policy = { rules = ( { name = \"one\"; port = [ 9, \"10-20\" ]; user = "
			   "\"root\"; action = \"log\"; } ); };\n";

/* A sanitizer's run-time has to be loaded first, and ends a program for which it finds no memory. */
static void not_with_sanitizers(void)
{
#ifdef WITHOUT_SECCOMP
	print_message("SKIP: not with sanitizers, which want memory of their own\n");
	skip();
#endif
}

/* Everything that is started from now on shares it. */
static struct failmalloc *preload(const struct stage *s)
{
	const struct failmalloc nothing = {0};
	char library[256], file[64];
	void *memory;
	int fd;

	not_with_sanitizers();
	snprintf(library, sizeof(library), "%.*s/tests/netns/failmalloc.so",
		 (int)(strrchr(daemon_program(), '/') - daemon_program()), daemon_program());
	assert_int_equal(access(library, R_OK), 0);
	snprintf(file, sizeof(file), "%s/failmalloc", s->daemon.dir);
	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, &nothing, sizeof(nothing)), sizeof(nothing));
	memory = mmap(NULL, sizeof(nothing), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	assert_ptr_not_equal(memory, MAP_FAILED);
	setenv("FAILMALLOC", file, 1);
	setenv("LD_PRELOAD", library, 1);
	return memory;
}

static void unload(const struct stage *s)
{
	unsetenv("LD_PRELOAD");
	unlink(getenv("FAILMALLOC"));
	unsetenv("FAILMALLOC");
	(void)s;
}

/* Ends it, or it has ended by itself; it was not killed by a signal of its own making. */
static void end_start(struct stage *s, long nth)
{
	int status;

	/* It may have come to run: what is left of a memory that was short once is enough. */
	kill(s->daemon.pid, SIGTERM);
	status = daemon_wait_exit(&s->daemon);
	if (status != 0 && status != 1 && status != 128 + SIGTERM)
		fail_msg("without its allocation %ld it ended with status %d", nth, status);
	if (status == 1 && s->daemon.log.count == 0)
		fail_msg("without its allocation %ld it ended without a word", nth);
}

static bool is_settled(void *arg)
{
	struct stage *s = arg;

	loglines_read(&s->daemon.log);
	for (size_t i = 0; i < s->daemon.log.count; i++) {
		const char *message = s->daemon.log.lines[i].message;

		if (message && strstr(message, "ready: "))
			return true;
	}
	return s->daemon.log.fd < 0;
}

static void starts(struct stage *s)
{
	struct failmalloc *memory = preload(s);
	long nth = 1;

	daemon_write_conf(&s->daemon, conf);
	for (; nth < TOO_MANY; nth += START_STEP) {
		memory->countdown = nth;
		daemon_spawn(&s->daemon, 0, NULL);
		must(wait_until(is_settled, s, 10000), "see it start or fail");
		if (memory->countdown > 0)
			break; /* it has started with fewer */
		end_start(s, nth);
	}
	memory->countdown = 0;
	daemon_signal(&s->daemon, SIGTERM);
	assert_int_equal(daemon_wait_exit(&s->daemon), 0);
	print_message("a start makes fewer than %ld allocations\n", nth);
	assert_in_range(nth, 2 * START_STEP, TOO_MANY - START_STEP);
	unload(s);
}

static void collide(struct stage *s, uint16_t port)
{
	struct mine mine = stage_mine(s, port);

	close(stage_connects(s, port));
	assert_int_equal(sock_error(mine.fd), ECONNABORTED);
	close(mine.fd);
	close(stage_accept_from(s, port));
}

/* The answer to a SIGHUP, whatever it is. */
static bool is_answered(void *arg)
{
	struct stage *s = arg;

	loglines_read(&s->daemon.log);
	while (s->daemon.next_message < s->daemon.log.count) {
		const char *message = s->daemon.log.lines[s->daemon.next_message++].message;

		if (message && (strstr(message, "reloaded ") || strstr(message, "stays in force")))
			return true;
	}
	return s->daemon.log.fd < 0;
}

static void reloads(struct stage *s)
{
	struct failmalloc *memory = preload(s);
	long nth = 1;

	stage_listen(s, 64);
	stage_protect(s, conf + strlen("mode = \"enforce\";\n"));
	for (; nth < TOO_MANY; nth++) {
		memory->countdown = nth;
		daemon_signal(&s->daemon, SIGHUP);
		if (wait_until(is_answered, s, 10000) < 0)
			fail_msg("a reload without its allocation %ld was not answered", nth);
		if (s->daemon.log.fd < 0)
			fail_msg("it ended at a reload without its allocation %ld", nth);
		if (memory->countdown > 0)
			break;
		if (nth % 50 == 1)
			collide(s, (uint16_t)(CLIENT_PORT + nth / 50));
	}
	memory->countdown = 0;
	print_message("a reload makes %ld allocations\n", nth - 1);
	collide(s, CLIENT_PORT - 1);
	unload(s);
	daemon_stop(&s->daemon);
}

/* The address space is full: even what libconfig would need is not there. */
static void reload_without_room(struct stage *s)
{
	const struct rlimit none = {0, RLIM_INFINITY};
	const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};

	not_with_sanitizers();
	stage_listen(s, 8);
	stage_protect(s, NULL);
	/* What is looked up once, it has looked up; and its stacks are as large as they get. */
	collide(s, CLIENT_PORT - 1);
	daemon_event(&s->daemon, "collision");
	assert_int_equal(prlimit(s->daemon.pid, RLIMIT_AS, &none, NULL), 0);
	daemon_signal(&s->daemon, SIGHUP);
	daemon_message(&s->daemon, "stays in force");
	collide(s, CLIENT_PORT);
	assert_int_equal(prlimit(s->daemon.pid, RLIMIT_AS, &all, NULL), 0);
	daemon_reload(&s->daemon, "mode = \"enforce\";");
	collide(s, CLIENT_PORT + 1);
	daemon_stop(&s->daemon);
}

/* An event that there is no memory for is lost; what it would have told of is done all the same. */
static void events(struct stage *s)
{
	struct failmalloc *memory = preload(s);
	uint16_t port = CLIENT_PORT;

	stage_listen(s, 64);
	stage_protect(s, "limits = { events_per_second = 0; };");
	for (long nth = 1; nth < 200; nth++) {
		memory->countdown = nth;
		collide(s, port++);
	}
	assert_true(memory->failed > 10);
	memory->countdown = 0;
	collide(s, port);
	unload(s);
	daemon_stop(&s->daemon);
	assert_int_equal(daemon_total(&s->daemon, "destroyed"), 200);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"no memory at the start", starts, 0, IN_ENFORCE},
		{"no memory for a reload", reloads, 0, IN_ENFORCE},
		{"no room for a reload", reload_without_room, 0, IN_ENFORCE},
		{"no memory for an event", events, 0, IN_ENFORCE},
	};

	return stage_run("memory", tests, COUNT_OF(tests), argc, argv);
}
