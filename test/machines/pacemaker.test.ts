import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  submitToPacemaker,
  type PacemakerNodes,
} from "../../src/schedulers/pacemaker/pacemaker.ts";
import { failureOf } from "../fixtures/refusal.ts";
import { longestStoreName } from "../fixtures/service.ts";
import type { Machine } from "./machine.ts";
import { PacemakerPool } from "./pacemaker-pool.ts";
import { until } from "./pool.ts";

// Leaves in the machine what it got of a start; the machine's root has its shell.
const script = `#!/bin/sh
sha256sum <"$CREDENTIALS_DIRECTORY/CF_TOKEN" >/run/dns/told
exec sleep 100000
`;
const told = `${createHash("sha256").update("the token").digest("hex")}  -\n`;
const patience = 90_000;

let pool: PacemakerPool;
beforeAll(async () => {
  pool = await PacemakerPool.create(longestStoreName, script);
  const service = {
    version: 1,
    name: "dns",
    program: `${pool.storePath}/bin/${longestStoreName}`,
    bundles: ["dns@1+"],
    runtimeDirectories: ["dns"],
    startTimeout: 10,
    stopTimeout: 10,
    placement: { where: { role: "dns" } },
    health: { port: 53, interval: 2 },
  };
  await pool.n1.write("/srv/cluster/dns.json", JSON.stringify(service));
  await pool.n1.sh(
    "cd /srv/cluster; sealaunch unit dns.json --for pacemaker --output /run/dns.xml",
  );
  const unit = await pool.n1.sh("cat /run/dns.service");
  for (const node of [pool.n1, pool.n2]) await node.unit("dns.service", unit);
});
afterAll(async () => {
  await pool[Symbol.asyncDispose]();
});

const isIn = (node: Machine, path: string): Promise<string> =>
  node.sh(`[ -e '${path}' ] && echo yes || echo no`).then((said) => said.trim());

const give = (node: string): Promise<string> =>
  pool.n1.sh(`crm_attribute --node ${node} --name role --update dns`);

/** Returns once the service runs there, and was started by Sealaunch, with its secret, from the cache. */
async function runsOn(node: Machine): Promise<void> {
  await until(async () => (await pool.place(node)) === node.name, `dns on ${node.name}`, patience);
  expect(await node.sh("cat /run/dns/told")).toBe(told);
  const pid = await node.show("dns.service", "MainPID");
  expect(await node.sh(`tr '\\0' ' ' </proc/${pid}/cmdline`)).toBe("sleep 100000 ");
  expect(await isIn(node, pool.storePath)).toBe("yes");
  const roots = await node.sh(`nix-store --query --roots '${pool.storePath}'`);
  expect(roots).toContain("/var/lib/sealaunch/roots/dns.service");
}

/** Submits it, as whoever may configure the cluster does from one of its nodes. */
async function submit(deadlineMs = patience): Promise<readonly string[]> {
  const configuration = new Uint8Array(await readFile(pool.n1.path("/run/dns.xml")));
  const nodes: PacemakerNodes = {
    run: async (program, args, input) => {
      const { status, stdout, stderr } = await pool.n1.run(program, args, input);
      return { exitCode: status ?? undefined, stdout, stderr };
    },
    invocationOn: (node) => pool[node === "n1" ? "n1" : "n2"].show("dns.service", "InvocationID"),
    // They have it already.
    placeUnits: () => Promise.resolve(false),
    putUnitsBack: () => Promise.resolve(),
  };
  const what = { name: "dns", instances: 1, configuration };
  const submitted = await submitToPacemaker(nodes, what).submit({ deadlineMs, settleMs: 0 });
  return submitted.nodes;
}

describe("Pacemaker on two nodes", () => {
  it("can't start it on the node that isn't in the pool, which says why", async () => {
    expect(await isIn(pool.n2, pool.storePath)).toBe("no");
    await give("n2");
    const failure = await failureOf(() => submit(15_000));
    expect(failure?.code).toBe("scheduler/not-running");
    expect(failure?.message).toContain("start failed on n2");
    expect(await pool.place(pool.n1)).toBe("");
    const journal = await pool.n2.sh("journalctl --sync; journalctl -u dns.service -o cat");
    expect(journal).toMatch(
      /^error: bundle dns: it is for web, and recipient \w+ is a member of none$/mu,
    );
    expect(await isIn(pool.n2, "/run/dns/told")).toBe("no");
  });

  it("starts it on the node that has the attribute and is in the pool, from the cache", async () => {
    expect(await isIn(pool.n1, pool.storePath)).toBe("no");
    await give("n1");
    expect(await submit()).toEqual(["n1"]);
    await runsOn(pool.n1);
  });

  it("starts it again where it was killed", async () => {
    const before = await pool.n1.show("dns.service", "MainPID");
    await pool.n1.sh(`rm /run/dns/told; kill -9 ${before}`);
    await until(
      async () => {
        const pid = await pool.n1.show("dns.service", "MainPID");
        return pid !== "0" && pid !== before && (await isIn(pool.n1, "/run/dns/told")) === "yes";
      },
      "dns runs again",
      patience,
    );
    await runsOn(pool.n1);
    expect(await pool.state(pool.n1)).toContain('op_key="dns_monitor_2000"');
  });

  it("leaves it alone, with its process, where the same is submitted again", async () => {
    const before = await pool.n1.show("dns.service", "MainPID");
    expect(await submit()).toEqual(["n1"]);
    expect(await pool.n1.show("dns.service", "MainPID")).toBe(before);
  });

  it("moves it when its node dies, to the other, which has joined the pool since", async () => {
    await pool.admit();
    // What an operator does who has mended the cause; a minute later it would be tried anyway.
    await pool.n1.sh("crm_resource --cleanup --resource dns 2>&1");
    await runsOn(pool.n1);
    // It had fetched what it was then not allowed to start.
    await pool.n2.sh(
      `rm -r /var/lib/sealaunch/roots/dns.service; nix-store --delete '${pool.storePath}' 2>&1`,
    );
    expect(await isIn(pool.n2, pool.storePath)).toBe("no");
    await pool.n1.powerCut();
    await runsOn(pool.n2);
    expect(await pool.state(pool.n2)).toMatch(/<node name="n1" [^>]*online="false"/u);
  });
});
