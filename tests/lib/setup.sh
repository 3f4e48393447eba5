# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# setup: what the commands of the README have in common: words on the terminal, the packages, the
# build. For sh and bash. The script that reads it sets source_dir, the absolute path of the tree.

packages='build-essential autoconf automake pkg-config libnetfilter-queue-dev libnfnetlink-dev
    libmnl-dev libconfig-dev libjansson-dev libcap-ng-dev libseccomp-dev
    libcmocka-dev iproute2 iptables nftables procps'
# Where there is no dpkg: the programs of the packages above. configure asks for the libraries.
programs='cc make autoreconf automake pkg-config ip ss nstat iptables nft sysctl'

PATH=$PATH:/usr/sbin:/sbin # "su" leaves them out
export PATH

# --- words --------------------------------------------------------------------------------------

# shellcheck disable=SC2034 # some of them are for those who read this file
bold='' dim='' red='' green='' plain=''
# shellcheck disable=SC2034
if [ -t 1 ] && [ -z "${NO_COLOR-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    bold=$(printf '\033[1m') dim=$(printf '\033[2m') red=$(printf '\033[31m')
    green=$(printf '\033[32m') plain=$(printf '\033[0m')
fi

step() { # TEXT
    printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

say() { # TEXT, of any length
    printf '%s\n' "$*" | fold -s -w 76 | sed 's/^/  /; s/ *$//'
}

die() { # TEXT
    printf '%s: %s%s%s\n' "${0##*/}" "$red" "$*" "$plain" >&2
    exit 1
}

has() { # PROGRAM
    command -v "$1" >/dev/null 2>&1
}

# quietly WHAT COMMAND [ARGUMENT]...: says WHAT and how long it took; shows what the command printed
# only when it fails, and ends the script then.
quietly() {
    what=$1
    shift
    printf '  %s ... ' "$what"
    begun=$(date +%s)
    if output=$("$@" 2>&1 </dev/null); then
        printf 'done, %s s\n' "$(($(date +%s) - begun))"
        return
    fi
    printf '%sfailed%s\n' "$red" "$plain"
    printf '%s\n' "$output" | tail -n 30 >&2
    die "$what: \"$*\" failed, its last words are above"
}

# --- packages -----------------------------------------------------------------------------------

need_root() {
    [ "$(id -u)" -eq 0 ] || die "needs root, for network namespaces and netfilter: sudo $0"
}

install_packages() {
    if ! has apt-get || ! has dpkg-query; then
        need_programs
        return
    fi
    missing=''
    for package in $packages; do
        # One line per architecture, and "not-installed" for one that is known and not there.
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
            missing="$missing $package"
    done
    if [ -z "$missing" ]; then
        say 'Every package that the build and the tests need is installed.'
        return
    fi
    say "Missing packages:$missing"
    # shellcheck disable=SC2086 # a list of names
    quietly 'installing them with apt-get' apt_install $missing
}

# The lists of a machine may be absent or old, those of a foreign repository broken: they are
# brought up to date only when there is no other way, and what counts is the installation.
apt_install() { # PACKAGE...
    apt_get install "$@" || {
        apt_get update
        apt_get install "$@"
    } || {
        echo "Is this machine online? By hand: apt-get install $*"
        return 1
    }
}

apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
        -o DPkg::Lock::Timeout=120 "$@"
}

need_programs() {
    missing=''
    for program in $programs; do
        has "$program" || missing="$missing $program"
    done
    # shellcheck disable=SC2086 # one line instead of two
    [ -z "$missing" ] || die "not Debian or Ubuntu, so nothing can be installed here, and these" \
        "programs are missing:$missing. Install what these packages of Debian are on this system:" \
        $packages
    say 'Not Debian or Ubuntu: nothing is installed, what is here has to do.'
}

# --- the build ----------------------------------------------------------------------------------

# From here on the build is made from a copy of the tree in DIR: nothing is written to the tree,
# which may be read-only, or somebody's who does not want files of root in it. What an earlier build
# inside the tree has left is not copied: configure and make would take it for their own.
copy_source() { # DIR
    mkdir -p "$1" || die "cannot make $1"
    tar -C "$source_dir" -cf - --exclude=./.git --exclude='./build*' --exclude='./autom4te.cache' \
        --exclude='./configure' --exclude='./aclocal.m4' --exclude='./config.[hls]*' \
        --exclude='./Makefile' --exclude='./Makefile.in' --exclude='./stamp-h1' \
        --exclude='*.o' --exclude='*.a' --exclude='.deps' --exclude='.dirstamp' . |
        tar -C "$1" --no-same-owner -xf - || die "cannot copy $source_dir to $1"
    source_dir=$(CDPATH='' cd "$1" && pwd)
}

build_tree() { # BUILDDIR [OPTION OF configure]...
    mkdir -p "$1" || die "cannot make $1"
    build_dir=$(CDPATH='' cd "$1" && pwd)
    shift
    # Later changes are make's business: the Makefile knows what configure was made from.
    if [ ! -x "$source_dir/configure" ] || [ ! -d "$source_dir/build-aux" ]; then
        quietly 'making configure' "$source_dir/autogen.sh"
    fi
    quietly 'configuring' in_directory "$build_dir" "$source_dir/configure" "$@"
    quietly 'compiling' make -C "$build_dir" -j "$(nproc)"
}

in_directory() ( # DIR COMMAND [ARGUMENT]...
    cd "$1" || exit 1
    shift
    "$@"
)
