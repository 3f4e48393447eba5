/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every way in which a configuration can be wrong: the exact text, the exact line. */
#include "config.h"

#include "conf.h"
#include "conferror.h"
#include "names.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>

/* Of processor time, since this machine may be busy: who needs so much has become quadratic. */
#define HANG_SECONDS 60

struct wrong {
	const char *text;
	const char *error;
};

static void assert_wrong(const char *text, const char *expected)
{
	static struct conf untouched;
	struct conf *conf = &untouched;
	char error[CONF_ERROR_SIZE] = "no error";
	int err = conf_parse(text, "f", &conf, error);

	assert_string_equal(error, expected);
	assert_int_equal(err, -EINVAL);
	assert_ptr_equal(conf, &untouched);
}

static void assert_all_wrong(const struct wrong *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_wrong(cases[i].text, cases[i].error);
}

/* The same for a rule: what stands in { } after its name and action, which are on line 3. */
static void assert_rules_wrong(const struct wrong *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char text[2048], error[CONF_ERROR_SIZE];

		snprintf(
			text, sizeof(text),
			"policy = {\n rules = (\n  { name = \"web\"; action = \"log\";\n%s } ); };",
			cases[i].text);
		snprintf(error, sizeof(error), "f:4: rule \"web\": %s", cases[i].error);
		assert_wrong(text, error);
	}
}

static void unknown_settings(void **state)
{
	static const struct wrong cases[] = {
		{"quue = { };",
		 "f:1: unknown setting \"quue\" in the top level (did you mean \"queue\"?)"},
		{"\n\nQueue = { };",
		 "f:3: unknown setting \"Queue\" in the top level (did you mean \"queue\"?)"},
		{"modes = 1;",
		 "f:1: unknown setting \"modes\" in the top level (did you mean \"mode\"?)"},
		{"frobnicate = 1;", "f:1: unknown setting \"frobnicate\" in the top level"},
		{"queue = {\n  max-held = 5;\n};",
		 "f:2: unknown setting \"max-held\" in queue (did you mean \"max_held\"?)"},
		{"queue = {\n\n  nubmer = 5; };",
		 "f:3: unknown setting \"nubmer\" in queue (did you mean \"number\"?)"},
		{"queue = { frobnicate = 5; };", "f:1: unknown setting \"frobnicate\" in queue"},
		{"limits = { destroy_per_secnd = 5; };",
		 "f:1: unknown setting \"destroy_per_secnd\" in limits "
		 "(did you mean \"destroy_per_second\"?)"},
		{"workers = 2;",
		 "f:1: unknown setting \"workers\" in the top level: it belongs to queue"},
		{"log = { interval = \"5s\"; };",
		 "f:1: unknown setting \"interval\" in log: it belongs to sweep or metrics"},
		{"log = { mode = \"audit\"; };",
		 "f:1: unknown setting \"mode\" in log: it belongs to the top level"},
	};
	static const struct wrong in_rule[] = {
		{"prot = 80;", "unknown setting \"prot\" (did you mean \"port\"?)"},
		{"frobnicate = 80;", "unknown setting \"frobnicate\""},
		{"ports = 80;", "unknown setting \"ports\" (did you mean \"port\"?)"},
	};

	(void)state;
	assert_all_wrong(cases, NAMES_LEN(cases));
	assert_rules_wrong(in_rule, NAMES_LEN(in_rule));
}

