#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs a command under a systemd that is process 1: of a process namespace of its own, with the
# host's kernel and files, and a layer in memory that takes every change. Quicker than guest.sh.
#
#   container.sh [-t SECONDS] COMMAND [ARGUMENT]...
#
# Exit status: COMMAND's; 77 if no container can be made here; 99 if it died or time ran out.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
timeout=600
while getopts t: option; do
    case $option in
    t) timeout=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))

skip() {
    echo "SKIP guest: $*"
    echo '0 passed, 0 failed, 1 skipped'
    exit 77
}

[ "$(id -u)" -eq 0 ] || skip 'a container needs root'
[ -x /lib/systemd/systemd ] || skip 'systemd is not installed'
# Version 2 of control groups, wherever it is mounted.
cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[ -n "$cgroups" ] || skip 'no control groups of version 2'

work=$(mktemp -d)
group=$cgroups/closewaitd-test-$$
mkdir "$group" 2>/dev/null || skip "cannot make control groups in $cgroups"
# shellcheck disable=SC2317 # the trap calls it
clean_up() {
    # Whatever is left in there, down to the last group.
    [ ! -f "$group/cgroup.kill" ] || echo 1 >"$group/cgroup.kill"
    for _ in $(seq 50); do
        find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
        [ -d "$group" ] || break
        sleep 0.2
    done
    rm -rf "$work"
}
trap clean_up EXIT

share=$work/share
mkdir "$share" "$work/layer"
cp "$here/boot.sh" "$share/boot.sh"
{
    printf '#!/bin/bash\nexport PATH=%q HOME=/root LC_ALL=C.UTF-8 TERM=dumb\ncd %q || exit 1\n' \
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "$PWD"
    while IFS= read -r setting; do
        printf 'export %s=%q\n' "$setting" "${!setting}"
    done < <(compgen -e | grep -E '^(CLOSEWAITD|VERBOSE)')
    printf '%q ' "$@"
    printf '\necho $? >/guest/status\n'
} >"$share/command"
: >"$share/output"

# In the namespaces: makes the file system and hands over.
cat >"$work/enter" <<'ENTER'
#!/bin/bash
set -eu
layer=$1/layer share=$1/share
mount --make-rprivate /
mount -t tmpfs layer "$layer"
mkdir "$layer"/{upper,work,root}
root=$layer/root
mount -t overlay -o "lowerdir=/,upperdir=$layer/upper,workdir=$layer/work" root "$root"
mount -t proc proc "$root/proc"
for path in sys irq bus; do
    [ -e "$root/proc/$path" ] || continue
    mount --bind "$root/proc/$path" "$root/proc/$path" && mount -o remount,bind,ro "$root/proc/$path"
done
# The switches of its own network namespace may be set, those of the host may not.
mount --bind /proc/self/net "$root/proc/net" 2>/dev/null || true
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 dev "$root/dev"
for node in null zero full random urandom tty; do
    : >"$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root"/dev/{pts,shm}
mount -t devpts -o newinstance,ptmxmode=0666 pts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs shm "$root/dev/shm"
mount -t tmpfs -o mode=755 run "$root/run"
mkdir -p "$root/guest"
mount --bind "$share" "$root/guest"
ip link set lo up
hostname guest
cd "$root"
exec env -i container=closewaitd-test PATH="$PATH" setpriv \
    --bounding-set=-sys_time,-sys_module,-sys_rawio,-sys_boot,-mknod,-syslog \
    chroot . /bin/sh /guest/boot.sh append:/guest/output journal
ENTER

(
    echo "$BASHPID" >"$group/cgroup.procs"
    exec timeout --foreground -s KILL "$timeout" unshare --fork --pid --mount --net --uts --ipc \
        --cgroup --kill-child bash "$work/enter" "$work"
) </dev/null >"$work/console" 2>&1 &
tail -n +1 -f --pid=$! "$share/output" &
wait $! || true
if [ ! -f "$share/status" ]; then
    echo 'container.sh: it has died, or did not come up:' >&2
    tail -n 20 "$work/console" >&2
    exit 99
fi
exit "$(cat "$share/status")"
