import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Following } from "./following.ts";
import type { Machine } from "./machine.ts";
import { until } from "./pool.ts";

// Services that are given newer values while they run, by a systemd that does so. docs/decisions/0029.

const agentSocket = "/run/sealaunch/agent.sock";
const wrapper = "/opt/sealaunch/wrapper/bin/sealaunch";
const reloads = "reloads.service";
const signalled = "signalled.service";
const byHand = "by-hand.service";

let cluster: Following;
let node: Machine;
let program = "";
beforeAll(async () => {
  cluster = await Following.create([reloads, signalled, byHand], "first value", {
    systemd: "next",
  });
  ({ node } = cluster);
  // Says what it has when it begins, and whenever it is told.
  const script = `#!/bin/sh
told() { cat "$CREDENTIALS_DIRECTORY/CF_TOKEN" >>"/run/got/$1"; echo >>"/run/got/$1"; }
trap 'told "$1"' USR2
trap 'told "$1"' HUP
told "$1"
while :; do sleep 0.1; done
`;
  await node.write("/run/built/bin/service", script, 0o755);
  program = (await node.sh("nix-store --add /run/built")).trim();
  await node.sh("mkdir -m 1777 /run/got");
  await unit(reloads, "--on-change reload", ["ExecReload=/bin/kill -HUP $MAINPID"]);
  await unit(signalled, "--on-change signal=USR2");
  await unit(byHand, "", ["ExecReload=/bin/kill -HUP $MAINPID"]);
  for (const service of [reloads, signalled, byHand])
    await node.ok("systemctl", ["start", service]);
}, 180_000);
afterAll(() => cluster[Symbol.asyncDispose]());

function unit(name: string, options: string, lines: readonly string[] = []): Promise<void> {
  return node.unit(
    name,
    `[Service]
Type=exec
User=nobody
TimeoutStartSec=8
RefreshOnReload=credentials
LoadCredential=CF_TOKEN:${agentSocket}
LoadCredential=sealaunch:${agentSocket}
ExecStart=${wrapper} run --bundle dns ${options} -- ${program}/bin/service %N
ExecReload=${wrapper} reload --bundle dns ${options}
${lines.join("\n")}
`,
  );
}

/** What a service has said that it has, oldest first. */
const got = async (service: string): Promise<string[]> =>
  (await node.sh(`cat /run/got/${service.replace(".service", "")}`)).trimEnd().split("\n");

describe("a service that is to be reloaded when its bundle changes", () => {
  it("is told once, in the same process, where the new value lies, and its node reports it", async () => {
    const pids = await Promise.all(
      [reloads, signalled, byHand].map((one) => node.show(one, "MainPID")),
    );
    await cluster.seal("second value");
    await cluster.synced();
    for (const service of [reloads, signalled])
      await until(async () => (await got(service)).length > 1, `a reload of ${service}`, 60_000);
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    expect(await got(reloads)).toEqual(["first value", "second value"]);
    expect(await got(signalled)).toEqual(["first value", "second value"]);
    expect(await got(byHand)).toEqual(["first value"]);
    expect(
      await Promise.all([reloads, signalled, byHand].map((one) => node.show(one, "MainPID"))),
    ).toEqual(pids);
    for (const service of [reloads, signalled])
      await until(
        async () => (await cluster.reported(service))?.bundles[0]?.generation === 2,
        `the report of ${service}`,
        30_000,
      );
    expect((await cluster.reported(byHand))?.bundles[0]?.generation).toBe(1);
  }, 180_000);

  it("gets what is newest when somebody reloads it, and is reported so", async () => {
    await node.ok("systemctl", ["reload", byHand]);
    await until(async () => (await got(byHand)).length > 1, "its being told");
    expect(await got(byHand)).toEqual(["first value", "second value"]);
    await until(
      async () => (await cluster.reported(byHand))?.bundles[0]?.generation === 2,
      "the report",
      30_000,
    );
  }, 60_000);
});
