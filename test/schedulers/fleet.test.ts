import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeFromFleet, submitToFleet } from "../../src/schedulers/fleet.ts";
import { fleetUnit } from "../../src/service/scheduled/fleet-unit.ts";
import { DocumentedFleet } from "../fixtures/documented-fleet.ts";
import { failureOf, refusal } from "../fixtures/refusal.ts";
import { bareGuard, service } from "../fixtures/service.ts";

const deadlineMs = 3000;
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

const submit = (text: string, name = "dns.service"): Promise<readonly string[]> =>
  submitToFleet({ scheduler: "fleet", url }, name, text, deadlineMs);

describe("fleet, asked over its socket", () => {
  it("starts a unit, and says on which machine, by its address", async () => {
    expect(await submit(unit())).toEqual(["10.0.0.1"]);
  });

  it("starts it on every machine that is as asked, of which a page has only some", async () => {
    const text = unit({ instances: "every node", placement: { where: { role: "dns" } } });
    expect(await submit(text)).toEqual(["10.0.0.2", "10.0.0.3", "10.0.0.5"]);
  });

  it("replaces what has another text by one request, and waits for the new one", async () => {
    await submit(unit());
    fleet.startsAs = () => "failed";
    const failure = await failureOf(() => submit(unit({ arguments: ["-v"] })));
    expect(failure?.code).toBe("scheduler/not-running");
    expect(failure?.message).toContain("failed (failed) on 10.0.0.1; 0 of 1 run");
    expect(fleet.requests.filter((one) => one.startsWith("DELETE"))).toEqual([]);
  });

  it("leaves alone what is the same, and waits for nothing", async () => {
    await submit(unit());
    const before = Date.now();
    expect(await submit(unit())).toEqual(["10.0.0.1"]);
    expect(Date.now() - before).toBeLessThan(300);
  });

  it("says that no machine is as asked", async () => {
    const failure = await failureOf(() => submit(unit({ placement: { where: { role: "mail" } } })));
    expect(failure?.code).toBe("scheduler/not-running");
    expect(failure?.message).toContain('none of 5 machines has "role=mail"');
  });

  it("names what fleet refuses, with its own words", async () => {
    const failure = await failureOf(() => submit(unit(), "a+b.service"));
    expect(failure?.code).toBe("scheduler/refused");
    expect(failure?.message).toContain("answers 400 to a+b.service: invalid character '+'");
    fleet.instead.push({ status: 200, body: {} });
    expect(await refusal(() => submit(""))).toBe("scheduler/refused");
  });

  it("removes a unit, also one that isn't there", async () => {
    await submit(unit());
    const endpoint = { scheduler: "fleet", url };
    await removeFromFleet(endpoint, "dns.service");
    await removeFromFleet(endpoint, "dns.service");
    expect(fleet.requests.slice(-2)).toEqual(
      Array.from({ length: 2 }, () => "DELETE /fleet/v1/units/dns.service"),
    );
  });

  it.for([
    ["a fault of its own", { status: 500 }, "scheduler/unavailable"],
    ["no JSON", { status: 200, body: "<html>" }, "scheduler/malformed"],
    ["another API's answer", { status: 200, body: { states: [{}] } }, "scheduler/malformed"],
  ] as const)("is told from %s", async ([, answer, code]) => {
    fleet.instead.push(answer);
    expect(await refusal(() => submit(unit()))).toBe(code);
  });
});

it("no fleet at all is said with its address", async () => {
  const endpoint = { scheduler: "fleet", url: `unix:${join(folder, "nobody")}` };
  const failure = await failureOf(() => submitToFleet(endpoint, "a.service", unit(), deadlineMs));
  expect(failure?.code).toBe("scheduler/unavailable");
  expect(failure?.message).toMatch(/^fleet at unix:.*nobody doesn't answer GET .*: ENOENT$/u);
});
