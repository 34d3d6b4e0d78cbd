import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openMirror } from "../../src/sources/mirror.ts";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { EtcdCluster } from "../fixtures/etcd.ts";
import { Workplace } from "../fixtures/worked-example.ts";

let place: Workplace;
let etcd: EtcdCluster;
beforeAll(async () => {
  place = Workplace.followed();
  etcd = await EtcdCluster.start(["--max-txn-ops=8000"]);
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

/** After it, etcd has that many keys, named as printf(3) says. */
function putMany(count: number, name: string): void {
  etcd.script(`cd "$(mktemp -d)"
    seq ${String(count)} | awk '{ printf "put /sealaunch/${name} x\\n", $1 }' | split -a 4 -l 8000 - part-
    ls | xargs -P 3 -n 1 sh -c '{ echo; cat "$0"; echo; echo; } | etcdctl txn >/dev/null && rm "$0"'`);
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
    putMany(5000, "entries/web/1/%032x.age");
    expect((await pass()).pools).toContain("web");
    expect((await mirror().list("entries/web/1")).toSorted()).toEqual(names.toSorted());
  });

  it.for([
    [1500, "bundle/absent", "has headers for 1500 bundles that it doesn't have, such as x/1", true],
    [50_001, "source/hostile", "has headers for over 50000 bundles in headers/web/1", false],
  ] as const)(
    "gets what is newer, though a member made headers for %d bundles that there aren't",
    async ([count, code, says, getsNew]) => {
      putMany(count, `headers/web/1/x/%d/${"0".repeat(64)}`);
      done(`printf x >value && sealaunch seal dns CF_TOKEN=value`);
      const after = `after/${String(count)}`;
      done(`sealaunch roster add-signer ann ~/.ssh/id_ed25519.pub --name dns --name after/ --yes`);
      done(`sealaunch seal ${after} TOKEN=value --pool web --unit dns.service`);
      const before = await mirror().list("bundles/dns");
      // As much as the unit of sync gives it.
      const sync = "NODE_OPTIONS=--max-old-space-size=32 sealaunch sync --config n1/node.json";
      const refused = expectRefused(place.run(`${sync} --mirror n1/mirror`), code);
      expect(refused.stderr).toContain(says);
      expect(await mirror().list("bundles/dns")).not.toEqual(before);
      expect((await mirror().list("bundles/after")).includes(String(count))).toBe(getsNew);
    },
  );
});
