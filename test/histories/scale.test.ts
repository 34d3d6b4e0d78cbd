import { describe, expect, it } from "vitest";
import { LargeCluster, type Size } from "../fixtures/large-cluster.ts";
import { touched } from "../fixtures/touched.ts";

const rotate = "sealaunch identity rotate --config n1/node.json --host-key n1/host_key";
const sign = "sealaunch roster add-node keys/nodes/n1 --pool p1 --replace --signer ann --yes";
const pass = "sealaunch rewrap --config n1/node.json";

const commands = {
  "a seal": ["sealaunch seal app/b1 TOKEN=ann.pub --signer ann"],
  "an opening with a node's identity": ["sealaunch open app/b1 --identity n1/identity"],
  "a rotation, by the node and by the manager": [rotate, sign],
} as const;

/** How many objects each of the commands touches, one after the other, in a cluster of that size. */
function objectsOf(size: Size, steps: readonly string[]): number[] {
  using cluster = new LargeCluster(size);
  return steps.map((step) => touched(cluster.directory, step).objects.length);
}

describe("how many objects are touched by", () => {
  it.for(Object.entries(commands))("%s is the same for 2 nodes and for 60", ([, steps]) => {
    const small = objectsOf({ nodes: 2, pools: 1, bundles: 1, generations: 2 }, steps);
    const large = objectsOf({ nodes: 60, pools: 12, bundles: 60, generations: 2 }, steps);
    expect(small.every((count) => count > 1)).toBe(true);
    expect(large).toEqual(small);
  });

  it("the pass that ends a rotation is the same for 12 nodes in 12 pools and for 120", () => {
    const steps = [rotate, sign, pass];
    const small = objectsOf({ nodes: 12, pools: 12, bundles: 12, generations: 2 }, steps);
    const large = objectsOf({ nodes: 120, pools: 12, bundles: 12, generations: 2 }, steps);
    expect(large).toEqual(small);
  });

  it("judging one bundle is the same among 12 bundles and 12 nodes as among 60 and 120", () => {
    const steps = ["sealaunch verify app/b1"];
    const small = objectsOf({ nodes: 12, pools: 12, bundles: 12, generations: 2 }, steps);
    const large = objectsOf({ nodes: 120, pools: 12, bundles: 60, generations: 2 }, steps);
    expect(large).toEqual(small);
  });

  it("a member's pass has no bundle among them that isn't for its pools", () => {
    using cluster = new LargeCluster({ nodes: 12, pools: 12, bundles: 12, generations: 2 });
    const { objects } = touched(cluster.directory, pass);
    const bundles = objects.filter((object) => object.startsWith("/secrets/bundles/"));
    expect(bundles).not.toEqual([]);
    expect(bundles.filter((object) => !object.startsWith("/secrets/bundles/app/b1/"))).toEqual([
      "/secrets/bundles/app/b1",
    ]);
    const lists = objects.filter((object) => object.endsWith("members.json"));
    expect(lists).toEqual(["/keys/pools/p1/2/members.json"]);
  });
});
