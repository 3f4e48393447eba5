include tests/lib/local.mk
include tests/tools/local.mk
include tests/unit/local.mk
include tests/platform/local.mk
