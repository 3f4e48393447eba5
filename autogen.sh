#!/bin/sh
# Makes ./configure from configure.ac.
set -eu
cd "$(dirname "$0")"
if ! command -v autoreconf >/dev/null; then
    echo "autogen.sh: autoreconf is missing (Debian: apt install autoconf automake pkg-config)" >&2
    exit 1
fi
exec autoreconf --force --install --warnings=all
