import { existsSync, readFileSync } from "node:fs";
import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";
import { until } from "./pool.ts";

/** What the service gets. */
export const secret = "correct horse";

/** What `deploy` ended with. */
interface Outcome {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What came of it, one for each node. */
  readonly states: readonly string[];
}

/** A process of the service: what it was started with, and its number. */
type Running = readonly [word: string, pid: number];

// It ends at once where it is told to, else says what it has and stays.
const service = `#!/bin/sh
[ "$1" != crash ] || exit 3
echo "$1 $(cat "$CREDENTIALS_DIRECTORY/CF_TOKEN")"
while :; do sleep 1; done
`;

/** A machine on which a scheduler's own program runs, the one node of a pool, with the checkout of who deploys. */
export class Engine implements AsyncDisposable {
  readonly node: Machine;
  /** Seconds that a deployment may take. */
  private readonly within: number;
  private readonly program: string;

  private constructor(node: Machine, within: number, program: string) {
    this.node = node;
    this.within = within;
    this.program = program;
  }

  /**
   * @param binary - the scheduler's program; in the machine it is /usr/local/bin/SCHEDULER
   * @param url - where its API is in the machine
   * @param within - seconds that a deployment may take
   */
  static async create(
    scheduler: "fleet" | "nomad",
    binary: string,
    url: string,
    within: number,
  ): Promise<Engine> {
    const node = await machine();
    try {
      await enrol(node, { secret, units: ["dns@", "mail@"] });
      await node.write("/run/built/bin/service", service, 0o755);
      await node.write(`/usr/local/bin/${scheduler}`, readFileSync(binary), 0o755);
      const schedulers = JSON.stringify({ [scheduler]: { url } });
      const path = await node.sh(`
        cd /srv/cluster
        sed -i '1s#{#{"schedulers": ${schedulers},#' sealaunch.json
        nix-store --add /run/built`);
      return new Engine(node, within, `${path.trim()}/bin/service`);
    } catch (error) {
      await node[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What deploying the service with one argument ends with. */
  async deploy(word: string, options = "", fields: object = {}): Promise<Outcome> {
    const file = {
      ...{ version: 1, name: "dns", bundles: ["dns"], program: this.program, user: "nobody" },
      ...{ arguments: [word], startTimeout: 20, stopTimeout: 10, ...fields },
    };
    await this.node.write("/srv/cluster/service.json", JSON.stringify(file));
    const words = `--json --settle 2 --within ${String(this.within)} ${options}`;
    const command = `cd /srv/cluster; exec sealaunch deploy service.json ${words}`;
    const ended = await this.node.run("sh", ["-euc", command]);
    const stdout = ended.stdout.toString();
    const { nodes } = JSON.parse(stdout || `{"nodes":[]}`) as {
      nodes: readonly { readonly state: string }[];
    };
    const { status: exit, stderr } = ended;
    return { exit, stdout, stderr, states: nodes.map(({ state }) => state) };
  }

  /** The service's processes, oldest first; of a shell's own, which has its parent's name for a moment, the parent alone. */
  async running(): Promise<readonly Running[]> {
    const lines = await this.node.sh("ps -e -o pid= -o ppid= -o args= --sort=start_time");
    const all = [...lines.matchAll(/^ *(\d+) +(\d+) \/bin\/sh (\S+) (\w+)$/gmu)]
      .filter(([, , , program]) => program === this.program)
      .map(([, pid, parent, , word = ""]) => ({ pid: Number(pid), parent: Number(parent), word }));
    const pids = new Set(all.map(({ pid }) => pid));
    return all
      .filter(({ parent }) => !pids.has(parent))
      .map(({ word, pid }): Running => [word, pid]);
  }

  /**
   * What ran at each moment from now until something was done and that alone runs, such as `one two`; but for what
   * crashes.
   */
  async seenUntil(last: string, done: () => Promise<void>): Promise<readonly string[]> {
    const seen: string[] = [];
    const state = { isDone: false };
    const look = async (): Promise<void> => {
      const words = (await this.running()).map(([word]) => word);
      const moment = words
        .filter((word) => word !== "crash")
        .sort()
        .join(" ");
      if (seen.at(-1) !== moment) seen.push(moment);
    };
    const looking = (async () => {
      while (!state.isDone) await look();
    })();
    await done().finally(() => {
      state.isDone = true;
      return looking;
    });
    await until(async () => {
      await look();
      return seen.at(-1) === last;
    }, `${last} alone runs`);
    return seen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node[Symbol.asyncDispose]();
  }
}

/** The path that an environment variable has of a scheduler's program, or why there is none. */
export function binaryOf(variable: string, program: string): { path: string; missing?: string } {
  const path = process.env[variable];
  if (path === undefined || path === "") {
    return { path: "", missing: `${variable} doesn't name a ${program}` };
  }
  if (!existsSync(path)) throw new Error(`${variable}: there is no ${path}`);
  return { path };
}
