import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { count } from "../soak.ts";
import { okOnHost } from "./host.ts";
import type { Machine } from "./machine.ts";
import { addService, type ServiceFiles } from "./services.ts";

/** Where a daemon's files that are no secret lie in a machine. */
export const place = "/etc/daemons";

/** A daemon of Debian's that is started with a secret. */
export interface Daemon {
  /** The unit's name, without `.service`. */
  readonly name: string;
  /** By credential, what is sealed for it. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly files: ServiceFiles;
  /** By path, what an administrator has on the machine. */
  readonly configuration?: Readonly<Record<string, string>>;
  /** What he has run before the first start. */
  readonly before?: string;
  /** What its processes are; below its store path, if relative. */
  readonly program: string;
  /** A client, a script: it succeeds if the daemon answers, and has its secret. */
  readonly ask: string;
  /** What has it read its configuration anew. */
  readonly reload?: string;
  /** The signal that it dies of, SEGV where it doesn't say. */
  readonly crash?: string;
  /** Whether it answers once systemd says that it has started. */
  readonly tellsReady?: boolean;
  /** What starts it, if not its own unit. */
  readonly socket?: string;
}

/** A key for TLS and a certificate of it, for this machine. */
export async function makeCertificate(): Promise<{ key: string; certificate: string }> {
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const words = ["-x509", "-newkey", "ed25519", "-nodes", ...names, "-keyout", "-", "-out", "-"];
  const pem = await okOnHost("openssl", ["req", ...words]);
  const [key = "", certificate = ""] = pem.split(/(?=-----BEGIN CERTIFICATE)/u);
  return { key, certificate };
}

