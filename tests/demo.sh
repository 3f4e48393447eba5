#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# demo.sh: shows the failure that closewaitd is for, and what closewaitd does about it.
#
# This file makes the sandbox: a network, a mount and a process namespace, where tests/demo/story.sh
# builds and plays. Nothing is cleaned up, for nothing can stay behind: the files are in a tmpfs
# of the mount namespace, and when the first process of the process namespace dies, by whatever
# signal at whatever moment, the kernel kills all others and takes the namespaces apart.

set -u
export LC_ALL=C
source_dir=$(CDPATH='' cd "$(dirname "$0")/.." && pwd -P) || exit 1
# shellcheck source=tests/lib/setup.sh
. "$source_dir/tests/lib/setup.sh"

usage() {
    cat <<EOF
Usage: sudo tests/demo.sh [--keep-build]
Makes loopback connections fail as stale CLOSE_WAIT sockets make them fail,
explains what happens, and shows what each policy of closewaitd does about it.
Takes one to two minutes, after the installation of missing packages (Debian,
Ubuntu) and a build.

It happens in namespaces of its own: nothing else on this machine sees it, and
nothing of it is left, also when it is interrupted. It ends with a table, and
with status 1 if that is not what closewaitd promises.

  --keep-build  build in build-demo/ below the source tree and leave that
                there: the next run builds only what has changed
  -h, --help    this text
EOF
}

build_dir=''
for option in "$@"; do
    case $option in
    --keep-build) build_dir=$source_dir/build-demo ;;
    -h | --help) usage; exit 0 ;;
    *)
        echo "${0##*/}: unexpected argument '$option'; allowed: --keep-build, --help" >&2
        exit 2
        ;;
    esac
done

# The first process of the namespace does not die of these signals (no init does), and waits for
# commands that take seconds: only SIGKILL ends it at once. unshare ends when the kernel has taken
# everything apart; so do we, by the same signal, as whoever sent it expects.
end_sandbox() { # SIGNAL
    trap '' HUP INT QUIT TERM
    if [ -n "${!-}" ]; then
        until pkill -KILL -P "$!" || ! kill -0 "$!" 2>/dev/null; do
            sleep 0.01 # unshare has not made it yet
        done
        wait "$!" 2>/dev/null
        printf '\n%s: interrupted; everything it made is gone\n' "${0##*/}" >&2
    fi
    trap - "$1"
    kill -s "$1" $$
    exit 1 # bash ignores SIGQUIT where it has no trap
}

need_root
case $source_dir/ in
/run/*) die "$source_dir: the demonstration hides /run from itself: move the source tree" ;;
esac
# Before the sandbox is there, what runs is first waited for: an apt-get is better not cut short.
for signal in HUP INT QUIT TERM; do
    # shellcheck disable=SC2064 # now: $signal is another one later
    trap "end_sandbox $signal" "$signal"
done
step 'Preparing'
install_packages
unshare --net --mount --pid --fork --mount-proc true || die \
    'cannot make namespaces, see above: in a container it has to be a privileged one'

# Should this shell be killed with SIGKILL, unshare dies of it, and with unshare the namespace.
# Errors go by descriptor 3: unshare 2.38 complains of a signal mask when its child is killed.
setpriv --pdeathsig KILL \
    unshare --net --mount --pid --fork --kill-child --mount-proc \
    "$source_dir/tests/demo/story.sh" "$source_dir" "$build_dir" \
    3>&2 2>/dev/null &
wait "$!"
