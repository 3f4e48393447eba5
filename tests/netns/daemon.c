/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "lib/monotime.h"
#include "lib/netns.h"

/* Marks a hang: for everything the daemon does at once when it is left alone. An emulated processor is slow. */
#define PATIENCE_MS 60000
/* So that a burst of events never makes the daemon wait for the test to read. */
#define PIPE_BYTES    (1024 * 1024)
#define MAX_ARGUMENTS 8

/* No control socket unless it is wanted: a daemon that runs as somebody else could not make it. */
static const char preamble[] = "log = { target = \"stderr\"; format = \"%s\"; "
			       "leaker = \"%s\"; };\n"
			       "control = { socket = \"%s\"; };\n";
const unsigned int daemon_conf_first_line = 3;

const char *daemon_program(void)
{
	const char *program = getenv("CLOSEWAITD");

	return program ? program : "./closewaitd";
}

void daemon_init(struct daemon *daemon)
{
	*daemon = (struct daemon){.dir = "/tmp/closewaitd-test-XXXXXX"};
	loglines_init(&daemon->log, -1);
	assert_non_null(mkdtemp(daemon->dir));
	/* A test may start the daemon as somebody else, who shall be able to read its file. */
	must(chmod(daemon->dir, 0755) < 0 ? -errno : 0, "open up the directory");
	snprintf(daemon->conf_path, sizeof(daemon->conf_path), "%s/closewaitd.conf", daemon->dir);
}

void daemon_want_control(struct daemon *daemon)
{
	snprintf(daemon->control_path, sizeof(daemon->control_path), "%s/control.sock",
		 daemon->dir);
}

void daemon_write_conf(struct daemon *daemon, const char *text)
{
	FILE *file = fopen(daemon->conf_path, "we");

	assert_non_null(file);
	assert_true(fprintf(file, preamble, daemon->text_format ? "text" : "json",
			    daemon->name_process ? "process" : "unit", daemon->control_path) > 0);
	assert_true(fprintf(file, "%s\n", text) > 0);
	assert_int_equal(fclose(file), 0);
}

