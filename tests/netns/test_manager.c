/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon tells the service manager that has started it; the test is that manager. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/monotime.h"
#include "lib/socklock.h"
#include "lib/sockets.h"
#include "stage.h"

/* An abstract address: every network namespace has its own, and no file is left behind. */
#define MANAGER "@closewaitd-test-manager"
/* Longer than any word of the daemon takes to come, on a busy machine too. */
#define WORD_MS 10000
/* What the daemon is told of the watchdog; it sends the keep-alive twice in that time. */
#define WATCHDOG_MS  1000
#define KEEPALIVE_MS (WATCHDOG_MS / 2)

/* Becomes the manager: a daemon that is started from here on sends its words to the descriptor. */
static int manage(bool with_watchdog)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = MANAGER};
	const socklen_t len = offsetof(struct sockaddr_un, sun_path) + strlen(MANAGER);
	char text[16];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	address.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, len), 0);
	setenv("NOTIFY_SOCKET", MANAGER, 1);
	unsetenv(
		"WATCHDOG_PID"); /* the manager that has started the test may have one of its own */
	unsetenv("WATCHDOG_USEC");
	snprintf(text, sizeof(text), "%d000", WATCHDOG_MS);
	if (with_watchdog)
		setenv("WATCHDOG_USEC", text, 1);
	return fd;
}

/* The next word, or "" if there is none in time. */
static const char *word(int manager, int timeout_ms)
{
	static char text[2048];
	struct pollfd pfd = {.fd = manager, .events = POLLIN};
	ssize_t len = 0;

	if (poll(&pfd, 1, timeout_ms) > 0)
		len = recv(manager, text, sizeof(text) - 1, MSG_DONTWAIT);
	assert_true(len >= 0);
	text[len] = '\0';
	return text;
}

static bool is_keepalive(const char *text)
{
	return strcmp(text, "WATCHDOG=1") == 0;
}

/* The next word but keep-alives, which must hold the text. */
static void expect(int manager, const char *text)
{
	const char *got;

	do {
		got = word(manager, WORD_MS);
	} while (is_keepalive(got));
	if (!strstr(got, text))
		fail_msg("expected \"%s\", the daemon said \"%s\"", text, got);
}

static void life_of_a_service(struct stage *s)
{
	static const char good[] = "policy = { default = \"log\"; };";
	int manager = manage(false);

	stage_listen(s, 8);
	stage_protect(s, NULL);
	expect(manager, "READY=1\nSTATUS=mode enforce, default action destroy, 0 rules");

	daemon_reload(&s->daemon, good);
	expect(manager, "RELOADING=1\nMONOTONIC_USEC=");
	expect(manager, "READY=1\nSTATUS=mode audit, default action log, 0 rules");

	daemon_write_conf(&s->daemon, "mode = \"strict\";");
	daemon_signal(&s->daemon, SIGHUP);
	expect(manager, "RELOADING=1");
	expect(manager,
	       "READY=1\nSTATUS=the last reload has failed, the configuration before it is "
	       "in force: ");

	daemon_reload(&s->daemon, good);
	expect(manager, "RELOADING=1");
	expect(manager, "READY=1\nSTATUS=mode audit,");

	/* No watchdog was asked for, so there is no keep-alive among all this. */
	daemon_stop(&s->daemon);
	assert_string_equal(word(manager, WORD_MS), "STOPPING=1");
	assert_string_equal(word(manager, 0), "");
	close(manager);
}

/* Its threads have the names of their queues. */
static pid_t worker_of(pid_t daemon)
{
	char path[300], name[32];
	const struct dirent *entry;
	pid_t worker = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)daemon);
	tasks = opendir(path);
	assert_non_null(tasks);
	while (worker == 0 && (entry = readdir(tasks))) {
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/task/%s/comm", (int)daemon, entry->d_name);
		file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file) && strcmp(name, "queue-61\n") == 0)
			worker = (pid_t)atoi(entry->d_name);
		fclose(file);
	}
	closedir(tasks);
	assert_true(worker > 0);
	return worker;
}

/* Until the thread ends: nobody may have to wait for that because it is traced. */
_Noreturn static void trace(pid_t tid, int ready)
{
	int status;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0 ||
	    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0 || waitpid(tid, NULL, __WALL) != tid)
		_exit(1);
	close(ready);
	while (waitpid(tid, &status, __WALL) == tid && !WIFEXITED(status) && !WIFSIGNALED(status))
		;
	_exit(0);
}

/*
 * A signal would stop the whole process; a tracer stops one thread. Returns the tracer: it goes on when
 * that ends.
 */
static pid_t stop_thread(pid_t tid)
{
	int ready[2];
	pid_t tracer;
	char none;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	tracer = fork();
	if (tracer == 0)
		trace(tid, ready[1]);
	assert_true(tracer > 0);
	close(ready[1]);
	assert_int_equal(read(ready[0], &none, 1), 0);
	close(ready[0]);
	assert_int_equal(waitpid(tracer, NULL, WNOHANG), 0);
	return tracer;
}

