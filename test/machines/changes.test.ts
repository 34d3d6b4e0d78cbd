import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { textOfFile } from "../source.ts";
import { enrol } from "./enrolment.ts";
import { machine, type Machine } from "./machine.ts";
import { until } from "./pool.ts";

const mirror = "/var/lib/sealaunch-mirror";
const agentSocket = "/run/sealaunch/agent.sock";
const wrapper = "/opt/sealaunch/wrapper/bin/sealaunch";
const follows = "follows.service";
const stays = "stays.service";

let node: Machine;
let program = "";
beforeAll(async () => {
  node = await machine({
    files: { "/usr/lib/sysusers.d/sealaunch.conf": textOfFile("systemd/sealaunch.sysusers") },
  });
  await enrol(node, { secret: "first value", units: [follows, stays] });
  const script = `#!/bin/sh\ncat "$CREDENTIALS_DIRECTORY/CF_TOKEN" >>"/run/got/$1"; echo >>"/run/got/$1"\nexec sleep infinity\n`;
  await node.write("/run/built/bin/service", script, 0o755);
  program = (await node.sh("nix-store --add /run/built")).trim();
  await node.sh(`
    systemd-sysusers
    mkdir /run/got
    test -e /etc/ssh/ssh_host_ed25519_key || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
    sed -i '1s#{#{"mirror": "${mirror}",#' /etc/sealaunch/node.json
    install -d -o sealaunch-sync /srv/cluster/keys/nodes/n1
    chown -R sealaunch-sync: /srv/cluster
    mkdir -p /etc/systemd/system/sealaunch-sync.service.d
    printf '[Service]\\nReadWritePaths=/srv/cluster\\n' >/etc/systemd/system/sealaunch-sync.service.d/own.conf
    systemctl daemon-reload
    systemctl enable --now sealaunch-sync.socket sealaunch-sync.service`);
  await unit(follows, "--on-change restart");
  await unit(stays, "");
  await until(isSynced, "a first pass");
  for (const service of [follows, stays]) await node.ok("systemctl", ["start", service]);
}, 180_000);
afterAll(() => node[Symbol.asyncDispose]());

const isSynced = async (): Promise<boolean> =>
  (await node.run("sh", ["-c", `grep -qs '"at"' ${mirror}/*`])).status === 0;

/** A unit that writes down each value that it starts with. */
function unit(name: string, options: string): Promise<void> {
  return node.unit(
    name,
    `[Unit]
StartLimitIntervalSec=0
[Service]
Type=exec
TimeoutStartSec=8
LoadCredential=CF_TOKEN:${agentSocket}
LoadCredential=sealaunch:${agentSocket}
ExecStart=${wrapper} run --bundle dns ${options} -- ${program}/bin/service %N
`,
  );
}

/** What a service has started with, one start after the other. */
const got = async (service: string): Promise<string[]> =>
  (await node.sh(`cat /run/got/${service.replace(".service", "")}`)).trimEnd().split("\n");

/** Does something as whoever owns the checkout. */
const inCluster = (command: string): Promise<string> =>
  node.sh(`cd /srv/cluster; umask 022; ${command}; chown -R sealaunch-sync: /srv/cluster`);
const seal = (value: string): Promise<string> =>
  inCluster(
    `printf '%s' '${value}' >/run/token; sealaunch seal dns CF_TOKEN=/run/token; rm /run/token`,
  );

/** After it, the mirror has all that the source has now, and the agent has looked at it. */
async function synced(): Promise<void> {
  const before = await mirroredAt();
  await node.sh("sleep 1; systemctl restart sealaunch-sync.service");
  await until(async () => (await mirroredAt()) > before, "a pass of sync", 60_000);
}
const mirroredAt = async (): Promise<string> =>
  (
    JSON.parse((await node.run("sealaunch", ["status", "--json"])).stdout.toString()) as {
      mirror: { at: string };
    }
  ).mirror.at;

