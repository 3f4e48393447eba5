/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "lib/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int endpoint_parse(const char *address, uint16_t port, union endpoint *ret_ep)
{
	char text[ENDPOINT_TEXT];
	union endpoint ep;
	char *scope;

	memset(&ep, 0, sizeof(ep));
	if (inet_pton(AF_INET, address, &ep.v4.sin_addr) == 1) {
		ep.v4.sin_family = AF_INET;
	} else {
		if (strlen(address) >= sizeof(text))
			return -EINVAL;
		strcpy(text, address);
		scope = strchr(text, '%');
		if (scope)
			*scope++ = '\0';
		memset(&ep, 0, sizeof(ep));
		ep.v6.sin6_family = AF_INET6;
		if (inet_pton(AF_INET6, text, &ep.v6.sin6_addr) != 1)
			return -EINVAL;
		if (scope) {
			ep.v6.sin6_scope_id = if_nametoindex(scope);
			if (ep.v6.sin6_scope_id == 0)
				return -EINVAL;
		}
	}
	endpoint_set_port(&ep, port);
	*ret_ep = ep;
	return 0;
}

int endpoint_parse_pair(const char *text, union endpoint *ret_ep)
{
	const char *colon = strrchr(text, ':'), *start = text;
	char address[ENDPOINT_TEXT], *end;
	size_t len;
	long port;

	if (!colon)
		return -EINVAL;
	len = (size_t)(colon - text);
	if (text[0] == '[') {
		if (len < 2 || text[len - 1] != ']')
			return -EINVAL;
		start++;
		len -= 2;
	} else if (memchr(text, ':', len)) {
		return -EINVAL; /* IPv6 without brackets: which colon is the port's? */
	}
	if (len >= sizeof(address) || colon[1] < '0' || colon[1] > '9')
		return -EINVAL;
	memcpy(address, start, len);
	address[len] = '\0';
	port = strtol(colon + 1, &end, 10);
	if (*end || port > 65535)
		return -EINVAL;
	return endpoint_parse(address, (uint16_t)port, ret_ep);
}

socklen_t endpoint_len(const union endpoint *ep)
{
	return ep->sa.sa_family == AF_INET6 ? sizeof(ep->v6) : sizeof(ep->v4);
}

uint16_t endpoint_port(const union endpoint *ep)
{
	return ntohs(ep->sa.sa_family == AF_INET6 ? ep->v6.sin6_port : ep->v4.sin_port);
}

void endpoint_set_port(union endpoint *ep, uint16_t port)
{
	if (ep->sa.sa_family == AF_INET6)
		ep->v6.sin6_port = htons(port);
	else
		ep->v4.sin_port = htons(port);
}

union endpoint endpoint_mapped(const union endpoint *ep)
{
	union endpoint mapped;

	if (ep->sa.sa_family == AF_INET6)
		return *ep;
	memset(&mapped, 0, sizeof(mapped));
	mapped.v6.sin6_family = AF_INET6;
	mapped.v6.sin6_port = ep->v4.sin_port;
	mapped.v6.sin6_addr.s6_addr[10] = 0xff;
	mapped.v6.sin6_addr.s6_addr[11] = 0xff;
	memcpy(&mapped.v6.sin6_addr.s6_addr[12], &ep->v4.sin_addr, sizeof(ep->v4.sin_addr));
	return mapped;
}

union endpoint endpoint_unmapped(const union endpoint *ep)
{
	union endpoint plain;

	if (ep->sa.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&ep->v6.sin6_addr))
		return *ep;
	memset(&plain, 0, sizeof(plain));
	plain.v4.sin_family = AF_INET;
	plain.v4.sin_port = ep->v6.sin6_port;
	memcpy(&plain.v4.sin_addr, &ep->v6.sin6_addr.s6_addr[12], sizeof(plain.v4.sin_addr));
	return plain;
}

int endpoint_local(int fd, union endpoint *ret_ep)
{
	socklen_t len = sizeof(*ret_ep);

	return getsockname(fd, &ret_ep->sa, &len) < 0 ? -errno : 0;
}

int endpoint_peer(int fd, union endpoint *ret_ep)
{
	socklen_t len = sizeof(*ret_ep);

	return getpeername(fd, &ret_ep->sa, &len) < 0 ? -errno : 0;
}

const char *endpoint_format(const union endpoint *ep, char buf[ENDPOINT_TEXT])
{
	char address[INET6_ADDRSTRLEN], scope[IF_NAMESIZE + 1] = "";

	if (ep->sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &ep->v4.sin_addr, address, sizeof(address));
		snprintf(buf, ENDPOINT_TEXT, "%s:%u", address, endpoint_port(ep));
		return buf;
	}
	inet_ntop(AF_INET6, &ep->v6.sin6_addr, address, sizeof(address));
	if (ep->v6.sin6_scope_id) {
		scope[0] = '%';
		if (!if_indextoname(ep->v6.sin6_scope_id, scope + 1))
			snprintf(scope + 1, sizeof(scope) - 1, "%u", ep->v6.sin6_scope_id);
	}
	snprintf(buf, ENDPOINT_TEXT, "[%s%s]:%u", address, scope, endpoint_port(ep));
	return buf;
}
