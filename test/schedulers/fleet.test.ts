import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { setUnit } from "../../src/schedulers/fleet/api.ts";
import { submitToFleet } from "../../src/schedulers/fleet/fleet.ts";
import type { Submitted } from "../../src/schedulers/running.ts";
import { fleetUnit, fleetUnitName } from "../../src/service/scheduled/fleet-unit.ts";
import { parseUnitFile } from "../../src/service/unit-file.ts";
import { DocumentedFleet } from "../fixtures/documented-fleet.ts";
import { failureOf, refusal } from "../fixtures/refusal.ts";
import { bareGuard, service } from "../fixtures/service.ts";

const unit = (change: object = {}): string => fleetUnit(service(change), bareGuard);

let folder: string;
let fleet: DocumentedFleet;
let url: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "sealaunch-fleet-"));
  [fleet, url] = await DocumentedFleet.create(join(folder, "socket"));
  fleet.machines.push(
    { id: "1", primaryIP: "10.0.0.1", metadata: { role: "web" } },
    { id: "2", primaryIP: "10.0.0.2", metadata: { role: "dns" } },
    { id: "3", primaryIP: "10.0.0.3", metadata: { role: "dns" } },
    { id: "4", primaryIP: "10.0.0.4" },
    { id: "5", primaryIP: "10.0.0.5", metadata: { role: "dns" } },
  );
});
afterEach(async () => {
  await fleet[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const submit = (
  text: string,
  { name = "dns", overlap = true, settleMs = 0, deadlineMs = 3000 } = {},
): Promise<Submitted> =>
  submitToFleet({ scheduler: "fleet", url }, { name, text, overlap }).submit({
    deadlineMs,
    settleMs,
  });
const ran = (...nodes: string[]): Submitted => ({ ranAlready: false, nodes });
const nameOf = (text: string): string => fleetUnitName("dns", text);

describe("fleet, asked over its socket", () => {
  it("starts a unit, and says on which machine, by its address", async () => {
    expect(await submit(unit())).toEqual(ran("10.0.0.1"));
  });

  it("starts it on every machine that is as asked, of which a page has only some", async () => {
    const text = unit({ instances: "every node", placement: { where: { role: "dns" } } });
    expect(await submit(text)).toEqual(ran("10.0.0.2", "10.0.0.3", "10.0.0.5"));
  });

  it("has another text run under a name of its own, and destroys the old one only then", async () => {
    await submit(unit());
    const text = unit({ arguments: ["-v"] });
    let seen: string[] = [];
    fleet.startsAs = () => {
      seen = fleet.running;
      return "active";
    };
    expect(await submit(text)).toEqual(ran("10.0.0.1"));
    expect(seen).toEqual([`1 ${nameOf(unit())}`]);
    expect(fleet.running).toEqual([`1 ${nameOf(text)}`]);
    expect(fleet.names).toEqual([nameOf(text)]);
  });

  it("destroys the new one where it doesn't run, and the old one runs on", async () => {
    await submit(unit());
    fleet.startsAs = () => "failed";
    const failure = await failureOf(() => submit(unit({ arguments: ["-v"] })));
    expect(failure?.code).toBe("scheduler/not-running");
    expect(failure?.message).toMatch(
      /^dns@[0-9a-f]{8}\.service of fleet doesn't run within 3 s: failed \(failed\) on 10\.0\.0\.1; 0 of 1 run; what ran before runs on 10\.0\.0\.1$/u,
    );
    expect(fleet.running).toEqual([`1 ${nameOf(unit())}`]);
    expect(fleet.names).toEqual([nameOf(unit())]);
  });

  it("stops the old one first where the two may not overlap, and launches it again", async () => {
    await submit(unit());
    const text = unit({ arguments: ["-v"] });
    const isOld = (options: readonly { readonly value: string }[]): boolean =>
      !options.some(({ value }) => value.endsWith(' "-v"') || value.endsWith(" -v"));
    let seen: string[] = ["unseen"];
    fleet.startsAs = (_machine, options) => {
      if (isOld(options)) return "active";
      seen = fleet.running;
      return "failed";
    };
    const failure = await failureOf(() => submit(text, { overlap: false, deadlineMs: 2000 }));
    expect(failure?.message).toMatch(/; what ran before runs on 10\.0\.0\.1$/u);
    expect(seen).toEqual([]);
    expect(fleet.running).toEqual([`1 ${nameOf(unit())}`]);
    fleet.startsAs = () => "active";
    expect(await submit(text, { overlap: false })).toEqual(ran("10.0.0.1"));
    expect(fleet.names).toEqual([nameOf(text)]);
  });

  it("ends what an earlier submission has left that was cut off", async () => {
    await submit(unit());
    const endpoint = { scheduler: "fleet", url };
    const text = unit({ arguments: ["-v"] });
    // It ran, and nobody was there to destroy the old one.
    const options = parseUnitFile(text, "").map(({ section, key, value }) => ({
      section,
      name: key,
      value,
    }));
    await setUnit(endpoint, nameOf(text), "launched", options);
    expect(await submit(text)).toEqual({ ranAlready: true, nodes: ["10.0.0.1"] });
    expect(fleet.names).toEqual([nameOf(text)]);
  });

  it("leaves alone what is the same, and waits for nothing", async () => {
    await submit(unit());
    const before = Date.now();
    expect(await submit(unit())).toEqual({ ranAlready: true, nodes: ["10.0.0.1"] });
    expect(Date.now() - before).toBeLessThan(300);
  });

  it("says that no machine is as asked, and starts nothing", async () => {
    const failure = await failureOf(() => submit(unit({ placement: { where: { role: "mail" } } })));
    expect(failure?.code).toBe("scheduler/not-running");
    expect(failure?.message).toContain('none of 5 machines has "role=mail"');
    expect(fleet.names).toEqual([]);
  });

  it("destroys what didn't run before and doesn't now", async () => {
    fleet.startsAs = () => "failed";
    const failure = await failureOf(() => submit(unit(), { deadlineMs: 1000 }));
    expect(failure?.message).toContain("; nothing of it ran before, and it was destroyed");
    expect(fleet.names).toEqual([]);
  });

  it("has to run for a while: one that ends meanwhile counts for nothing", async () => {
    let times = 0;
    fleet.startsAs = () => (times++ === 0 ? "active" : "failed");
    const failing = failureOf(() => submit(unit(), { settleMs: 1500, deadlineMs: 3000 }));
    setTimeout(() => {
      fleet.look(nameOf(unit()));
    }, 1000);
    expect((await failing)?.code).toBe("scheduler/not-running");
  });

  it("is asked once to change something, and looked at where the answer got lost", async () => {
    fleet.insteadOfChanges.push("lost");
    expect(await submit(unit())).toEqual(ran("10.0.0.1"));
    const puts = fleet.requests.filter((one) => one.startsWith("PUT"));
    expect(puts).toHaveLength(1);
  });

  it("names what fleet refuses, with its own words, and leaves what runs", async () => {
    await submit(unit());
    const failure = await failureOf(() => submit(unit(), { name: "a+b" }));
    expect(failure?.code).toBe("scheduler/refused");
    expect(failure?.message).toMatch(/answers 400 to a\+b@.*: invalid character '\+'/u);
    expect(fleet.running).toEqual([`1 ${nameOf(unit())}`]);
  });

  it("tells what would change", async () => {
    const difference = (text: string): Promise<{ before: string; after: string }> => {
      const what = { name: "dns", text, overlap: true };
      return submitToFleet({ scheduler: "fleet", url }, what).difference();
    };
    const first = await difference(unit());
    expect(first.before).toBe("");
    await submit(unit());
    const same = await difference(unit());
    expect(same.before).toBe(same.after);
    const other = await difference(unit({ description: "other" }));
    expect(other.before).toContain("Description=dns\n");
    expect(other.after).toContain("Description=other\n");
  });

  it.for([
    ["a fault of its own", { status: 500 }, "scheduler/unavailable"],
    ["no JSON", { status: 200, body: "<html>" }, "scheduler/malformed"],
    ["another API's answer", { status: 200, body: { units: [{}] } }, "scheduler/malformed"],
  ] as const)("is told from %s", async ([, answer, code]) => {
    for (let time = 0; time < 6; time++) fleet.instead.push(answer);
    expect(await refusal(() => submit(unit()))).toBe(code);
  });
});

it("no fleet at all is said with its address", async () => {
  const endpoint = { scheduler: "fleet", url: `unix:${join(folder, "nobody")}` };
  const what = { name: "dns", text: unit(), overlap: true };
  const patience = { deadlineMs: 1000, settleMs: 0 };
  const failure = await failureOf(() => submitToFleet(endpoint, what).submit(patience));
  expect(failure?.code).toBe("scheduler/unavailable");
  expect(failure?.message).toMatch(/^fleet at unix:.*nobody doesn't answer GET .*: ENOENT$/u);
});
