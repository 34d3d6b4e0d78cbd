import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CorePattern } from "../fixtures/core-pattern.ts";
import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";
import { tracesOf } from "./traces.ts";

// The secret of a running service is nowhere on its machine but in the service's own credentials.

const secret = randomBytes(24).toString("hex");
const wrapper = "/opt/sealaunch/wrapper/bin/sealaunch";

let node: Machine;
beforeAll(async () => {
  node = await machine();
  await enrol(node, { secret, units: ["dns.service"] });
  await node.unit(
    "dns.service",
    `[Service]
Type=exec
User=nobody
LimitCORE=infinity
LoadCredential=CF_TOKEN:/run/sealaunch/agent.sock
LoadCredential=sealaunch:/run/sealaunch/agent.sock
ExecStart=${wrapper} run --bundle dns -- /bin/sleep 600
`,
  );
  await node.ok("systemctl", ["start", "dns.service"]);
});
afterAll(() => node[Symbol.asyncDispose]());

/** Which of these have it: grep's own arguments are read from a file descriptor, and are not seen. */
const find = (where: string): Promise<string> =>
  node.ok("sh", ["-c", `grep -slaF -f - ${where} 2>/dev/null || :`], `${secret}\n`);

/** The files of the machine that have something. */
const filesWith = async (what: string): Promise<string[]> =>
  (await tracesOf(node, what)).flat().filter((trace) => trace.startsWith("/"));

describe("a secret of a service that runs", () => {
  it("is in its credentials, so that looking finds it where it is", async () => {
    const place = "/run/credentials/dns.service/CF_TOKEN";
    expect(await find("/run/credentials/dns.service/*")).toBe(`${place}\n`);
  });

  it("is in no log, no file of the machine, no environment and no argument", async () => {
    await node.sh("journalctl --sync");
    expect(await filesWith(secret)).toEqual(["/run/credentials/dns.service/CF_TOKEN"]);
    expect(await find("/proc/[0-9]*/environ /proc/[0-9]*/cmdline")).toBe("");
    const journal = await node.sh("journalctl -o export --no-pager | base64 -w 0");
    expect(Buffer.from(journal, "base64").includes(secret)).toBe(false);
  });

  it("can't be read by path by another unit that has a mount namespace, root's or not", async () => {
    for (const user of ["root", "nobody"]) {
      const { status, stdout } = await node.run("systemd-run", [
        ...["--pipe", "--wait", "--quiet", `--uid=${user}`, "-p", "PrivateMounts=yes"],
        ...["-p", "ProtectSystem=yes", "-p", "InaccessiblePaths=/proc/1"],
        ...["/bin/cat", "/run/credentials/dns.service/CF_TOKEN"],
      ]);
      expect(stdout.toString()).not.toContain(secret);
      expect(status).not.toBe(0);
    }
  });
});

// A handler is given the dump whatever the limits are (core(5)). The kernel starts it where its own first
// process is, which may not see what this one sees: so what it needs, it finds by way of whoever dumps.
const handler = `#!/bin/sh
while read -r key parent; do [ "$key" != PPid: ] || break; done <"/proc/$1/status"
exec "/proc/$1/root/bin/busybox" cat >"/proc/$parent/root/root/cores/core.$1"
`;
const pattern = "|/proc/%P/root/bin/busybox sh /proc/%P/root/usr/local/bin/handler %P";

/** Aborts the main process of a unit; what was dumped of it. */
async function dumpOf(unit: string): Promise<Buffer[]> {
  await node.write("/usr/local/bin/handler", handler, 0o755);
  await node.sh("mkdir /root/cores");
  const set = await CorePattern.set(pattern);
  try {
    await node.sh(`
      pid=$(systemctl show --value -p MainPID ${unit})
      kill -ABRT $pid
      while [ -e /proc/$pid ]; do sleep 0.05; done
      sleep 1`);
  } finally {
    await set[Symbol.asyncDispose]();
  }
  const cores = node.path("/root/cores");
  const names = await readdir(cores);
  const dumps = await Promise.all(names.map((name) => readFile(join(cores, name))));
  await node.sh("rm -r /root/cores");
  return dumps;
}

describe("a core dump", () => {
  it("of the agent has no secret, even where a handler takes it", async () => {
    await node.ok("systemctl", ["restart", "dns.service"]);
    const dumps = await dumpOf("sealaunch-agent.service");
    expect(dumps).toHaveLength(1);
    expect(dumps[0]?.subarray(0, 4).toString("latin1")).toBe("\x7fELF");
    expect(dumps.some((dump) => dump.includes(secret))).toBe(false);
    expect(dumps.some((dump) => dump.includes("AGE-SECRET-KEY-PQ-1"))).toBe(false);
  });

  it("of the service that hasn't read it has none: nothing stays of the wrapper", async () => {
    await node.ok("systemctl", ["restart", "dns.service"]);
    const dumps = await dumpOf("dns.service");
    expect(dumps).toHaveLength(1);
    expect(dumps[0]?.subarray(0, 4).toString("latin1")).toBe("\x7fELF");
    expect(dumps.some((dump) => dump.includes(secret))).toBe(false);
  });
});

describe("the identity of a node", () => {
  it("lies on the disk encrypted only, and is the agent's alone while that runs", async () => {
    await node.ok("systemctl", ["restart", "dns.service"]);
    const named = (await node.sh("jq -r .identity /etc/sealaunch/node.json")).trim();
    expect(named).toBe("/etc/credstore.encrypted/sealaunch-identity");
    const words = ["decrypt", "--name=sealaunch-identity", named, "-"];
    const lines = (await node.ok("systemd-creds", words)).split("\n");
    const identity = lines.find((line) => line.startsWith("AGE-SECRET-KEY-PQ-1")) ?? "";
    expect(identity).not.toBe("");
    const clear = "/run/credentials/sealaunch-agent.service/sealaunch-identity";
    expect(await filesWith(identity)).toEqual([clear]);
  });

  it("can't be read by path by a root service with a private mount namespace", async () => {
    const { status, stdout } = await node.run("systemd-run", [
      ...["--pipe", "--wait", "--quiet", "-p", "PrivateMounts=yes", "-p", "ProtectSystem=yes"],
      ...["/bin/sh", "-c", "cat /run/credentials/sealaunch-agent.service/*"],
    ]);
    expect(stdout.toString()).not.toContain("AGE-SECRET-KEY");
    expect(status).not.toBe(0);
  });
});
