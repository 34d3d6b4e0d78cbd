import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { sealaunchPath } from "../fixtures/program.ts";
import { projectRoot, textOfFile } from "../source.ts";

const units = [
  "sealaunch-agent.socket",
  "sealaunch-agent.service",
  "sealaunch-sync.socket",
  "sealaunch-sync.service",
] as const;

const inventory = ["sealaunch-inventory.service", "sealaunch-inventory.timer"] as const;

describe("the units of the agent and of sync", () => {
  const work = mkdtempSync(join(tmpdir(), "units-"));
  afterAll(() => {
    rmSync(work, { recursive: true });
  });

  it("give systemd nothing to say", () => {
    for (const unit of [...units, ...inventory]) {
      // The program lies elsewhere here; systemd looks whether it is there.
      const text = textOfFile(`systemd/${unit}`).replace("/usr/bin/sealaunch", sealaunchPath);
      writeFileSync(join(work, unit), text);
    }
    const ended = spawnSync("systemd-analyze", ["verify", "--man=no", ...units, ...inventory], {
      cwd: work,
      env: { ...process.env, SYSTEMD_UNIT_PATH: `${work}:` },
      encoding: "utf8",
    });
    expect(ended.stderr).toBe("");
    expect(ended.status).toBe(0);
  });

  it("are shut in as far as docs/debian.md says", () => {
    const ended = spawnSync(
      "systemd-analyze",
      ["security", "--offline=yes", join(projectRoot, "systemd/sealaunch-agent.service")],
      { encoding: "utf8" },
    );
    const measured = /Overall exposure level for sealaunch-agent\.service: ([0-9.]+)/u.exec(
      ended.stdout,
    )?.[1];
    const said = /says \*\*([0-9.]+)\*\*/u.exec(textOfFile("docs/debian.md"))?.[1];
    expect(measured).toBeDefined();
    // A later systemd may know more to look at.
    expect(Number(measured)).toBeLessThanOrEqual(Number(said) + 0.2);
    // One call of @debug is what tells who has connected (docs/decisions/0016).
    expect(Number(said)).toBeLessThanOrEqual(1.6);
  });

  it("have no limit at which the socket would close or the agent stay down", () => {
    for (const unit of units) {
      expect(textOfFile(`systemd/${unit}`)).toMatch(/^\[Unit\]$[^[]*^StartLimitIntervalSec=0$/mu);
    }
    expect(textOfFile("systemd/sealaunch-agent.socket")).toMatch(/^TriggerLimitIntervalSec=0$/mu);
    expect(textOfFile("systemd/sealaunch-agent.service")).toMatch(/^Restart=always$/mu);
  });
});
