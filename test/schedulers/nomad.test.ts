import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeFromNomad, submitToNomad } from "../../src/schedulers/nomad.ts";
import { nomadJob } from "../../src/service/scheduled/nomad-job.ts";
import { DocumentedNomad } from "../fixtures/documented-nomad.ts";
import { failureOf, refusal } from "../fixtures/refusal.ts";
import { bareGuard, service } from "../fixtures/service.ts";

type Job = Parameters<typeof submitToNomad>[1];
const job = (change: object = {}): Job =>
  nomadJob(service(change), bareGuard, "/usr/bin/sealaunch") as Job;

let nomad: DocumentedNomad;
let url: string;
beforeEach(async () => {
  [nomad, url] = await DocumentedNomad.create();
  nomad.nodes.push(
    { name: "n1", meta: { role: "dns" } },
    { name: "n2", meta: { role: "dns" } },
    { name: "n3", meta: {} },
  );
});
afterEach(() => nomad[Symbol.asyncDispose]());

const submit = (what: Job): Promise<readonly string[]> =>
  submitToNomad({ scheduler: "Nomad", url }, what, 3000);

describe("Nomad", () => {
  it("runs a job, and says on which nodes", async () => {
    const placement = { where: { role: "dns" } };
    expect(await submit(job({ instances: 2, placement }))).toEqual(["n1", "n2"]);
    expect(await submit(job({ name: "all", instances: "every node", placement }))).toEqual([
      "n1",
      "n2",
    ]);
  });

  it("has the new version run before the old one ends, and keeps the old where the new doesn't", async () => {
    await submit(job());
    expect(nomad.running).toEqual(["n1 0"]);
    nomad.fault = () => "Exit Code: 77";
    const failure = await failureOf(() => submit(job({ arguments: ["-v"] })));
    expect(failure?.code).toBe("scheduler/not-running");
    expect(failure?.message).toBe(
      "job dns of Nomad doesn't run: Failed due to unhealthy allocations; failed on n1: Exit Code: 77",
    );
    expect(nomad.running).toEqual(["n1 0"]);
    nomad.fault = () => undefined;
    expect(await submit(job({ arguments: ["-w"] }))).toEqual(["n1"]);
    expect(nomad.running).toEqual(["n1 2"]);
    expect(nomad.requests.filter((one) => one.startsWith("DELETE"))).toEqual([]);
  });

  it("says which nodes were passed over, and why", async () => {
    const failure = await failureOf(() => submit(job({ placement: { where: { role: "mail" } } })));
    expect(failure?.code).toBe("scheduler/not-running");
    expect(failure?.message).toContain("no node takes it of 3: ${meta.role} = mail (3 nodes)");
  });

  it("writes over nothing that somebody else has changed meanwhile", async () => {
    await submit(job());
    // What is asked first is from before.
    const before = nomad.asSeen("dns");
    nomad.touch("dns");
    nomad.instead.push(before);
    const failure = await failureOf(() => submit(job({ arguments: ["-v"] })));
    expect(failure?.code).toBe("scheduler/conflict");
    expect(failure?.message).toContain("job exists with conflicting job modify index");
    expect(nomad.running).toEqual(["n1 0"]);
  });

  it("tells a conflict and what it refuses from its own faults, which are all 500", async () => {
    const answer = { status: 404, body: "job not found" };
    await submit(job());
    nomad.instead.push(answer);
    const conflict = await failureOf(() => submit(job({ arguments: ["-v"] })));
    expect(conflict?.code).toBe("scheduler/conflict");
    expect(conflict?.message).toContain("Enforcing job modify index 0: job already exists");
    nomad.instead.push(answer, { status: 500, body: "1 error: Job validation failed" });
    expect(await refusal(() => submit(job()))).toBe("scheduler/refused");
    nomad.instead.push(answer, { status: 500, body: "No cluster leader" });
    expect(await refusal(() => submit(job()))).toBe("scheduler/unavailable");
    nomad.instead.push({ status: 403, body: "Permission denied" });
    expect(await refusal(() => submit(job()))).toBe("scheduler/refused");
    nomad.instead.push({ status: 200, body: [] });
    expect(await refusal(() => submit(job()))).toBe("scheduler/malformed");
  });

  it("stops a job, also one that isn't there", async () => {
    await submit(job());
    await removeFromNomad({ scheduler: "Nomad", url }, "dns");
    await removeFromNomad({ scheduler: "Nomad", url }, "dns");
    expect(nomad.running).toEqual([]);
  });
});
