/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers that look random and come again with the same seed. */
#ifndef SOAK_CHANCE_H
#define SOAK_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
	uint64_t state; /* the seed at first */
};

uint64_t chance_next(struct chance *chance);
/* From 0 to n - 1; n is small, so that the remainder's bias does not matter here. */
uint32_t chance_below(struct chance *chance, uint32_t n);
/* True once in n times. */
bool chance_one_in(struct chance *chance, uint32_t n);

#endif
