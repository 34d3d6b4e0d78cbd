#!/bin/sh
# Boots one machine: an overlay of the running root under systemd-nspawn. Runs as the first process of a
# PID namespace with a mount namespace of its own, so that whatever ends it takes the machine's
# processes, mounts and network with it. It ends when its standard input does.
#
# usage: boot.sh NAME DIRECTORY [ADDRESS]
#   DIRECTORY  first/ is what /nix is on the first boot, files/ what is put over the root; disk.img, if
#              there is one, is the disk, else it is in memory; systemd/, if it is there, has packages
#              that lie over the root, and unified control groups go with them
#   ADDRESS    of eth0, which is there when a line comes on standard input
set -eu
name=$1
directory=$2
address=${3-}

# Control groups of its own: two machines in those of whoever starts them would have one for a unit
# of both, and each would see the other's processes in it. Whoever has made the directory removes them.
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
  [ -e "$hierarchy/cgroup.procs" ] || continue
  mkdir -p "$hierarchy/${directory##*/}"
  echo $$ >"$hierarchy/${directory##*/}/cgroup.procs"
done

mkdir -p "$directory/disk" "$directory/root"
if [ -e "$directory/disk.img" ]; then
  mount -o loop "$directory/disk.img" "$directory/disk"
else
  mount -t tmpfs -o mode=0755 tmpfs "$directory/disk"
fi
mkdir -p "$directory/disk/upper" "$directory/disk/work" "$directory/disk/nix"
root=$directory/root
lower=/
if [ -e "$directory/systemd" ]; then
  # Of another file system than the root, or the kernel takes the two for one.
  lower=$directory/layer:/
  mkdir -p "$directory/layer"
  mount -t tmpfs -o mode=0755 tmpfs "$directory/layer"
  for package in "$directory"/systemd/*.deb; do dpkg-deb -x "$package" "$directory/layer"; done
  export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
fi
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$directory/disk/upper,workdir=$directory/disk/work" "$root"
# On its first boot it gets what is its own.
if [ ! -e "$root/etc/sealaunch-machine" ]; then
  cp -a "$directory/first/." "$directory/disk/nix/"
  cp -a "$directory/files/." "$root/"
  : >"$root/etc/machine-id"
  echo "$name" >"$root/etc/hostname"
  rm -f "$root/etc/resolv.conf" "$root"/etc/ssh/ssh_host_*
  : >"$root/etc/resolv.conf"
  : >"$root/etc/sealaunch-machine"
fi
mkdir -p "$root/nix" "$root/opt/sealaunch"
mount --bind "$directory/disk/nix" "$root/nix"
mount --bind "$(dirname "$0")/../.." "$root/opt/sealaunch"

set -- --private-network
if [ -n "$address" ]; then
  read -r _
  ip link set lo up
  ip address add "$address" dev eth0
  ip link set eth0 up
  set -- "--network-namespace-path=/proc/self/ns/net"
fi
# Of what nspawn keeps from a machine, the agent asks for one system call.
systemd-nspawn --quiet --directory="$root" --machine="$name" --register=no --keep-unit \
  --system-call-filter=pidfd_getfd \
  --console=read-only "$@" --boot systemd.unit=multi-user.target </dev/null >>"$directory/console" 2>&1 &
# Whoever started it has gone, or wants it to.
read -r _ || :
exit 0
