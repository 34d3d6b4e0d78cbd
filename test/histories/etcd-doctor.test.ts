import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { EtcdCluster } from "../fixtures/etcd.ts";
import { Workplace } from "../fixtures/worked-example.ts";

const deadlineMs = 3_000;

let place: Workplace;
let etcd: EtcdCluster;
beforeAll(async () => {
  place = Workplace.followed();
  etcd = await EtcdCluster.start();
  expectDone(place.run(`sealaunch copy --from dir:. --to ${sourceWith({})} --yes`));
});
afterAll(async () => {
  await etcd[Symbol.asyncDispose]();
  place[Symbol.dispose]();
});

/** The source, reached as a file says that has those fields otherwise. */
const sourceWith = (fields: object): string => {
  const all = { ...etcd.issue("root"), deadline: deadlineMs / 1000, ...fields };
  return `etcd:${etcd.configuration("own", all)}`;
};

/** What is told of it, how it ended and how long it took. */
function doctor(fields: object = {}) {
  const file = join(place.directory, "sealaunch.json");
  const before = JSON.parse(readFileSync(file, "utf8")) as object;
  writeFileSync(file, JSON.stringify({ ...before, source: sourceWith(fields) }));
  const begun = Date.now();
  const outcome = place.run("sealaunch doctor --sources");
  return { outcome, took: Date.now() - begun };
}

describe("sealaunch doctor --sources", () => {
  it("warns of each member that can't be reached, though the others answer", () => {
    const endpoints = [...etcd.endpoints.slice(0, 2), "https://127.0.0.1:1"];
    const told = expectDone(doctor({ endpoints }).outcome);
    expect(told.split("\n", 1)).toEqual([expect.stringMatching(/^source +etcd:/u)]);
    expect(told).toMatch(/^answers +within/mu);
    expect(told).toMatch(
      /^warning: etcd:\S+: https:\/\/127\.0\.0\.1:1 can't be reached \(E\w+\)$/mu,
    );
    expect(told.match(/^warning:/gmu)).toHaveLength(1);
  });

  it("warns of a member that accepts and never answers, and of one without a leader", async () => {
    etcd.signal(2, "SIGSTOP");
    const silent = expectDone(doctor().outcome);
    etcd.signal(2, "SIGCONT");
    const [first = "", , last = ""] = etcd.endpoints;
    expect(silent).toMatch(new RegExp(`^warning: .+: ${last} doesn't answer within 3 s$`, "mu"));
    for (const index of [1, 2]) await etcd.kill(index);
    const alone = doctor({ endpoints: [first] }).outcome;
    expect(alone.status).not.toBe(0);
    expect(alone.stdout).toMatch(
      new RegExp(`^warning: .+: ${first} says that it has no leader`, "mu"),
    );
    for (const index of [1, 2]) etcd.run(index);
    await etcd.healthy();
  });

  it("is over with the deadline where all are silent", async () => {
    for (const index of [0, 1, 2]) etcd.signal(index, "SIGSTOP");
    const { outcome, took } = doctor();
    for (const index of [0, 1, 2]) etcd.signal(index, "SIGCONT");
    expectRefused(outcome, "source/timeout");
    // One after the other, the three would take more; the program begins meanwhile, where much else runs.
    expect(took).toBeLessThan(3 * deadlineMs);
    await etcd.healthy();
  });

  it("refuses a certificate and a private half that don't belong together", () => {
    const { certificateKey } = etcd.issue("other");
    const { stdout } = expectRefused(doctor({ certificateKey }).outcome, "source/certificate");
    expect(stdout).toMatch(
      /^error: etcd:\S+: trustedCa, certificate or certificateKey is no PEM/mu,
    );
  });
});
