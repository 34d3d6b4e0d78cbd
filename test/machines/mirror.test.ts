import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mirrorFile } from "../../src/sources/mirror.ts";
import { textOfFile } from "../source.ts";
import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";
import { until } from "./pool.ts";

const mirror = "/var/lib/sealaunch-mirror";
const agentSocket = "/run/sealaunch/agent.sock";
const wrapper = "/opt/sealaunch/wrapper/bin/sealaunch";

let node: Machine;
let program = "";
beforeAll(async () => {
  node = await machine({
    hasDisk: true,
    files: { "/usr/lib/sysusers.d/sealaunch.conf": textOfFile("systemd/sealaunch.sysusers") },
  });
  await enrol(node, { secret: "first value", units: ["a@"] });
  const script = `#!/bin/sh\ncp "$CREDENTIALS_DIRECTORY/CF_TOKEN" "/run/got/$1"\nexec sleep infinity\n`;
  await node.write("/run/built/bin/service", script, 0o755);
  program = (await node.sh("nix-store --add /run/built")).trim();
  await node.sh(`
    systemd-sysusers
    sed -i '1s#{#{"mirror": "${mirror}",#' /etc/sealaunch/node.json
    systemctl enable --now sealaunch-sync.socket sealaunch-sync.service`);
  await unit("a@.service", "");
});
afterAll(() => node[Symbol.asyncDispose]());

/** A unit of the template that keeps what it got. */
async function unit(name: string, options: string): Promise<void> {
  await node.unit(
    name,
    `[Unit]
StartLimitIntervalSec=0
[Service]
Type=exec
TimeoutStartSec=8
Restart=on-failure
RestartSec=1
LoadCredential=CF_TOKEN:${agentSocket}
LoadCredential=sealaunch:${agentSocket}
ExecStart=${wrapper} run --bundle dns ${options} -- ${program}/bin/service %i
`,
  );
}

/** What a start of an instance gets; "" if it is refused. */
async function start(instance: string): Promise<string> {
  const { status } = await node.run("sh", [
    "-euc",
    `mkdir -p /run/got; rm -f /run/got/${instance}; systemctl restart a@${instance}.service`,
  ]);
  if (status !== 0) return "";
  const got = `/run/got/${instance}`;
  await until(async () => (await node.run("test", ["-s", got])).status === 0, got);
  return node.sh(`cat ${got}`);
}

/** What the journal has of an instance from Sealaunch. */
async function told(instance: string): Promise<Readonly<Record<string, string>>[]> {
  await node.sh("journalctl --sync");
  const match = [`OBJECT_SYSTEMD_UNIT=a@${instance}.service`, "SYSLOG_IDENTIFIER=sealaunch"];
  const lines = await node.ok("journalctl", ["-q", "-o", "json", "--no-pager", ...match]);
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Readonly<Record<string, string>>);
}

const seal = (value: string): Promise<string> =>
  node.sh(
    `cd /srv/cluster; umask 022; printf '%s' '${value}' >/run/token; sealaunch seal dns CF_TOKEN=/run/token; rm /run/token`,
  );

const isSynced = async (): Promise<boolean> =>
  (await node.run("sh", ["-c", `grep -qs '"at"' ${mirror}/*`])).status === 0;

const doctor = async (): Promise<string> => {
  const { stdout, stderr } = await node.run("sealaunch", ["doctor", "a@empty.service", "--json"]);
  return `${stdout.toString()}${stderr}`;
};

describe("the process that reads the source", () => {
  it("is another user's, who can't reach the identity, and the agent has no way to the network", async () => {
    await until(isSynced, "a first pass");
    expect(await start("wall")).toBe("first value");
    const sync = await node.show("sealaunch-sync.service", "MainPID");
    const agent = await node.show("sealaunch-agent.service", "MainPID");
    const uids = await node.sh(
      `stat -c %u /proc/${sync} /proc/${agent} ${mirror}; id -u sealaunch-sync`,
    );
    const [ofSync, ofAgent, ofMirror, own] = uids.trim().split("\n");
    expect([ofSync, ofMirror, ofAgent]).toEqual([own, own, "0"]);
    expect(own).not.toBe("0");
    // As that user, and in its sandbox with root's own rights.
    const identity = "/etc/credstore.encrypted/sealaunch-identity";
    const asUser = ["-u", "sealaunch-sync", "--", "cat", identity];
    expect((await node.run("runuser", asUser)).status).not.toBe(0);
    const inside = ["-t", sync, "-m", "--", "cat", identity];
    expect((await node.run("nsenter", inside)).status).not.toBe(0);
    expect(
      (
        await node.run("nsenter", ["-t", sync, "-m", "--", "ls", "/run/credentials/"])
      ).stdout.toString(),
    ).toBe("");
    // What each has open.
    const files = (pid: string): Promise<string> => node.sh(`readlink /proc/${pid}/fd/* || :`);
    expect(await files(sync)).not.toMatch(/credstore|credentials|sealaunch\/(?:agent|decisions)/u);
    expect(await files(agent)).not.toContain(mirror);
    expect(await node.sh("ss -tuwnap")).not.toContain(`pid=${agent},`);
    const families = await node.show("sealaunch-agent.service", "RestrictAddressFamilies");
    expect(families.split(" ").toSorted()).toEqual(["AF_NETLINK", "AF_UNIX"]);
    // Nobody else asks sync for anything.
    expect(await node.sh("stat -c '%A %U' /run/sealaunch/sync.sock")).toBe("srw------- root\n");
  });
});

