import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, readFile, symlink, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { childrenOf } from "../../src/host/processes.ts";
import type { Ended } from "../fixtures/program.ts";
import { firstStore } from "./first-store.ts";
import { okOnHost, runOnHost } from "./host.ts";
import type { Network } from "./network.ts";
import { nextSystemd } from "./next-systemd.ts";
import { cutPower, waitForDisk } from "./power.ts";
import { Scratch } from "./scratch.ts";

/** What a machine is to be. */
export interface MachineOptions {
  /** Its host name; made up if it matters to nobody. */
  readonly name?: string;
  readonly network?: Network;
  /** Whether its state lies on an ext4 file system, from which a power cut takes what wasn't synced. */
  readonly hasDisk?: boolean;
  /** Whose systemd it has: the running root's, or that of Debian's next release, with control groups of the second version. */
  readonly systemd?: "next";
  /** Files of the first boot, by absolute path. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

const bootTimeoutMs = 60_000;
const diskSize = 1024 * 1024 * 1024;
let made = 0;

// Of no use here, and a minute's work each for a machine that boots.
const masked = [
  "apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer",
  "man-db.timer dpkg-db-backup.timer systemd-networkd-wait-online.service nginx.service etcd.service",
  "redis-server.service postgresql.service ssh.service ssh.socket systemd-resolved.service",
  "podman.socket podman-restart.service podman-auto-update.timer haproxy.service memcached.service",
  "corosync.service pacemaker.service named.service",
]
  .join(" ")
  .split(" ");

/**
 * A booted machine: an overlay of the running root whose first process is systemd, with a store of its
 * own, in which is the demo's service. Sealaunch is installed, its agent's socket listens.
 */
export class Machine implements AsyncDisposable {
  readonly name: string;
  /** Its address in its network; "" without one. */
  readonly address: string;
  readonly directory: string;
  private readonly scratch: Scratch;
  private readonly network: Network | undefined;
  private holder: ChildProcess | undefined;
  private leader = 0;

  private constructor(name: string, scratch: Scratch, network: Network | undefined) {
    this.name = name;
    this.scratch = scratch;
    this.directory = scratch.path;
    this.network = network;
    this.address = network?.nextAddress() ?? "";
  }

