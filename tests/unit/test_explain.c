/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of explain: what it says that the daemon would do, by what the kernel answers and can do. */
#include "config.h"

#include "conf.h"
#include "explain.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

/* The kernel: one socket on the SYN's tuple, and who sends the SYN. */
static struct {
	struct sock_info occupant;
	bool connecting; /* a socket in SYN_SENT is on the SYN's own tuple */
	bool destroys_closed;
} kernel;

static struct conf *conf;
static struct tuple syn;

void __wrap_diag_lookup(struct diag *diag, const struct diag_request *requests, size_t n,
			struct diag_answer *ret_answers);
int __wrap_diag_sockets_on(struct diag *diag, const struct endpoint *local, tcpstate_set states,
			   struct sock_info *ret_infos, size_t max, size_t *ret_count);
bool __wrap_diag_destroys_closed(void);
uint32_t __wrap_hostaddr_lo(const struct hostaddr *host);
bool __wrap_hostaddr_tracks_connections(void);
const char *__wrap_cgroup_unit(struct cgroup_map *map, uint64_t id);

/* --- what the linker puts in ------------------------------------------------------------------ */

void __wrap_diag_lookup(struct diag *diag, const struct diag_request *requests, size_t n,
			struct diag_answer *ret_answers)
{
	(void)diag;
	for (size_t i = 0; i < n; i++) {
		ret_answers[i] = (struct diag_answer){.error = -ENOENT};
		if (endpoint_equal(&requests[i].socket.src, &syn.dst))
			ret_answers[i] = (struct diag_answer){.info = kernel.occupant};
		else if (kernel.connecting)
			ret_answers[i] = (struct diag_answer){.info.state = TCPSTATE_SYN_SENT};
	}
}

int __wrap_diag_sockets_on(struct diag *diag, const struct endpoint *local, tcpstate_set states,
			   struct sock_info *ret_infos, size_t max, size_t *ret_count)
{
	(void)diag;
	(void)local;
	(void)states;
	(void)ret_infos;
	(void)max;
	*ret_count = 0;
	return 0;
}

bool __wrap_diag_destroys_closed(void)
{
	return kernel.destroys_closed;
}

uint32_t __wrap_hostaddr_lo(const struct hostaddr *host)
{
	(void)host;
	return 1;
}

bool __wrap_hostaddr_tracks_connections(void)
{
	return false;
}

const char *__wrap_cgroup_unit(struct cgroup_map *map, uint64_t id)
{
	(void)map;
	(void)id;
	return NULL;
}

/* --- the tests --------------------------------------------------------------------------------- */

static int setup(void **state)
{
	(void)state;
	assert_int_equal(endpoint_parse("127.0.0.1:40000", &syn.src), 0);
	assert_int_equal(endpoint_parse("127.0.0.1:80", &syn.dst), 0);
	return conf_defaults(&conf);
}

static int teardown(void **state)
{
	(void)state;
	conf_free(conf);
	return 0;
}

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* What is said of the occupant in a decision: result "failed" has an error, and no other has. */
static void check_decision(const json_t *decision, const char *result)
{
	assert_non_null(decision);
	assert_string_equal(text(decision, "rule"), "default");
	assert_string_equal(text(decision, "action"), "destroy");
	assert_string_equal(text(decision, "result"), result);
	if (strcmp(result, "failed") == 0)
		assert_string_equal(text(decision, "error"), strerror(EOPNOTSUPP));
	else
		assert_null(json_object_get(decision, "error"));
}

static void closed_sockets_depend_on_the_kernel(void **state)
{
	static const struct {
		enum tcpstate state;
		uint32_t inode;
		bool destroys_closed;
		enum mode mode;
		const char *result;
	} cases[] = {
		{TCPSTATE_CLOSE_WAIT, 7, false, MODE_ENFORCE, "destroyed"},
		/* Not accepted yet: no process has closed it. */
		{TCPSTATE_CLOSE_WAIT, 0, false, MODE_ENFORCE, "destroyed"},
		{TCPSTATE_LAST_ACK, 0, false, MODE_ENFORCE, "failed"},
		{TCPSTATE_LAST_ACK, 0, true, MODE_ENFORCE, "destroyed"},
		{TCPSTATE_LAST_ACK, 0, false, MODE_AUDIT, "audited"},
		/* Shut down only. */
		{TCPSTATE_LAST_ACK, 7, false, MODE_ENFORCE, "destroyed"},
	};

	(void)state;
	conf->policy.stale = TCPSTATE_SET_ALL;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		const struct explain_sources sources = {NULL, NULL, NULL};
		struct explanation explanation;
		json_t *object;

		kernel.occupant = (struct sock_info){
			.state = cases[i / 2].state, .inode = cases[i / 2].inode, .cookie = 5};
		kernel.destroys_closed = cases[i / 2].destroys_closed;
		kernel.connecting = i % 2;
		explain_syn(&sources, &conf->policy, cases[i / 2].mode, &syn, &explanation);
		object = explain_object(&explanation, NULL);
		if (kernel.connecting) {
			assert_string_equal(text(object, "event"), "collision");
			assert_null(json_object_get(object, "if_proven"));
			check_decision(object, cases[i / 2].result);
		} else {
			assert_string_equal(text(object, "event"), "unproven");
			assert_null(json_object_get(object, "error"));
			check_decision(json_object_get(object, "if_proven"), cases[i / 2].result);
		}
		json_decref(object);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(closed_sockets_depend_on_the_kernel, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
