import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deploying, type Outcome } from "./deploying.ts";
import { addDnsProgram } from "./dns-program.ts";
import type { Machine } from "./machine.ts";
import { beginPacemaker } from "./pacemaker-pool.ts";

let cluster: Deploying;
let program = "";
beforeAll(async () => {
  cluster = await Deploying.create();
  const { laptop, nodes } = cluster;
  await beginPacemaker(nodes as readonly [Machine, Machine]);
  program = await addDnsProgram(laptop);
  await laptop.sh(
    `sed -i '1s#{#{"schedulers": {"pacemaker": {"node": "n7"}},#' /srv/cluster/sealaunch.json`,
  );
});
afterAll(() => cluster[Symbol.asyncDispose]());

const deploy = (changes: Readonly<Record<string, unknown>>, options = ""): Promise<Outcome> =>
  cluster.deploy(
    { program, startTimeout: 20, stopTimeout: 10, ...changes },
    `--copy-closure --node n7 --node n8 --within 60 ${options}`,
  );

/** What runs, wherever that is: what it was started with, and its process. */
async function running(): Promise<readonly [says: string, pid: string]> {
  const [says, pids] = await Promise.all([cluster.says(), cluster.pids()]);
  const at = pids.findIndex((pid) => pid !== "0");
  return [says[at]?.trim() ?? "", pids[at] ?? ""];
}

describe("a service that is deployed through Pacemaker", () => {
  it("is only shown with --dry-run", async () => {
    const { exit, stderr, states } = await deploy({ arguments: ["one"] }, "--dry-run");
    expect([exit, stderr]).toEqual([0, ""]);
    expect(states).toEqual({ n7: "would change", n8: "would change", pacemaker: "would change" });
    expect(await running()).toEqual(["", ""]);
  });

  it("runs on the node that Pacemaker picks, and is left alone where it runs as it is to", async () => {
    const { exit, stderr, states } = await deploy({ arguments: ["one"] });
    expect([exit, stderr]).toEqual([0, ""]);
    expect(Object.values(states)).toEqual(["runs"]);
    const before = await running();
    expect(before[0]).toBe("one correct horse");
    const again = await deploy({ arguments: ["one"] });
    expect(Object.values(again.states)).toEqual(["ran already"]);
    expect(await running()).toEqual(before);
  });

  it.for([
    ["a path that nobody has", { program: `/nix/store/${"0".repeat(32)}-absent/bin/service` }],
    ["a bundle that it may not have", { bundles: ["mail"] }],
  ] as const)("runs on, the same process, where its successor has %s", async ([, change]) => {
    const before = await running();
    const { exit, stderr } = await deploy({ arguments: ["two"], ...change });
    expect(exit).not.toBe(0);
    expect(JSON.parse(stderr)).toMatchObject({ code: expect.any(String) as unknown });
    expect(await running()).toEqual(before);
  });

  it("runs again where its successor ends at once, and the error says why", async () => {
    const { exit, stderr, states } = await deploy({ arguments: ["crash"] }, "--within 30");
    expect(states).toEqual({ pacemaker: "left as it was" });
    expect(exit).toBe(69);
    expect(JSON.parse(stderr)).toMatchObject({ code: "scheduler/not-running" });
    expect(stderr).toMatch(
      /dns of Pacemaker doesn't run within 30 s: .*; what ran before runs on n[78]/u,
    );
    expect((await running())[0]).toBe("one correct horse");
  });

  it("is replaced by one that runs", async () => {
    const { exit, stderr, states } = await deploy({ arguments: ["two"] });
    expect([exit, stderr]).toEqual([0, ""]);
    expect(Object.values(states)).toEqual(["runs"]);
    expect((await running())[0]).toBe("two correct horse");
  });
});
