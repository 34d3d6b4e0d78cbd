import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chance, count } from "../soak.ts";
import { Pool, until, wrapper } from "./pool.ts";
import { addSlowSource } from "./slow-source.ts";

// Whatever happens to the agent while it answers a reload: the service runs on, is never told of values that are
// empty, cut short or of two generations, and in the end has the newest. docs/decisions/0029.

const unit = "follows.service";

let pool: Pool;
beforeAll(async () => {
  pool = await Pool.create({ units: [unit], systemd: "next" });
  const script = `#!/bin/sh\ntrap '${pool.program} "$1"' HUP\n${pool.program} "$1"\nwhile :; do sleep 0.05; done\n`;
  await pool.node.write("/run/built2/bin/follow", script, 0o755);
  const follow = (await pool.node.sh("nix-store --add /run/built2")).trim();
  await pool.node.unit(
    unit,
    pool
      .text([
        "RefreshOnReload=credentials",
        "TimeoutStartSec=20",
        "LoadCredential=slow:/run/slow.sock",
        `ExecReload=${wrapper} reload --bundle dns --on-change signal`,
      ])
      .replace("Type=oneshot", "Type=exec")
      .replace(/^ExecStart=.*$/mu, command(follow)),
  );
  await addSlowSource(pool.node);
});
afterAll(() => pool[Symbol.asyncDispose]());

const command = (follow: string): string =>
  `ExecStart=${wrapper} run --bundle dns --on-change signal -- ${follow}/bin/follow %n`;

beforeEach(() => pool.node.sh(`touch /run/quick; systemctl restart ${unit}`));

const state = (): Promise<string> => pool.node.show(unit, "ActiveState");
/** The number of the set that lies where the service reads it; "" if that is none. */
const lies = async (): Promise<string> =>
  (
    await pool.node.sh(`
      cd /run/credentials/${unit}
      found="$(sha256sum <CF_TOKEN)$(sha256sum <KEY)"
      grep -nxF "$found" /run/probe/expected | cut -d : -f 1`)
  ).trim();
const last = async (): Promise<number | undefined> => (await pool.ran(unit)).at(-1);
const kill = "systemctl kill -s KILL sealaunch-agent.service 2>/dev/null || :";

describe("an agent that ends while it answers a reload", () => {
  it("never has a service told of half of it, and the next one brings it the newest", async () => {
    const random = chance("when the agent is killed at a reload");
    const pid = await pool.node.show(unit, "MainPID");
    for (let round = 0; round < count(40); round++) {
      const newest = await pool.seal();
      await pool.node.sh(`
        systemctl reload --no-block ${unit}
        sleep ${(random() * 0.08).toFixed(3)}
        ${kill}`);
      await until(async () => (await state()) === "active", "the end of the reload");
      await until(async () => (await last()) === newest, "its being told of the newest");
      expect(await lies()).toBe(String(newest));
    }
    expect(await pool.bad()).toBe("");
    expect(await pool.node.show(unit, "MainPID")).toBe(pid);
  });

  it("has systemd keep all of the old ones where another agent is asked for the rest", async () => {
    const outcomes = new Set<string>();
    for (let round = 0; round < count(60); round++) {
      const [before, newest] = [await lies(), await pool.seal()];
      const told = (await pool.ran(unit)).length;
      await pool.node.sh(`rm -f /run/quick /run/asked; systemctl reload --no-block ${unit}`);
      await until(
        async () => (await pool.node.run("test", ["-e", "/run/asked"])).status === 0,
        "it",
      );
      await pool.node.sh(kill);
      await pool.node.sh("systemctl start sealaunch-agent.service; touch /run/quick");
      await until(async () => (await state()) === "active", "the end of the reload");
      const result = await pool.node.show(unit, "ReloadResult");
      const is = await lies();
      outcomes.add(result);
      // The next agent may have looked already.
      expect([before, String(newest)]).toContain(is);
      if (result === "success") expect(is).toBe(String(newest));
      else if ((await pool.ran(unit)).length === told) expect(is).toBe(before);
      await until(async () => (await last()) === newest, "its being told of the newest");
    }
    expect(await pool.bad()).toBe("");
    expect([...outcomes].join()).not.toBe("");
  });
});
