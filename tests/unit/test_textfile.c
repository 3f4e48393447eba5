/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of textfile: whole texts only, and one warning however long the trouble lasts. */
#include "config.h"

#include "log.h"
#include "textfile.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	char folder[64];
	char path[96], temporary[112];
	struct textfile *file;
	unsigned int lines; /* that were logged */
	char last[512];
};

static void sink(enum log_level level, const char *line, void *ctx)
{
	struct fixture *f = ctx;

	(void)level;
	f->lines++;
	snprintf(f->last, sizeof(f->last), "%s", line);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->folder, "/tmp/closewaitd-test-XXXXXX");
	if (!mkdtemp(f->folder) || textfile_open(&f->file) < 0)
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/c.prom", f->folder);
	snprintf(f->temporary, sizeof(f->temporary), "%s.tmp", f->path);
	log_set_sink(sink, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	textfile_close(f->file);
	log_set_sink(NULL, NULL);
	unlink(f->path);
	if (rmdir(f->folder) < 0)
		return -1; /* something was left behind */
	free(f);
	return 0;
}

static bool is_due(const struct fixture *f, int timeout_ms)
{
	struct pollfd pfd = {.fd = textfile_fd(f->file), .events = POLLIN};

	return poll(&pfd, 1, timeout_ms) == 1;
}

static void update(struct fixture *f, const char *text)
{
	textfile_update(f->file, text, strlen(text));
}

static void check_content(const struct fixture *f, const char *wanted)
{
	char content[64] = "";
	FILE *file = fopen(f->path, "re");

	assert_non_null(file);
	content[fread(content, 1, sizeof(content) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(content, wanted);
	assert_int_equal(access(f->temporary, F_OK), -1);
}

static void test_writes_and_replaces(void **state)
{
	struct fixture *f = *state;
	mode_t mask = umask(077);
	struct stat st;

	textfile_configure(f->file, f->path, 60000);
	assert_true(is_due(f, 5000));
	update(f, "one\n");
	check_content(f, "one\n");
	assert_false(is_due(f, 0));
	update(f, "a longer two\n");
	check_content(f, "a longer two\n");
	update(f, "3\n");
	check_content(f, "3\n");
	umask(mask);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(f->lines, 0);
}

static void test_is_due_again(void **state)
{
	struct fixture *f = *state;

	textfile_configure(f->file, f->path, 1);
	assert_true(is_due(f, 5000));
	update(f, "1\n");
	assert_true(is_due(f, 5000));
}

static void test_never_due_without_a_path(void **state)
{
	struct fixture *f = *state;

	assert_false(is_due(f, 0));
	textfile_configure(f->file, "", 1);
	assert_false(is_due(f, 20));
	textfile_configure(f->file, f->path, 1);
	assert_true(is_due(f, 5000));
	textfile_configure(f->file, "", 1);
	assert_false(is_due(f, 20));
	update(f, "nothing\n");
	assert_int_equal(access(f->path, F_OK), -1);
}

static void test_old_file_goes(void **state)
{
	struct fixture *f = *state;
	char other[128];

	snprintf(other, sizeof(other), "%s/other.prom", f->folder);
	textfile_configure(f->file, other, 60000);
	update(f, "1\n");
	assert_int_equal(access(other, F_OK), 0);
	textfile_configure(f->file, f->path, 60000);
	assert_int_equal(access(other, F_OK), -1);
	update(f, "2\n");
	textfile_configure(f->file, f->path, 30000);
	check_content(f, "2\n");
	textfile_close(f->file);
	assert_int_equal(access(f->path, F_OK), -1);
	assert_int_equal(textfile_open(&f->file), 0);
}

static void test_one_warning(void **state)
{
	struct fixture *f = *state;
	char missing[128];

	snprintf(missing, sizeof(missing), "%s/none/c.prom", f->folder);
	textfile_configure(f->file, missing, 60000);
	for (int i = 0; i < 5; i++)
		update(f, "1\n");
	assert_int_equal(f->lines, 1);
	assert_non_null(strstr(f->last, missing));
	assert_non_null(strstr(f->last, "No such file or directory"));

	*strrchr(missing, '/') = '\0';
	assert_int_equal(mkdir(missing, 0755), 0);
	update(f, "1\n");
	update(f, "1\n");
	assert_int_equal(f->lines, 2);
	assert_non_null(strstr(f->last, "again"));
	textfile_configure(f->file, "", 0);
	assert_int_equal(rmdir(missing), 0);
}

/* A limit on the size of files acts like a full disk: what was there stays there, whole. */
static void test_full_disk(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, few;
	sig_t was = signal(SIGXFSZ, SIG_IGN);

	textfile_configure(f->file, f->path, 60000);
	update(f, "one\n");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	few = (struct rlimit){4, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
	update(f, "more than fits\n");
	update(f, "more than fits\n");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, was);
	check_content(f, "one\n");
	assert_int_equal(f->lines, 1);
	assert_non_null(strstr(f->last, "File too large"));
	update(f, "two\n");
	check_content(f, "two\n");
}

/* Somebody else may be able to write to the folder: the text must not go where a link leads. */
static void test_link_is_not_followed(void **state)
{
	struct fixture *f = *state;
	char victim[128];
	struct stat st;

	snprintf(victim, sizeof(victim), "%s/victim", f->folder);
	assert_int_equal(close(open(victim, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
	assert_int_equal(symlink(victim, f->temporary), 0);
	textfile_configure(f->file, f->path, 60000);
	update(f, "one\n");
	check_content(f, "one\n");
	assert_int_equal(stat(victim, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(unlink(victim), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_writes_and_replaces),
		TEST(test_is_due_again),
		TEST(test_never_due_without_a_path),
		TEST(test_old_file_goes),
		TEST(test_one_warning),
		TEST(test_full_disk),
		TEST(test_link_is_not_followed),
	};

	return cmocka_run_group_tests_name("textfile", tests, NULL, NULL);
}
