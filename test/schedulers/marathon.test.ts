import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { WrittenApp } from "../../src/schedulers/marathon/api.ts";
import { submitToMarathon } from "../../src/schedulers/marathon/marathon.ts";
import type { Submitted } from "../../src/schedulers/running.ts";
import { marathonApp } from "../../src/service/scheduled/marathon-app.ts";
import { DocumentedMarathon } from "../fixtures/documented-marathon.ts";
import { failureOf, refusal } from "../fixtures/refusal.ts";
import { bareGuard, service } from "../fixtures/service.ts";

const app = (change: object = {}): WrittenApp =>
  marathonApp(service(change), bareGuard, "/usr/bin/sealaunch") as WrittenApp;

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

const submit = (what: WrittenApp, settleMs = 0): Promise<Submitted> =>
  submitToMarathon({ scheduler: "Marathon", url }, what).submit({ deadlineMs: 2000, settleMs });
const ran = (...nodes: string[]): Submitted => ({ ranAlready: false, nodes });

describe("Marathon", () => {
  it("runs an app on the agents that are exactly as asked", async () => {
    expect(await submit(app({ instances: 2 }))).toEqual(ran("a1", "a2"));
    const placement = { where: { zone: "eu.1" } };
    expect(await submit(app({ name: "eu", placement, health: { port: 1 } }))).toEqual(ran("a1"));
    const elsewhere = { whereNot: { zone: "eu.1" } };
    expect(await submit(app({ name: "not", placement: elsewhere }))).toEqual(ran("a2"));
  });

  it("leaves alone what runs as it is to", async () => {
    await submit(app());
    marathon.requests.length = 0;
    expect(await submit(app())).toEqual({ ranAlready: true, nodes: ["a1"] });
    expect(marathon.requests).not.toContain("PUT /v2/apps/dns");
  });

  it("gives back what a service file no longer has, which a PUT without it would leave", async () => {
    await submit(app({ health: { port: 1 }, resources: { memory: 64 } }));
    const { before, after } = await submitToMarathon({ scheduler: "", url }, app()).difference();
    expect(before).toContain('"mem": 64');
    expect(after).toContain('"mem": 128');
    expect(before).toContain("MESOS_TCP");
    await submit(app());
    expect(await submit(app())).toMatchObject({ ranAlready: true });
  });

  it("has the old version run until the new one does, and takes the new one back where it doesn't", async () => {
    await submit(app());
    const [old] = marathon.running("/dns");
    marathon.fault = () => "Command exited with status 77";
    const failure = await failureOf(() => submit(app({ arguments: ["-v"] })));
    expect(failure?.code).toBe("scheduler/not-running");
    expect(failure?.message).toBe(
      "app /dns of Marathon doesn't run within 2 s: 0 of 1 are running and well; TASK_FAILED on a1: Command exited with status 77; the version before runs on a1",
    );
    expect(marathon.running("/dns")).toEqual([old]);
    marathon.fault = () => undefined;
    expect(await submit(app())).toEqual({ ranAlready: true, nodes: ["a1"] });
    expect(await submit(app({ arguments: ["-w"] }))).toEqual(ran("a1"));
    expect(marathon.running("/dns")).not.toEqual([old]);
    const destroyed = marathon.requests.filter((one) => one.startsWith("DELETE /v2/apps"));
    expect(destroyed).toEqual([]);
  });

  it("goes back to the version before where the new one ends once it was deployed", async () => {
    await submit(app());
    setTimeout(() => {
      marathon.end("/dns");
    }, 1000);
    const failure = await failureOf(() => submit(app({ arguments: ["-v"] }), 10_000));
    expect(failure?.message).toMatch(
      /TASK_FAILED on a1: it ended; the version before runs on a1$/u,
    );
    expect(await submit(app())).toMatchObject({ ranAlready: true });
  });

  it("takes out again what didn't run before and doesn't now", async () => {
    marathon.fault = () => "no";
    const failure = await failureOf(() => submit(app()));
    expect(failure?.message).toContain("; nothing of it ran before, and it was taken out again");
    marathon.fault = () => undefined;
    expect(await submit(app())).toEqual(ran("a1"));
  });

  it("has no app replaced that is still being deployed", async () => {
    await submit(app());
    marathon.fault = () => "no";
    const first = failureOf(() => submit(app({ arguments: ["-v"] })));
    await new Promise((resolve) => setTimeout(resolve, 500));
    const locked = await failureOf(() => submit(app({ arguments: ["-w"] })));
    expect(locked?.code).toBe("scheduler/conflict");
    expect(locked?.message).toMatch(
      /answers 409 to app \/dns: App is locked.*; deployment [0-9a-f-]{36}$/u,
    );
    expect((await first)?.code).toBe("scheduler/not-running");
  });

  it("is asked once to change something, and looked at where the answer got lost", async () => {
    marathon.insteadOfChanges.push("lost");
    expect(await submit(app())).toEqual(ran("a1"));
    marathon.insteadOfChanges.push("reset");
    expect(await refusal(() => submit(app({ arguments: ["-v"] })))).toBe("scheduler/unavailable");
    expect(marathon.requests.filter((one) => one.startsWith("PUT"))).toHaveLength(2);
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
    for (let time = 0; time < 6; time++) marathon.instead.push(answer);
    expect(await refusal(() => submit(app()))).toBe(code);
  });

  it("that says nothing is given up after ten seconds", async () => {
    marathon.instead.push("silent");
    const failure = await failureOf(() => submit(app()));
    expect(failure?.code).toBe("scheduler/unavailable");
    expect(failure?.message).toMatch(/GET \/v2\/apps\/dns: no answer$/u);
  });
});
