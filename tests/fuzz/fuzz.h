/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz: what the fuzz targets share.
 *
 * A target is one file: it feeds bytes that nobody chose to one module and checks what must hold
 * whatever they are. Linked with libFuzzer it searches (make fuzz); linked with replay.c it is a
 * unit test that repeats the kept inputs, with any compiler.
 */
#ifndef CW_TEST_FUZZ_H
#define CW_TEST_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The target's name, and its folder's in tests/fuzz/corpus. */
extern const char fuzz_target[];
/* libFuzzer's name for it. data ends where it ends: a byte more is not the target's to read. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Something that must hold does not: says which, and ends the program as a crash. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_broken(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_broken(const char *what, const char *file, int line);

/* The input as a supply of decisions; when it is used up, all further ones are 0. */
struct fuzz_bytes {
	const uint8_t *next;
	size_t left;
};
uint8_t fuzz_byte(struct fuzz_bytes *bytes);
/* 0 to below - 1; below is at most 256. */
unsigned int fuzz_below(struct fuzz_bytes *bytes, unsigned int below);
uint32_t fuzz_u32(struct fuzz_bytes *bytes);

#endif
