import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Whoever has made it says when it is gone; else that process has ended, and what it had started ends
// now, may keep it busy and may still write: it is gone if it is a second after it was removed.
const sweep =
  'read -r _ || for _ in 1 2 3 4 5 6 7 8 9 10; do [ -e "$1" ] || exit; rm -rf "$1"; sleep 1; done';

/** A directory of a machine, which goes when this process ends, however it does. */
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
    await rm(this.path, { recursive: true, force: true });
    this.sweeper.stdin?.end("gone\n");
  }
}
