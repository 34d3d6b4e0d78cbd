import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Following } from "./following.ts";
import type { Machine } from "./machine.ts";
import { until } from "./pool.ts";

const agentSocket = "/run/sealaunch/agent.sock";
const wrapper = "/opt/sealaunch/wrapper/bin/sealaunch";
const follows = "follows.service";
const stays = "stays.service";

let cluster: Following;
let node: Machine;
let program = "";
beforeAll(async () => {
  cluster = await Following.create([follows, stays, "later.service"], "first value");
  ({ node } = cluster);
  const script = `#!/bin/sh\ncat "$CREDENTIALS_DIRECTORY/CF_TOKEN" >>"/run/got/$1"; echo >>"/run/got/$1"\nexec sleep infinity\n`;
  await node.write("/run/built/bin/service", script, 0o755);
  program = (await node.sh("nix-store --add /run/built")).trim();
  await node.sh("mkdir /run/got");
  await unit(follows, "--on-change restart");
  await unit(stays, "");
  for (const service of [follows, stays]) await node.ok("systemctl", ["start", service]);
});
afterAll(() => cluster[Symbol.asyncDispose]());

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

describe("a service whose bundle changes while it runs", () => {
  it("is restarted once on the new value where it asks for that, and runs on where it doesn't", async () => {
    await cluster.seal("second value");
    await cluster.synced();
    await until(async () => (await got(follows)).length > 1, "a restart");
    await cluster.synced();
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    expect(await got(follows)).toEqual(["first value", "second value"]);
    expect(await got(stays)).toEqual(["first value"]);
    await until(
      async () => (await cluster.reported(follows))?.bundles[0]?.generation === 2,
      "the node's report",
    );
    expect((await cluster.reported(stays))?.bundles[0]?.generation).toBe(1);
  });

  it("isn't restarted for what says the same anew, nor for a value that is sealed anew", async () => {
    await cluster.inCluster("sealaunch seal dns --expires 400d");
    await cluster.synced();
    const told = (await node.run("sealaunch", ["status"])).stdout.toString();
    expect(told).toMatch(/^follows\.service +active +dns +2 +3 +current: the same values /mu);
    expect(told).toMatch(/^stays\.service +active +dns +1 +3 +BEHIND /mu);
    await cluster.seal("second value");
    await cluster.synced();
    await until(
      async () => (await cluster.reported(follows))?.bundles[0]?.generation === 4,
      "a report that it runs on the newest",
    );
    const later = (await node.run("sealaunch", ["status"])).stdout.toString();
    expect(later).toMatch(/^follows\.service +active +dns +4 +4 +current /mu);
    expect(await got(follows)).toEqual(["first value", "second value"]);
  });

  it("isn't restarted for what nobody has signed who may, whatever values it names", async () => {
    await cluster.inCluster(`
      ssh-keygen -q -t ed25519 -N '' -f /run/eve
      cp -r secrets/bundles/dns/0.4 secrets/bundles/dns/0.5
      cd secrets/bundles/dns/0.5
      rm signatures/*
      sed -i 's/"generation": 4/"generation": 5/; s/"payload": "[0-9a-f]\\{8\\}/"payload": "00000000/' statement.json
      grep -c '"generation": 5' statement.json
      ssh-keygen -q -Y sign -f /run/eve -n bundle@sealaunch <statement.json >"signatures/$(printf %032d 1).sig"
      cd /srv/cluster`);
    await cluster.synced();
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    expect(await got(follows)).toEqual(["first value", "second value"]);
    await cluster.inCluster("rm -r secrets/bundles/dns/0.5");
  });

  it("runs on where the new one can't be opened, which is told and reported, until it can", async () => {
    await cluster.seal("third value");
    // Whatever opens it is gone from the mirror and the source.
    await node.sh("mkdir /run/away; mv /srv/cluster/secrets/headers/* /run/away/");
    await cluster.emptyMirror();
    await until(
      async () => typeof (await cluster.reported(follows))?.refusal?.code === "string",
      "the report of a refusal",
    );
    expect(await node.show(follows, "ActiveState")).toBe("active");
    expect(await got(follows)).toEqual(["first value", "second value"]);
    expect(await cluster.told(follows)).toMatch(/follows\.service runs on without newer values: /u);
    await node.sh("mv /run/away/* /srv/cluster/secrets/headers/");
    await cluster.synced();
    await until(async () => (await got(follows)).length > 2, "a restart");
    expect(await got(follows)).toEqual(["first value", "second value", "third value"]);
    expect(await got(stays)).toEqual(["first value"]);
  });

  it("isn't started where it is to be reloaded and this systemd is too old for that, as doctor says before", async () => {
    const why = "given no new credential before systemd 260; this is 25";
    await unit("later.service", "--on-change reload");
    const { status, stdout } = await node.run("sealaunch", ["doctor", "later.service"]);
    expect(stdout.toString()).toContain(why);
    expect(status).toBe(78);
    expect((await node.run("systemctl", ["start", "later.service"])).status).not.toBe(0);
    expect(await cluster.told("later.service")).toContain(why);
    const words = ["unit", "--wrap", "later.service", "--bundle", "dns", "--on-change", "signal"];
    await node.unit("later.service", "[Service]\nExecStart=/bin/sleep 600\n");
    const wrapped = await node.run("sh", ["-c", `cd /srv/cluster; sealaunch ${words.join(" ")}`]);
    expect(wrapped.stderr).toContain(why);
    expect(wrapped.status).toBe(78);
  });
});
