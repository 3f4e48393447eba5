/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ownerserver.h"
#include "clock.h"
#include "ownertable.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

/* false if the other end is closed meanwhile. */
static bool wait_until(int fd, uint64_t due_us)
{
	struct pollfd pfd = {.fd = fd}; /* POLLHUP needs not be asked for */
	uint64_t now_us;

	while ((now_us = clock_us(CLOCK_MONOTONIC)) < due_us) {
		int n = poll(&pfd, 1, (int)((due_us - now_us + 999) / 1000));

		if (n > 0)
			return false;
	}
	return true;
}

/* Fills ret_leaker; false if the other end is closed. */
static bool look_up(struct ownertable *table, const struct owner_question *question, int fd,
		    struct leaker *ret_leaker)
{
	uint64_t due_us = ownertable_due_us(table);

	if (clock_us(CLOCK_MONOTONIC) > question->until_us) {
		ret_leaker->kind = LEAKER_LATE;
		return true;
	}
	if (ownertable_find(table, question->inode, ret_leaker))
		return true;
	if (ownertable_is_newer(table, question->since_us)) {
		ret_leaker->kind = ownertable_missing(table);
		return true;
	}
	if (due_us > question->until_us) {
		ret_leaker->kind = LEAKER_LATE;
		return true;
	}
	if (!wait_until(fd, due_us))
		return false;
	if (ownertable_walk(table, question->inode) < 0)
		ret_leaker->kind = LEAKER_DENIED;
	else if (!ownertable_find(table, question->inode, ret_leaker))
		ret_leaker->kind = ownertable_missing(table);
	return true;
}

static int serve(int fd, struct ownertable *table)
{
	for (;;) {
		struct owner_question question;
		struct owner_answer answer = {0};
		ssize_t len = recv(fd, &question, sizeof(question), 0);

		if (len == 0)
			return 0;
		if (len < 0 && errno == EINTR)
			continue;
		if (len != sizeof(question))
			return len < 0 ? -errno : -EBADMSG;
		answer.id = question.id;
		if (!look_up(table, &question, fd, &answer.leaker))
			return 0;
		if (send(fd, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			return errno == EPIPE || errno == ECONNRESET ? 0 : -errno;
	}
}

int ownerserver_run(int fd, const char *root)
{
	struct ownertable *table;
	int err = ownertable_new(root, &table);

	if (err == 0) {
		err = serve(fd, table);
		ownertable_free(table);
	}
	return err;
}