static void wrong_types(void **state)
{
	static const struct wrong cases[] = {
		{"queue = 5;", "f:1: queue is the integer 5; it must be a group, { ... }"},
		{"queue = ( { number = 5; } );",
		 "f:1: queue is a list; it must be a group, { ... }"},
		{"stale = [];", "f:1: stale is an empty list; it must be a group, { ... }"},
		{"mode = 1;", "f:1: mode is the integer 1; it must be \"audit\" or \"enforce\""},
		{"mode = true;",
		 "f:1: mode is the boolean true; it must be \"audit\" or \"enforce\""},
		{"mode = { };", "f:1: mode is a group; it must be \"audit\" or \"enforce\""},
		{"mode = [ \"audit\" ];",
		 "f:1: mode is a list; it must be \"audit\" or \"enforce\""},
		{"queue = { number = \"61\"; };",
		 "f:1: queue.number is the string \"61\"; it must be an integer from 0 to 65535"},
		{"queue = { number = 61.0; };",
		 "f:1: queue.number is the floating-point number 61; it must be an integer from 0 "
		 "to 65535"},
		{"queue = { number = -1e3; };",
		 "f:1: queue.number is the floating-point number -1000; it must be an integer from "
		 "0 to 65535"},
		{"queue = { workers = FALSE; };",
		 "f:1: queue.workers is the boolean false; it must be an integer from 0 to 64"},
		{"queue = { workers = ( 1 ); };",
		 "f:1: queue.workers is a list; it must be an integer from 0 to 64"},
		{"queue = { filter_mark = \"0x1\"; };",
		 "f:1: queue.filter_mark is the string \"0x1\"; it must be an integer from 0x1 to "
		 "0xffffffff"},
		{"stale = { states = 8; };",
		 "f:1: stale.states is the integer 8; it must be \"established\", \"fin-wait-1\", "
		 "\"fin-wait-2\", \"close-wait\", \"last-ack\" or \"closing\""},
		{"policy = { min_age = 5; };",
		 "f:1: policy.min_age is the integer 5; it must be a duration from \"0s\" to "
		 "\"49d\""},
		{"policy = { rules = \"x\"; };",
		 "f:1: policy.rules is the string \"x\"; it must be a list of groups, ( { ... }, { "
		 "... } )"},
		{"policy = { rules = (\n{ name = \"a\"; port = 1; action = \"log\"; },\n 7 ); };",
		 "f:3: policy.rules is the integer 7; it must be a list of groups, ( { ... }, { ... } "
		 ")"},
		{"metrics = { textfile = 1; };",
		 "f:1: metrics.textfile is the integer 1; it must be an absolute path of at most "
		 "4095 bytes, or \"\" for none"},
		{"control = { group = 0; };",
		 "f:1: control.group is the integer 0; it must be the name of a group that exists, "
		 "or \"\" for none"},
	};
	static const struct wrong in_rule[] = {
		{"port = true;", "port is the boolean true; it must be a port from 1 to 65535 or a "
				 "range of them such as \"8000-8099\""},
		{"port = [];",
		 "port is an empty list; it must be one port or more, or left out for any"},
		{"local = 127;", "local is the integer 127; it must be an address or a prefix such "
				 "as \"127.0.0.0/8\" or \"::1\""},
		{"local = ();",
		 "local is an empty list; it must be one address or more, or left out for any"},
		{"user = 1.5;", "user is the floating-point number 1.5; it must be the name of a "
				"user that exists, or a user's number"},
		{"user = [ \"root\" ];",
		 "user is a list; it must be the name of a user that exists, or a user's number"},
		{"unit = 5;", "unit is the integer 5; it must be a unit's name that ends in "
			      ".service, .scope or .slice"},
		{"max_unread = \"0\";",
		 "max_unread is the string \"0\"; it must be an integer from 0 "
		 "to 2147483647"},
		{"min_age = 0;",
		 "min_age is the integer 0; it must be a duration from \"0s\" to \"49d\""},
	};

	(void)state;
	assert_all_wrong(cases, NAMES_LEN(cases));
	assert_rules_wrong(in_rule, NAMES_LEN(in_rule));
}

