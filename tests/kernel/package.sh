#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Makes the Debian package from a copy of the tree SOURCE in DIRECTORY and has lintian look at it:
# nothing that it calls an error or a warning may be left.
#
#   package.sh SOURCE DIRECTORY
set -eu

source=$(cd "$1" && pwd)
rm -rf "$2"
mkdir -p "$2/closewaitd"
cd "$2/closewaitd"
tar -C "$source" -cf - --exclude=./.git --exclude='./build*' --exclude=./package --exclude='./autom4te.cache' \
    --exclude='./*.log' . | tar --no-same-owner -xf -
# Of a build inside the tree, if there was one.
[ ! -f Makefile ] || make -s distclean
# The unit tests have run elsewhere.
DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -us -uc -b
cd ..
lintian --allow-root --fail-on error,warning closewaitd_*.changes
