/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes wrong around the daemon: a clear message, service goes on, nothing is lost. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"
#include "load.h"
#include "rules.h"
#include "stage.h"

/* --- the configuration file -------------------------------------------------------------------*/

/* Puts something else in the place of the daemon's file. */
typedef void spoiler(const char *path);

static void unreadable(const char *path)
{
	assert_int_equal(chmod(path, 0), 0);
}

static void missing(const char *path)
{
	assert_int_equal(unlink(path), 0);
}

static void directory(const char *path)
{
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void fifo(const char *path)
{
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0644), 0);
}

static void gibibyte(const char *path)
{
	assert_int_equal(truncate(path, 1 << 30), 0);
}

static void writable_by_everybody(const char *path)
{
	assert_int_equal(chmod(path, 0666), 0);
}

static void link_to_itself(const char *path)
{
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(path, path), 0);
}

static void binary(const char *path)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(write(fd, "mode = \"\xff\0\x01\";", 14), 14);
	close(fd);
}

static const struct {
	spoiler *spoil;
	const char *message;
} spoilers[] = {
	{unreadable, "cannot be opened: Permission denied"},
	{missing, "cannot be opened: No such file"},
	{directory, "a directory, not a file"},
	{fifo, "not a regular file"},
	{gibibyte, "larger than 1 MiB"},
	{writable_by_everybody, "writable by everybody"},
	{link_to_itself, "Too many levels of symbolic links"},
	{binary, "closewaitd.conf:"},
};

static void restore(const char *path)
{
	if (rmdir(path) < 0)
		unlink(path);
}

/* Under load, so that a reload which waits for something would be noticed. */
static void configuration_file(struct stage *s)
{
	struct load_result result;
	struct load *load;

	daemon_want_control(&s->daemon);
	stage_protect(s, NULL);
	load = load_start(&s->server, 1);
	for (size_t i = 0; i < COUNT_OF(spoilers); i++) {
		const struct ctl_output *output;
		json_t *answer;

		spoilers[i].spoil(s->daemon.conf_path);
		output = ctl_run(&s->daemon, "-s", s->daemon.control_path, "reload", NULL);
		assert_int_equal(output->status, 1);
		if (!strstr(output->err, spoilers[i].message) ||
		    !strstr(output->err, s->daemon.conf_path))
			fail_msg("not \"%s\": %s", spoilers[i].message, output->err);
		answer = ctl_json(&s->daemon, "-s", s->daemon.control_path, "status", NULL);
		assert_string_equal(ctl_text(answer, "mode"), "enforce");
		assert_int_equal(ctl_number(answer, "config.generation"), (long)i);
		json_decref(answer);

		restore(s->daemon.conf_path);
		daemon_write_conf(&s->daemon, "mode = \"enforce\";");
		assert_int_equal(ctl_run(&s->daemon, "reload", NULL)->status, 0);
	}
	result = load_stop(load);
	load_check(&result, 0);
	daemon_stop(&s->daemon);
}

/* --- the metrics file -------------------------------------------------------------------------*/

static long size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? -1 : (long)st.st_size;
}

