#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Boots a kernel of Debian in a virtual machine on this machine's own files and runs a command there.
#
# The guest sees the whole file system of the host, read-only, with a layer in memory over it that
# takes every change: nothing that happens in there comes back, but the output and the exit status.
# It has no network card. Only x86-64, emulated in software; CLOSEWAITD_GUEST_ACCEL=kvm is quicker,
# where that works.
set -eu

here=$(cd "$(dirname "$0")" && pwd)

usage() {
    cat <<'HELP'
Usage: guest.sh [OPTION]... COMMAND [ARGUMENT]...
  -k KERNEL    5.10, 6.1 (the default), 6.12, or the path of a .deb; see kernel.sh
  -s           systemd as process 1, COMMAND as a unit; else COMMAND with next to nothing around it
  -m MIB       memory (default: 2048)
  -t SECONDS   give up after so long (default: 1800)
  -l FILE      where the console goes (default: shown only when the guest does not come up)
Exit status: COMMAND's; 77 if no guest can be made here; 99 if it died or time ran out.
HELP
}

kernel=6.1 systemd='' memory=2048 timeout=1800 console=''
while getopts k:sm:t:l:h option; do
    case $option in
    k) kernel=$OPTARG ;;
    s) systemd=1 ;;
    m) memory=$OPTARG ;;
    t) timeout=$OPTARG ;;
    l) console=$OPTARG ;;
    h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || { usage >&2; exit 2; }

skip() {
    echo "SKIP guest: $*"
    echo '0 passed, 0 failed, 1 skipped'
    exit 77
}

say() {
    echo "guest.sh: $*" >&2
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# --- what it takes ------------------------------------------------------------------------------

[ "$(uname -m)" = x86_64 ] || skip "guests are made on x86-64 only, this is $(uname -m)"
[ "$(id -u)" -eq 0 ] || skip 'the guest reads every file of the host: needs root'
PATH=$PATH:/usr/sbin:/sbin
missing=''
for need in qemu-system-x86_64:qemu-system-x86 busybox:busybox-static cpio:cpio depmod:kmod; do
    command -v "${need%:*}" >/dev/null || missing="$missing ${need#*:}"
done
if [ -n "$missing" ]; then
    say "installing$missing"
    # shellcheck disable=SC2086 # a list of names
    DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing \
        >"$work/apt.log" 2>&1 || skip "cannot install$missing: $(tail -n 1 "$work/apt.log")"
fi
ldd "$(command -v busybox)" >/dev/null 2>&1 && skip 'busybox is not static: install busybox-static'

# --- the kernel ---------------------------------------------------------------------------------

folder=$("$here/kernel.sh" "$kernel" 2> >(tee "$work/kernel.log" >&2)) ||
    skip "no kernel $kernel: $(tail -n 1 "$work/kernel.log")"
version=$(basename "$folder"/boot/vmlinuz-*)
version=${version#vmlinuz-}

# --- the first steps of the guest ---------------------------------------------------------------

initramfs=$work/initramfs
mkdir -p "$initramfs"/{bin,modules,proc,sys,dev,lower,layer,root}
cp "$(command -v busybox)" "$initramfs/bin/busybox"
# In the order in which they have to be loaded; compressed ones are unpacked, busybox cannot.
number=100
for module in virtio_pci 9pnet_virtio 9p overlay; do
    modprobe -d "$folder" -S "$version" --show-depends "$module" || echo "builtin $module"
done 2>/dev/null | awk '!seen[$0]++' | while read -r how file _; do
    [ "$how" = insmod ] || continue
    number=$((number + 1))
    plain=$initramfs/modules/$number-$(basename "$file" | sed 's/[.][xg]z$//; s/[.]zst$//')
    case $file in
    *.xz) xz -dc "$file" >"$plain" ;;
    *.gz) gzip -dc "$file" >"$plain" ;;
    *.zst) zstd -qdc "$file" >"$plain" ;;
    *) cp "$file" "$plain" ;;
    esac