static void values_out_of_range(void **state)
{
	static const struct wrong cases[] = {
		{"queue = { number = 65536; };",
		 "f:1: queue.number is 65536; it must be an integer from 0 to 65535"},
		{"queue = { number = -1; };",
		 "f:1: queue.number is -1; it must be an integer from 0 to 65535"},
		/* The low 32 bits of these are legal. */
		{"queue = { number = 4294967297; };",
		 "f:1: queue.number is 4294967297; it must be an integer from 0 to 65535"},
		{"queue = { number = 4294967297L; };",
		 "f:1: queue.number is 4294967297; it must be an integer from 0 to 65535"},
		{"queue = { number = 0x100000001; };",
		 "f:1: queue.number is 0x100000001; it must be an integer from 0 to 65535"},
		{"queue = { number = -4294967295; };",
		 "f:1: queue.number is -4294967295; it must be an integer from 0 to 65535"},
		{"queue = { number = 9223372036854775807; };",
		 "f:1: queue.number is 9223372036854775807; it must be an integer from 0 to 65535"},
		{"\nqueue = { number = 9223372036854775808; };",
		 "f:2: the integer 9223372036854775808 does not fit in 64 bits"},
		{"queue = { number = 0x8000000000000000; };",
		 "f:1: the integer 0x8000000000000000 does not fit in 64 bits"},
		{"queue = { number = "
		 "1000000000000000000000000000000000000000000000000000000000000000000000; };",
		 "f:1: the integer "
		 "100000000000000000000000000000000000000000000000000000000000000... does not fit "
		 "in 64 bits"},
		{"queue = { workers = -1; };",
		 "f:1: queue.workers is -1; it must be an integer from 0 to 64"},
		{"queue = { workers = 65; };",
		 "f:1: queue.workers is 65; it must be an integer from 0 to 64"},
		{"queue = { max_held = 0; };",
		 "f:1: queue.max_held is 0; it must be an integer from 1 to 65536"},
		{"queue = { max_held = 65537; };",
		 "f:1: queue.max_held is 65537; it must be an integer from 1 to 65536"},
		{"queue = { filter_mark = 0x0; };",
		 "f:1: queue.filter_mark is 0x0; it must be an integer from 0x1 to 0xffffffff"},
		{"queue = { filter_mark = 4294967296; };",
		 "f:1: queue.filter_mark is 4294967296; it must be an integer from 0x1 to "
		 "0xffffffff"},
		{"limits = { destroy_per_second = 1000001; };",
		 "f:1: limits.destroy_per_second is 1000001; it must be an integer from 0 to "
		 "1000000"},
		{"limits = { events_per_second = -1; };",
		 "f:1: limits.events_per_second is -1; it must be an integer from 0 to 1000000"},
		{"policy = { min_age = \"50d\"; };",
		 "f:1: policy.min_age is \"50d\"; it must be a duration from \"0s\" to \"49d\""},
		{"policy = { min_age = \"99999999999999999999s\"; };",
		 "f:1: policy.min_age is \"99999999999999999999s\"; it must be a duration from "
		 "\"0s\" to \"49d\""},
		{"metrics = { interval = \"999ms\"; };",
		 "f:1: metrics.interval is \"999ms\"; it must be a duration from \"1s\" to \"1h\""},
		{"metrics = { interval = \"61m\"; };",
		 "f:1: metrics.interval is \"61m\"; it must be a duration from \"1s\" to \"1h\""},
	};
	static const struct wrong in_rule[] = {
		{"max_unread = 2147483648;",
		 "max_unread is 2147483648; it must be an integer from 0 to 2147483647"},
		{"max_unread = -1;",
		 "max_unread is -1; it must be an integer from 0 to 2147483647"},
		{"min_age = \"1177h\";",
		 "min_age is \"1177h\"; it must be a duration from \"0s\" to \"49d\""},
		{"port = 0;",
		 "port is 0; it must be a port from 1 to 65535 or a range of them such "
		 "as \"8000-8099\""},
		{"port = [ 80, 65536 ];", "port is 65536; it must be a port from 1 to 65535 or a "
					  "range of them such as \"8000-8099\""},
		{"port = ( 80, \"81-80\" );",
		 "port is \"81-80\"; it must be a port from 1 to 65535 "
		 "or a range of them such as \"8000-8099\""},
		{"user = 4294967295;", "user is 4294967295; it must be the name of a user that "
				       "exists, or a user's number"},
		{"user = \"4294967295\";", "user is \"4294967295\"; it must be the name of a user "
					   "that exists, or a user's number"},
		{"user = \"4294967296\";", "user is \"4294967296\"; it must be the name of a user "
					   "that exists, or a user's number"},
		{"user = -1;",
		 "user is -1; it must be the name of a user that exists, or a user's number"},
	};

	(void)state;
	assert_all_wrong(cases, NAMES_LEN(cases));
	assert_rules_wrong(in_rule, NAMES_LEN(in_rule));
}

