/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What closewaitctl makes of a daemon that may be anything. The first byte: which command, and
 * whether it writes JSON. The second: how many bytes come at once. The rest: what the daemon sends
 * before it closes. Whatever comes, what people read holds no control characters.
 */
#include "config.h"

#include "ctl.h"
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const char fuzz_target[] = "ctl";

#define ANSWER_MAX  65536
#define PRINTED_MAX (16 * ANSWER_MAX)

/* --- the daemon -------------------------------------------------------------------------------*/

static struct {
	const uint8_t *next;
	size_t left;
	size_t step;
} sent;

int __wrap_socket(int domain, int type, int protocol);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags);

/* A descriptor that can be closed. */
int __wrap_socket(int domain, int type, int protocol)
{
	(void)domain;
	(void)type;
	(void)protocol;
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	(void)fd;
	(void)address;
	(void)len;
	return 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	(void)fd;
	(void)level;
	(void)name;
	(void)value;
	(void)len;
	return 0;
}

ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags)
{
	const char *request = buf;

	(void)fd;
	(void)flags;
	FUZZ_CHECK(len > 1 && request[len - 1] == '\n');
	FUZZ_CHECK(!memchr(request, '\n', len - 1));
	return (ssize_t)len;
}

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags)
{
	size_t n = sent.left < sent.step ? sent.left : sent.step;

	(void)fd;
	(void)flags;
	if (n > len)
		n = len;
	memcpy(buf, sent.next, n);
	sent.next += n;
	sent.left -= n;
	return (ssize_t)n;
}

/* --- the terminal -----------------------------------------------------------------------------*/

static char printed[PRINTED_MAX];

/* stdout and stderr are one stream in memory from the first input on. */
static void open_terminal(void)
{
	if (stdout == stderr)
		return;
	setenv("NO_COLOR", "1", 1);
	stdout = fmemopen(printed, sizeof(printed), "w");
	FUZZ_CHECK(stdout);
	stderr = stdout;
}

static void check_printed(bool for_people)
{
	long len;

	FUZZ_CHECK(fflush(stdout) == 0);
	len = ftell(stdout);
	FUZZ_CHECK(len >= 0 && len < (long)sizeof(printed));
	for (long i = 0; for_people && i < len; i++) {
		unsigned char c = (unsigned char)printed[i];
		unsigned char next = (unsigned char)printed[i + 1];

		FUZZ_CHECK(c == '\n' || (c >= ' ' && c != 0x7f));
		FUZZ_CHECK(c != 0xc2 || i + 1 == len || next < 0x80 || next >= 0xa0);
	}
}

/* --- the commands -----------------------------------------------------------------------------*/

static const struct command {
	int (*run)(struct ctl *ctl, int argc, char **argv);
	const char *argv[4];
	int argc;
	bool raw; /* writes what it is given, for programs */
} commands[] = {
	{ctl_status, {"status"}, 1, false},
	{ctl_stats, {"stats"}, 1, false},
	{ctl_events, {"events"}, 1, false},
	{ctl_events, {"events", "-f"}, 2, false},
	{ctl_events, {"events", "--port=80", "--action=destroy"}, 3, false},
	{ctl_explain, {"explain", "127.0.0.1:1", "[::1]:2"}, 3, false},
	{ctl_mode, {"mode", "audit"}, 2, false},
	{ctl_reload, {"reload"}, 1, false},
	{ctl_metrics, {"metrics"}, 1, true},
	{ctl_ping, {"ping"}, 1, false},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctl ctl = {.socket = "/nowhere", .conf_path = "/nowhere"};
	const struct command *command;
	char words[4][32];
	char *argv[5] = {NULL};
	int status;

	if (size < 2 || size > ANSWER_MAX)
		return 0;
	open_terminal();
	rewind(stdout);
	ctl.json = data[0] & 0x80;
	command = &commands[(data[0] & 0x7f) % (sizeof(commands) / sizeof(commands[0]))];
	/* getopt() sorts what it is given. */
	for (int i = 0; i < command->argc; i++)
		argv[i] = strcpy(words[i], command->argv[i]);
	sent.next = data + 2;
	sent.left = size - 2;
	sent.step = data[1] + 1U;

	status = command->run(&ctl, command->argc, argv);
	FUZZ_CHECK(status == CTL_OK || status == CTL_FAILED || status == CTL_NO_DAEMON ||
		   status == CTL_DENIED);
	check_printed(!ctl.json && !command->raw);
	return 0;
}
