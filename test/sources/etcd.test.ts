import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSource } from "../../src/sources/open.ts";
import type { Source, Written } from "../../src/sources/source.ts";
import { EtcdCluster } from "../fixtures/etcd.ts";
import { Heard } from "../fixtures/heard.ts";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
let etcd: EtcdCluster;
let source: Source;
const open = (name: string, fields: object): Promise<Source> =>
  openSource(`etcd:${etcd.configuration(name, fields)}`, "/");

beforeAll(async () => {
  etcd = await EtcdCluster.start();
  etcd.authenticate();
  source = await open("root", etcd.issue("root"));
});
afterAll(() => etcd[Symbol.asyncDispose]());

describe("a source in etcd", () => {
  it("gives what was written, and undefined for what wasn't", async () => {
    await source.write("nodes/n1/card.json", bytes("card"));
    expect(await source.read("nodes/n1/card.json", 100)).toEqual(bytes("card"));
    expect(await source.read("nodes/n2/card.json", 100)).toBeUndefined();
    expect(etcd.etcdctl("get", "/sealaunch/nodes/n1/card.json", "--print-value-only")).toBe(
      "card\n",
    );
  });

  it("refuses an object that has more bytes than may be", async () => {
    await source.write("nodes/big", bytes("12345"));
    await expect(source.read("nodes/big", 4)).rejects.toMatchObject({ code: "source/hostile" });
  });

  it("lists what is directly within a folder, however much lies below", async () => {
    for (const name of ["b", "b-", "b.c", "b/c", "a/x/y", "c0"])
      await source.write(`list/${name}`, bytes(""));
    const many = Array.from({ length: 1200 }, (_, number) => `list/many/${String(number)}/x`);
    await Promise.all(many.map((path) => source.write(path, bytes(""))));
    expect((await source.list("list")).sort()).toEqual(["a", "b", "b-", "b.c", "c0", "many"]);
    expect((await source.list("list/many")).length).toBe(1200);
    expect(await source.list("lis")).toEqual([]);
  });

  it("lists what is beside names that nobody's object has, though a page of them is more than is taken", async () => {
    const long = (folder: string, size: number): Promise<void>[] =>
      Array.from({ length: 40 }, (_, number) =>
        source.write(`${folder}/${String(number).padEnd(size, "x")}/y`, bytes("")),
      );
    await Promise.all([...long("long/names", 500_000), source.write("long/names/z", bytes(""))]);
    expect(await source.list("long/names")).toEqual(["z"]);
    const told = await source.changedSince?.("long", undefined, (path) => path.length < 1000);
    expect(told?.paths).toEqual(["long/names/z"]);
    await source.remove("long");
  });

  it("publishes a folder once, whole, and leaves what is there", async () => {
    const files = (text: string): Map<string, Uint8Array> =>
      new Map([
        ["statement.json", bytes(text)],
        ["signatures/x.sig", bytes("signature")],
      ]);
    const tries = Array.from({ length: 20 }, (_, number) =>
      source.publish("bundles/dns/0.1", files(String(number))),
    );
    const made = (await Promise.all(tries)).map((won, number) => (won ? [number] : [])).flat();
    expect(made.length).toBe(1);
    expect(await source.read("bundles/dns/0.1/statement.json", 100)).toEqual(
      bytes(String(made[0])),
    );
    await source.remove("bundles/dns/0.1/statement.json");
    expect(await source.publish("bundles/dns/0.1", files("z"))).toBe(false);
    await source.remove("bundles/dns/0.1");
    expect(await source.list("bundles/dns")).toEqual([]);
  });

  it("publishes the entries of an epoch with more members than one transaction takes", async () => {
    const entry = new Uint8Array(2000).fill(7);
    const files = new Map(Array.from({ length: 1000 }, (_, n) => [`${String(n)}.age`, entry]));
    expect(await source.publish("entries/web/1", files)).toBe(true);
    expect((await source.list("entries/web/1")).length).toBe(1000);
    expect(await source.publish("entries/web/1", files)).toBe(false);
  });

  it("takes an object of a MiB, and refuses one of 1.5 MiB with what has to be changed", async () => {
    await source.write("bundles/big/values/a", new Uint8Array(1024 * 1024 + 544));
    await expect(
      source.write("bundles/big/values/b", new Uint8Array(1.5 * 1024 * 1024)),
    ).rejects.toMatchObject({
      code: "source/too-large",
      hint: expect.stringContaining("--max-request-bytes") as unknown,
    });
    await expect(
      source.publish("pools/web/1", new Map([["members.json", new Uint8Array(4 * 1024 * 1024)]])),
    ).rejects.toMatchObject({ code: "source/too-large" });
    expect(await source.list("pools/web")).toEqual([]);
  });
});

describe("what was written since", () => {
  it("is told once each time, and all of it to who hasn't asked, or not of this etcd as it stands", async () => {
    const since = async (when: string | undefined): Promise<Written> => {
      const told = await source.changedSince?.("entries/db", when, (path) => !path.endsWith("!"));
      return told ?? { paths: [], until: "" };
    };
    const names = Array.from({ length: 5_100 }, (_, number) => `entries/db/1/${String(number)}`);
    await Promise.all(names.map((path) => source.write(path, bytes(""))));
    await source.write("entries/dbx", bytes(""));
    await source.write("entries/db/1/nobody asks for!", bytes(""));
    const all = await since(undefined);
    expect(all.paths.toSorted()).toEqual(names.toSorted());
    expect(await since(all.until)).toEqual({ paths: [], until: all.until });
    await source.write("entries/db/2/x", bytes(""));
    await source.write("entries/db/1/0", bytes(""));
    await source.write("nodes/n1/x", bytes(""));
    const later = await since(all.until);
    expect(later.paths).toEqual(["entries/db/1/0", "entries/db/2/x"]);
    expect((await since(later.until)).paths).toEqual([]);
    const [cluster, revision = ""] = later.until.split("/");
    for (const when of [
      `1/${revision}`,
      `${String(cluster)}/${String(BigInt(revision) + 1n)}`,
      "x",
    ])
      expect((await since(when)).paths).toHaveLength(names.length + 1);
  });
});

describe("a source in etcd that is watched", () => {
  it("says first that anything may have changed, then what does, below its folders alone", async () => {
    await using heard = new Heard(source, ["roster", "pools/web"]);
    expect(await heard.next()).toEqual({ kind: "anything" });
    await source.write("pools/db/1/pool.json", bytes("x"));
    await source.write("pools/web/1/pool.json", bytes("x"));
    await source.publish("roster/1", new Map([["roster.json", bytes("x")]]));
    expect(await heard.objects(["roster/1/roster.json", "pools/web/1/pool.json"])).toEqual([
      "pools/web/1/pool.json",
      "roster/1/roster.json",
    ]);
    await source.remove("pools/web/1");
    expect(await heard.objects(["pools/web/1/pool.json"])).toEqual(["pools/web/1/pool.json"]);
    await source.write("pools/web/2/pool.json", bytes("x"));
    expect(await heard.objects(["pools/web/2/pool.json"])).toEqual(["pools/web/2/pool.json"]);
  });
});