static void illegal_texts(void **state)
{
	static const struct wrong cases[] = {
		{"mode = \"enforced\";", "f:1: mode is \"enforced\"; it must be \"audit\" or "
					 "\"enforce\" (did you mean \"enforce\"?)"},
		{"mode = \"AUDIT\";", "f:1: mode is \"AUDIT\"; it must be \"audit\" or \"enforce\" "
				      "(did you mean \"audit\"?)"},
		{"mode = \"observe\";",
		 "f:1: mode is \"observe\"; it must be \"audit\" or \"enforce\""},
		{"mode = \"\";", "f:1: mode is \"\"; it must be \"audit\" or \"enforce\""},
		{"queue = { filter = \"ebpf\"; };",
		 "f:1: queue.filter is \"ebpf\"; it must be \"all\", \"socket\" or \"bpf\" (did you "
		 "mean \"bpf\"?)"},
		/* Not a fallback of itself. */
		{"queue = { filter_fallback = \"bpf\"; };",
		 "f:1: queue.filter_fallback is \"bpf\"; it must be \"all\" or \"socket\""},
		{"stale = { states = \"CLOSE_WAIT\"; };",
		 "f:1: stale.states is \"CLOSE_WAIT\"; it must be \"established\", \"fin-wait-1\", "
		 "\"fin-wait-2\", \"close-wait\", \"last-ack\" or \"closing\" (did you mean "
		 "\"close-wait\"?)"},
		/* A state there is, but not one that collides. */
		{"stale = { states = [\n\"close-wait\",\n\"listen\"\n]\n; };",
		 "f:3: stale.states is \"listen\"; it must be \"established\", \"fin-wait-1\", "
		 "\"fin-wait-2\", \"close-wait\", \"last-ack\" or \"closing\""},
		{"stale = { states = []; };",
		 "f:1: stale.states is an empty list; it must be a list of one state or more"},
		{"stale = { states = (\n \"last-ack\",\n \"close-wait\",\n \"last-ack\" ); };",
		 "f:4: stale.states has \"last-ack\" twice"},
		{"policy = { default = \"destory\"; };",
		 "f:1: policy.default is \"destory\"; it must be \"log\", \"destroy\", \"drop\" or "
		 "\"reject\" (did you mean \"destroy\"?)"},
		{"policy = { min_age = \"5\"; };",
		 "f:1: policy.min_age is \"5\"; it must be a number and its unit: \"500ms\", "
		 "\"30s\", \"5m\", \"2h\", \"1d\""},
		{"log = { target = \"jornal\"; };",
		 "f:1: log.target is \"jornal\"; it must be \"auto\", \"journal\", \"syslog\" or "
		 "\"stderr\" (did you mean \"journal\"?)"},
		{"log = { format = \"yaml\"; };",
		 "f:1: log.format is \"yaml\"; it must be \"text\" or \"json\""},
		{"log = { level = \"warn\"; };",
		 "f:1: log.level is \"warn\"; it must be \"error\", \"warning\", \"info\" or "
		 "\"debug\""},
		{"metrics = { textfile = \"closewaitd.prom\"; };",
		 "f:1: metrics.textfile is \"closewaitd.prom\"; it must be an absolute path of at "
		 "most 4095 bytes, or \"\" for none"},
		{"control = { socket = \"./x\"; };",
		 "f:1: control.socket is \"./x\"; it must be an absolute path of at most 107 bytes, "
		 "or \"\" for none"},
		{"control = { socket = \"/"
		 "123456789012345678901234567890123456789012345678901234567890123456789012345678901"
		 "23456789012345678901234567\"; };",
		 "f:1: control.socket is "
		 "\"/12345678901234567890123456789012345678901234567890123456789012345...\"; it "
		 "must be an absolute path of at most 107 bytes, or \"\" for none"},
		{"control = { group = \"no such group\"; };",
		 "f:1: control.group is \"no such group\"; it must be the name of a group that "
		 "exists, or \"\" for none"},
		{"control = { group = \"g23456789012345678901234567890123\"; };",
		 "f:1: control.group is \"g23456789012345678901234567890123\"; it must be the name "
		 "of a group that exists, or \"\" for none"},
		/* Whatever a value holds, the message is one line. */
		{"mode = \"a\\nb\\x01\\x1b[31m\";",
		 "f:1: mode is \"a\\nb\\x01\\x1b[31m\"; it must be \"audit\" or \"enforce\""},
	};
	static const struct wrong in_rule[] = {
		{"port = \"http\";",
		 "port is \"http\"; it must be a port from 1 to 65535 or a range "
		 "of them such as \"8000-8099\""},
		{"local = \"localhost\";",
		 "local is \"localhost\"; it must be an address or a prefix "
		 "such as \"127.0.0.0/8\" or \"::1\""},
		{"local = [ \"::1\", \"127.0.0.1/8\" ];",
		 "local is \"127.0.0.1/8\"; it must be a prefix without bits beyond its length (did "
		 "you mean \"127.0.0.0/8\"?)"},
		{"local = \"fe80::1/10\";",
		 "local is \"fe80::1/10\"; it must be a prefix without bits beyond its length (did "
		 "you mean \"fe80::/10\"?)"},
		{"local = \"127.0.0.0/33\";",
		 "local is \"127.0.0.0/33\"; it must be a prefix of at most 32 bits for IPv4, 128 "
		 "for IPv6"},
		{"user = \"no such user\";",
		 "user is \"no such user\"; it must be the name of a user "
		 "that exists, or a user's number"},
		{"user = \"\";",
		 "user is \"\"; it must be the name of a user that exists, or a user's number"},
		{"unit = \"nginx\";",
		 "unit is \"nginx\"; it must be a unit's name that ends in "
		 ".service, .scope or .slice (did you mean \"nginx.service\"?)"},
		{"unit = \"app.slcie\";",
		 "unit is \"app.slcie\"; it must be a unit's name that ends in .service, .scope or "
		 ".slice (did you mean \"app.slice\"?)"},
		{"unit = \"nginx.socket\";",
		 "unit is \"nginx.socket\"; it must be a unit's name that "
		 "ends in .service, .scope or .slice"},
		{"unit = \".service\";",
		 "unit is \".service\"; it must be a unit's name that ends in "
		 ".service, .scope or .slice"},
		{"unit = \"\";",
		 "unit is \"\"; it must be a unit's name that ends in .service, .scope or .slice"},
		{"unit = \"system.slice/nginx.service\";",
		 "unit is \"system.slice/nginx.service\"; it must be a unit's name: letters, digits, "
		 ": - _ . \\ and @"},
		{"min_age = \"1h30m\";", "min_age is \"1h30m\"; it must be a number and its unit: "
					 "\"500ms\", \"30s\", \"5m\", \"2h\", \"1d\""},
	};

	(void)state;
	assert_all_wrong(cases, NAMES_LEN(cases));
	assert_rules_wrong(in_rule, NAMES_LEN(in_rule));
}

