/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "reset.h"
#include "packet.h"
#include "synth.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* Wants the headers above it. */
#include <cmocka.h>

/* RFC 9293, 3.1: bits of the 14th byte. */
#define RST_ACK 0x14

static uint32_t be32_at(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The answer as synth would make it, but for what it keeps of the SYN. */
static void check_one(enum reset reset, const struct synth_recipe *recipe, const char *asked,
		      uint16_t asked_port)
{
	static struct synth syn, answer;
	const struct synth_recipe back = {
		.v6 = recipe->v6,
		.src = asked ? asked : recipe->dst,
		.dst = recipe->src,
		.sport = asked_port	 ? asked_port
			 : recipe->dport ? recipe->dport
					 : 80,
		.dport = recipe->sport ? recipe->sport : 40000,
		.flags = RST_ACK,
		.ip_options = recipe->ip_options,
	};
	const size_t taken = reset == RESET_REFUSES ? 1 + recipe->payload : 0;
	uint8_t packet[RESET_MAX + 1];
	struct tuple claimant;
	size_t len;

	synth_make(&syn, recipe);
	assert_true(packet_is_syn(packet_parse(syn.bytes, syn.len, true, &claimant)));
	if (asked) {
		char text[ENDPOINT_STRLEN];

		snprintf(text, sizeof(text), recipe->v6 ? "[%s]:%u" : "%s:%u", asked, asked_port);
		assert_int_equal(endpoint_parse(text, &claimant.dst), 0);
	}
	synth_make(&answer, &back);
	memset(answer.bytes + answer.ip_len + 4, 0, 4);	 /* no sequence number */
	memset(answer.bytes + answer.ip_len + 14, 0, 2); /* no window */
	answer.bytes[answer.ip_len + 8] = 0x12;		 /* what synth starts from, ... */
	answer.bytes[answer.ip_len + 9] = 0x34;
	answer.bytes[answer.ip_len + 10] = (uint8_t)((0x5678 + taken) >> 8);
	answer.bytes[answer.ip_len + 11] = (uint8_t)(0x5678 + taken);
	synth_fix_checksums(&answer);

	memset(packet, 0xa5, sizeof(packet));
	len = reset_make(reset, syn.bytes, &claimant, packet);
	assert_int_equal(len, answer.len);
	assert_memory_equal(packet, answer.bytes, len);
	for (size_t i = len; i < sizeof(packet); i++)
		assert_int_equal(packet[i], 0xa5);
}

static void check_answer(const struct synth_recipe *recipe, const char *asked, uint16_t asked_port)
{
	check_one(RESET_REFUSES, recipe, asked, asked_port);
	check_one(RESET_REPEATS, recipe, asked, asked_port);
}

static void a_syn_is_answered(void **state)
{
	(void)state;
	check_answer(&(struct synth_recipe){.v6 = false}, NULL, 0);
	check_answer(&(struct synth_recipe){.v6 = true}, NULL, 0);
	check_answer(
		&(struct synth_recipe){
			.src = "127.0.0.9", .dst = "127.1.2.3", .sport = 65535, .dport = 1},
		NULL, 0);
	check_answer(&(struct synth_recipe){.v6 = true, .src = "2001:db8::1", .dst = "fe80::2"},
		     NULL, 0);
}

/* The options of TCP go, those of IP stay: the kernel looks for the segment where it was. */
static void options_and_data_do_not_matter(void **state)
{
	(void)state;
	for (size_t options = 0; options <= 40; options += 4) {
		check_answer(&(struct synth_recipe){.ip_options = options}, NULL, 0);
		check_answer(&(struct synth_recipe){.ip_options = options,
						    .tcp_options = 40 - options,
						    .payload = options * 7},
			     NULL, 0);
		check_answer(&(struct synth_recipe){.v6 = true,
						    .tcp_options = options,
						    .payload = 40 - options},
			     NULL, 0);
	}
}

static void it_comes_from_where_the_claimant_wanted_to_be(void **state)
{
	(void)state;
	check_answer(&(struct synth_recipe){.src = "127.0.0.1", .dst = "127.0.0.1"}, "192.0.2.7",
		     9000);
	check_answer(&(struct synth_recipe){.v6 = true, .src = "::1", .dst = "::1"}, "2001:db8::7",
		     9000);
}

/* Only the headers are read: the kernel may have copied no more. */
static void a_syn_may_be_cut_behind_its_headers(void **state)
{
	static struct synth whole, cut;
	const struct synth_recipe recipe = {.tcp_options = 20, .payload = 400};
	uint8_t want[RESET_MAX], got[RESET_MAX];
	struct tuple claimant;

	(void)state;
	synth_make(&whole, &recipe);
	assert_true(packet_is_syn(packet_parse(whole.bytes, whole.len, true, &claimant)));
	memset(&cut, 0, sizeof(cut));
	memcpy(cut.bytes, whole.bytes, 60);
	assert_int_equal(reset_make(RESET_REFUSES, whole.bytes, &claimant, want), 40);
	assert_int_equal(reset_make(RESET_REFUSES, cut.bytes, &claimant, got), 40);
	assert_memory_equal(got, want, 40);
}

/* Sequence numbers wrap (RFC 9293, 3.4). */
static void the_acknowledgement_wraps(void **state)
{
	static struct synth syn;
	uint8_t packet[RESET_MAX];
	struct tuple claimant;

	(void)state;
	synth_make(&syn, &(struct synth_recipe){.v6 = false});
	memset(syn.bytes + 24, 0xff, 4);
	synth_fix_checksums(&syn);
	assert_true(packet_is_syn(packet_parse(syn.bytes, syn.len, true, &claimant)));
	reset_make(RESET_REFUSES, syn.bytes, &claimant, packet);
	assert_int_equal(be32_at(packet + 28), 0);
	reset_make(RESET_REPEATS, syn.bytes, &claimant, packet);
	assert_int_equal(be32_at(packet + 28), 0xffffffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_syn_is_answered),
		cmocka_unit_test(options_and_data_do_not_matter),
		cmocka_unit_test(it_comes_from_where_the_claimant_wanted_to_be),
		cmocka_unit_test(a_syn_may_be_cut_behind_its_headers),
		cmocka_unit_test(the_acknowledgement_wraps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
