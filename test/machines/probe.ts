import type { Machine } from "./machine.ts";

// Writes what a process is given to the file that its first argument names, then does what the words
// after it say. Everything is busybox's, so that nothing is started that could change it.
const script = (busybox: string): string => `#!${busybox}/bin/sh
b=${busybox}/bin/busybox
{
  echo "arguments:"
  $b tr '\\0' '\\n' </proc/$$/cmdline
  echo "environment:"
  $b tr '\\0' '\\n' </proc/$$/environ |
    $b grep -vE '^(INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_EXEC_PID|LISTEN_PID|WATCHDOG_PID|REMOTE_PORT)=' | $b sort
  echo "status:"
  $b grep -E '^(Umask|Uid|Gid|Groups|SigBlk|SigIgn|SigCgt|ShdPnd|Cap|NoNewPrivs|Seccomp|Cpus_allowed|THP)' /proc/$$/status
  echo "limits:"
  $b cat /proc/$$/limits
  echo "descriptors:"
  for n in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ ! -e /proc/$$/fd/$n ] || echo "$n $($b readlink /proc/$$/fd/$n | $b sed 's/:\\[[0-9]*\\]//') $($b grep flags: /proc/$$/fdinfo/$n)"
  done
  echo "directory: $($b readlink /proc/$$/cwd) root: $($b readlink /proc/$$/root)"
  echo "group:"
  $b cat /proc/$$/cgroup
  echo "mounts:"
  $b awk '{ print $5, $6, $7, $8, $9, $10 }' /proc/$$/mountinfo | $b sed -E 's/(shared|master):[0-9]+//g' | $b sort
  echo "nice and scheduling: $($b cut -d ' ' -f 18,19,40,41 /proc/$$/stat)"
  echo "oom: $($b cat /proc/$$/oom_score_adj) slack: $($b cat /proc/$$/timerslack_ns) dump: $($b cat /proc/$$/coredump_filter)"
  echo "children: $($b cat /proc/$$/task/$$/children | $b wc -w) personality: $($b cat /proc/$$/personality)"
  echo "leads its session: $($b awk '{ print ($6 == $1) }' /proc/$$/stat)"
  echo "credential: $($b sha256sum <"$CREDENTIALS_DIRECTORY/CF_TOKEN")"
} >"$1.part" 2>&1
$b mv "$1.part" "$1"
shift
eval "$1"
`;

/** The store path of a program that tells what it was given; `PATH/bin/probe FILE COMMANDS`. */
export async function addProbe(node: Machine): Promise<string> {
  const busybox = (await node.sh("ls -d /nix/store/*-demo-busybox")).trim();
  await node.write("/run/built/bin/probe", script(busybox), 0o755);
  return (await node.sh("nix-store --add /run/built")).trim();
}
