include tests/tools/local.mk