static bool write_map(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

/* Root in there is root here, as far as files go. */
static bool enter_container(void)
{
	return unshare(CLONE_NEWUSER) == 0 && write_map("/proc/self/setgroups", "deny") &&
	       write_map("/proc/self/uid_map", "0 0 1") &&
	       write_map("/proc/self/gid_map", "0 0 1") && netns_enter() == 0;
}

/* In the child: becomes the daemon. */
_Noreturn static void become(const struct daemon *daemon, uid_t uid, int output,
			     const char *const arguments[])
{
	const char *argv[MAX_ARGUMENTS + 4] = {daemon_program(), "-c", daemon->conf_path};
	bool changed = true;

	for (size_t i = 0; arguments && arguments[i] && i < MAX_ARGUMENTS; i++)
		argv[3 + i] = arguments[i];
	if (daemon->lacks)
		changed = prctl(PR_CAPBSET_DROP, daemon->lacks, 0, 0, 0) == 0;
	if (daemon->contained)
		changed = enter_container();
	if (uid != 0)
		changed = setgroups(0, NULL) == 0 && setresgid(uid, uid, uid) == 0 &&
			  setresuid(uid, uid, uid) == 0;
	/* Not left behind when the test dies; set last, since a change of uid clears it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(output, STDERR_FILENO);
	if (changed) /* The cast is safe: exec never writes to its arguments. */
		execv(argv[0], (char *const *)argv);
	dprintf(STDERR_FILENO, "cannot start %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

void daemon_spawn(struct daemon *daemon, uid_t uid, const char *const arguments[])
{
	int ends[2];

	assert_int_equal(daemon->pid, 0);
	loglines_release(&daemon->log);
	daemon->next_event = daemon->next_message = 0;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	fcntl(ends[0], F_SETPIPE_SZ, PIPE_BYTES);
	loglines_init(&daemon->log, ends[0]);
	daemon->pid = fork();
	if (daemon->pid == 0)
		become(daemon, uid, ends[1], arguments);
	close(ends[1]);
	assert_true(daemon->pid > 0);
}

void daemon_start(struct daemon *daemon, const char *conf)
{
	daemon_write_conf(daemon, conf);
	daemon_spawn(daemon, 0, NULL);
	daemon_message(daemon, "ready: ");
}

void daemon_signal(struct daemon *daemon, int signal)
{
	assert_true(daemon->pid > 0);
	assert_int_equal(kill(daemon->pid, signal), 0);
}

void daemon_freeze(struct daemon *daemon)
{
	int status;

	daemon_signal(daemon, SIGSTOP);
	assert_int_equal(waitpid(daemon->pid, &status, WUNTRACED), daemon->pid);
	assert_true(WIFSTOPPED(status));
}

void daemon_thaw(struct daemon *daemon)
{
	daemon_signal(daemon, SIGCONT);
}

void daemon_reload(struct daemon *daemon, const char *conf)
{
	daemon_write_conf(daemon, conf);
	daemon_signal(daemon, SIGHUP);
	daemon_message(daemon, "reloaded ");
}

/* The first line from *next on for which wanted() is true; *next moves behind it. */
static const struct logline *wait_line(struct daemon *daemon, size_t *next,
				       bool (*wanted)(const struct logline *, const char *),
				       const char *text)
{
	int64_t deadline = mono_ns() + (int64_t)PATIENCE_MS * 1000000;
	struct loglines *log = &daemon->log;

	loglines_read(log);
	for (;;) {
		while (*next < log->count) {
			const struct logline *line = &log->lines[(*next)++];

			if (wanted(line, text))
				return line;
		}
		if (loglines_wait(log, mono_ms_left(deadline)) < 0)
			fail_msg("the daemon has not said \"%s\"", text);
	}
}

static bool is_message(const struct logline *line, const char *text)
{
	return line->message && strstr(line->message, text);
}

static bool is_event(const struct logline *line, const char *name)
{
	(void)name;
	return line->event;
}

const char *daemon_message(struct daemon *daemon, const char *text)
{
	return wait_line(daemon, &daemon->next_message, is_message, text)->message;
}

bool daemon_has_said(struct daemon *daemon, const char *text)
{
	loglines_read(&daemon->log);
	for (size_t i = 0; i < daemon->log.count; i++) {
		if (is_message(&daemon->log.lines[i], text))
			return true;
	}
	return false;
}

json_t *daemon_event(struct daemon *daemon, const char *name)
{
	const struct logline *line = wait_line(daemon, &daemon->next_event, is_event, name);

	assert_string_equal(line->event, name);
	return line->object;
}

size_t daemon_count_events(struct daemon *daemon, const char *name)
{
	size_t count = 0;

	loglines_read(&daemon->log);
	for (size_t i = 0; i < daemon->log.count; i++) {
		const char *event = daemon->log.lines[i].event;

		count += event && (!name || strcmp(event, name) == 0);
	}
	return count;
}

void daemon_forget(struct daemon *daemon)
{
	loglines_forget(&daemon->log);
	daemon->next_event = daemon->next_message = 0;
}

int daemon_wait_exit(struct daemon *daemon)
{
	int status;

	must(loglines_wait_end(&daemon->log, PATIENCE_MS), "see the daemon end");
	assert_int_equal(waitpid(daemon->pid, &status, 0), daemon->pid);
	daemon->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void daemon_stop(struct daemon *daemon)
{
	daemon_signal(daemon, SIGTERM);
	assert_int_equal(daemon_wait_exit(daemon), 0);
	daemon_message(daemon, "stopped: ");
}

long daemon_total(const struct daemon *daemon, const char *name)
{
	const struct logline *last;
	const char *at;
	char key[64];

	assert_true(daemon->log.count > 0);
	last = &daemon->log.lines[daemon->log.count - 1];
	assert_non_null(last->message);
	snprintf(key, sizeof(key), " %s=", name);
	at = strstr(last->message, key);
	if (!at)
		fail_msg("no total \"%s\" in: %s", name, last->message);
	return atol(at + strlen(key));
}

void daemon_print(struct daemon *daemon)
{
	int status;

	loglines_read(&daemon->log);
	fprintf(stderr, "the daemon's log:\n");
	loglines_print(&daemon->log);
	/* A violation of its system call filter, for one, leaves no line in it. */
	if (daemon->pid > 0 && waitpid(daemon->pid, &status, WNOHANG) == daemon->pid) {
		fprintf(stderr, "the daemon has ended: %s %d\n",
			WIFSIGNALED(status) ? "signal" : "exit status",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		daemon->pid = 0;
	}
}

void daemon_release(struct daemon *daemon)
{
	if (daemon->pid > 0) {
		kill(daemon->pid, SIGKILL);
		waitpid(daemon->pid, NULL, 0);
	}
	loglines_release(&daemon->log);
	unlink(daemon->conf_path);
	if (daemon->control_path[0])
		unlink(daemon->control_path); /* it was killed */
	rmdir(daemon->dir);
	*daemon = (struct daemon){.log.fd = -1};
}

static const json_t *member(const json_t *event, const char *key)
{
	const json_t *value = json_object_get(event, key);

	if (!value)
		fail_msg("the event has no \"%s\"", key);
	return value;
}

const char *event_text(const json_t *event, const char *key)
{
	const json_t *value = member(event, key);

	assert_true(json_is_string(value));
	return json_string_value(value);
}

long event_number(const json_t *event, const char *key)
{
	const json_t *value = member(event, key);

	assert_true(json_is_integer(value));
	return (long)json_integer_value(value);
}