static void rules_as_a_whole(void **state)
{
	static const struct wrong cases[] = {
		{"policy = { rules = ( { } ); };",
		 "f:1: rule 1: name is missing: a rule must have it"},
		{"policy = { rules = (\n\n{\nname = \"web\"; } ); };",
		 "f:3: rule \"web\": action is missing: a rule must have it"},
		{"policy = { rules = ( { name = \"a\"; port = 1; action = \"log\"; },\n"
		 "{ action = \"log\"; } ); };",
		 "f:2: rule 2: name is missing: a rule must have it"},
		{"policy = { rules = ( { name = \"web\";\n action = \"lgo\"; } ); };",
		 "f:2: rule \"web\": action is \"lgo\"; it must be \"log\", \"destroy\", \"drop\" or "
		 "\"reject\" (did you mean \"log\"?)"},
		{"policy = { rules = ( { name = \"\"; } ); };",
		 "f:1: rule 1: name is \"\"; it must be 1 to 63 letters, digits, dots, hyphens and "
		 "underscores"},
		{"policy = { rules = ( { name = \"a b\"; } ); };",
		 "f:1: rule \"a b\": name is \"a b\"; it must be 1 to 63 letters, digits, dots, "
		 "hyphens and underscores"},
		{"policy = { rules = ( { name = "
		 "\"a234567890123456789012345678901234567890123456789012345678901234\"; } ); };",
		 "f:1: rule 1: name is "
		 "\"a234567890123456789012345678901234567890123456789012345678901234\"; it must be 1 "
		 "to 63 letters, digits, dots, hyphens and underscores"},
		{"policy = { rules = ( { name = \"a\\nb\"; } ); };",
		 "f:1: rule 1: name is \"a\\nb\"; it must be 1 to 63 letters, digits, dots, hyphens "
		 "and underscores"},
		{"policy = { rules = ( { name = 7; } ); };",
		 "f:1: rule 1: name is the integer 7; it must be 1 to 63 letters, digits, dots, "
		 "hyphens and underscores"},
		{"policy = { rules = ( { name = \"default\"; } ); };",
		 "f:1: rule \"default\": name is \"default\"; it must be another name: events use "
		 "this one where no rule decided"},
		{"policy = { rules = ( { name = \"min-age\"; } ); };",
		 "f:1: rule \"min-age\": name is \"min-age\"; it must be another name: events use "
		 "this one where no rule decided"},
		{"policy = { rules = ( { name = \"sweep-action\"; } ); };",
		 "f:1: rule \"sweep-action\": name is \"sweep-action\"; it must be another name: events use "
		 "this one where no rule decided"},
		{"policy = { rules = ( { name = \"unit-unknown\"; } ); };",
		 "f:1: rule \"unit-unknown\": name is \"unit-unknown\"; it must be another name: events use "
		 "this one where no rule decided"},
		{"policy = { rules = (\n{ name = \"a\"; port = 1; action = \"log\"; },\n"
		 "{ name = \"b\"; port = 2; action = \"log\"; },\n"
		 "{ name = \"a\"; port = 3; action = \"drop\"; } ); };",
		 "f:4: rule \"a\": the rule on line 2 has the same name"},
		{"policy = { rules = (\n{ name = \"any\"; action = \"log\"; },\n"
		 "{ name = \"web\"; port = 80; action = \"drop\"; } ); };",
		 "f:3: rule \"web\" can never apply: rule \"any\" on line 2 comes first and holds "
		 "wherever it does"},
		{"policy = { rules = (\n{ name = \"other\"; port = 81; action = \"log\"; },\n"
		 "{ name = \"wide\"; port = \"70-90\"; local = \"127.0.0.0/8\"; action = \"log\"; },\n"
		 "\n{ name = \"narrow\"; port = [ 80, \"82-84\" ]; local = \"127.0.0.1\";\n"
		 "min_age = \"5m\"; action = \"drop\"; } ); };",
		 "f:5: rule \"narrow\" can never apply: rule \"wide\" on line 3 comes first and "
		 "holds wherever it does"},
	};

	(void)state;
	assert_all_wrong(cases, NAMES_LEN(cases));
}

