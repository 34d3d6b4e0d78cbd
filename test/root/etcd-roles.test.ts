import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { readNode } from "../../src/cluster/configuration.ts";
import { readIdentities } from "../../src/cluster/identities.ts";
import { openBundles } from "../../src/launch/open.ts";
import { openSource } from "../../src/sources/open.ts";
import type { Source } from "../../src/sources/source.ts";
import { EtcdCluster } from "../fixtures/etcd.ts";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { sealaunch } from "../fixtures/program.ts";
import { refusal } from "../fixtures/refusal.ts";
import { count } from "../soak.ts";
import { Workplace } from "../fixtures/worked-example.ts";

let etcd: EtcdCluster;
let place: Workplace;
let directory: string;

/** From now on the checkout's source is etcd, as this user. */
function become(user: string): void {
  for (const file of ["sealaunch.json", "n1/node.json"]) {
    const path = join(directory, file);
    const configuration = JSON.parse(readFileSync(path, "utf8")) as object;
    const source = `etcd:${join(etcd.directory, `${user}.json`)}`;
    writeFileSync(path, JSON.stringify({ ...configuration, source }));
  }
}

const openAs = (user: string): Promise<Source> =>
  openSource(`etcd:${join(etcd.directory, `${user}.json`)}`, "/");

beforeAll(async () => {
  etcd = await EtcdCluster.start();
  etcd.authenticate();
  place = Workplace.followed();
  directory = place.directory;
  const users = ["root", "node-n1", "signer-ann", "mia", "ops", "rita", "ci"];
  for (const user of users) etcd.configuration(user, etcd.issue(user));
  etcd.script(expectDone(place.run("sealaunch etcd-roles")));
  etcd.script(`for user in mia ops rita ci; do
      etcdctl user add --no-password $user
      etcdctl user grant-role $user sealaunch-reader
    done
    etcdctl user grant-role mia sealaunch-manager-web
    etcdctl user grant-role ops sealaunch-operator
    etcdctl user grant-role rita sealaunch-root
    etcdctl user grant-role ci sealaunch-copy`);
  const to = `etcd:${join(etcd.directory, "ci.json")}`;
  expectDone(place.run(`sealaunch copy --from dir:. --to ${to} --yes`));
  const node = join(directory, "n1/node.json");
  const before = JSON.parse(readFileSync(node, "utf8")) as object;
  const [identity, mirror, state] = ["identity", "mirror", "state"].map((name) =>
    join(directory, "n1", name),
  );
  writeFileSync(node, JSON.stringify({ ...before, identity, mirror, state }));
  execFileSync("rm", ["-r", join(directory, "keys/roster"), join(directory, "secrets")]);
});
afterAll(async () => {
  place[Symbol.dispose]();
  await etcd[Symbol.asyncDispose]();
});

