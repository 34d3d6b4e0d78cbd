import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";

// Not in this file, which may lie on the machine too.
const secret = `unlikely to stand anywhere ${randomBytes(8).toString("hex")}`;
const hexOf = Buffer.from(secret).toString("hex");

// What the machine has of the one that runs the tests, which is large and not its own.
const passed = ["/opt", "/root", "/home", "/usr/local", "/mnt", "/var/lib", "/var/cache"];

let node: Machine;
beforeAll(async () => {
  node = await machine();
  await enrol(node, { secret, units: ["dns.service"] });
  await node.unit(
    "dns.service",
    `[Service]
Type=exec
LoadCredential=CF_TOKEN:/run/sealaunch/agent.sock
LoadCredential=sealaunch:/run/sealaunch/agent.sock
ExecStart=/opt/sealaunch/wrapper/bin/sealaunch run --bundle dns --env CF_TOKEN -- /bin/sleep 1000
`,
  );
  await node.ok("systemctl", ["start", "dns.service"]);
});
afterAll(() => node[Symbol.asyncDispose]());

interface Found {
  readonly place: string;
  readonly names: readonly string[];
  readonly isAskedFor: boolean;
}

/** The places that are found, and how it ends. It prints no value. */
async function search(): Promise<{ found: readonly Found[]; exit: number | null }> {
  const words = ["doctor", "--search-plaintext", ...passed.flatMap((path) => ["--except", path])];
  const { status, stdout, stderr } = await node.run("sealaunch", [...words, "--json"]);
  expect(stdout.toString() + stderr).not.toContain(secret);
  expect(stderr.includes("plaintext/found")).toBe(status !== 0);
  return { found: JSON.parse(stdout.toString()) as Found[], exit: status };
}

describe("doctor --search-plaintext", () => {
  it("finds a running service's secret where the unit wants it, and nowhere else", async () => {
    const pid = await node.show("dns.service", "MainPID");
    const { found, exit } = await search();
    expect(found).toEqual([
      { place: `/proc/${pid}/environ`, names: ["dns CF_TOKEN"], isAskedFor: true },
    ]);
    expect(exit).toBe(0);
  });

  it("finds it wherever somebody has left it, packed and respelt too", async () => {
    await node.write("/etc/app.conf", `token = "${secret}"`);
    await node.write(
      "/var/tmp/request",
      `Authorization: Basic ${Buffer.from(`u:${secret}`).toString("base64")}`,
    );
    await node.write("/srv/dump", hexOf.toUpperCase());
    await node.write("/dev/shm/x", secret);
    await node.write("/run/left", `${"x".repeat(1024 * 1024 - 5)}${secret}`);
    await node.write("/tmp/core", secret);
    await node.sh(`
      zstd --quiet --rm /tmp/core
      logger -- '${secret}'
      systemd-run --quiet --unit=argument sh -c 'sleep 1000; :' '${hexOf}'
      systemd-run --quiet --unit=environment --setenv=TOKEN='${secret}' sleep 1000`);
    const argument = await node.show("argument.service", "MainPID");
    const environment = await node.show("environment.service", "MainPID");
    const { found, exit } = await search();
    const places = found.filter(({ isAskedFor }) => !isAskedFor).map(({ place }) => place);
    for (const place of [
      ...[
        "/etc/app.conf",
        "/var/tmp/request",
        "/srv/dump",
        "/dev/shm/x",
        "/run/left",
        "/tmp/core.zst",
      ],
      ...["the journal", `/proc/${environment}/environ`],
      `/proc/${argument}/cmdline`,
    ]) {
      expect(places).toContain(place);
    }
    expect(exit).toBe(77);
  });

  it("finds the node's identity outside of where it lies", async () => {
    await node.sh(
      "systemd-creds decrypt --name=sealaunch-identity /etc/credstore.encrypted/sealaunch-identity /srv/copy",
    );
    const { found } = await search();
    expect(found.find(({ place }) => place === "/srv/copy")?.names).toEqual([
      "this node's identity",
    ]);
  });

  it("says which values are too short to be looked for, and takes no unit", async () => {
    await node.sh("cd /srv/cluster; printf 8080 >/run/token; sealaunch seal dns PORT=/run/token");
    const words = [
      "doctor",
      "--search-plaintext",
      ...[...passed, "/etc", "/srv", "/var", "/run"].flatMap((path) => ["--except", path]),
    ];
    const { stderr } = await node.run("sealaunch", words);
    expect(stderr).toMatch(/^warning: dns PORT is too short to be looked for$/mu);
    expect((await node.run("sealaunch", ["doctor", "dns", "--search-plaintext"])).status).toBe(64);
  });
});
