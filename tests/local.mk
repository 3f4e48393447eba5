include tests/tools/local.mk
include tests/unit/local.mk
