import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Whoever has made it says when nothing of it runs any more; else that process has ended, and what it had
// started ends now, may keep it busy and may still write: it is gone if it is a second after it was removed.
const sweep = `
  name=\${1##*/}
  remove() {
    rm -rf "$1"
    for group in /sys/fs/cgroup/"$name" /sys/fs/cgroup/*/"$name"; do
      [ ! -e "$group" ] || find "$group" -depth -type d -exec rmdir {} +
    done
  }
  is_left() {
    for place in "$1" /sys/fs/cgroup/"$name" /sys/fs/cgroup/*/"$name"; do
      [ ! -e "$place" ] || return 0
    done
    return 1
  }
  if read -r _; then remove "$1"; exit; fi
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    is_left "$1" || exit
    remove "$1"
    sleep 1
  done`;

/** A directory of a machine, which goes when this process ends, however it does, and control groups of its name with it. */
export class Scratch implements AsyncDisposable {
  readonly path: string;
  private readonly sweeper: ChildProcess;

  private constructor(path: string) {
    this.path = path;
    // In a session of its own, which what ends this process by its group doesn't reach.
    this.sweeper = spawn("sh", ["-c", sweep, "sh", path], {
      cwd: "/",
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.sweeper.unref();
  }

  static async create(): Promise<Scratch> {
    const path = join(tmpdir(), `sealaunch-machine-${randomUUID().slice(0, 8)}`);
    // First who removes it: this process may end between any two lines.
    const scratch = new Scratch(path);
    await mkdir(path, 0o700);
    return scratch;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.sweeper.ref();
    const swept = once(this.sweeper, "exit");
    this.sweeper.stdin?.end("ended\n");
    await swept;
  }
}
