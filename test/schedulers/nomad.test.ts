import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { WrittenJob } from "../../src/schedulers/nomad/api.ts";
import { submitToNomad } from "../../src/schedulers/nomad/nomad.ts";
import type { Submitted } from "../../src/schedulers/running.ts";
import { nomadJob } from "../../src/service/scheduled/nomad-job.ts";
import { DocumentedNomad } from "../fixtures/documented-nomad.ts";
import { failureOf, refusal } from "../fixtures/refusal.ts";
import { bareGuard, service } from "../fixtures/service.ts";

const job = (change: object = {}): WrittenJob =>
  nomadJob(service(change), bareGuard, "/usr/bin/sealaunch") as WrittenJob;

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

const submit = (what: WrittenJob, settleMs = 0): Promise<Submitted> =>
  submitToNomad({ scheduler: "Nomad", url }, what).submit({ deadlineMs: 3000, settleMs });
const ran = (...nodes: string[]): Submitted => ({ ranAlready: false, nodes });

describe("Nomad", () => {
  it("runs a job, and says on which nodes", async () => {
    const placement = { where: { role: "dns" } };
    expect(await submit(job({ instances: 2, placement }))).toEqual(ran("n1", "n2"));
    const every = job({ name: "all", instances: "every node", placement });
    expect(await submit(every)).toEqual(ran("n1", "n2"));
  });

  it("leaves alone what runs as it is to, and registers nothing", async () => {
    await submit(job());
    nomad.requests.length = 0;
    expect(await submit(job())).toEqual({ ranAlready: true, nodes: ["n1"] });
    expect(nomad.requests).not.toContain("POST /v1/jobs");
  });

  it.for([
    [true, "by itself, in time"],
    [false, "because it is told to"],
  ] as const)(
    "has the new version run before the old one ends, and goes back (%s), where it doesn't run",
    async ([goesBack]) => {
      nomad.goesBack = goesBack;
      await submit(job());
      expect(nomad.running).toEqual(["n1 0"]);
      nomad.fault = () => "Exit Code: 77";
      const failure = await failureOf(() => submit(job({ arguments: ["-v"] })));
      expect(failure?.code).toBe("scheduler/not-running");
      expect(failure?.message).toMatch(
        /^job dns of Nomad doesn't run: Failed due to unhealthy allocations.*; failed on n1: Exit Code: 77; the version before runs on n1$/u,
      );
      // The one that ran all the time, as the newest version.
      expect(nomad.running).toEqual(["n1 2"]);
      expect(nomad.requests.includes("POST /v1/job/dns/revert")).toBe(!goesBack);
      nomad.fault = () => undefined;
      expect(await submit(job())).toEqual({ ranAlready: true, nodes: ["n1"] });
      expect(await submit(job({ arguments: ["-w"] }))).toEqual(ran("n1"));
      expect(nomad.running).toEqual(["n1 3"]);
      expect(nomad.requests.filter((one) => one.startsWith("DELETE"))).toEqual([]);
    },
  );

  it("stops what didn't run before and doesn't now", async () => {
    nomad.fault = () => "Exit Code: 1";
    const failure = await failureOf(() => submit(job()));
    expect(failure?.message).toContain("; nothing of it ran before, and it was stopped");
    nomad.fault = () => undefined;
    expect(await submit(job())).toEqual(ran("n1"));
  });

  it("says which nodes would be passed over, and why, and registers nothing", async () => {
    const failure = await failureOf(() => submit(job({ placement: { where: { role: "mail" } } })));
    expect(failure?.code).toBe("scheduler/not-running");
    expect(failure?.message).toBe(
      "job dns of Nomad wouldn't be placed, and nothing was changed: no node takes it of 3: ${meta.role} = mail (3 nodes)",
    );
    expect(nomad.requests).not.toContain("POST /v1/jobs");
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

  it("is asked once to change something, and looked at where the answer got lost", async () => {
    await submit(job());
    nomad.insteadOfChanges.push("lost");
    expect(await submit(job({ arguments: ["-v"] }))).toEqual(ran("n1"));
    expect(nomad.running).toEqual(["n1 1"]);
    nomad.insteadOfChanges.push("reset");
    const failure = await failureOf(() => submit(job({ arguments: ["-w"] })));
    expect(failure?.code).toBe("scheduler/unavailable");
    expect(failure?.message).toMatch(/doesn't answer POST \/v1\/jobs: ECONNRESET$/u);
    expect(nomad.requests.filter((one) => one === "POST /v1/jobs")).toHaveLength(3);
    expect(nomad.running).toEqual(["n1 1"]);
  });

  it("is asked again what only asks, where a connection breaks off or it has a fault", async () => {
    nomad.instead.push("reset", { status: 502, body: "" });
    expect(await submit(job())).toEqual(ran("n1"));
    expect(nomad.requests.slice(0, 3)).toEqual(["/", "/", "/"].map(() => "GET /v1/job/dns"));
  });

  it("tells what would change, field by field, and changes nothing", async () => {
    const difference = (what: WrittenJob): Promise<unknown> =>
      submitToNomad({ scheduler: "Nomad", url }, what).difference();
    await submit(job());
    nomad.requests.length = 0;
    expect(await difference(job())).toEqual({ before: "", after: "" });
    expect(await difference(job({ owner: "ann" }))).toEqual({
      before: "Meta: null\n",
      after: 'Meta: {"owner":"ann"}\n',
    });
    expect(nomad.requests).toEqual(["POST /v1/job/dns/plan", "POST /v1/job/dns/plan"]);
  });

  it("tells a conflict and what it refuses from its own faults, which are all 500", async () => {
    const answer = { status: 404, body: "job not found" };
    const plan = { status: 200, body: { Diff: { Type: "Added" }, JobModifyIndex: 0 } };
    await submit(job());
    nomad.instead.push(answer, plan);
    const conflict = await failureOf(() => submit(job({ arguments: ["-v"] })));
    expect(conflict?.code).toBe("scheduler/conflict");
    expect(conflict?.message).toContain("Enforcing job modify index 0: job already exists");
    nomad.instead.push(answer, plan, { status: 500, body: "1 error: Job validation failed" });
    expect(await refusal(() => submit(job()))).toBe("scheduler/refused");
    nomad.instead.push(answer, plan, { status: 500, body: "No cluster leader" });
    expect(await refusal(() => submit(job({ arguments: ["-x"] })))).toBe("scheduler/unavailable");
    nomad.instead.push({ status: 403, body: "Permission denied" });
    expect(await refusal(() => submit(job()))).toBe("scheduler/refused");
    nomad.instead.push({ status: 200, body: [] });
    expect(await refusal(() => submit(job()))).toBe("scheduler/malformed");
  });
});
