#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Prints the folder of a kernel of Debian, unpacked, for guest.sh. Downloads it unless it has been
# here before; from where, apt's configuration says, whose state is not touched.
#
#   kernel.sh KERNEL
#
# KERNEL: 5.10, 6.1 or 6.12, which are those of Debian 11, 12 and 13; or the path of a .deb.
# They are kept in $CLOSEWAITD_KERNELS (default: ~/.cache/closewaitd-kernels), until somebody deletes
# them.
# Exit status: 77 if it cannot be had, for the reason on stderr.
set -eu

cannot() {
    echo "$*" >&2
    exit 77
}

kernel=$1
case $kernel in
5.10) release=bullseye ;;
6.1) release=bookworm ;;
6.12) release=trixie ;;
*.deb) release='' ;;
*) cannot "no kernel '$kernel': there are 5.10, 6.1, 6.12 and FILE.deb" ;;
esac
cache=${CLOSEWAITD_KERNELS:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/closewaitd-kernels}
folder=$cache/$(basename "$kernel" .deb)
if [ -f "$folder/complete" ]; then
    echo "$folder"
    exit
fi
mkdir -p "$cache"
work=$(mktemp -d "$cache/download.XXXXXX")
trap 'rm -rf "$work"' EXIT

# The repository of this release, as a line of sources.list, made from that of the machine's own.
repository() { # SUFFIX, "-security" or none
    local codename uri signed
    codename=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME") || return 0
    # shellcheck disable=SC2016 # apt's own
    IFS='|' read -r uri signed <<<"$(apt-get indextargets --format \
        '$(RELEASE)|$(REPO_URI)|$(SIGNED_BY)' 2>/dev/null | grep "^$codename$1|" | cut -d '|' -f 2- |
        head -n 1)"
    case $signed in
    /*) signed="[signed-by=$signed]" ;;
    *) signed='' ;; # then apt knows the key by itself
    esac
    [ -z "$uri" ] || echo "deb $signed $uri $release$1 main"
}

# With lists of its own. Those of an old release expire.
apt() { # PROGRAM ARGUMENT...
    local program=$1
    shift
    "$program" -q -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State="$work/state" -o Dir::State::status=/dev/null -o Dir::Cache="$work/cache" \
        -o Acquire::Check-Valid-Until=false -o APT::Sandbox::User=root "$@"
}

fetch() {
    local package
    mkdir -p "$work"/state/lists/partial "$work"/cache/archives/partial
    { repository '' && repository -security; } >"$work/sources.list"
    [ -s "$work/sources.list" ] || cannot 'it is Debian'\''s, and apt knows no archive of Debian'
    # One of the two may be gone: what counts is the download.
    apt apt-get update >"$work/log" 2>&1 || true
    # The package without a version has no files, but depends on the one that has.
    package=$(apt apt-cache depends linux-image-amd64 2>/dev/null |
        sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p')
    [ -n "$package" ] || cannot "no archive has it: $(grep '^[EW]:' "$work/log" | head -n 1)"
    (cd "$work" && apt apt-get download "$package") >"$work/log" 2>&1 ||
        cannot "cannot download it: $(tail -n 1 "$work/log")"
    mv "$work"/*.deb "$work/kernel.deb"
}

begun=$SECONDS
if [ -n "$release" ]; then
    fetch
    kernel=$work/kernel.deb
fi
dpkg-deb -x "$kernel" "$work/files"
version=$(basename "$work"/files/boot/vmlinuz-*)
# From Debian 13 on the modules are below /usr.
[ -d "$work/files/lib" ] || ln -s usr/lib "$work/files/lib"
depmod -b "$work/files" "${version#vmlinuz-}"
touch "$work/files/complete"
rm -rf "$folder"
mv "$work/files" "$folder"
echo "kernel.sh: got Linux ${version#vmlinuz-} in $((SECONDS - begun)) s" >&2
echo "$folder"
