include tests/lib/local.mk
include tests/tools/local.mk
include tests/unit/local.mk
include tests/platform/local.mk
include tests/fuzz/local.mk
include tests/netns/local.mk
include tests/kernel/local.mk
include tests/soak/local.mk
include tests/bench/local.mk

# Every suite's rule of its own is in its folder; this one is about the sources.
SOURCE_TESTS = tests/check-layers.sh tests/check-metrics.sh tests/check-units.sh tests/check-docs.sh
TESTS += $(SOURCE_TESTS)
EXTRA_DIST += $(SOURCE_TESTS) tests/alerts.yml

EXTRA_DIST += tests/lib/marked.sh tests/lib/setup.sh tests/demo.sh tests/demo/story.sh \
	tests/demo/collide.sh tests/demo/verdict.sh

# --- the same tests and sources under tools that look closer --------------------------------------

MODULE_TESTS = $(filter tests/unit/% tests/fuzz/%,$(TESTS))
# Builds what the tests need, not every test there is.
CHECK_ONLY = $(MAKE) check check_PROGRAMS= check_LIBRARIES=

# Without test_isolate, whose children enter a filter that valgrind does not know.
VALGRIND = valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite
VALGRIND_TESTS = $(filter-out tests/unit/test_isolate,$(MODULE_TESTS))
check-valgrind:
	UNIT_PERCENT=2 $(CHECK_ONLY) TESTS='$(VALGRIND_TESTS)' LOG_COMPILER='$(VALGRIND)'
# The same without a tool, for builds that count lines or watch threads: what draws lots takes its time.
check-modules:
	UNIT_PERCENT=10 $(CHECK_ONLY) TESTS='$(MODULE_TESTS)'

# What each analyser is not asked, and why: for clang-tidy in .clang-tidy; here:
#   -Wno-analyzer-malloc-leak         loses arrays of pointers in a loop; LeakSanitizer does not
#   uninitvar, ctuuninitvar           an output that is filled if 0 is returned
#   uselessAssignmentPtrArg           does not see the loop around it
#   unknownMacro                      libbpf's, whose headers it does not read
ANALYZE_GCC = gcc -O2 -fanalyzer -Wno-analyzer-malloc-leak -Werror -c -o /dev/null
ANALYZE_TIDY = clang-tidy --quiet
ANALYZE_CPPCHECK = cppcheck -q --enable=warning,performance,portability --error-exitcode=1 \
	--std=c11 --suppress=missingIncludeSystem --suppress=uninitvar --suppress=ctuuninitvar \
	--suppress=uselessAssignmentPtrArg --suppress=unknownMacro
ANALYZED = $(filter %.c,$(libclosewaitd_a_SOURCES) $(closewaitd_SOURCES) $(closewaitctl_SOURCES))
ANALYZE_FLAGS = -std=gnu17 $(DEFS) $(DEFAULT_INCLUDES) $(AM_CPPFLAGS) $(CPPFLAGS)
# Where make is not told: one analyser at a time.
ANALYZE_JOBS = 1
ANALYZE_EACH = printf '%s\n' $(ANALYZED:%=$(srcdir)/%) | xargs -P $(ANALYZE_JOBS) -I FILE

analyze: analyze-gcc analyze-tidy analyze-cppcheck
analyze-gcc:
	@$(ANALYZE_EACH) $(ANALYZE_GCC) $(ANALYZE_FLAGS) FILE
analyze-tidy:
	@$(ANALYZE_EACH) $(ANALYZE_TIDY) FILE -- $(ANALYZE_FLAGS)
analyze-cppcheck:
	@$(ANALYZE_CPPCHECK) -j $(ANALYZE_JOBS) $(DEFS) $(DEFAULT_INCLUDES) -I$(srcdir)/include \
		$(ANALYZED:%=$(srcdir)/%)
.PHONY: check-valgrind check-modules analyze analyze-gcc analyze-tidy analyze-cppcheck
EXTRA_DIST += tests/coverage.sh