static void settings_that_do_not_fit_each_other(void **state)
{
	static const struct wrong cases[] = {
		{"queue = {\nnumber = 65535;\nworkers = 2;\n};",
		 "f:3: queue.number is 65535 and queue.workers is 2; the last queue would be 65536, "
		 "but the highest is 65535"},
		{"queue = {\nworkers = 64;\nnumber = 65500;\n};",
		 "f:3: queue.number is 65500 and queue.workers is 64; the last queue would be 65563, "
		 "but the highest is 65535"},
		{"sweep = {\ninterval = \"999ms\";\n};",
		 "f:2: sweep.interval is \"999ms\"; it must be \"0s\" for no sweeps, or at least "
		 "\"1s\""},
		{"sweep = {\ninterval = \"1s\";\n};\nstale = {\nstates = \"last-ack\";\n};",
		 "f:5: sweep.interval is \"1s\", but stale.states does not name \"close-wait\", the "
		 "only state that is swept; name it, or set the interval to \"0s\""},
	};

	(void)state;
	assert_all_wrong(cases, NAMES_LEN(cases));
}

static void text_that_cannot_be_read(void **state)
{
	static const struct wrong cases[] = {
		{"mode = audit;", "f:1: text must be in double quotes: \"audit\""},
		{"stale = { states = [ \"close-wait\",\nlast-ack ]; };",
		 "f:2: text must be in double quotes: \"last-ack\""},
		{"policy = { min_age = 5m; };", "f:1: text must be in double quotes: \"5m\""},
		{"policy = { rules = ( { port = 8000-8099; } ); };",
		 "f:1: text must be in double quotes: \"8000-8099\""},
		{"policy = { rules = ( { local = 127.0.0.0/8; } ); };",
		 "f:1: text must be in double quotes: \"127.0.0.0/8\""},
		{"policy = { rules = ( { local = ( ::1 ); } ); };",
		 "f:1: text must be in double quotes: \"::1\""},
		{"queue = { number = inf; };", "f:1: text must be in double quotes: \"inf\""},
		{"queue = { number = 0x1p3; };", "f:1: text must be in double quotes: \"0x1p3\""},
		{"queue = { number = 0x; };", "f:1: text must be in double quotes: \"0x\""},
		{"policy = { rules = ( name = \"a\" ); };",
		 "f:1: a list cannot hold settings: put { } around \"name\""},
		{"mode = \"audit;\nqueue = { filter = \"all\"; };",
		 "f:1: a string is not closed on its line: \"audit;\""},
		{"\nmode = \"aud\\", "f:2: a string is not closed on its line: \"aud\\\\\""},
		{"mode = \"audit\\x00\";", "f:1: a string cannot hold \\x00"},
		{"mode = \"audit\";\n/* once\nupon a time\n",
		 "f:2: the comment that starts here is not closed by */"},
		{"\nqueue = {\nnumber = 1;\n\n", "f:2: the '{' here is never closed"},
		{"stale = { states = [\n\"close-wait\"\n); };",
		 "f:3: ')' cannot close the '[' of line 1"},
		{"queue = { number = 1; };\n};", "f:2: '}' without an opening bracket"},
		{"stale = { states = [ \"close-wait\", ]; };",
		 "f:1: a value is missing between ',' and ']'"},
		{"a = ((((((((1))))))));", "f:1: unknown setting \"a\" in the top level"},
		{"a = \n(((((((((1)))))))));", "f:2: more than 8 brackets inside each other"},
		{"# @include \"x\"\n  @include \"/etc/passwd\"\n",
		 "f:2: @include is not supported: the configuration is one file"},
		{"mode = \"audit\";\n\n mode = \"audit\"; # again",
		 "f:3: duplicate setting name: \"mode = \\\"audit\\\"; # again\""},
		{"queue = { number = 1; };\nqueue = { workers = 1; };",
		 "f:2: duplicate setting name: \"queue = { workers = 1; };\""},
		{"\nmode \"audit\";", "f:2: no value can stand here: \"audit\""},
		{"mode = \"enf\"\n\"orce\";", "f:2: no value can stand here: \"orce\""},
		{"policy = { rules = ( { port = [ \"80\" \"81\" ]; } ); };",
		 "f:1: no value can stand here: \"81\""},
		{"queue = {\n\"number\" = 5; };", "f:2: no value can stand here: \"number\""},
		{"queue = { }\n\"\";", "f:2: no value can stand here: \"\""},
		{"mode = ;", "f:1: syntax error: \"mode = ;\""},
		{"mode == \"audit\";", "f:1: syntax error: \"mode == \\\"audit\\\";\""},
		{"queue.number = 5;", "f:1: syntax error: \"queue.number = 5;\""},
		{"5 = 3;", "f:1: syntax error: \"5 = 3;\""},
		{"a = 1;;;\n\n?", "f:1: syntax error: \"a = 1;;;\""},
		{"mode", "f:1: syntax error: \"mode\""},
	};

	(void)state;
	assert_all_wrong(cases, NAMES_LEN(cases));
}

