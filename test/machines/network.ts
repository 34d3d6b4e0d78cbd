import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { okOnHost } from "./host.ts";

/** A switch between machines, which nothing leaves. It ends with this process. */
export class Network implements AsyncDisposable {
  private readonly holder: ChildProcess;
  private count = 0;

  private constructor(holder: ChildProcess) {
    this.holder = holder;
  }

  static async create(): Promise<Network> {
    const script =
      "ip link add br0 type bridge && ip link set br0 up && echo ready && read -r line";
    const holder = spawn("unshare", ["--net", "sh", "-ec", script], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    return new Network(holder);
  }

  /** A process in the namespace of the switch. */
  get pid(): number {
    return this.holder.pid ?? 0;
  }

  /** The next free address. */
  nextAddress(): string {
    this.count++;
    return `10.77.0.${String(this.count)}`;
  }

  /** After it, `eth0` in the network namespace of a process is plugged in. */
  async plugIn(name: string, pid: number): Promise<void> {
    const port = portOf(name);
    const peer = ["peer", "name", "eth0", "netns", String(pid)];
    await this.ip(["link", "add", port, "type", "veth", ...peer]);
    await this.ip(["link", "set", port, "master", "br0", "up"]);
  }

  /** Cuts a machine off, or connects it again. */
  async setConnected(name: string, isConnected: boolean): Promise<void> {
    await this.ip(["link", "set", portOf(name), isConnected ? "up" : "down"]);
  }

  private ip(words: readonly string[]): Promise<string> {
    const namespace = `--net=/proc/${String(this.pid)}/ns/net`;
    return okOnHost("nsenter", [namespace, "ip", ...words]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.holder.stdin?.end();
    await once(this.holder, "exit");
  }
}

/** At most 15 bytes (ip-link(8)). */
const portOf = (name: string): string => `v${name.slice(-13)}`;