static void fill_up(const char *path)
{
	static const char block[4096];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ssize_t written;

	assert_true(fd >= 0);
	do {
		written = write(fd, block, sizeof(block));
	} while (written > 0);
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

static void full_disk(struct stage *s)
{
	char folder[48], file[64], temporary[80], ballast[64], conf[256];
	long size;

	snprintf(folder, sizeof(folder), "%s/metrics", s->daemon.dir);
	snprintf(file, sizeof(file), "%s/c.prom", folder);
	snprintf(temporary, sizeof(temporary), "%s.tmp", file);
	snprintf(ballast, sizeof(ballast), "%s/ballast", folder);
	snprintf(conf, sizeof(conf), "metrics = { textfile = \"%s\"; interval = \"1s\"; };", file);

	/* A disk of 64 KiB that nobody else sees. */
	must(unshare(CLONE_NEWNS) < 0 ? -errno : 0, "enter a mount namespace");
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0, "be private");
	assert_int_equal(mkdir(folder, 0755), 0);
	must(mount("none", folder, "tmpfs", 0, "size=64k") < 0 ? -errno : 0, "mount a tmpfs");
	fill_up(ballast);

	stage_listen(s, 8);
	stage_protect(s, conf);
	daemon_message(&s->daemon, "No space left on device");
	assert_int_equal(size_of(file), -1);
	assert_int_equal(size_of(temporary), -1);
	stage_mine(s, CLIENT_PORT);
	stage_connects(s, CLIENT_PORT);
	daemon_event(&s->daemon, "collision");

	assert_int_equal(unlink(ballast), 0);
	daemon_message(&s->daemon, "is written again");
	size = size_of(file);
	assert_true(size > 1000);
	assert_int_equal(size_of(temporary), -1);

	/* Once more, with a file there: it stays what it was. */
	fill_up(ballast);
	daemon_message(&s->daemon, "No space left on device");
	assert_true(size_of(file) > 1000);
	assert_int_equal(size_of(temporary), -1);
	daemon_stop(&s->daemon);
	assert_int_equal(size_of(file), -1);

	umount2(folder, MNT_DETACH);
	assert_int_equal(rmdir(folder), 0);
}

static void metrics_folder_missing(struct stage *s)
{
	stage_listen(s, 8);
	stage_protect(s, "metrics = { textfile = \"/nonexistent/c.prom\"; interval = \"1s\"; };");
	daemon_message(&s->daemon, "cannot write /nonexistent/c.prom: No such file or directory");
	stage_mine(s, CLIENT_PORT);
	stage_connects(s, CLIENT_PORT);
	daemon_event(&s->daemon, "collision");
	daemon_stop(&s->daemon);
}

/* --- a clock that jumps -----------------------------------------------------------------------*/

static void jumping_clock(struct stage *s)
{
	char library[256];
	json_t *answer;

#ifdef WITHOUT_SECCOMP
	print_message("SKIP: nothing can be preloaded before the sanitizers' own library\n");
	skip();
#endif
	snprintf(library, sizeof(library), "%.*s/tests/netns/jumpclock.so",
		 (int)(strrchr(daemon_program(), '/') - daemon_program()), daemon_program());
	assert_int_equal(access(library, R_OK), 0);
	daemon_want_control(&s->daemon);
	stage_listen(s, 8);
	setenv("LD_PRELOAD", library, 1);
	daemon_start(&s->daemon, "mode = \"enforce\"; limits = { events_per_second = 1000; };");
	unsetenv("LD_PRELOAD");
	must(rules_up(s->daemon.conf_path), "put the rules in");
	for (uint16_t i = 0; i < 20; i++) {
		json_t *event;

		stage_mine(s, CLIENT_PORT + i);
		stage_connects(s, CLIENT_PORT + i);
		stage_accept_from(s, CLIENT_PORT + i);
		event = daemon_event(&s->daemon, "collision");
		assert_string_equal(event_text(event, "result"), "destroyed");
		assert_in_range(event_number(event, "verdict_us"), 0, 10000000);
	}
	answer = ctl_json(&s->daemon, "status", NULL);
	assert_in_range(ctl_number(answer, "uptime_s"), 0, 600);
	assert_int_equal(ctl_number(answer, "totals.destroyed"), 20);
	assert_int_equal(ctl_number(answer, "totals.events_suppressed"), 0);
	json_decref(answer);
	daemon_stop(&s->daemon);
}

int main(int argc, char **argv)
{
	static const struct stage_test tests[] = {
		{"configuration file", configuration_file, 0, IN_ENFORCE},
		{"a full disk under the metrics", full_disk, 0, IN_ENFORCE},
		{"no folder for the metrics", metrics_folder_missing, 0, IN_ENFORCE},
		{"a clock that jumps", jumping_clock, 0, IN_ENFORCE},
	};

	return stage_run("faults", tests, COUNT_OF(tests), argc, argv);
}
