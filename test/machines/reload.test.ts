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
const stubborn = "stubborn.service";
const all = [reloads, signalled, byHand, stubborn];

let cluster: Following;
let node: Machine;
let program = "";
beforeAll(async () => {
  cluster = await Following.create([...all, "other.service"], "first value", {
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
  await unit(stubborn, "--on-change reload", ["ExecReload=/bin/false"]);
  for (const service of all) await node.ok("systemctl", ["start", service]);
});
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

const pids = (): Promise<string[]> => Promise.all(all.map((one) => node.show(one, "MainPID")));

/** What lies where a service reads it. */
const lies = (service: string): Promise<string> =>
  node.sh(`cat /run/credentials/${service}/CF_TOKEN`);

describe("a service that is to be reloaded when its bundle changes", () => {
  it("is told once, in the same process, where the new value lies, and its node reports it", async () => {
    const before = await pids();
    await cluster.seal("second value");
    await cluster.synced();
    for (const service of [reloads, signalled])
      await until(async () => (await got(service)).length > 1, `a reload of ${service}`);
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    expect(await got(reloads)).toEqual(["first value", "second value"]);
    expect(await got(signalled)).toEqual(["first value", "second value"]);
    expect(await got(byHand)).toEqual(["first value"]);
    expect(await pids()).toEqual(before);
    for (const service of [reloads, signalled])
      await until(
        async () => (await cluster.reported(service))?.bundles[0]?.generation === 2,
        `the report of ${service}`,
      );
    expect((await cluster.reported(byHand))?.bundles[0]?.generation).toBe(1);
  });

  it("gets what is newest when somebody reloads it, and is reported so", async () => {
    await node.ok("systemctl", ["reload", byHand]);
    await until(async () => (await got(byHand)).length > 1, "its being told");
    expect(await got(byHand)).toEqual(["first value", "second value"]);
    await until(
      async () => (await cluster.reported(byHand))?.bundles[0]?.generation === 2,
      "the report",
    );
  });

  it("isn't told of a value that is sealed anew, and is reported to have it", async () => {
    await cluster.seal("second value");
    await cluster.synced();
    await until(
      async () => (await cluster.reported(reloads))?.bundles[0]?.generation === 3,
      "the report",
    );
    expect(await got(reloads)).toEqual(["first value", "second value"]);
  });

  it("is reported to be behind where its own command refuses, and is told so in its journal", async () => {
    await until(
      async () => (await cluster.reported(stubborn))?.refusal?.code === "unit/not-reloaded",
      "the report of a refusal",
    );
    expect((await cluster.reported(stubborn))?.bundles[0]?.generation).toBe(1);
    expect(await node.show(stubborn, "ActiveState")).toBe("active");
    expect(await cluster.told(stubborn)).toMatch(
      /stubborn\.service runs on without newer values: /u,
    );
  });
});

describe("a reload that is refused", () => {
  it("leaves the service as it is, with the values that it had, and says why in its journal", async () => {
    await cluster.seal("third value");
    await node.sh("mkdir /run/away; mv /srv/cluster/secrets/headers/* /run/away/");
    await cluster.emptyMirror();
    await until(
      async () => typeof (await cluster.reported(reloads))?.refusal?.code === "string",
      "the report of a refusal",
    );
    const before = await pids();
    expect((await node.run("systemctl", ["reload", byHand])).status).not.toBe(0);
    expect(await cluster.told(byHand)).toMatch(/^error: .*bundle dns.*$/mu);
    expect(await cluster.told(byHand)).toMatch(/^hint: /mu);
    expect(await pids()).toEqual(before);
    for (const service of [reloads, signalled, byHand]) {
      expect(await lies(service)).toBe("second value");
      expect(await got(service)).toEqual(["first value", "second value"]);
    }
    await node.sh("mv /run/away/* /srv/cluster/secrets/headers/");
    await cluster.synced();
    await until(async () => (await got(reloads)).length > 2, "a reload");
    expect(await got(reloads)).toEqual(["first value", "second value", "third value"]);
    expect(await lies(reloads)).toBe("third value");
    expect(await pids()).toEqual(before);
  });

  it.for([
    ["systemd fetches nothing anew", "RefreshOnReload=credentials\n", "", "RefreshOnReload= has"],
    ["nothing checks what comes", /^ExecReload=.*\n/gmu, "", "first ExecReload= is none"],
    ["it is told first", "Type=exec", "Type=notify-reload", "Type=notify-reload: systemd tells"],
    [
      "its values are variables",
      "--on-change",
      "--env CF_TOKEN --on-change",
      "variables of a process",
    ],
  ] as const)("keeps a unit from starting where %s, as doctor says before", async (row) => {
    const [, from, to, why] = row;
    await unit("other.service", "--on-change reload");
    const text = await node.sh("cat /etc/systemd/system/other.service");
    await node.unit("other.service", text.replaceAll(from, to));
    const { stdout } = await node.run("sealaunch", ["doctor", "other.service"]);
    expect(stdout.toString()).toContain(why);
    expect((await node.run("systemctl", ["start", "other.service"])).status).not.toBe(0);
    expect(await cluster.told("other.service")).toContain(why);
  });
});
