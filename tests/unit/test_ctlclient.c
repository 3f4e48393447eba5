/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of ctlclient's patience: with a daemon that does not take connections, or does not answer. */
#include "config.h"

#include "ctlclient.h"
#include "ctloptions.h"
#include "unit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* What was said last (linked with --wrap=ctl_complain). */
static char complaint[256];

void __wrap_ctl_complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void __wrap_ctl_complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(complaint, sizeof(complaint), fmt, ap);
	va_end(ap);
}

int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);

/* The test has less patience than people have. */
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	const struct timeval shorter = {.tv_usec = 20000};
	const struct timeval *limit = value;

	assert_int_equal(len, sizeof(*limit));
	assert_int_equal(limit->tv_sec, 10);
	return __real_setsockopt(fd, level, name, &shorter, sizeof(shorter));
}

struct fixture {
	char path[64];
	int listener;
	struct ctl ctl;
};

static int setup(void **state)
{
	static struct fixture f;
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(f.path, sizeof(f.path), "/tmp/closewaitd-test-%d.sock", (int)getpid());
	strcpy(address.sun_path, f.path);
	f.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(f.listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(f.listener, 0), 0); /* has room for one */
	f.ctl = (struct ctl){.socket = f.path, .conf_path = "/nonexistent"};
	complaint[0] = '\0';
	alarm(20); /* one that waits for ever must not be waited for */
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	const struct fixture *f = *state;

	alarm(0);
	close(f->listener);
	return unlink(f->path);
}

static void check_complaint(const struct fixture *f, const char *wanted)
{
	char expected[256];

	snprintf(expected, sizeof(expected), "%s: %s", f->path, wanted);
	assert_string_equal(complaint, expected);
}

static void test_connections_that_nobody_takes(void **state)
{
	struct fixture *f = *state;
	struct ctlclient *first = NULL, *second = NULL;

	assert_int_equal(ctlclient_open(&f->ctl, &first), CTL_OK);
	assert_int_equal(ctlclient_try(&f->ctl, &second), CTL_NO_DAEMON);
	assert_string_equal(complaint, "");
	assert_int_equal(ctlclient_open(&f->ctl, &second), CTL_NO_DAEMON);
	check_complaint(f, "no connection taken for 10 s: the daemon is stopped or stuck");
	assert_null(second);
	ctlclient_close(first);
}

static void test_questions_that_nobody_answers(void **state)
{
	struct fixture *f = *state;
	struct ctlclient *client = NULL;
	json_t *line = NULL;

	assert_int_equal(ctlclient_open(&f->ctl, &client), CTL_OK);
	assert_int_equal(ctlclient_send(client, json_object()), CTL_OK);
	assert_int_equal(ctlclient_receive(client, false, &line), CTL_NO_DAEMON);
	check_complaint(f, "no answer for 10 s: the daemon is stopped or stuck");
	assert_null(line);
	ctlclient_close(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_connections_that_nobody_takes),
		TEST(test_questions_that_nobody_answers),
	};

	return cmocka_run_group_tests_name("ctlclient", tests, NULL, NULL);
}
