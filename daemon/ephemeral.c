/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "ephemeral.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The kernel's defaults: TCP_FIN_TIMEOUT, and tcp_tw_reuse since 4.19. */
#define DEFAULT_FIN_TIMEOUT_S 60
#define REUSE_ALWAYS	      1
#define REUSE_LOOPBACK	      2

/* The one line of a setting; NULL if it cannot be read. The caller frees it. */
static char *read_line(const char *root, const char *name)
{
	char path[PATH_MAX];
	char *line = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	file = fopen(path, "re");
	if (!file)
		return NULL;
	if (getline(&line, &size, file) < 0) {
		free(line);
		line = NULL;
	}
	fclose(file);
	return line;
}

static unsigned int read_number(const char *root, const char *name, unsigned int otherwise)
{
	char *line = read_line(root, name);
	unsigned int number;

	if (!line || sscanf(line, "%u", &number) != 1)
		number = otherwise;
	free(line);
	return number;
}

static int read_range(const char *root, struct ephemeral *e)
{
	char *line = read_line(root, "ip_local_port_range");
	unsigned int low, high;
	int err = 0;

	if (!line)
		return -errno;
	if (sscanf(line, "%u %u", &low, &high) != 2 || low > high || high > UINT16_MAX)
		err = -EBADMSG;
	free(line);
	if (err == 0) {
		e->low = (uint16_t)low;
		e->high = (uint16_t)high;
	}
	return err;
}

static void read_reserved(const char *root, struct portset *reserved)
{
	/* As long as 65536 ports make it: it is read whole. */
	char *line = read_line(root, "ip_local_reserved_ports");

	if (!line || portset_add_list(reserved, line) < 0)
		memset(reserved, 0, sizeof(*reserved));
	free(line);
}

int ephemeral_read(const char *root, struct ephemeral *ret_ephemeral)
{
	struct ephemeral e = {.low = 0};
	unsigned int reuse;
	int err = read_range(root, &e);

	if (err < 0)
		return err;
	read_reserved(root, &e.reserved);
	reuse = read_number(root, "tcp_tw_reuse", REUSE_LOOPBACK);
	e.reuse_always = reuse == REUSE_ALWAYS;
	e.reuse_loopback = reuse == REUSE_ALWAYS || reuse == REUSE_LOOPBACK;
	e.fin_timeout_s = read_number(root, "tcp_fin_timeout", DEFAULT_FIN_TIMEOUT_S);
	*ret_ephemeral = e;
	return 0;
}
