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

EXTRA_DIST += tests/lib/setup.sh tests/demo.sh tests/demo/story.sh tests/demo/collide.sh \
	tests/demo/verdict.sh
