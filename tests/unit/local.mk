# Unit tests need cmocka and nothing else: no root, no network, no file outside the build folder.
if HAVE_CMOCKA
UNIT_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -Werror=unused-function
UNIT_LIBS = $(CLOSEWAITD_LIBS) $(CMOCKA_LIBS)
endif