done
cat >"$initramfs/init" <<'INIT'
#!/bin/busybox sh
PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /modules/*; do insmod "$module"; done
over=trans=virtio,version=9p2000.L,msize=262144
mount -t 9p -o ro,cache=loose,$over host /lower || exec poweroff -f
mount -t tmpfs -o size=75% layer /layer
mkdir /layer/upper /layer/work
mount -t overlay -o lowerdir=/lower,upperdir=/layer/upper,workdir=/layer/work root /root
mkdir -p /root/guest "/root/usr/lib/modules/$(uname -r)"
mount -t 9p -o "$over" share /root/guest
mount -t 9p -o "ro,cache=loose,$over" modules "/root/usr/lib/modules/$(uname -r)"
: >/root/etc/fstab
for place in proc sys dev; do mount -o move /$place /root/$place; done
exec switch_root /root /guest/first
INIT
chmod +x "$initramfs/init"
(cd "$initramfs" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initramfs.gz"

# --- what it runs -------------------------------------------------------------------------------

share=$work/share
mkdir "$share"
{
    printf '#!/bin/bash\nexport PATH=%q HOME=/root LC_ALL=C.UTF-8 TERM=dumb\ncd %q || exit 1\n' \
        "$PATH" "$PWD"
    while IFS= read -r setting; do
        printf 'export %s=%q\n' "$setting" "${!setting}"
    done < <(compgen -e | grep -E '^(CLOSEWAITD|VERBOSE)')
    printf '%q ' "$@"
    printf '\necho $? >/guest/status\nsync\n'
} >"$share/command"

if [ -n "$systemd" ]; then
    cp "$here/boot.sh" "$share/boot.sh"
    printf '#!/bin/sh\nexec /bin/sh /guest/boot.sh tty journal-or-kmsg\n' >"$share/first"
else
    cat >"$share/first" <<'FIRST'
#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t tmpfs run /run
mkdir -p /run/netns /dev/shm /dev/pts
mount -t tmpfs shm /dev/shm
mount -t devpts pts /dev/pts
ln -sf /proc/self/fd /dev/fd
hostname guest
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
ip link set lo up
# What systemd allows a service; the kernel by itself 4096.
ulimit -n 524288
bash /guest/command </dev/null >/dev/ttyS1 2>&1
echo o >/proc/sysrq-trigger
sleep 60
FIRST
fi
chmod +x "$share/first"

# --- run ----------------------------------------------------------------------------------------

begun=$SECONDS
[ -n "$console" ] || console=$work/console
# A device /dev/kvm need not mean that it works: inside of other virtual machines it often hangs.
accel=${CLOSEWAITD_GUEST_ACCEL:-tcg,thread=multi,tb-size=512}
# "quiet" keeps the emulated serial port, which is slow, for what matters; nobody attacks this kernel.
timeout --foreground "$timeout" qemu-system-x86_64 -nodefaults -no-reboot -display none -nic none \
    -accel "$accel" -cpu max -smp "$(nproc)" -m "$memory" \
    -kernel "$folder/boot/vmlinuz-$version" -initrd "$work/initramfs.gz" \
    -append 'console=ttyS0 quiet panic=-1 mitigations=off init_on_alloc=0' \
    -serial "file:$console" -serial stdio \
    -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
    -virtfs "local,path=$folder/lib/modules/$version,mount_tag=modules,security_model=none,readonly=on" \
    -virtfs "local,path=$share,mount_tag=share,security_model=none" \
    </dev/null | sed -u 's|\r$||' || true
say "Linux $version was up for $((SECONDS - begun)) s"
if [ ! -f "$share/status" ]; then
    say 'the guest has died, or did not come up; the end of its console:'
    tail -n 40 "$console" >&2
    exit 99
fi
exit "$(cat "$share/status")"