static void end_tracer(pid_t tracer)
{
	kill(tracer, SIGKILL);
	waitpid(tracer, NULL, 0);
}

static void skip_keepalives(int manager)
{
	while (word(manager, 0)[0])
		;
}

static void keepalive_depends_on_verdicts(struct stage *s)
{
	int manager = manage(true);
	pid_t tracer;
	int fd;

	stage_listen(s, 8);
	stage_protect(s, "queue = { workers = 1; };");
	expect(manager, "READY=1");
	/* With nothing to do, and with SYNs that get their verdicts. */
	for (int i = 0; i < 3; i++)
		assert_true(is_keepalive(word(manager, WORD_MS)));
	close(stage_connects(s, CLIENT_PORT));
	assert_true(is_keepalive(word(manager, WORD_MS)));

	tracer = stop_thread(worker_of(s->daemon.pid));
	/* A stopped worker with nothing to do is nobody's loss. */
	skip_keepalives(manager);
	for (int i = 0; i < 3; i++)
		assert_true(is_keepalive(word(manager, WORD_MS)));

	fd = must(sock_connect_start(NULL, &s->server), "begin to connect");
	daemon_message(&s->daemon, "queue 61: held SYNs and not one verdict for 500 ms: "
				   "no keep-alive");
	skip_keepalives(manager);
	assert_string_equal(word(manager, 4 * KEEPALIVE_MS), "");

	end_tracer(tracer);
	assert_int_equal(sock_connect_finish(fd, WORD_MS), 0);
	daemon_message(&s->daemon, "queue 61: held SYNs get verdicts again");
	assert_true(is_keepalive(word(manager, WORD_MS)));
	close(fd);
	daemon_stop(&s->daemon);
	expect(manager, "STOPPING=1");
	close(manager);
}

/* By the signal of the watchdog the daemon dies, and what it held does not have to come again. */
static void what_is_held_survives_the_watchdog(struct stage *s)
{
	int manager = manage(true);
	pid_t tracer;
	int64_t start;
	int fd;

	stage_listen(s, 8);
	stage_protect(s, "queue = { workers = 1; };");
	expect(manager, "READY=1");
	tracer = stop_thread(worker_of(s->daemon.pid));
	fd = must(sock_connect_start(NULL, &s->server), "begin to connect");
	stage_wait_queued(1);
	assert_int_equal(sock_connect_finish(fd, 0), -EINPROGRESS);

	start = mono_ns();
	daemon_signal(&s->daemon, SIGABRT);
	must(sock_connect_finish(fd, WORD_MS), "connect");
	/* Before it would have been sent again. */
	assert_true(mono_ns() - start < AT_ONCE_MS * 1000000LL);
	assert_int_equal(daemon_wait_exit(&s->daemon), 128 + SIGABRT);
	end_tracer(tracer);
	close(fd);
	close(manager);
}

/* A restart ends no wait in the kernel: a daemon whose worker is kept there stays. */
static void keepalive_while_the_kernel_keeps_a_worker(struct stage *s)
{
	int manager = manage(true);
	union endpoint client = stage_client(s, CLIENT_PORT);
	struct socklock locked;
	int rc, fd;

	stage_listen(s, 8);
	stage_protect(s, "queue = { workers = 1; };");
	expect(manager, "READY=1");
	rc = socklock_take(stage_mine(s, CLIENT_PORT).fd, &locked);
	if (rc == -ENOSYS)
		skip();
	must(rc, "lock a socket");
	fd = must(sock_connect_start(&client, &s->server), "begin to connect");
	daemon_message(&s->daemon, "queue 61: the kernel has not come back");
	skip_keepalives(manager);
	for (int i = 0; i < 4; i++)
		assert_true(is_keepalive(word(manager, WORD_MS)));

	socklock_release(&locked);
	daemon_message(&s->daemon, "queue 61: SYNs are judged again");
	assert_true(is_keepalive(word(manager, WORD_MS)));
	close(fd);
	daemon_stop(&s->daemon);
	close(manager);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"the life of a service", life_of_a_service, V4_ONLY, IN_ENFORCE},
		{"the keep-alive depends on verdicts", keepalive_depends_on_verdicts, V4_ONLY,
		 IN_ENFORCE},
		{"what is held survives the watchdog", what_is_held_survives_the_watchdog, V4_ONLY,
		 IN_ENFORCE},
		{"the kernel keeps a worker", keepalive_while_the_kernel_keeps_a_worker, V4_ONLY,
		 IN_ENFORCE},
	};

	return stage_run("manager", tests, COUNT_OF(tests), argc, argv);
}
