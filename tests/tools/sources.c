/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "sources.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static int parse_range(const char *text, size_t first_len, struct sources *ret_sources)
{
	char first_text[ENDPOINT_TEXT];
	union endpoint first, last;
	uint32_t from, to;

	if (first_len >= sizeof(first_text))
		return -EINVAL;
	memcpy(first_text, text, first_len);
	first_text[first_len] = '\0';
	if (endpoint_parse(first_text, 0, &first) < 0 ||
	    endpoint_parse(text + first_len + 1, 0, &last) < 0 || first.sa.sa_family != AF_INET ||
	    last.sa.sa_family != AF_INET)
		return -EINVAL;
	from = ntohl(first.v4.sin_addr.s_addr);
	to = ntohl(last.v4.sin_addr.s_addr);
	if (to < from || to - from >= SOURCES_MAX)
		return -EINVAL;
	ret_sources->first = first;
	ret_sources->count = to - from + 1;
	return 0;
}

int sources_parse(const char *text, struct sources *ret_sources)
{
	const char *dash = strchr(text, '-');

	if (dash)
		return parse_range(text, (size_t)(dash - text), ret_sources);
	if (endpoint_parse(text, 0, &ret_sources->first) < 0)
		return -EINVAL;
	ret_sources->count = 1;
	return 0;
}

union endpoint sources_at(const struct sources *sources, size_t index, uint16_t port)
{
	union endpoint source = sources->first;

	if (index) /* a range is IPv4 */
		source.v4.sin_addr.s_addr =
			htonl(ntohl(source.v4.sin_addr.s_addr) + (uint32_t)index);
	endpoint_set_port(&source, port);
	return source;
}
