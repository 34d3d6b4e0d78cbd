import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeFromMarathon, submitToMarathon } from "../../src/schedulers/marathon.ts";
import { marathonApp } from "../../src/service/scheduled/marathon-app.ts";
import { DocumentedMarathon } from "../fixtures/documented-marathon.ts";
import { failureOf, refusal } from "../fixtures/refusal.ts";
import { bareGuard, service } from "../fixtures/service.ts";

type App = Parameters<typeof submitToMarathon>[1];
const app = (change: object = {}): App =>
  marathonApp(service(change), bareGuard, "/usr/bin/sealaunch") as App;

let marathon: DocumentedMarathon;
let url: string;
beforeEach(async () => {
  [marathon, url] = await DocumentedMarathon.create();
  marathon.agents.push(
    { host: "a1", attributes: { role: "dns", zone: "eu.1" } },
    { host: "a2", attributes: { role: "dns", zone: "euX1" } },
  );
});
afterEach(() => marathon[Symbol.asyncDispose]());

const submit = (what: App, force = false): Promise<readonly string[]> =>
  submitToMarathon({ scheduler: "Marathon", url }, what, 2000, { force });

describe("Marathon", () => {
  it("runs an app on the agents that are exactly as asked", async () => {
    expect(await submit(app({ instances: 2 }))).toEqual(["a1", "a2"]);
    const placement = { where: { zone: "eu.1" } };
    expect(await submit(app({ name: "eu", placement, health: { port: 1 } }))).toEqual(["a1"]);
    const elsewhere = { whereNot: { zone: "eu.1" } };
    expect(await submit(app({ name: "not", placement: elsewhere }))).toEqual(["a2"]);
  });

  it("has the old version run until the new one does, and keeps it where that doesn't", async () => {
    await submit(app());
    const [old] = marathon.running("/dns");
    marathon.fault = () => "Command exited with status 77";
    const failure = await failureOf(() => submit(app({ arguments: ["-v"] })));
    expect(failure?.code).toBe("scheduler/not-running");
    expect(failure?.message).toBe(
      "app /dns of Marathon doesn't run within 2 s: 0 of 1 are running and well; TASK_FAILED on a1: Command exited with status 77",
    );
    expect(marathon.running("/dns")).toEqual([old]);
    marathon.fault = () => undefined;
    // The failed deployment still has the app locked.
    const locked = await failureOf(() => submit(app()));
    expect(locked?.code).toBe("scheduler/conflict");
    expect(locked?.message).toMatch(
      /answers 409 to app \/dns: App is locked.*; deployment [0-9a-f-]{36}$/u,
    );
    expect(await submit(app({ arguments: ["-w"] }), true)).toEqual(["a1"]);
    expect(marathon.running("/dns")).not.toEqual([old]);
    expect(marathon.requests.filter((one) => one.startsWith("DELETE"))).toEqual([]);
  });

  it("says that no agent's offer fits", async () => {
    const failure = await failureOf(() => submit(app({ placement: { where: { role: "x" } } })));
    expect(failure?.message).toContain("0 of 1 are running and well; no agent's offer fits");
  });

  it("names each field that it refuses", async () => {
    const bad = { ...app(), cmd: "both", cpus: 0 };
    const failure = await failureOf(() => submit(bad));
    expect(failure?.code).toBe("scheduler/refused");
    expect(failure?.message).toContain("Object is not valid; / AppDefinition must either");
    expect(failure?.message).toContain("/cpus got less than 0.001");
  });

  it.for([
    ["a fault of its own", { status: 503, body: "no leader" }, "scheduler/unavailable"],
    ["whom it doesn't know", { status: 401, body: { message: "who?" } }, "scheduler/refused"],
    ["another API's answer", { status: 200, body: {} }, "scheduler/malformed"],
  ] as const)("is told from %s", async ([, answer, code]) => {
    marathon.instead.push(answer);
    expect(await refusal(() => submit(app()))).toBe(code);
  });

  it("ends an app, also one that isn't there", async () => {
    await submit(app());
    await removeFromMarathon({ scheduler: "Marathon", url }, "/dns");
    await removeFromMarathon({ scheduler: "Marathon", url }, "/dns");
    expect(marathon.running("/dns")).toEqual([]);
  });

  it("that says nothing is given up after ten seconds", async () => {
    marathon.instead.push("silent");
    const failure = await failureOf(() => submit(app()));
    expect(failure?.code).toBe("scheduler/unavailable");
    expect(failure?.message).toMatch(/PUT \/v2\/apps\/dns: no answer$/u);
  });
});
