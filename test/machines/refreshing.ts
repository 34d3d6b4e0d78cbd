import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";
import { until, wrapper } from "./pool.ts";
import { addSlowSource } from "./slow-source.ts";

const agentSocket = "/run/sealaunch/agent.sock";

/** Every value begins with it, and nothing else in a machine has it. */
export const mark = "correct horse battery staple";
export const victim = "victim.service";

/** A machine with a running service whose reloads last as long as a test wants. */
export class Refreshing implements AsyncDisposable {
  readonly node: Machine;
  private sets = 0;

  private constructor(node: Machine) {
    this.node = node;
  }

  static async create(units: readonly string[]): Promise<Refreshing> {
    const refreshing = new Refreshing(await machine({ systemd: "next" }));
    const { node } = refreshing;
    try {
      await enrol(node, { secret: `${mark} 0`, units: [victim, ...units] });
      await addSlowSource(node);
      return refreshing;
    } catch (error) {
      await node[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A unit that systemd reloads, with further lines and another program. */
  text(lines: readonly string[] = [], program = "/bin/sleep 600"): string {
    return `[Unit]
StartLimitIntervalSec=0
[Service]
Type=exec
TimeoutStartSec=30
RefreshOnReload=credentials
LoadCredential=CF_TOKEN:${agentSocket}
LoadCredential=sealaunch:${agentSocket}
LoadCredential=slow:/run/slow.sock
ExecStart=${wrapper} run --bundle dns -- ${program}
ExecReload=${wrapper} reload --bundle dns
${lines.join("\n")}
`;
  }

  /** After it, the bundle has another value. @returns that */
  async seal(): Promise<string> {
    const value = `${mark} ${String(++this.sets)}`;
    await this.node.sh(`
      umask 022
      cd /srv/cluster
      printf %s '${value}' >/run/token
      sealaunch seal dns CF_TOKEN=/run/token
      rm /run/token`);
    return value;
  }

  /** Does something while systemd fetches a unit's credentials anew; the reload is over afterwards. */
  async during(unit: string, act: () => Promise<unknown>): Promise<void> {
    await this.node.sh(`rm -f /run/quick; systemctl reload --no-block ${unit}`);
    try {
      await until(
        async () => (await this.node.show(unit, "SubState")) === "refresh-credentials",
        `${unit} is refreshing`,
      );
      await act();
      if ((await this.node.show(unit, "SubState")) !== "refresh-credentials")
        throw new Error(`${unit} was no longer refreshing`);
    } finally {
      await this.node.sh("touch /run/quick");
    }
    await until(async () => (await this.node.show(unit, "ActiveState")) === "active", unit);
  }

  /** What lies where a service reads it. */
  lies(unit: string): Promise<string> {
    return this.node.sh(`cat /run/credentials/${unit}/CF_TOKEN`);
  }

  /** What the agent's own journal has, newest last, since a cursor. */
  async agentSaid(): Promise<string> {
    await this.node.sh("journalctl --sync");
    return this.node.sh("journalctl -q -u sealaunch-agent.service -n 5 -o cat --no-pager");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node[Symbol.asyncDispose]();
  }
}