  static async create(options: MachineOptions = {}): Promise<Machine> {
    const name = options.name ?? `m${String(process.pid)}-${String(++made)}`;
    const machine = new Machine(name, await Scratch.create(), options.network);
    const { directory } = machine;
    try {
      await firstStore(join(directory, "first"));
      await machine.install(options.files ?? {});
      if (options.systemd === "next") {
        await symlink(await nextSystemd(), join(directory, "systemd"));
      }
      if (options.hasDisk === true) {
        await writeFile(join(directory, "disk.img"), "");
        await truncate(join(directory, "disk.img"), diskSize);
        await okOnHost("mkfs.ext4", ["-q", "-E", "nodiscard", join(directory, "disk.img")]);
      }
      await machine.boot();
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What is put over the root before the first boot. */
  private async install(files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
    const over = join(this.directory, "files");
    const units = join(over, "etc/systemd/system");
    await mkdir(units, { recursive: true });
    await mkdir(join(over, "usr/bin"), { recursive: true });
    await okOnHost("ln", ["-s", "/opt/sealaunch/bin/sealaunch", join(over, "usr/bin/sealaunch")]);
    for (const unit of masked) await okOnHost("ln", ["-s", "/dev/null", join(units, unit)]);
    const systemd = join(import.meta.dirname, "../../systemd");
    const names = ["agent.socket", "agent.service", "sync.socket", "sync.service"].map(
      (name) => `sealaunch-${name}`,
    );
    for (const unit of names) await copyFile(join(systemd, unit), join(units, unit));
    await mkdir(join(units, "sockets.target.wants"));
    await okOnHost("ln", ["-s", "../sealaunch-agent.socket", join(units, "sockets.target.wants/")]);
    const nix = ["sandbox = false", "build-users-group =", "substituters ="].join("\n");
    const all = {
      "/etc/hosts": `127.0.0.1 localhost ${this.name}\n`,
      "/etc/nix/nix.conf": `${nix}\n`,
      ...files,
    };
    for (const [path, content] of Object.entries(all)) {
      await mkdir(dirname(join(over, path)), { recursive: true });
      await writeFile(join(over, path), content);
    }
  }

  /** After it, the machine runs. */
  async boot(): Promise<void> {
    const script = join(import.meta.dirname, "boot.sh");
    const isolated = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"];
    const address = this.address === "" ? [] : [`${this.address}/24`];
    const holder = spawn(
      "unshare",
      [
        ...isolated,
        "--mount-proc",
        ...(this.network === undefined ? [] : ["--net"]),
        ...[script, this.name, this.directory, ...address],
      ],
      { stdio: ["pipe", "inherit", "inherit"] },
    );
    this.holder = holder;
    if (this.network !== undefined) {
      await this.network.plugIn(this.name, await this.waitForChild(holder.pid ?? 0, ""));
      holder.stdin.write("go\n");
    }
    const script1 = await this.waitForChild(holder.pid ?? 0, "boot.sh");
    const nspawn = await this.waitForChild(script1, "systemd-nspawn");
    this.leader = await this.waitForChild(nspawn, "systemd");
    const deadline = Date.now() + bootTimeoutMs;
    for (let state = ""; !["running", "degraded"].includes(state);) {
      if (Date.now() > deadline || holder.exitCode !== null) await this.refuse(state);
      await pause(100);
      const { stdout } = await this.run("systemctl", ["is-system-running"]);
      state = stdout.toString().trim();
    }
  }

  private async refuse(state: string): Promise<never> {
    const path = join(this.directory, "console");
    const lines = await readFile(path, "utf8").catch(() => "");
    throw new Error(`machine ${this.name} doesn't boot: ${state}\n${lines.slice(-2000)}`);
  }

  /** The child of a process that has that name, or any. */
  private async waitForChild(pid: number, name: string): Promise<number> {
    const deadline = Date.now() + bootTimeoutMs;
    for (;;) {
      for (const child of childrenOf(pid)) {
        const comm = await readFile(`/proc/${String(child)}/comm`, "utf8").catch(() => "");
        // A program has its parent's name until it is executed.
        if (name === "" || comm.trim() === name) return child;
      }
      if (Date.now() > deadline || this.holder?.exitCode !== null) await this.refuse(`no ${name}`);
      await pause(20);
    }
  }

  /** The words that enter the machine; a command follows. */
  enter(): string[] {
    return [
      "/usr/bin/nsenter",
      "-t",
      String(this.leader),
      ..."-m -u -i -n -p -r -W/ --".split(" "),
    ];
  }

  /** Runs a program in the machine, to its end. */
  run(program: string, args: readonly string[] = [], input?: string | Uint8Array): Promise<Ended> {
    const [nsenter = "", ...words] = this.enter();
    const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root" };
    return runOnHost(nsenter, [...words, program, ...args], input, { env });
  }

  /** What a program in the machine prints, which has to succeed. */
  async ok(
    program: string,
    args: readonly string[] = [],
    input?: string | Uint8Array,
  ): Promise<string> {
    const { status, stdout, stderr } = await this.run(program, args, input);
    if (status === 0) return stdout.toString();
    throw new Error(
      `${program} ${args.join(" ")}: ${String(status)}\n${stderr}${stdout.toString()}`,
    );
  }

  /** What a shell in the machine prints, which has to succeed. */
  sh(script: string): Promise<string> {
    return this.ok("sh", ["-euc", script]);
  }

  /** Where a file of the machine is for the host, while it runs. */
  path(path: string): string {
    return join(`/proc/${String(this.leader)}/root`, path);
  }

  /** After it, a file of the machine has that content. */
  async write(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    await mkdir(dirname(this.path(path)), { recursive: true });
    await writeFile(this.path(path), content, { mode });
  }

  /** After it, systemd knows a unit with that text. */
  async unit(name: string, text: string): Promise<void> {
    await this.write(`/etc/systemd/system/${name}`, text);
    await this.ok("systemctl", ["daemon-reload"]);
  }

  /** A property of a unit, as systemd has it. */
  async show(unit: string, property: string): Promise<string> {
    const words = ["show", "--value", `--property=${property}`, "--", unit];
    return (await this.ok("systemctl", words)).trim();
  }

  /** Cuts its network, or connects it again. */
  async setConnected(isConnected: boolean): Promise<void> {
    await this.network?.setConnected(this.name, isConnected);
  }

  /** After it, the machine is off, and its disk (`hasDisk`) has what had reached it at one moment. */
  async powerCut(): Promise<void> {
    // The namespace of the mounts is the holder's too.
    await cutPower(this.holder?.pid ?? 0, join(this.directory, "disk"));
    await this.end();
    await waitForDisk(join(this.directory, "disk.img"));
  }

  private async end(): Promise<void> {
    if (this.holder === undefined) return;
    const ended = this.holder.exitCode === null ? once(this.holder, "exit") : undefined;
    this.holder.stdin?.end();
    await ended;
    this.holder = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await this.scratch[Symbol.asyncDispose]();
  }
}

/** A booted machine. */
export function machine(options?: MachineOptions): Promise<Machine> {
  return Machine.create(options);
}

export { Network } from "./network.ts";
