import { createHash, randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { enrol } from "./enrolment.ts";
import { machine, type Machine, type MachineOptions } from "./machine.ts";

const socket = "/run/sealaunch/agent.sock";

/** Where the wrapper is in a machine; it has no store path of its own there. */
export const wrapper = "/opt/sealaunch/wrapper/bin/sealaunch";

// Judges what it was given, since what a service got can't be asked of anybody else: a line in `ran` with
// the number of the set, or one in `bad` if the credentials together are none that was ever sealed.
const probe = `#!/bin/sh
cd "$CREDENTIALS_DIRECTORY" || exit 1
found="$(sha256sum <CF_TOKEN)$(sha256sum <KEY)"
if number=$(grep -nxF "$found" /run/probe/expected)
then echo "$1 \${number%%:*}" >>/run/probe/ran
else echo "$1 has $(stat -c %n:%s ./* | tr '\\n' ' ')" >>/run/probe/bad
fi
shift
[ $# = 0 ] || exec "$@"
`;

/** What the pool is to have. */
export interface PoolOptions extends MachineOptions {
  /** Who may ask for its bundle. */
  readonly units: readonly string[];
  /** Of the large credential, in bytes. */
  readonly size?: number;
}

/**
 * A machine that is the one node of a cluster, with one bundle, `dns`, of two credentials: CF_TOKEN,
 * and KEY, which is more than a socket's queue takes. Its services say themselves whether they have
 * got what they should.
 */
export class Pool implements AsyncDisposable {
  readonly node: Machine;
  /** The store path of the program that judges; its arguments are a label and a command to become. */
  readonly program: string;
  private readonly size: number;
  private sets = 0;

  private constructor(node: Machine, program: string, size: number) {
    this.node = node;
    this.program = program;
    this.size = size;
  }

  static async create(options: PoolOptions): Promise<Pool> {
    const node = await machine(options);
    try {
      await enrol(node, { secret: "replaced below", units: options.units });
      await node.write("/run/built/bin/probe", probe, 0o755);
      const program = (await node.sh("nix-store --add /run/built")).trim();
      await node.sh("mkdir -m 1777 /run/probe");
      const pool = new Pool(node, `${program}/bin/probe`, options.size ?? 400_000);
      await pool.seal();
      return pool;
    } catch (error) {
      await node[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** After it, the bundle has a new generation: other values, both of them. @returns the set's number */
  async seal(): Promise<number> {
    const values = { CF_TOKEN: randomBytes(20), KEY: randomBytes(this.size) };
    const hashes = Object.values(values).map(
      (value) => `${createHash("sha256").update(value).digest("hex")}  -`,
    );
    for (const [name, value] of Object.entries(values)) {
      await this.node.write(`/run/values/${name}`, value, 0o600);
    }
    await this.node.sh(`
      umask 022
      echo '${hashes.join("")}' >>/run/probe/expected
      cd /srv/cluster
      sealaunch seal dns CF_TOKEN=/run/values/CF_TOKEN KEY=/run/values/KEY
      rm -r /run/values`);
    return ++this.sets;
  }

  /** A unit that judges what it gets, with further lines and a command that it becomes. */
  text(lines: readonly string[] = [], command = ""): string {
    return `[Unit]
StartLimitIntervalSec=0
[Service]
Type=oneshot
User=nobody
LoadCredential=CF_TOKEN:${socket}
LoadCredential=KEY:${socket}
LoadCredential=sealaunch:${socket}
ExecStart=${wrapper} run --bundle dns -- ${this.program} %n ${command}
${lines.join("\n")}
`;
  }

  /** Which of the sealed sets the programs of a unit had, or those of all units, oldest first. */
  async ran(unit = ""): Promise<number[]> {
    const lines = await this.node.sh("cat /run/probe/ran 2>/dev/null || :");
    return lines
      .split("\n")
      .map((line) => line.split(" "))
      .filter(([by]) => by !== "" && (unit === "" || by === unit))
      .map(([, set]) => Number(set));
  }

  /** What programs got that nobody sealed; "" if none did. */
  bad(): Promise<string> {
    return this.node.sh("cat /run/probe/bad 2>/dev/null || :");
  }

  /** What the journal has of a unit from Sealaunch, newest last. */
  async told(unit: string): Promise<Readonly<Record<string, string>>[]> {
    await this.node.sh("journalctl --sync");
    const match = [`OBJECT_SYSTEMD_UNIT=${unit}`, "SYSLOG_IDENTIFIER=sealaunch"];
    const lines = await this.node.ok("journalctl", ["-q", "-o", "json", "--no-pager", ...match]);
    return lines
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Readonly<Record<string, string>>);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node[Symbol.asyncDispose]();
  }
}

/** Returns once that is so. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 120_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`not within ${String(timeoutMs)} ms: ${what}`);
    await pause(20);
  }
}
