import { setTimeout as pause } from "node:timers/promises";
import type { Machine } from "./machine.ts";
import { until } from "./pool.ts";

const agent = "sealaunch-agent.service";

/**
 * Leads one start of a unit from question to question, by stopping whoever should wait: systemd's process
 * that asks, or the agent that answers. Begins with the agent stopped and the first question asked.
 */
export class Steps implements AsyncDisposable {
  private readonly node: Machine;
  private readonly unit: string;

  private constructor(node: Machine, unit: string) {
    this.node = node;
    this.unit = unit;
  }

  /**
   * After it, the unit is being started and has asked for its first credential, of a stopped agent.
   *
   * @param needing - the unit that is started by name, and needs it
   */
  static async begin(node: Machine, unit: string, needing = unit): Promise<Steps> {
    const steps = new Steps(node, unit);
    await node.ok("systemctl", ["start", agent]);
    await steps.signalAgent("STOP");
    await node.ok("systemctl", ["start", "--no-block", needing]);
    await steps.asked();
    return steps;
  }

  /** The credential that is asked for now. */
  async asked(): Promise<string> {
    let name = "";
    await until(async () => (name = await this.current()) !== "", `${this.unit} asks`);
    return name;
  }

  private async current(): Promise<string> {
    const table = await this.node.sh("cat /proc/net/unix");
    return new RegExp(`@[0-9a-f]+/unit/${this.unit}/(.+)$`, "mu").exec(table)?.[1] ?? "";
  }

  /** After it, the answer is on its way as far as the kernel takes it, and nobody has read of it. */
  async fill(): Promise<void> {
    await this.signalAsker("STOP");
    await this.signalAgent("CONT");
    let before = 0;
    await until(async () => {
      const now = await this.queued();
      const isSettled = now === before && now > 0;
      before = now;
      return isSettled;
    }, `the agent answers ${this.unit}`);
  }

  /** How many bytes of its answer nobody has read. */
  private async queued(): Promise<number> {
    return Number(await this.node.sh(`ss -xnH | awk '$5 ~ "/unit/${this.unit}/" { print $3 }'`));
  }

  /** After it, that question is answered whole, and the next one asked, if there is one. */
  async next(): Promise<void> {
    const before = await this.asked();
    // Only one of the two runs at a time: what doesn't fit into the kernel's queue goes piece by piece.
    while ((await this.current()) === before) {
      await this.signalAsker("STOP");
      await this.signalAgent("CONT");
      await pause(40);
      await this.signalAgent("STOP");
      await this.signalAsker("CONT");
      await pause(40);
    }
  }

  /** After it, the agent is dead, and whoever asks next gets a new one. */
  killAgent(): Promise<void> {
    return this.signalAgent("KILL");
  }

  /** After it, the start has ended, with nobody stopped any more. @returns whether it has succeeded */
  async end(): Promise<boolean> {
    await this.signalAgent("CONT");
    await this.signalAsker("CONT");
    await until(async () => {
      const state = await this.node.show(this.unit, "ActiveState");
      return state !== "activating";
    }, `${this.unit} has ended its start`);
    return (await this.node.show(this.unit, "Result")) === "success";
  }

  async signalAgent(signal: "STOP" | "CONT" | "KILL"): Promise<void> {
    const pid = await this.agent();
    if (pid !== "0") await this.node.run("kill", [`-${signal}`, pid]);
  }

  /** Every process of the unit: what systemd is before it becomes the service. */
  async signalAsker(signal: "STOP" | "CONT"): Promise<void> {
    await this.node.sh(`
      for group in $(grep -l '/${this.unit}$' /proc/[0-9]*/cgroup); do
        pid=\${group%/cgroup}
        kill -${signal} "\${pid#/proc/}" || :
      done`);
  }

  private agent(): Promise<string> {
    return this.node.show(agent, "MainPID");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.signalAgent("CONT");
    await this.signalAsker("CONT");
  }
}
