import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openMirror } from "../../src/sources/mirror.ts";
import { expectDone } from "../fixtures/ended.ts";
import { EtcdCluster } from "../fixtures/etcd.ts";
import { Workplace } from "../fixtures/worked-example.ts";

let place: Workplace;
let etcd: EtcdCluster;
beforeAll(async () => {
  place = Workplace.followed();
  etcd = await EtcdCluster.start();
  const source = `etcd:${etcd.configuration("root", etcd.issue("root"))}`;
  done(`sealaunch copy --from dir:. --to ${source} --yes`);
  for (const path of ["sealaunch.json", "n1/node.json"]) {
    const file = join(place.directory, path);
    const before = JSON.parse(readFileSync(file, "utf8")) as object;
    writeFileSync(file, JSON.stringify({ ...before, source }));
  }
});
afterAll(async () => {
  await etcd[Symbol.asyncDispose]();
  place[Symbol.dispose]();
});

const done = (command: string): string => expectDone(place.run(command));
const mirror = () => openMirror(join(place.directory, "n1/mirror"));

/** The pools of a pass, and those of which the mirror has something afterwards. */
async function pass(): Promise<{ readonly pools: string[]; readonly held: string[] }> {
  const output = done("sealaunch sync --config n1/node.json --mirror n1/mirror --json");
  const { pools } = JSON.parse(output) as { readonly pools: string[] };
  return { pools, held: (await mirror().list("pools")).toSorted() };
}

describe("a node whose source is etcd", () => {
  it("looks into the pools that it comes into, and has of others what its bundles need", async () => {
    expect(await pass()).toEqual({ pools: ["web"], held: ["web"] });
    for (const pool of ["db", "other"]) done(`sealaunch roster add-pool ${pool} --yes`);
    done("sealaunch roster add-node n2 --pool other --known-hosts known_hosts --yes");
    expect(await pass()).toEqual({ pools: ["web"], held: ["web"] });
    done("sealaunch roster add-node n2 --pool db --known-hosts known_hosts --yes");
    done("sealaunch roster add-node n1 --pool db --known-hosts known_hosts --yes");
    expect(await pass()).toEqual({ pools: ["web"], held: ["web"] });
    done("sealaunch rewrap --identity operator.identity");
    expect(await pass()).toEqual({ pools: ["db", "web"], held: ["db", "web"] });
    done(
      "printf x >value && sealaunch seal dns CF_TOKEN=value SESSION_KEY=value --pool web --pool other",
    );
    expect(await pass()).toEqual({ pools: ["db", "web"], held: ["db", "other", "web"] });
    expect(await mirror().list("entries")).not.toContain("other");
  });

  it("keeps its pools when what it remembers of etcd is lost, and when etcd shows no entry any more", async () => {
    writeFileSync(join(place.directory, "n1/mirror/.sync/entered"), "nothing of ours");
    expect((await pass()).pools).toEqual(["db", "web"]);
    etcd.etcdctl("del", "--prefix", "/sealaunch/entries/");
    expect((await pass()).pools).toEqual(["db", "web"]);
    writeFileSync(join(place.directory, "n1/mirror/.sync/entered"), "nothing of ours");
    expect((await pass()).pools).toEqual(["db", "web"]);
  });

  it("has nothing of entries that are nobody's, however many a member puts there", async () => {
    const names = await mirror().list("entries/web/1");
    etcd.script(`cd "$(mktemp -d)"
      seq 5000 | awk '{ printf "put /sealaunch/entries/web/1/%032x.age x\\n", $1 }' | split -l 100 - part-
      for part in part-*; do { echo; cat "$part"; echo; echo; } | etcdctl txn >/dev/null; rm "$part"; done`);
    expect((await pass()).pools).toContain("web");
    expect((await mirror().list("entries/web/1")).toSorted()).toEqual(names.toSorted());
  });
});
