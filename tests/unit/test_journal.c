/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of journal against a socket of the test's own in the journal's place. */
#include "config.h"

#include "incident.h"
#include "journal.h"
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct {
	char dir[32];
	struct sockaddr_un address;
	int fd; /* where the entries arrive, -1: nobody is there */
	struct journal *journal;
	char entry[4096];
	size_t len;
} t;

static void receive_entries(void)
{
	t.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(t.fd >= 0);
	assert_int_equal(bind(t.fd, (const struct sockaddr *)&t.address, sizeof(t.address)), 0);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(t.dir, "closewaitd-test-XXXXXX"); /* in the build folder */
	assert_non_null(mkdtemp(t.dir));
	t.address.sun_family = AF_UNIX;
	snprintf(t.address.sun_path, sizeof(t.address.sun_path), "%s/socket", t.dir);
	t.fd = -1;
	assert_int_equal(journal_open(t.address.sun_path, &t.journal), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	journal_close(t.journal);
	if (t.fd >= 0)
		close(t.fd);
	unlink(t.address.sun_path);
	rmdir(t.dir);
	return 0;
}

static int send_one(const struct event_field *fields, size_t n)
{
	const struct incident incident = {.finding = FINDING_COLLISION};

	return journal_send(t.journal, LEVEL_WARNING, journal_message_id(&incident),
			    "what happened", fields, n);
}

static void receive(void)
{
	ssize_t len = recv(t.fd, t.entry, sizeof(t.entry) - 1, 0);

	assert_true(len > 0);
	t.len = (size_t)len;
	t.entry[t.len] = '\0';
}

static void test_fields(void **state)
{
	const struct event_field fields[] = {
		{"src", "127.0.0.1:40001", 0},
		{"age_ms", NULL, 18446744073709551615u},
		{"rule", "a = b", 0},
		{"cgroup", "", 0},
	};

	(void)state;
	receive_entries();
	assert_int_equal(send_one(fields, 4), 0);
	receive();
	assert_string_equal(t.entry, "MESSAGE=what happened\n"
				     "PRIORITY=4\n"
				     "SYSLOG_IDENTIFIER=closewaitd\n"
				     "MESSAGE_ID=17f451735c6e4bbf872db02cb2f5bcaf\n"
				     "CLOSEWAITD_SRC=127.0.0.1:40001\n"
				     "CLOSEWAITD_AGE_MS=18446744073709551615\n"
				     "CLOSEWAITD_RULE=a = b\n"
				     "CLOSEWAITD_CGROUP=\n");
}

/* Else the rest of a path with a newline in it would be a field of its own choice. */
static void test_newlines(void **state)
{
	static const char expected[] = "CLOSEWAITD_CGROUP\n\x08\0\0\0\0\0\0\0/a\n_PID=\n"
				       "CLOSEWAITD_UID=33\n";
	const size_t len = sizeof(expected) - 1;
	const struct event_field fields[] = {
		{"cgroup", "/a\n_PID=", 0},
		{"uid", NULL, 33},
	};

	(void)state;
	receive_entries();
	assert_int_equal(send_one(fields, 2), 0);
	receive();
	assert_true(t.len > len);
	assert_memory_equal(t.entry + t.len - len, expected, len);
}

/* An event with everything in it, as the daemon makes it. */
static void test_whole_event(void **state)
{
	struct incident incident = {
		.finding = FINDING_COLLISION,
		.has_occupant = true,
		.has_claimant = true,
		.claimant_state = TCPSTATE_SYN_SENT,
		.occupant = {.state = TCPSTATE_CLOSE_WAIT, .has_age = true, .uid = 33},
		.error = -EPERM,
	};
	struct event_field fields[EVENT_FIELDS_MAX];
	struct event_text text;
	size_t n = event_fields(&incident, "/system.slice/a.service", &text, fields);

	(void)state;
	receive_entries();
	assert_int_equal(send_one(fields, n), 0);
	receive();
	for (size_t i = 0; i < n; i++) {
		char name[64];

		snprintf(name, sizeof(name), "\nCLOSEWAITD_%s=", fields[i].key);
		for (char *c = name; *c; c++)
			*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
		if (!strstr(t.entry, name))
			fail_msg("no field for %s in: %s", fields[i].key, t.entry);
	}
}

static void test_no_journal(void **state)
{
	(void)state;
	assert_int_equal(send_one(NULL, 0), -ENOENT);
	receive_entries();
	assert_int_equal(send_one(NULL, 0), 0);
	close(t.fd);
	t.fd = -1;
	assert_int_equal(send_one(NULL, 0), -ECONNREFUSED);
	/* It comes back. */
	unlink(t.address.sun_path);
	receive_entries();
	assert_int_equal(send_one(NULL, 0), 0);
}

static void test_journal_that_does_not_read(void **state)
{
	int err = 0;
	int sent = 0;

	(void)state;
	receive_entries();
	while (err == 0 && sent < 100000) {
		err = send_one(NULL, 0);
		sent += err == 0;
	}
	assert_int_equal(err, -EAGAIN);
	receive();
	assert_int_equal(send_one(NULL, 0), 0);
}

static const char *id_of(unsigned int finding)
{
	const struct incident syn = {.finding = (enum finding)finding};
	const struct incident mine = {.kind = INCIDENT_MINE};

	return journal_message_id(finding == FINDING_COUNT ? &mine : &syn);
}

/* Behind the findings: the mine. */
static void test_message_ids(void **state)
{
	(void)state;
	for (unsigned int i = 0; i <= FINDING_COUNT; i++) {
		const char *id = id_of(i);

		assert_int_equal(id != NULL,
				 i == FINDING_COUNT || incident_is_told((enum finding)i));
		if (!id)
			continue;
		assert_int_equal(strlen(id), 32);
		assert_int_equal(strspn(id, "0123456789abcdef"), 32);
		for (unsigned int k = 0; k < i; k++)
			assert_true(!id_of(k) || strcmp(id, id_of(k)) != 0);
	}
}

static void test_long_path(void **state)
{
	struct journal *journal;
	char path[200];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(journal_open(path, &journal), -ENAMETOOLONG);
}

#define JOURNAL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOURNAL_TEST(test_fields),
		JOURNAL_TEST(test_newlines),
		JOURNAL_TEST(test_whole_event),
		JOURNAL_TEST(test_no_journal),
		JOURNAL_TEST(test_journal_that_does_not_read),
		cmocka_unit_test(test_message_ids),
		cmocka_unit_test(test_long_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