describe("a start on a node with a mirror", () => {
  it("gets at once what sync brings because it asks for it", async () => {
    await seal("second value");
    await unit("a@.service", "--fresh");
    expect(await start("fresh")).toBe("second value");
    // What is said of a start comes after it.
    const opened = async (): Promise<string | undefined> =>
      (await told("fresh")).find((line) => line["SEALAUNCH_BUNDLE"] === "dns")?.[
        "SEALAUNCH_MIRRORED"
      ];
    await expect.poll(opened).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u);
    await seal("third value");
    await unit("a@.service", "--bundle dns@3+");
    expect(await start("floor")).toBe("third value");
    await unit("a@.service", "");
  });

  it("works after a boot with every source down, also when garbage is collected first", async () => {
    expect(await start("boot")).toBe("third value");
    await node.sh(
      "systemctl enable a@boot.service 2>/dev/null || :; mv /srv/cluster /srv/away; sync",
    );
    await node.powerCut();
    await node.boot();
    await node.sh("nix-collect-garbage >/dev/null 2>&1");
    expect(await start("boot")).toBe("third value");
    const status = await node.run("sealaunch", ["status", "--json"]);
    const { mirror: shown } = JSON.parse(status.stdout.toString()) as {
      mirror: { source: string };
    };
    expect(shown.source).toBe("dir:/srv/cluster");
    await unit("a@.service", "--fresh");
    expect(await start("insisting")).toBe("");
    const refusal = (await told("insisting")).findLast(
      (line) => line["SEALAUNCH_HINT"] !== undefined,
    );
    expect(refusal?.["SEALAUNCH_CODE"]).toBe("mirror/not-fresh");
    await node.sh("systemctl stop 'a@*.service'");
    await unit("a@.service", "");
  });

  it("waits with an empty mirror, is refused with the reason, and comes up when the source is back", async () => {
    await node.sh(`
      systemctl stop sealaunch-sync.service sealaunch-sync.socket
      rm -rf ${mirror}/* ${mirror}/.sync
      systemctl start sealaunch-sync.socket sealaunch-sync.service`);
    const before = Date.now();
    expect(await start("empty")).toBe("");
    expect(Date.now() - before).toBeGreaterThan(2_000);
    const lines = await told("empty");
    expect(lines.some(({ MESSAGE = "" }) => MESSAGE.startsWith("waiting: "))).toBe(true);
    const refusal = lines.find((line) => line["SEALAUNCH_HINT"] !== undefined);
    expect(refusal?.["SEALAUNCH_CODE"]).toBe("roster/absent");
    expect(refusal?.["SEALAUNCH_HINT"]).toContain("sealaunch-sync.service");
    await node.sh("mv /srv/away /srv/cluster");
    await until(
      async () => (await node.run("systemctl", ["is-active", "a@empty.service"])).status === 0,
      "the unit comes up by Restart=",
    );
    expect(await node.sh("cat /run/got/empty")).toBe("third value");
    expect(await doctor()).not.toMatch(/mirror/u);
    const synced = `${mirror}/${mirrorFile("synced")}`;
    await node.sh(`
      systemctl stop sealaunch-sync.socket sealaunch-sync.service
      sed 's/"at":"20../"at":"2000/' ${synced} >/run/synced
      cat /run/synced >${synced}`);
    expect(await doctor()).toContain('"mirror/old"');
    await node.sh(`chown -R root: ${mirror}`);
    expect(await doctor()).toContain('"mirror/root"');
  });
});
