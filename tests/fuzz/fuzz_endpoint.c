/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A text, as somebody types it behind closewaitctl explain: an address with a port, or none. */
#include "config.h"

#include "fuzz.h"
#include "tuple.h"

#include <string.h>

const char fuzz_target[] = "endpoint";

/* Far beyond any address: what is longer is refused as it is. */
#define TEXT_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX], again[ENDPOINT_STRLEN], addr[INET6_ADDRSTRLEN];
	struct endpoint untouched, ep, other;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	memset(&untouched, 0xa5, sizeof(untouched));
	ep = untouched;
	if (endpoint_parse(text, &ep) < 0) {
		FUZZ_CHECK(memcmp(&ep, &untouched, sizeof(ep)) == 0);
		return 0;
	}

	endpoint_format(&ep, again);
	FUZZ_CHECK(strlen(again) < sizeof(again));
	FUZZ_CHECK(endpoint_parse(again, &other) == 0);
	FUZZ_CHECK(addr_equal(&ep.addr, &other.addr) && ep.port == other.port);
	FUZZ_CHECK(strstr(again, addr_format(&ep.addr, addr)));
	return 0;
}
