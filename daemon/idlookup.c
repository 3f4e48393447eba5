/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "idlookup.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Bytes for an entry: the first try, and where an ever growing answer is given up. */
#define ENTRY_SIZE_FIRST ((size_t)1024)
#define ENTRY_SIZE_LAST	 ((size_t)1024 * 1024)

/* One try with a buffer for the entry's strings; 0 or an errno, as getpwnam_r() has it. */
typedef int try_lookup(const char *name, char *buf, size_t size, bool *ret_found, uint32_t *ret_id);

static int try_user(const char *name, char *buf, size_t size, bool *ret_found, uint32_t *ret_id)
{
	struct passwd entry, *found;
	int err = getpwnam_r(name, &entry, buf, size, &found);

	*ret_found = err == 0 && found;
	if (*ret_found)
		*ret_id = entry.pw_uid;
	return err;
}

static int try_group(const char *name, char *buf, size_t size, bool *ret_found, uint32_t *ret_id)
{
	struct group entry, *found;
	int err = getgrnam_r(name, &entry, buf, size, &found);

	*ret_found = err == 0 && found;
	if (*ret_found)
		*ret_id = entry.gr_gid;
	return err;
}

static int lookup(try_lookup *try, const char *name, uint32_t *ret_id)
{
	bool found = false;
	int err = ERANGE;

	for (size_t size = ENTRY_SIZE_FIRST; err == ERANGE && size <= ENTRY_SIZE_LAST; size *= 2) {
		char *buf = malloc(size);

		if (!buf)
			return -ENOMEM;
		do {
			err = try(name, buf, size, &found, ret_id);
		} while (err == EINTR);
		free(buf);
	}
	if (found)
		return 0;
	/* Not found is 0 or, from some name services, one of these (getpwnam(3)). */
	if (err == 0 || err == ESRCH || err == EBADF || err == EPERM)
		return -ENOENT;
	return -err;
}

int idlookup_user(const char *text, uid_t *ret_uid)
{
	unsigned long long number;
	uint32_t id;
	char *end;
	int err;

	if (text[0] != '\0' && text[strspn(text, "0123456789")] == '\0') {
		errno = 0;
		number = strtoull(text, &end, 10);
		/* The highest number is the "no user" of setreuid(2) and chown(2). */
		if (errno == ERANGE || number >= UINT32_MAX)
			return -ENOENT;
		*ret_uid = (uid_t)number;
		return 0;
	}
	err = lookup(try_user, text, &id);
	if (err < 0)
		return err;
	*ret_uid = id;
	return 0;
}

int idlookup_group(const char *name, gid_t *ret_gid)
{
	uint32_t id;
	int err = lookup(try_group, name, &id);

	if (err < 0)
		return err;
	*ret_gid = id;
	return 0;
}