/* The line is exact for a value in any place of any layout, comments and blank lines around it. */
static void lines_are_exact_wherever_a_value_stands(void **state)
{
	static const char *const gaps[] = {
		" ",
		"\n",
		"\n\n\n",
		" # a comment\n",
		"// another \"one\n",
		"/* of\ntwo lines */",
		"\r\n\t\r\n",
		"\n#\n\n/**/\n",
	};
	const size_t n = NAMES_LEN(gaps);

	(void)state;
	for (size_t i = 0; i < n * n * n * n; i++) {
		const char *a = gaps[i % n], *b = gaps[i / n % n], *c = gaps[i / n / n % n],
			   *d = gaps[i / n / n / n];
		char text[512], error[CONF_ERROR_SIZE], expected[CONF_ERROR_SIZE];
		struct conf *conf = NULL;
		unsigned int line = 1;
		size_t before;

		before = (size_t)snprintf(text, sizeof(text),
					  "stale%s=%s{ states = [%s\"close-wait\"%s,%s", a, b, c, d,
					  a);
		for (size_t k = 0; k < before; k++)
			line += text[k] == '\n';
		snprintf(text + before, sizeof(text) - before, "\"lost-ack\"%s]%s; };%s", b, c, d);
		snprintf(
			expected, sizeof(expected),
			"f:%u: stale.states is \"lost-ack\"; it must be \"established\", "
			"\"fin-wait-1\", \"fin-wait-2\", \"close-wait\", \"last-ack\" or \"closing\" "
			"(did you mean \"last-ack\"?)",
			line);
		assert_int_equal(conf_parse(text, "f", &conf, error), -EINVAL);
		assert_string_equal(error, expected);
	}
}

