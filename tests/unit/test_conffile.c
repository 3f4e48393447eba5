/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are, and that are not, read as a configuration. */
#include "config.h"

#include "conf.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB ((size_t)1024 * 1024)

/* A way back from an open() or read() that waits, so that the test fails instead of hanging. */
#define HANG_SECONDS 20

static char dir[] = "conffile-test-XXXXXX";
static char path[sizeof(dir) + 16];

static int make_dir(void **state)
{
	(void)state;
	alarm(HANG_SECONDS);
	umask(022);
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/test.conf", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static int remove_file(void **state)
{
	(void)state;
	if (unlink(path) < 0 && errno != ENOENT && errno != EISDIR)
		return -1;
	return 0;
}

static void put_file(const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(close(fd), 0);
}

/* conf_load() of path fails so; text follows the file's name and ": ". */
static void assert_refused(const char *file, int err, const char *text)
{
	static struct conf untouched;
	struct conf *conf = &untouched;
	char error[CONF_ERROR_SIZE], expected[CONF_ERROR_SIZE];

	snprintf(expected, sizeof(expected), "%s: %s", file, text);
	assert_int_equal(conf_load(file, &conf, error), err);
	assert_string_equal(error, expected);
	assert_ptr_equal(conf, &untouched);
}

static void assert_read(const char *file, enum mode mode)
{
	struct conf *conf = NULL;
	char error[CONF_ERROR_SIZE] = "";

	assert_int_equal(conf_load(file, &conf, error), 0);
	assert_string_equal(error, "");
	assert_int_equal(conf->mode, mode);
	conf_free(conf);
}

static void reads_a_file(void **state)
{
	(void)state;
	put_file("mode = \"enforce\";\n", 18);
	assert_read(path, MODE_ENFORCE);
}

static void reads_without_last_line_end(void **state)
{
	(void)state;
	put_file("mode = \"enforce\"", 16);
	assert_read(path, MODE_ENFORCE);
}

static void reads_an_empty_file_as_defaults(void **state)
{
	(void)state;
	put_file("", 0);
	assert_read(path, MODE_AUDIT);
}

static void follows_a_link(void **state)
{
	char link[sizeof(path) + 8];

	(void)state;
	put_file("mode = \"enforce\";\n", 18);
	snprintf(link, sizeof(link), "%s.link", path);
	assert_int_equal(symlink("test.conf", link), 0);
	assert_read(link, MODE_ENFORCE);
	assert_int_equal(unlink(link), 0);
}

static void refuses_what_is_not_there(void **state)
{
	(void)state;
	assert_refused(path, -ENOENT, "cannot be opened: No such file or directory");
}

static void refuses_a_directory(void **state)
{
	(void)state;
	assert_refused(dir, -EISDIR, "a directory, not a file");
}

/* Nobody writes to it: an open() that blocks would wait for ever. */
static void refuses_a_fifo_without_waiting(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused(path, -EINVAL, "not a regular file: a FIFO, socket or device is not read");
}

static void refuses_an_endless_device(void **state)
{
	(void)state;
	assert_refused("/dev/zero", -EINVAL,
		       "not a regular file: a FIFO, socket or device is not read");
}

static void refuses_a_huge_file(void **state)
{
	(void)state;
	put_file("mode", 4);
	assert_int_equal(truncate(path, 1024 * 1024 * 1024), 0);
	assert_refused(path, -EFBIG, "larger than 1 MiB: this cannot be a configuration file");
}

static void the_limit_is_exact(void **state)
{
	char *text = malloc(MIB + 1);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', MIB + 1);
	memcpy(text, "mode=\"enforce\";", 15);
	put_file(text, MIB);
	assert_read(path, MODE_ENFORCE);
	put_file(text, MIB + 1);
	assert_refused(path, -EFBIG, "larger than 1 MiB: this cannot be a configuration file");
	free(text);
}

/* Its size is 0 and what it holds is not: the size must not be trusted. */
static void reads_beyond_the_announced_size(void **state)
{
	struct conf *conf = NULL;
	char error[CONF_ERROR_SIZE] = "";

	(void)state;
	assert_int_equal(conf_load("/proc/self/status", &conf, error), -EINVAL);
	assert_non_null(strstr(error, "/proc/self/status:1: "));
}

static void refuses_a_file_that_everybody_may_write(void **state)
{
	(void)state;
	put_file("mode = \"audit\";\n", 16);
	assert_int_equal(chmod(path, 0646), 0);
	assert_refused(path, -EPERM, "writable by everybody (mode 0646): chmod o-w it");
	assert_int_equal(chmod(path, 0664), 0);
	assert_read(path, MODE_AUDIT);
}

static void refuses_nul_bytes_with_their_line(void **state)
{
	char expected[CONF_ERROR_SIZE], error[CONF_ERROR_SIZE];
	struct conf *conf = NULL;

	(void)state;
	put_file("mode = \"audit\";\n# a\0b\n", 22);
	snprintf(expected, sizeof(expected), "%s:2: a NUL byte: this is not a text file", path);
	assert_int_equal(conf_load(path, &conf, error), -EINVAL);
	assert_string_equal(error, expected);
}

static void shows_the_end_of_a_long_name(void **state)
{
	char name[3000];
	char error[CONF_ERROR_SIZE];
	struct conf *conf = NULL;

	(void)state;
	memset(name, 'x', sizeof(name));
	strcpy(name + sizeof(name) - 10, "/the.conf");
	assert_int_equal(conf_parse("mode = 1;", name, &conf, error), -EINVAL);
	assert_memory_equal(error, "...xxx", 6);
	assert_non_null(strstr(error, "x/the.conf:1: mode is the integer 1; it must be \"audit\" "
				      "or \"enforce\""));
}

#define FILE_TEST(function) cmocka_unit_test_teardown(function, remove_file)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(reads_a_file),
		FILE_TEST(reads_without_last_line_end),
		FILE_TEST(reads_an_empty_file_as_defaults),
		FILE_TEST(follows_a_link),
		FILE_TEST(refuses_what_is_not_there),
		FILE_TEST(refuses_a_directory),
		FILE_TEST(refuses_a_fifo_without_waiting),
		FILE_TEST(refuses_an_endless_device),
		FILE_TEST(refuses_a_huge_file),
		FILE_TEST(the_limit_is_exact),
		FILE_TEST(reads_beyond_the_announced_size),
		FILE_TEST(refuses_a_file_that_everybody_may_write),
		FILE_TEST(refuses_nul_bytes_with_their_line),
		FILE_TEST(shows_the_end_of_a_long_name),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
