/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "lib/errname.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

static const struct {
	int err;
	const char *name;
} names[] = {
	{0, "OK"},
	{EACCES, "EACCES"},
	{EADDRINUSE, "EADDRINUSE"},
	{EADDRNOTAVAIL, "EADDRNOTAVAIL"},
	{EAFNOSUPPORT, "EAFNOSUPPORT"},
	{EAGAIN, "EAGAIN"},
	{EALREADY, "EALREADY"},
	{EBADF, "EBADF"},
	{EBUSY, "EBUSY"},
	{ECONNABORTED, "ECONNABORTED"},
	{ECONNREFUSED, "ECONNREFUSED"},
	{ECONNRESET, "ECONNRESET"},
	{EHOSTUNREACH, "EHOSTUNREACH"},
	{EINPROGRESS, "EINPROGRESS"},
	{EINTR, "EINTR"},
	{EINVAL, "EINVAL"},
	{EIO, "EIO"},
	{EMFILE, "EMFILE"},
	{ENETUNREACH, "ENETUNREACH"},
	{ENFILE, "ENFILE"},
	{ENOBUFS, "ENOBUFS"},
	{ENOENT, "ENOENT"},
	{ENOMEM, "ENOMEM"},
	{ENOTCONN, "ENOTCONN"},
	{EOPNOTSUPP, "EOPNOTSUPP"},
	{EPERM, "EPERM"},
	{EPIPE, "EPIPE"},
	{EPROTONOSUPPORT, "EPROTONOSUPPORT"},
	{ESRCH, "ESRCH"},
	{ETIMEDOUT, "ETIMEDOUT"},
};

const char *errname(int err)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].err == abs(err))
			return names[i].name;
	return "errno";
}