describe("with a source in etcd, and the roles that 'sealaunch etcd-roles' prints", () => {
  it("a signer seals and verifies, and changes nothing else", async () => {
    become("signer-ann");
    expectDone(place.run("sealaunch seal dns --generate FIRST"));
    expect(expectDone(place.run("sealaunch verify"))).toMatch(/bundle dns +3 +good/u);
    expectRefused(place.run("sealaunch roster add-pool db --yes"), "source/forbidden");
    expectRefused(place.run("sealaunch roster sign --pool web --yes"), "source/forbidden");
    const source = await openAs("signer-ann");
    const none = new Uint8Array();
    for (const path of [
      "bundles/web/0.1/x",
      "bundles/dns/other",
      "headers/web/1/web/x",
      "nodes/n1/x",
    ])
      expect(await refusal(() => source.write(path, none)), path).toBe("source/forbidden");
    expect(await refusal(() => source.remove("bundles/dns"))).toBe("source/forbidden");
  });

  it("a manager evicts, an operator writes what is owed, a signer goes on meanwhile", async () => {
    become("mia");
    expectDone(place.run("sealaunch roster remove-node n2 --yes"));
    become("signer-ann");
    expectDone(place.run("sealaunch seal dns --generate SECOND"));
    become("ops");
    expectDone(place.run("sealaunch rewrap --identity operator.identity"));
    become("mia");
    expectDone(place.run("sealaunch roster remove-node n2 --yes"));
    const source = await openAs("mia");
    expect(await source.list("entries/web")).toEqual(["2"]);
    for (const path of ["roster/9/roster.json", "bundles/dns/0.9/x", "pools/db/1/pool.json"])
      expect(await refusal(() => source.write(path, new Uint8Array())), path).toBe(
        "source/forbidden",
      );
    become("signer-ann");
    // What is there already complains, and stays.
    etcd.script(`set +e\n${expectDone(place.run("sealaunch etcd-roles"))}true`);
    expectDone(place.run("sealaunch seal dns --generate THIRD"));
  });

  it("roots sign rosters, and write nothing else", async () => {
    become("rita");
    expectDone(place.run("sealaunch roster add-pool db --yes"));
    const source = await openAs("rita");
    for (const path of ["pools/db/1/pool.json", "bundles/dns/0.9/x", "entries/db/1/x"])
      expect(await refusal(() => source.write(path, new Uint8Array())), path).toBe(
        "source/forbidden",
      );
  });

  it("a node makes its pass, and writes only for its pools and of itself", async () => {
    become("node-n1");
    const sync = "sealaunch sync --config n1/node.json";
    expect(expectDone(place.run(sync))).toContain("bundles dns");
    expectDone(place.run("sealaunch rewrap --config n1/node.json"));
    expectDone(place.run("sealaunch identity rotate --config n1/node.json"));
    const source = await openAs("node-n1");
    for (const name of ["card.json", "card.json.sig"]) await source.remove(`nodes/n1/${name}`);
    expect(expectDone(place.run(sync))).toContain("carried nodes/n1/card.json");
    expect(await source.list("nodes/n1")).toEqual(["card.json", "card.json.sig"]);
    await source.write("headers/web/2/dns/x", new Uint8Array());
    await source.remove("headers/web/2/dns/x");
    for (const path of [
      "nodes/n2/card.json",
      "headers/db/1/dns/x",
      "bundles/dns/values/x",
      "pools/x",
    ])
      expect(await refusal(() => source.write(path, new Uint8Array())), path).toBe(
        "source/forbidden",
      );
  });
});

