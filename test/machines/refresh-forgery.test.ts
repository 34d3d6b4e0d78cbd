import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { impostor } from "./impostor.ts";
import { until } from "./pool.ts";
import { attack } from "./refresh-attack.ts";
import { mark, Refreshing, victim } from "./refreshing.ts";

// Who asks in the name of a service while systemd fetches that one's credentials anew, with uid 0 and without a
// capability. PID 1's own child asks then, which is in PID 1's control group. docs/decisions/0029.

let all: Refreshing;
beforeAll(async () => {
  all = await Refreshing.create([]);
  await all.node.write("/run/attack.py", attack);
  await all.node.unit(victim, all.text());
  await all.node.ok("systemctl", ["start", victim]);
});
afterAll(() => all[Symbol.asyncDispose]());
beforeEach(() => all.node.sh("rm -f /run/now /run/attacked"));

const program = (ways: string): string => `/usr/bin/python3 /run/attack.py ${ways}`;

const attacker = (ways: string): string => `[Unit]
StartLimitIntervalSec=0
[Service]
Type=exec
CapabilityBoundingSet=
NotifyAccess=all
FileDescriptorStoreMax=8
StandardOutput=append:/run/attacked
ExecStart=${program(ways)}
`;

const said = (): Promise<string> => all.node.sh("cat /run/attacked 2>/dev/null || :");

/** What an attacker who runs says that he got while a unit is refreshing; whose values are newer afterwards. */
async function askWith(unit: string, also?: () => Promise<unknown>): Promise<string> {
  const { node } = all;
  await until(async () => /^ready$/mu.test(await said()), "the attacker is ready");
  const value = await all.seal();
  await all.during(unit, async () => {
    await also?.();
    await node.sh("touch /run/now");
    await until(async () => /answered|Error/u.test(await said()), "an answer");
    expect(await all.agentSaid()).toContain("is not systemd starting it");
  });
  expect(await node.show(unit, "ReloadResult")).toBe("success");
  expect(await all.lies(unit)).toBe(value);
  return said();
}

/** The same, of a service of the attacker's. */
async function ask(ways: string): Promise<string> {
  await all.node.unit("attacker.service", attacker(ways));
  await all.node.ok("systemctl", ["restart", "attacker.service"]);
  return askWith(victim);
}

describe("a service with uid 0 that asks in the name of one that is being reloaded", () => {
  it.for([
    ["by the name of its socket", "socket"],
    ["from PID 1's control group", "init"],
    ["from the unit's control group", "init,unit"],
    ["under the name of systemd's process", "init,name"],
    ["by a socket that PID 1 keeps for it", "stored"],
    ["by a socket that PID 1 has kept for it when it forked", "stored,removed"],
  ])("gets no secret: %s", async ([, ways = ""]) => {
    expect(await ask(ways)).toMatch(/^answered \d{7} no secret$/mu);
  });

  it("gets no secret: as a process of the very unit", async () => {
    const lines = ["CapabilityBoundingSet=", "NotifyAccess=all", "FileDescriptorStoreMax=8"];
    const text = all.text([...lines, "StandardOutput=append:/run/attacked"], program("stored"));
    await all.node.unit(victim, text);
    await all.node.ok("systemctl", ["restart", victim]);
    expect(await askWith(victim)).toMatch(/^answered \d{7} no secret$/mu);
    await all.node.unit(victim, all.text());
    await all.node.ok("systemctl", ["restart", victim]);
  });

  it("gets no secret: from a unit of its own that is being reloaded, too", async () => {
    const { node } = all;
    const own = attacker("stored").replace(
      "Type=exec",
      `Type=exec
RefreshOnReload=credentials
LoadCredential=slow:/run/slow.sock
ExecReload=/bin/true`,
    );
    await node.unit("attacker.service", own);
    await node.ok("systemctl", ["restart", "attacker.service"]);
    const answered = await askWith(victim, async () => {
      await node.ok("systemctl", ["reload", "--no-block", "attacker.service"]);
      const state = (): Promise<string> => node.show("attacker.service", "SubState");
      await until(async () => (await state()) === "refresh-credentials", "both are refreshing");
    });
    expect(answered).toMatch(/^answered \d{7} no secret$/mu);
  });

  it("gets no secret: as a unit of that name of root's own user manager", async () => {
    const { node } = all;
    const text = (lines: string): string => `[Service]
Type=exec
RefreshOnReload=credentials
LoadCredential=other:/etc/hostname
${lines}ExecStart=/bin/sleep 600
ExecReload=/bin/true
`;
    const user = (...words: string[]) =>
      node.run("env", ["XDG_RUNTIME_DIR=/run/user/0", "systemctl", "--user", ...words]);
    await node.write(`/etc/systemd/user/${victim}`, text(""));
    await node.ok("systemctl", ["start", "user@0.service"]);
    expect((await user("start", victim)).status).toBe(0);
    await node.write(
      `/etc/systemd/user/${victim}`,
      text("LoadCredential=CF_TOKEN:/run/sealaunch/agent.sock\n"),
    );
    await user("daemon-reload");
    const value = await all.seal();
    await all.during(victim, async () => {
      expect((await user("reload", victim)).status).not.toBe(0);
      expect(await all.agentSaid()).toContain("is not systemd starting it");
      expect(await all.lies(victim)).not.toBe(value);
    });
    expect(await all.lies(victim)).toBe(value);
    const found = await node.sh(`grep -rl '${mark}' /run/user /run/credentials || :`);
    expect(found).toBe(`/run/credentials/${victim}/CF_TOKEN\n`);
    await user("stop", victim);
  });

  it.for([
    ["since the other one lets anybody tell so", "notify"],
    ["with all capabilities of a user namespace of its own", "notify,namespace"],
  ])("gets no secret as what PID 1 has for the main process: %s", async ([, ways = ""]) => {
    const { node } = all;
    await node.unit(victim, all.text(["NotifyAccess=all"]));
    await node.ok("systemctl", ["restart", victim]);
    await node.write("/run/impostor.py", impostor);
    const systemd = (await node.sh("readlink /proc/1/exe")).trim();
    const powers = (await node.sh("awk '/^CapPrm/ { print $2 }' /proc/1/status")).trim();
    const command = `ExecStart=/usr/bin/python3 /run/impostor.py ${ways} ${systemd} ${powers}`;
    await node.unit("attacker.service", attacker("").replace(/^ExecStart=.*$/mu, command));
    await node.sh(`rm -f /run/quick; systemctl reload --no-block ${victim}`);
    const state = (): Promise<string> => node.show(victim, "SubState");
    await until(async () => (await state()) === "refresh-credentials", "it is refreshing");
    await node.ok("systemctl", ["restart", "attacker.service"]);
    await until(async () => (await said()).includes("answered"), "an answer");
    await node.sh("touch /run/quick");
    expect(await said()).toMatch(/^main True \S+\/systemd$/mu);
    expect(await said()).toMatch(/^answered 10\d{5}$/mu);
    // Its main process has ended with the impostor.
    await node.unit(victim, all.text());
    await node.ok("systemctl", ["restart", victim]);
  });
});
