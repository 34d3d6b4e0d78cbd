import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNode } from "../../src/cluster/configuration.ts";
import { readIdentities } from "../../src/cluster/identities.ts";
import { openBundles } from "../../src/launch/open.ts";
import { expectDone } from "../fixtures/ended.ts";
import { EtcdCluster } from "../fixtures/etcd.ts";
import { cleanEnvironment, sealaunchPath } from "../fixtures/program.ts";
import { Workplace } from "../fixtures/worked-example.ts";
import { count } from "../soak.ts";

let place: Workplace;
let etcd: EtcdCluster;
const running: ChildProcess[] = [];
let said = "";
let sealed = "";

const at = (path: string): string => join(place.directory, path);

beforeAll(async () => {
  place = Workplace.followed();
  etcd = await EtcdCluster.start();
  const source = `etcd:${etcd.configuration("root", etcd.issue("root"))}`;
  expectDone(place.run(`sealaunch copy --from dir:. --to ${source} --yes`));
  const change = (path: string, fields: object): void => {
    const before = JSON.parse(readFileSync(at(path), "utf8")) as object;
    writeFileSync(at(path), JSON.stringify({ ...before, ...fields }));
  };
  change("sealaunch.json", { source });
  for (const node of ["n1", "n2"]) {
    const paths = { identity: at(`${node}/identity`), state: at(`${node}/state`) };
    change(`${node}/node.json`, { source, ...paths, mirror: at(`${node}/mirror`) });
    const sync = spawn(sealaunchPath, ["sync", "--watch", "--config", `${node}/node.json`], {
      cwd: place.directory,
      env: { ...cleanEnvironment, PATH: `${dirname(sealaunchPath)}:${cleanEnvironment.PATH}` },
    });
    sync.stderr.on("data", (bytes: Buffer) => (said += bytes.toString()));
    running.push(sync);
  }
});
afterAll(async () => {
  for (const sync of running) {
    const ended = once(sync, "close");
    sync.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  }
  await etcd[Symbol.asyncDispose]();
  place[Symbol.dispose]();
});

/** What a start on a node would get, by its mirror. */
async function startOn(name: string): Promise<string> {
  const node = await readNode(at(`${name}/node.json`));
  const bundles = [{ bundle: "dns", floor: 1 }];
  const request = { bundles, credentials: ["CF_TOKEN"], unit: "dns.service", inPlace: true };
  const identities = () => readIdentities(node.configuration.identity);
  const { credentials } = await openBundles(request, node, identities, new Date());
  return new TextDecoder().decode(credentials[0]?.value);
}

/** How long after it was sealed both nodes start on it, in milliseconds. */
async function sealAndWait(value: string, withinMs: number): Promise<number> {
  expectDone(place.run(`printf '%s' '${value}' >token && sealaunch seal dns CF_TOKEN=token`));
  const begin = Date.now();
  sealed = value;
  await haveSealed(withinMs);
  return Date.now() - begin;
}

async function haveSealed(withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (const name of ["n1", "n2"]) {
    while ((await startOn(name).catch(() => "")) !== sealed) {
      if (Date.now() > deadline) throw new Error(`${name} has no ${sealed}: ${said}`);
      await pause(5);
    }
  }
}

describe("nodes that follow etcd", () => {
  it("start on what was sealed within a second, in the median", async () => {
    sealed = "correct horse battery staple";
    await haveSealed(20_000);
    const times: number[] = [];
    for (let round = 0; round < count(50); round++) {
      times.push(await sealAndWait(`value ${String(round)}`, 20_000));
    }
    const median = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Infinity;
    expect(median).toBeLessThan(1_000);
  });

  it("start on what they have while all members are down, and hear again once they are back", async () => {
    for (const index of [0, 1, 2]) await etcd.kill(index);
    expect(await startOn("n1")).toBe(sealed);
    await pause(6_000);
    expect(await startOn("n2")).toBe(sealed);
    // Each of the two says once why, however often it tries.
    const deaf =
      said.match(/^warning: source\/\w+: hears nothing of etcd:.+; see 'etcdctl .+$/gmu) ?? [];
    expect(deaf.length).toBeGreaterThanOrEqual(2);
    for (const why of deaf) expect(deaf.filter((line) => line === why).length, why).toBeLessThan(3);
    for (const index of [0, 1, 2]) etcd.run(index);
    await etcd.healthy();
    await sealAndWait("after the outage", 60_000);
  });

  it("keep what they have when etcd is another cluster with nothing in it", async () => {
    await etcd.beginAgain();
    await pause(8_000);
    expect(await startOn("n1")).toBe(sealed);
    expect(said).toContain("roster/absent");
  });
});
