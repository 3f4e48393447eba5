#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The first program of a guest (guest.sh, container.sh): makes systemd process 1, with nothing of what
# the host starts by itself, and /guest/command as a unit whose StandardOutput= is $1 (a tty: the
# second serial port), and systemd's own log goes to $2.
# Images of containers have it, so that packages start nothing.
rm -f /.dockerenv /usr/sbin/policy-rc.d
rm -rf /etc/systemd/system /etc/init.d /etc/rc?.d
mkdir -p /etc/systemd/system /etc/tmpfiles.d
: >/etc/fstab
# It would empty /tmp, where what is to be tested may be.
ln -sf /dev/null /etc/tmpfiles.d/tmp.conf
cat >/etc/systemd/system/guest.target <<'UNIT'
[Unit]
Requires=multi-user.target
After=multi-user.target
Wants=guest.service
UNIT
cat >/etc/systemd/system/guest.service <<UNIT
[Unit]
After=multi-user.target
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
ExecStart=/bin/bash /guest/command
StandardOutput=$1
StandardError=$1
TTYPath=/dev/ttyS1
TimeoutStartSec=infinity
UNIT
# Not ours to set: in a container these are the host's.
for unit in getty.target systemd-tmpfiles-clean.timer systemd-logind.service systemd-sysctl.service \
    systemd-modules-load.service systemd-udevd.service systemd-random-seed.service; do
    ln -s /dev/null "/etc/systemd/system/$unit"
done
exec /lib/systemd/systemd --unit=guest.target --show-status=no --log-level=notice \
    --log-target="$2"
