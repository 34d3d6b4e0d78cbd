import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Whoever has made it says when it is gone; else that process has ended, and what it had started ends
// now and may still write.
const sweep = 'read -r _ || for _ in 1 2 3; do rm -rf "$1"; sleep 1; done';

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
    return new Scratch(await mkdtemp(join(tmpdir(), "sealaunch-machine-")));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    this.sweeper.stdin?.end("gone\n");
  }
}