static char *repeat(const char *piece, size_t times)
{
	size_t len = strlen(piece);
	char *text = malloc(len * times + 1);

	assert_non_null(text);
	for (size_t i = 0; i < times; i++)
		memcpy(text + i * len, piece, len);
	text[len * times] = '\0';
	return text;
}

/* What would take minutes, or all of the stack, is refused or read at once. */
static void large_texts_do_not_hang(void **state)
{
	const struct itimerval limit = {.it_value.tv_sec = HANG_SECONDS},
			       none = {.it_value.tv_sec = 0};
	static const struct {
		const char *before, *piece, *after, *error;
	} cases[] = {
		{"", "a=1;\n", "", "f:65: more than 64 settings in one group"},
		{"queue = {", "a=1;\n", "};", "f:65: more than 64 settings in one group"},
		{"", "(", "", "f:1: more than 8 brackets inside each other"},
		{"a=", "{a=", "", "f:1: more than 8 brackets inside each other"},
		{"stale = { states = [", "1,", "2]; };",
		 "f:1: stale.states is the integer 1; it must be \"established\", \"fin-wait-1\", "
		 "\"fin-wait-2\", \"close-wait\", \"last-ack\" or \"closing\""},
		{"policy = { rules = (", "{},", "{} ); };",
		 "f:1: policy.rules has 40001 rules; at most 1024 are allowed"},
		{"", "\n", "mode = 5;",
		 "f:40001: mode is the integer 5; it must be \"audit\" or \"enforce\""},
		{"mode = \"", "x", "\";",
		 "f:1: mode is "
		 "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\"; it "
		 "must be \"audit\" or \"enforce\""},
		{"", "x", " = 1;",
		 "f:1: unknown setting "
		 "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\" in the "
		 "top level"},
	};

	(void)state;
	assert_int_equal(setitimer(ITIMER_VIRTUAL, &limit, NULL), 0);
	for (size_t i = 0; i < NAMES_LEN(cases); i++) {
		char *middle = repeat(cases[i].piece, 40000);
		size_t size = strlen(cases[i].before) + strlen(middle) + strlen(cases[i].after) + 1;
		char *text = malloc(size);

		assert_non_null(text);
		snprintf(text, size, "%s%s%s", cases[i].before, middle, cases[i].after);
		assert_wrong(text, cases[i].error);
		free(text);
		free(middle);
	}
	assert_int_equal(setitimer(ITIMER_VIRTUAL, &none, NULL), 0);
}

static void quotes_are_cut_at_the_end_only(void **state)
{
	char text[CONFERROR_QUOTE_SIZE * 2];
	char quote[CONFERROR_QUOTE_SIZE];

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		bool cut = len > CONFERROR_QUOTE_SIZE - sizeof("\"...\"");

		memset(text, 'y', len);
		assert_ptr_equal(conferror_quote(text, len, quote), quote);
		assert_true(strlen(quote) < sizeof(quote));
		assert_int_equal(quote[0], '"');
		assert_int_equal(quote[strlen(quote) - 1], '"');
		assert_int_equal(strstr(quote, "...") != NULL, cut);
		if (!cut)
			assert_int_equal(strlen(quote), len + 2);
	}
	/* An escape is never cut in two. */
	for (size_t len = 60; len < 72; len++) {
		memset(text, 'y', len);
		strcpy(text + len, "\x01\x01\x01\x01\x01");
		conferror_quote(text, strlen(text), quote);
		assert_null(strstr(quote, "\\."));
		assert_null(strstr(quote, "\\x."));
		assert_null(strstr(quote, "\\x0."));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_settings),
		cmocka_unit_test(wrong_types),
		cmocka_unit_test(values_out_of_range),
		cmocka_unit_test(illegal_texts),
		cmocka_unit_test(rules_as_a_whole),
		cmocka_unit_test(settings_that_do_not_fit_each_other),
		cmocka_unit_test(text_that_cannot_be_read),
		cmocka_unit_test(lines_are_exact_wherever_a_value_stands),
		cmocka_unit_test(large_texts_do_not_hang),
		cmocka_unit_test(quotes_are_cut_at_the_end_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