interface Report {
  readonly issued: string;
  readonly services: readonly {
    readonly unit: string;
    readonly bundles: readonly { readonly generation: number }[];
    readonly refusal: { readonly code: string } | null;
  }[];
}
/** What the source has of the node, as sync has carried it there. */
async function report(): Promise<Report | undefined> {
  const { status, stdout } = await node.run("sh", [
    "-c",
    "cat /srv/cluster/keys/nodes/*/report.json",
  ]);
  return status === 0 ? (JSON.parse(stdout.toString()) as Report) : undefined;
}
const reported = async (service: string): Promise<Report["services"][number] | undefined> =>
  (await report())?.services.find((one) => one.unit === service);

describe("a service whose bundle changes while it runs", () => {
  it("is restarted once on the new value where it asks for that, and runs on where it doesn't", async () => {
    await seal("second value");
    await synced();
    await until(async () => (await got(follows)).length > 1, "a restart", 60_000);
    await synced();
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    expect(await got(follows)).toEqual(["first value", "second value"]);
    expect(await got(stays)).toEqual(["first value"]);
    await until(
      async () => (await reported(follows))?.bundles[0]?.generation === 2,
      "the node's report",
      30_000,
    );
    expect((await reported(stays))?.bundles[0]?.generation).toBe(1);
  }, 180_000);

  it("isn't restarted for what says the same anew, nor for a value that is sealed anew", async () => {
    await inCluster("sealaunch seal dns --expires 400d");
    await synced();
    const told = (await node.run("sealaunch", ["status"])).stdout.toString();
    expect(told).toMatch(/^follows\.service +active +dns +2 +3 +current: the same values /mu);
    expect(told).toMatch(/^stays\.service +active +dns +1 +3 +BEHIND /mu);
    await seal("second value");
    await synced();
    await until(
      async () => (await reported(follows))?.bundles[0]?.generation === 4,
      "a report that it runs on the newest",
      30_000,
    );
    const later = (await node.run("sealaunch", ["status"])).stdout.toString();
    expect(later).toMatch(/^follows\.service +active +dns +4 +4 +current /mu);
    expect(await got(follows)).toEqual(["first value", "second value"]);
  }, 180_000);

  it("isn't restarted for what nobody has signed who may, whatever values it names", async () => {
    await inCluster(`
      ssh-keygen -q -t ed25519 -N '' -f /run/eve
      cp -r secrets/bundles/dns/0.4 secrets/bundles/dns/0.5
      cd secrets/bundles/dns/0.5
      rm signatures/*
      sed -i 's/"generation": 4/"generation": 5/; s/"payload": "[0-9a-f]\\{8\\}/"payload": "00000000/' statement.json
      grep -c '"generation": 5' statement.json
      ssh-keygen -q -Y sign -f /run/eve -n bundle@sealaunch <statement.json >"signatures/$(printf %032d 1).sig"
      cd /srv/cluster`);
    await synced();
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    expect(await got(follows)).toEqual(["first value", "second value"]);
    await inCluster("rm -r secrets/bundles/dns/0.5");
  }, 120_000);

  it("runs on where the new one can't be opened, which is told and reported, until it can", async () => {
    await seal("third value");
    // Whatever opens it is gone from the mirror and the source.
    await node.sh("mkdir /run/away; mv /srv/cluster/secrets/headers/* /run/away/");
    await node.sh(`systemctl stop sealaunch-sync.service; rm -rf ${mirror}/*`);
    await node.sh("systemctl start sealaunch-sync.service");
    await until(
      async () => typeof (await reported(follows))?.refusal?.code === "string",
      "the report of a refusal",
      90_000,
    );
    expect(await node.show(follows, "ActiveState")).toBe("active");
    expect(await got(follows)).toEqual(["first value", "second value"]);
    const told = await node.ok("journalctl", ["-q", "-o", "cat", `OBJECT_SYSTEMD_UNIT=${follows}`]);
    expect(told).toMatch(/follows\.service is not restarted for newer values: /u);
    await node.sh("mv /run/away/* /srv/cluster/secrets/headers/");
    await synced();
    await until(async () => (await got(follows)).length > 2, "a restart", 90_000);
    expect(await got(follows)).toEqual(["first value", "second value", "third value"]);
    expect(await got(stays)).toEqual(["first value"]);
  }, 240_000);
});