describe("sealaunch doctor --sources", () => {
  const doctor = "sealaunch doctor --sources --config n1/node.json";

  it("tells what a node may do with its source, and the time there", () => {
    become("node-n1");
    const told = expectDone(place.run(doctor));
    expect(told).toMatch(/^answers +within \d+ ms$/mu);
    expect(told).toMatch(/^newest +roster \d+ of /mu);
    expect(told).toMatch(/^writes +headers\/web\/ entries\/web\/ nodes\/n1\/$/mu);
    expect(told).toMatch(/^clock +[0-5] s (?:behind|ahead of) ours$/mu);
    expect(told).not.toMatch(/^(?:error|warning):/mu);
  });

  it("names what it has to write and can't, and what it can and doesn't have to", () => {
    become("node-n1");
    etcd.etcdctl("user", "revoke-role", "node-n1", "sealaunch-pool-web");
    const less = expectRefused(place.run(doctor), "source/forbidden");
    expect(less.stdout).toContain("error: node n1 can't write entries/web/ to etcd:");
    etcd.etcdctl("user", "grant-role", "node-n1", "sealaunch-manager-web");
    const more = place.run(`${doctor} --json`);
    expect(more.status).toBe(0);
    expect(more.stdout).toContain("source/excess");
    expect(more.stdout).toContain("node n1 can write pools/web/ to etcd:");
    etcd.etcdctl("user", "revoke-role", "node-n1", "sealaunch-manager-web");
    etcd.etcdctl("user", "grant-role", "node-n1", "sealaunch-pool-web");
    // What no role has: one key, a folder of nobody's and what lies beside the source.
    etcd.script(`etcdctl role add more
      etcdctl role grant-permission more readwrite /sealaunch/roster/9/roster.json
      etcdctl role grant-permission more write --prefix /sealaunch/nodes/n10/
      etcdctl role grant-permission more readwrite --prefix /other/
      etcdctl role grant-permission more readwrite /sealaunch/pools/a /sealaunch/pools/c
      etcdctl role grant-permission more read --prefix /read/
      etcdctl role grant-permission more readwrite --prefix /sealaunch/nodes/n1/inventories/
      etcdctl user grant-role node-n1 more`);
    const besides = expectDone(place.run(doctor)).match(/^warning: .+$/gmu) ?? [];
    expect(besides.map((line) => / can write (.+) to etcd:/u.exec(line)?.[1])).toEqual([
      "/other/",
      "nodes/n10/",
      "pools/a and what comes after it",
      "roster/9/roster.json",
    ]);
    etcd.etcdctl("user", "revoke-role", "node-n1", "more");
    expect(expectDone(place.run(doctor))).not.toMatch(/^(?:error|warning):/mu);
  });

  it("tells a signer, by the checkout, what it may write", () => {
    become("signer-ann");
    expect(expectDone(place.run("sealaunch doctor --sources"))).toMatch(
      /^writes +bundles\/dns\/values\/ bundles\/dns\/0\. headers\/web\/\d\/dns\//mu,
    );
  });

  it("says why a source doesn't answer, or doesn't know us", () => {
    become("stranger");
    etcd.configuration("stranger", etcd.issue("stranger"));
    expectRefused(place.run(doctor), "source/forbidden");
    etcd.configuration("stranger", { endpoints: ["https://127.0.0.1:1"], deadline: 1 });
    const { stdout } = expectRefused(place.run(doctor), "source/unreachable");
    expect(stdout).toContain("https://127.0.0.1:1 can't be reached");
  });
});

describe("of many who seal one name at once", () => {
  it("every success is a generation of its own, and all others are told of a conflict", async () => {
    become("signer-ann");
    // So many at once on few processors: it isn't etcd that keeps them waiting.
    etcd.configuration("signer-ann", { ...etcd.issue("signer-ann"), deadline: 60 });
    const Sealed = z.object({ generation: z.number() });
    const signer = ["--signer", join(place.home, ".ssh/id_ed25519.pub")];
    const ends = await Promise.all(
      Array.from({ length: count(50) }, (_, number) =>
        sealaunch(["seal", "dns", "--generate", `N${String(number)}`, "--json", ...signer], {
          cwd: directory,
          environment: {
            ...place.environment(directory),
            XDG_STATE_HOME: join(place.top, `s${String(number)}`),
          },
        }),
      ),
    );
    const won = ends.filter(({ status }) => status === 0);
    const made = won.map(({ stdout }) => Sealed.parse(JSON.parse(stdout.toString())).generation);
    expect(new Set(made).size).toBe(made.length);
    for (const end of ends.filter(({ status }) => status !== 0))
      expect(end.stderr).toMatch(/"code":"generation\/conflict"/u);
    expect(made.length).toBeGreaterThan(0);
    const source = await openAs("root");
    const there = (await source.list("bundles/dns")).filter((name) => name.startsWith("0."));
    for (const generation of made) expect(there).toContain(`0.${String(generation)}`);
    expect(there.length).toBe(Math.max(...made));
    // Nobody's who won was lost to who came after, and the node starts on all of them.
    const names = won.map((end) => `N${String(ends.indexOf(end))}`);
    become("node-n1");
    expectDone(place.run("sealaunch sync --config n1/node.json"));
    const node = await readNode(join(directory, "n1/node.json"));
    const { bundles, credentials } = await openBundles(
      {
        bundles: [{ bundle: "dns", floor: Math.max(...made) }],
        credentials: names,
        unit: "dns.service",
        inPlace: true,
      },
      node,
      () => readIdentities(node.configuration.identity),
      new Date(),
    );
    expect(bundles.map(({ generation }) => generation)).toEqual([Math.max(...made)]);
    expect(credentials.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
  });
});
