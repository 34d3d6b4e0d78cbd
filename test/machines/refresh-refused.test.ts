import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Refreshing, victim } from "./refreshing.ts";

// Reloads that a unit's owner asks for, and that are refused. docs/decisions/0029.

let all: Refreshing;
beforeAll(async () => {
  all = await Refreshing.create([]);
});
afterAll(() => all[Symbol.asyncDispose]());

/** What a unit's own journal has of a reload that fails; it runs on in the same process. */
async function refused(unit: string): Promise<string> {
  const { node } = all;
  const pid = await node.show(unit, "MainPID");
  expect((await node.run("systemctl", ["reload", unit])).status).not.toBe(0);
  expect(await node.show(unit, "ActiveState")).toBe("active");
  expect(await node.show(unit, "MainPID")).toBe(pid);
  await node.sh("journalctl --sync");
  return node.sh(`journalctl -q -u ${unit} -o verbose --no-pager`);
}

describe("a reload", () => {
  it("of a unit in which nothing checks what it brings is refused, and the old values stay", async () => {
    const { node } = all;
    await node.unit(victim, all.text().replace(/^ExecReload=.*$/mu, "ExecReload=/bin/true"));
    await node.ok("systemctl", ["restart", victim]);
    const before = await all.lies(victim);
    await all.seal();
    expect(await refused(victim)).toContain("SEALAUNCH_CODE=unit/not-guarded");
    expect(await all.lies(victim)).toBe(before);
  });

  it("for a bundle that is for another unit is refused, and what it has stays", async () => {
    const { node } = all;
    const plain = `[Service]
Type=exec
RefreshOnReload=credentials
LoadCredential=slow:/run/slow.sock
ExecStart=/bin/sleep 600
`;
    await node.unit("thief.service", plain);
    await node.ok("systemctl", ["start", "thief.service"]);
    await node.unit("thief.service", all.text());
    const told = await refused("thief.service");
    expect(told).toMatch(
      /MESSAGE=error: bundle dns \d+ is for victim.service, thief.service asks/u,
    );
    expect(told).toContain("SEALAUNCH_CODE=bundle/wrong-unit");
    expect(await node.sh("ls /run/credentials/thief.service")).toBe("slow\n");
  });
});
