import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSource } from "../../src/sources/open.ts";
import type { Source } from "../../src/sources/source.ts";
import { EtcdCluster, type Certificate } from "../fixtures/etcd.ts";
import { count } from "../soak.ts";
import {
  etcdDeadlineMs as deadlineMs,
  expectEtcdFailure as expectFailure,
  Heard,
} from "../fixtures/heard.ts";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
let etcd: EtcdCluster;
let root: Certificate;
const open = (name: string, fields: object = {}): Promise<Source> =>
  openSource(`etcd:${etcd.configuration(name, { ...root, deadline: 3, ...fields })}`, "/");

beforeAll(async () => {
  etcd = await EtcdCluster.start();
  etcd.authenticate();
  root = etcd.issue("root");
  await (await open("root")).write("roster/1/roster.json", bytes("roster"));
});
afterAll(() => etcd[Symbol.asyncDispose]());

const readRoster = (source: Source): Promise<unknown> => source.read("roster/1/roster.json", 100);

describe("of three members", () => {
  it("one that is killed, and the leader, are done without", async () => {
    const source = await open("root");
    for (const whom of [(etcd.leader() + 1) % 3, etcd.leader()]) {
      await using heard = new Heard(source, ["roster"]);
      expect(await heard.next()).toEqual({ kind: "anything" });
      await etcd.kill(whom);
      await source.write("roster/3/roster.json", bytes(String(whom)));
      expect(await source.read("roster/3/roster.json", 100)).toEqual(bytes(String(whom)));
      expect(await heard.objects(["roster/3/roster.json"])).toEqual(["roster/3/roster.json"]);
      etcd.run(whom);
      await etcd.healthy();
    }
  });

  it("the leader is killed while generations are written, and each counts as written that was", async () => {
    // How long a leader takes to be chosen, where much else runs, is not what this is about.
    const source = await open("root", { deadline: 30 });
    const files = (number: number): Map<string, Uint8Array> =>
      new Map([
        ["statement.json", bytes(String(number))],
        ["signatures/x.sig", bytes("signature")],
      ]);
    const rounds = count(20);
    for (let round = 0; round < rounds; round++) {
      const leader = etcd.leader();
      const numbers = Array.from({ length: 40 }, (_, number) => round * 40 + number + 1);
      const written = Promise.all(
        numbers.map(async (number) => {
          await delay(number % 40);
          return source.publish(`bundles/many/0.${String(number)}`, files(number));
        }),
      );
      await delay(10 + round);
      await etcd.kill(leader);
      // Nobody else writes these: one that is there was written by this call, whoever was asked for it.
      expect(await written).toEqual(numbers.map(() => true));
      for (const number of numbers)
        expect(await source.read(`bundles/many/0.${String(number)}/statement.json`, 100)).toEqual(
          bytes(String(number)),
        );
      etcd.run(leader);
      await etcd.healthy();
    }
  });

  it("all begin again, and who gave a password goes on", async () => {
    etcd.script(`etcdctl user add bob:pass-of-bob
      etcdctl user grant-role bob root`);
    const passwordFile = join(etcd.directory, "bob");
    writeFileSync(passwordFile, "pass-of-bob", { mode: 0o600 });
    const source = await open("bob", { user: "bob", passwordFile });
    await using heard = new Heard(source, ["roster"]);
    expect(await heard.next()).toEqual({ kind: "anything" });
    await readRoster(source);
    // What etcd gave for the password is forgotten with it.
    for (const index of [0, 1, 2]) await etcd.kill(index);
    for (const index of [0, 1, 2]) etcd.run(index);
    await etcd.healthy();
    expect(await readRoster(source)).toEqual(bytes("roster"));
    await source.write("roster/5", bytes(""));
    const told = await heard.next();
    if (told.kind === "lost") await heard.objects(["roster/5"]);
    else expect(told).toEqual({ kind: "objects", paths: ["roster/5"] });
  });

  it("one that accepts and never answers is left for another within its share of the deadline", async () => {
    for (const silent of [0, 1, 2]) {
      const source = await open("root");
      await readRoster(source);
      etcd.signal(silent, "SIGSTOP");
      const begun = Date.now();
      await readRoster(source);
      expect(Date.now() - begun).toBeLessThan(deadlineMs);
      etcd.signal(silent, "SIGCONT");
    }
    await etcd.healthy();
  });

  it("all that are silent end the call with the deadline, two that are gone say so", async () => {
    const source = await open("root");
    for (const index of [0, 1, 2]) etcd.signal(index, "SIGSTOP");
    await expectFailure(readRoster(source), "source/timeout", /within 3 s/u);
    for (const index of [0, 1, 2]) etcd.signal(index, "SIGCONT");
    await etcd.healthy();
    for (const index of [0, 1]) await etcd.kill(index);
    await using heard = new Heard(source, ["roster"]);
    await expectFailure(readRoster(source), "source/unreachable", /can't be reached/u);
    await expectFailure(
      source.write("nodes/x", bytes("")),
      "source/unreachable",
      /write nodes\/x/u,
    );
    const change = await heard.next();
    expect(change.kind === "lost" && change.failure.code).toBe("source/unreachable");
    for (const index of [0, 1]) etcd.run(index);
    await etcd.healthy();
    expect(await heard.next()).toEqual({ kind: "anything" });
  });
});

describe("a watch", () => {
  it("that was away while etcd forgot what was since says that anything may have changed", async () => {
    const source = await open("root", { endpoints: etcd.endpoints.slice(0, 1) });
    const others = etcd.endpoints.slice(1);
    await using heard = new Heard(source, ["roster"]);
    expect(await heard.next()).toEqual({ kind: "anything" });
    await etcd.kill(0);
    await etcd.healthy(others);
    for (const text of ["a", "b"]) etcd.etcdctlAt(others, "put", "/sealaunch/roster/9", text);
    const [status] = JSON.parse(etcd.etcdctlAt(others, "endpoint", "status", "-w", "json")) as {
      readonly Status: { readonly header: { readonly revision: number } };
    }[];
    const revision = String(status?.Status.header.revision);
    etcd.etcdctlAt(others, "compact", "--physical", revision);
    etcd.run(0);
    await etcd.healthy();
    for (;;) {
      const change = await heard.next();
      if (change.kind === "anything") break;
      expect(change.kind).toBe("lost");
    }
    await source.write("roster/10", bytes(""));
    expect(await heard.objects(["roster/10"])).toEqual(["roster/10"]);
  });
});

describe("a cluster that begins again with another id", () => {
  it("is read as it is, and watched from its beginning", async () => {
    const source = await open("root");
    await using heard = new Heard(source, ["roster"]);
    expect(await heard.next()).toEqual({ kind: "anything" });
    await etcd.beginAgain();
    let change = await heard.next();
    while (change.kind === "lost") change = await heard.next();
    expect(change).toEqual({ kind: "anything" });
    expect(await readRoster(source)).toBeUndefined();
    await source.write("roster/1/roster.json", bytes("new"));
    expect(await heard.objects(["roster/1/roster.json"])).toEqual(["roster/1/roster.json"]);
  });
});
