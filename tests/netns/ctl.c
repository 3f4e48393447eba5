/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define MAX_ARGUMENTS 16

struct command {
	const char *argv[MAX_ARGUMENTS + 4];
	size_t n;
};

static void begin(struct command *command, const struct daemon *daemon)
{
	*command = (struct command){.argv = {ctl_program(), "-c", daemon->conf_path}, .n = 3};
}

static void add(struct command *command, const char *argument)
{
	assert_true(command->n < COUNT_OF(command->argv) - 1);
	command->argv[command->n++] = argument;
}

static void add_all(struct command *command, va_list ap)
{
	const char *argument;

	while ((argument = va_arg(ap, const char *)))
		add(command, argument);
}

const char *ctl_program(void)
{
	const char *program = getenv("CLOSEWAITCTL");

	return program ? program : "./closewaitctl";
}

static pid_t start(const struct command *command, uid_t uid, gid_t gid, int out, int err)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	if (uid == 0 || (setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 &&
			 setresuid(uid, uid, uid) == 0))
		execv(command->argv[0], (char *const *)command->argv);
	dprintf(STDERR_FILENO, "cannot start %s: %s\n", command->argv[0], strerror(errno));
	_exit(127);
}

static int wait_status(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* What was written to a file in memory, which is closed. */
static void take(int fd, char *text, size_t size)
{
	ssize_t len = pread(fd, text, size - 1, 0);

	assert_true(len >= 0);
	text[len] = '\0';
	close(fd);
}

static const struct ctl_output *run(const struct command *command, uid_t uid, gid_t gid)
{
	static struct ctl_output output;
	int out = memfd_create("out", MFD_CLOEXEC);
	int err = memfd_create("err", MFD_CLOEXEC);

	assert_true(out >= 0 && err >= 0);
	output.status = wait_status(start(command, uid, gid, out, err));
	take(out, output.out, sizeof(output.out));
	take(err, output.err, sizeof(output.err));
	return &output;
}

const struct ctl_output *ctl_run(const struct daemon *daemon, ...)
{
	struct command command;
	va_list ap;

	begin(&command, daemon);
	va_start(ap, daemon);
	add_all(&command, ap);
	va_end(ap);
	return run(&command, 0, 0);
}

const struct ctl_output *ctl_run_as(uid_t uid, gid_t gid, const struct daemon *daemon, ...)
{
	struct command command;
	va_list ap;

	begin(&command, daemon);
	va_start(ap, daemon);
	add_all(&command, ap);
	va_end(ap);
	return run(&command, uid, gid);
}

json_t *ctl_json(const struct daemon *daemon, ...)
{
	const struct ctl_output *output;
	struct command command;
	json_t *object;
	va_list ap;

	begin(&command, daemon);
	add(&command, "--json");
	va_start(ap, daemon);
	add_all(&command, ap);
	va_end(ap);
	output = run(&command, 0, 0);
	if (output->status != 0)
		fail_msg("closewaitctl failed (%d): %s", output->status, output->err);
	object = json_loads(output->out, 0, NULL);
	if (!object)
		fail_msg("not one line of JSON: %s", output->out);
	return object;
}

const json_t *ctl_member(const json_t *object, const char *path)
{
	const char *at = path;

	while (object && *at) {
		size_t len = strcspn(at, ".");
		char key[64];

		snprintf(key, sizeof(key), "%.*s", (int)len, at);
		object = json_object_get(object, key);
		at += len + (at[len] == '.');
	}
	if (!object)
		fail_msg("no member \"%s\"", path);
	return object;
}

const char *ctl_text(const json_t *object, const char *path)
{
	const json_t *value = ctl_member(object, path);

	assert_true(json_is_string(value));
	return json_string_value(value);
}

long ctl_number(const json_t *object, const char *path)
{
	const json_t *value = ctl_member(object, path);

	assert_true(json_is_integer(value));
	return (long)json_integer_value(value);
}

struct ctl_stream ctl_follow(const struct daemon *daemon, ...)
{
	struct ctl_stream stream;
	struct command command;
	int ends[2];
	va_list ap;

	begin(&command, daemon);
	add(&command, "--json");
	add(&command, "events");
	add(&command, "--follow");
	va_start(ap, daemon);
	add_all(&command, ap);
	va_end(ap);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	stream.pid = start(&command, 0, 0, ends[1], STDERR_FILENO);
	close(ends[1]);
	stream.out = fdopen(ends[0], "r");
	assert_non_null(stream.out);
	return stream;
}

json_t *ctl_next(struct ctl_stream *stream)
{
	char line[4096];
	json_t *object;

	if (!fgets(line, sizeof(line), stream->out))
		return NULL;
	object = json_loads(line, 0, NULL);
	if (!object)
		fail_msg("not JSON: %s", line);
	return object;
}

int ctl_end(struct ctl_stream *stream)
{
	fclose(stream->out);
	return wait_status(stream->pid);
}