/** A key of an SSH server. */
export async function makeHostKey(): Promise<{ secret: string; public: string }> {
  const folder = await mkdtemp(join(tmpdir(), "host-key-"));
  try {
    const path = join(folder, "key");
    await okOnHost("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path]);
    const [secret, open] = [await readFile(path, "utf8"), await readFile(`${path}.pub`, "utf8")];
    return { secret, public: open };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A client that wants the key of a certificate proved. */
export const askTls = (port: number, certificate: string): string =>
  `openssl s_client -connect 127.0.0.1:${String(port)} -verify_hostname localhost \
    -CAfile ${certificate} -verify_return_error </dev/null >/dev/null 2>&1`;

/** After it, the machine has the daemon in its store and its secrets sealed; its unit isn't there. @returns its store path */
export async function addDaemon(node: Machine, daemon: Daemon): Promise<string> {
  const { name, secrets, configuration = {}, before = "" } = daemon;
  const path = await addService(node, name, daemon.files);
  for (const [file, text] of Object.entries(configuration)) await node.write(file, text);
  for (const [credential, value] of Object.entries(secrets)) {
    await node.write(`/run/values/${credential}`, value, 0o600);
  }
  const words = Object.keys(secrets).map((credential) => `${credential}=/run/values/${credential}`);
  await node.sh(`
    cd /srv/cluster
    sealaunch seal daemons/${name} ${words.join(" ")} --pool web --unit ${name}.service
    rm -r /run/values
    ${before}`);
  return path;
}

/** Tries a daemon from its first start to its last stop. */
export function live(node: () => Machine, daemon: Daemon, path: () => string): void {
  const { name, ask, tellsReady = false, socket, reload, crash = "SEGV" } = daemon;
  const unit = `${name}.service`;
  const mainPid = (): Promise<string> => node().show(unit, "MainPID");
  const told = (): Promise<string> =>
    node().sh(
      `journalctl --sync; systemctl status --lines=0 ${unit} || :; journalctl -o cat -n 30 -u ${unit}`,
    );
  const answers = async (isAtOnce = tellsReady): Promise<void> => {
    const patient = `for i in $(seq 200); do ! sh -euc "$0" || exit 0; sleep 0.05; done; exit 1`;
    const words = isAtOnce ? ["-euc", ask] : ["-c", patient, ask];
    const { status, stdout } = await node().run("sh", words);
    if (status === 0) return;
    expect.fail(`it doesn't answer: ${stdout.toString()}\n${await told()}`);
  };
  const order = async (verb: string, ...units: readonly string[]): Promise<void> => {
    const { status } = await node().run("systemctl", [verb, ...units]);
    if (status !== 0) expect.fail(`no ${verb}: ${await told()}`);
  };
  const programPath = (): string =>
    daemon.program.startsWith("/") ? daemon.program : `${path()}/${daemon.program}`;
  const mounts = (): Promise<string> =>
    node().sh(`cat /proc/*/mountinfo 2>/dev/null | grep ${unit} || :`);
  const isItself = async (): Promise<string> => {
    const program = programPath();
    const pid = await mainPid();
    expect(await node().sh(`readlink /proc/${pid}/exe`)).toBe(`${program}\n`);
    const group = await node().show(unit, "ControlGroup");
    const all = await node().sh(`
      for group in /sys/fs/cgroup/systemd/${group} /sys/fs/cgroup/${group}; do
        [ -e $group/cgroup.procs ] || continue
        for pid in $(cat $group/cgroup.procs); do readlink /proc/$pid/exe || :; done
        break
      done | sort -u`);
    expect(all).toBe(`${program}\n`);
    return pid;
  };

  it("starts, answers with its secret, and is its unit's own process", async () => {
    if (socket === undefined) await order("start", unit);
    else {
      await order("start", socket);
      expect(await node().show(unit, "ActiveState")).toBe("inactive");
    }
    await answers();
    const pid = await isItself();
    const status = await node().ok("systemctl", ["status", "--no-pager", "--lines=0", unit]);
    expect(status).toMatch(/^ +Active: active \(running\)/mu);
    expect(status).toMatch(new RegExp(String.raw`^ +Main PID: ${pid} \(\w`, "mu"));
    expect(await node().sh("systemctl list-units --no-legend --failed")).toBe("");
    expect(await mounts()).toContain(`/run/credentials/${unit} `);
    const decision = `/run/sealaunch/decisions/${await node().show(unit, "InvocationID")}.json`;
    await node().ok("ls", [`/var/lib/sealaunch/roots/${unit}`, decision]);
  });

  if (reload !== undefined) {
    it("reads its configuration anew as the same process", async () => {
      const before = await mainPid();
      await node().sh(reload);
      await answers(false);
      expect(await mainPid()).toBe(before);
    });
  }

  it(`is restarted ${String(count(50))} times, and answers each time`, async () => {
    const seen = new Set([await mainPid()]);
    for (let round = 1; round <= count(50); round++) {
      await order("restart", unit);
      await answers();
      seen.add(await mainPid());
      expect(seen.size).toBe(round + 1);
    }
    await isItself();
  });

  it("crashes, and comes back with its secret", async () => {
    const before = await mainPid();
    await node().ok("systemctl", ["kill", "--kill-whom=main", `--signal=${crash}`, unit]);
    await expect.poll(mainPid).not.toMatch(new RegExp(`^(?:0|${before})$`, "u"));
    await answers(false);
    expect(Number(await node().show(unit, "NRestarts"))).toBe(1);
    await isItself();
  });

  it("stops, and leaves neither a process nor a mount nor a directory of the run", async () => {
    const directories = (await node().show(unit, "RuntimeDirectory")).split(" ");
    const pidFile = await node().show(unit, "PIDFile");
    await order("stop", ...(socket === undefined ? [] : [socket]), unit);
    expect(await node().show(unit, "ActiveState")).toBe("inactive");
    expect(await node().show(unit, "Result")).toBe("success");
    const own = directories.map((directory) => (directory === "" ? "" : `/run/${directory}`));
    for (const left of [`/run/credentials/${unit}`, pidFile, ...own]) {
      expect((await node().run("test", ["-e", left])).status, left).toBe(1);
    }
    expect(await mounts()).toBe("");
    expect(await node().sh(`ls -l /proc/*/exe 2>/dev/null | grep ' ${programPath()}$' || :`)).toBe(
      "",
    );
  });
}

/** Tells an agent to keep nothing of what has stopped. Then it keeps the wrapper alone, for what comes. */
export async function keepNothing(node: Machine): Promise<void> {
  await node.sh(`
    jq '.keepClosures = 0' /etc/sealaunch/node.json >/run/node.json
    cat /run/node.json >/etc/sealaunch/node.json
    rm /run/node.json
    systemctl restart sealaunch-agent.service`);
  const kept = (): Promise<string> =>
    node.sh("cd /var/lib/sealaunch/roots; ls . /run/sealaunch/decisions");
  await expect.poll(kept).toBe(".:\nsealaunch-agent.service\n\n/run/sealaunch/decisions:\n");
}
