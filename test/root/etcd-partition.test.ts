import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSource } from "../../src/sources/open.ts";
import type { Source } from "../../src/sources/source.ts";
import { EtcdCluster, type Place } from "../fixtures/etcd.ts";
import { etcdDeadlineMs as deadlineMs, Heard } from "../fixtures/heard.ts";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const sh = (script: string): void => {
  execFileSync("sh", ["-euc", script], { stdio: "pipe" });
};

/** Network namespaces, a member in each, all on one bridge with us. */
class Network implements Disposable {
  // The bits of an interface's name that tell runs apart.
  readonly #id = `e${String(process.pid % 10_000)}`;
  readonly places: readonly Place[];

  constructor() {
    const address = (number: number): string => `10.213.77.${String(number)}`;
    sh(`ip link add ${this.#id} type bridge
      ip addr add ${address(1)}/24 dev ${this.#id}
      ip link set ${this.#id} up`);
    this.places = [2, 3, 4].map((number) => {
      const name = `${this.#id}n${String(number)}`;
      sh(`ip netns add ${name}
        ip link add ${name} type veth peer name eth0 netns ${name}
        ip link set ${name} master ${this.#id} up
        ip -n ${name} addr add ${address(number)}/24 dev eth0
        ip -n ${name} link set lo up
        ip -n ${name} link set eth0 up`);
      return { address: address(number), enter: ["ip", "netns", "exec", name] };
    });
  }

  /** From now on a member and the others don't reach each other; we reach all. */
  cut(index: number, verb: "add" | "del" = "add"): void {
    const own = this.places[index];
    if (own === undefined) throw new Error(`there is no place ${String(index)}`);
    // Both ways: what only can't be answered still arrives.
    for (const other of this.places.filter((place) => place !== own)) {
      for (const [from, to] of [
        [own, other],
        [other, own],
      ] as const)
        sh(`ip -n ${from.enter.at(-1) ?? ""} route ${verb} blackhole ${to.address}/32`);
    }
  }

  [Symbol.dispose](): void {
    for (const { enter } of this.places) sh(`ip netns del ${enter.at(-1) ?? ""}`);
    sh(`ip link del ${this.#id}`);
  }
}

let network: Network;
let etcd: EtcdCluster;
const open = (): Promise<Source> =>
  openSource(`etcd:${etcd.configuration("root", { ...etcd.issue("root"), deadline: 3 })}`, "/");

beforeAll(async () => {
  network = new Network();
  etcd = await EtcdCluster.start([], network.places);
  etcd.authenticate();
});
afterAll(async () => {
  await etcd[Symbol.asyncDispose]();
  network[Symbol.dispose]();
});

describe("a member that is cut off from the others and answers us", () => {
  it("is left for another by who reads and writes, whether it led or not", async () => {
    for (const index of [etcd.leader(), (etcd.leader() + 1) % 3]) {
      const sources = await Promise.all([1, 2, 3, 4, 5].map(open));
      for (const source of sources) await source.write("roster/1", bytes("before"));
      network.cut(index);
      for (const source of sources) {
        const begun = Date.now();
        await source.write("roster/1", bytes("after"));
        expect(await source.read("roster/1", 100)).toEqual(bytes("after"));
        expect(Date.now() - begun).toBeLessThan(2 * deadlineMs);
      }
      network.cut(index, "del");
      await etcd.healthy();
    }
  });

  it("is left by who watches, so that nobody misses what the others know", async () => {
    const index = (etcd.leader() + 1) % 3;
    const sources = await Promise.all([1, 2, 3, 4, 5, 6].map(open));
    const watchers = sources.map((source) => new Heard(source, ["roster"]));
    for (const heard of watchers) expect(await heard.next()).toEqual({ kind: "anything" });
    network.cut(index);
    const others = etcd.endpoints.filter((_, other) => other !== index);
    etcd.etcdctlAt(others, "put", "/sealaunch/roster/7", "x");
    const begun = Date.now();
    for (const heard of watchers) expect(await heard.objects(["roster/7"])).toEqual(["roster/7"]);
    expect(Date.now() - begun).toBeLessThan(30_000);
    for (const heard of watchers) await heard[Symbol.asyncDispose]();
    network.cut(index, "del");
  });
});
