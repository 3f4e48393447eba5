/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "rules.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "ctl.h"
#include "daemon.h"
#include "lib/run.h"

const char *rules_program(void)
{
	const char *program = getenv("CLOSEWAITD_RULES");

	return program ? program : "conf/closewaitd-rules";
}

/* What an "up" that was free to choose has chosen. */
static const char *chosen_backend(void)
{
	int rc = run_iptables(AF_INET, "-t", "mangle", "-S", "CLOSEWAITD", NULL);

	return rc == 0 ? "iptables" : "nft";
}

int rules_up(const char *conf_path)
{
	/* Chosen once: it takes longer than everything else that a test does. */
	static const char *backend;
	const char *const argv[] = {
		rules_program(), "up", "-c", conf_path, backend ? "--backend" : NULL, backend, NULL,
	};
	int rc;

	/* The script asks the one what the configuration means, and the other what is in force. */
	if (setenv("CLOSEWAITD", daemon_program(), 1) < 0 ||
	    setenv("CLOSEWAITCTL", ctl_program(), 1) < 0)
		return -errno;
	rc = run_command(argv);
	if (rc == 0 && !backend)
		backend = chosen_backend();
	return rc > 0 ? -EINVAL : rc;
}

int rules_down(void)
{
	const char *const argv[] = {rules_program(), "down", NULL};
	int rc = run_command(argv);

	return rc > 0 ? -EINVAL : rc;
}

/*
 * Adds up the lines of the table: number, port id, held, copy mode, copy range, two kinds of losses,
 * last id.
 */
static int read_queues(long only, long *ret_held, long *ret_last_ids)
{
	FILE *table = fopen("/proc/thread-self/net/netfilter/nfnetlink_queue", "re");
	unsigned int number, held, last_id;
	char line[256];
	int rc = -ENOENT;

	if (!table)
		return -errno;
	*ret_held = *ret_last_ids = 0;
	while (fgets(line, sizeof(line), table)) {
		if (sscanf(line, "%u %*u %u %*u %*u %*u %*u %u", &number, &held, &last_id) != 3 ||
		    (only >= 0 && number != only))
			continue;
		*ret_held += held;
		*ret_last_ids += last_id;
		rc = 0;
	}
	fclose(table);
	return rc;
}

long rules_queued(void)
{
	long held, last_ids;
	int rc = read_queues(-1, &held, &last_ids);

	return rc < 0 ? rc : last_ids;
}

long rules_queued_to(unsigned int queue)
{
	long held, last_id;
	int rc = read_queues(queue, &held, &last_id);

	return rc < 0 ? rc : last_id;
}

long rules_held(void)
{
	long held, last_ids;
	int rc = read_queues(-1, &held, &last_ids);

	return rc < 0 ? rc : held;
}
