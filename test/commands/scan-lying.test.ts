import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeInventory } from "../../src/cluster/inventory-writing.ts";
import { pack, type Pieces } from "../../src/cluster/packing.ts";
import { ahead, type Origin } from "../../src/commands/scan/stores.ts";
import { utf8 } from "../../src/crypto/bytes.ts";
import { Failure } from "../../src/failure.ts";
import { formatTime } from "../../src/formats/fields.ts";
import { encodeInventory } from "../../src/formats/records/inventory.ts";
import { namespaces } from "../../src/formats/sshsig/signature.ts";
import { decodeScanReport } from "../../src/formats/scan-report.ts";
import { openDirectory } from "../../src/sources/directory.ts";
import { putInventory } from "../fixtures/inventories.ts";
import { watched, type Watched } from "../fixtures/watched.ts";
import { Workplace } from "../fixtures/worked-example.ts";

const megabyte = 1024 * 1024;
const text = (content: string): Uint8Array => utf8(content);
const uses = '{"version":1,"roots":[],"units":[],"processes":[],"missing":[]}\n';

let workplace: Workplace;
let directory: string;
let little: Watched;
beforeAll(async () => {
  workplace = Workplace.followed();
  directory = workplace.copy();
  const store = { "dns-1.0": ["openssl-3.0.7"], "openssl-3.0.7": [] };
  for (const node of ["n1", "n2"])
    await putInventory(directory, join(directory, `${node}_host_key`), { node, store });
  little = await scan();
  expect(little.status).toBe(0);
});
afterAll(() => {
  workplace[Symbol.dispose]();
});

const scan = (): Promise<Watched> =>
  watched(["scan", "--package", "openssl@<3.0.8", "--json"], directory);

// Each is of a later minute than the one before, which was seen.
let lies = 0;

/** What n2 says of itself from now on, signed by its own host key as it should be. */
async function lie(graph: Pieces, used: Pieces): Promise<void> {
  const file = JSON.parse(readFileSync(join(directory, "sealaunch.json"), "utf8")) as {
    readonly cluster: string;
  };
  const bytes = encodeInventory({
    type: "inventory",
    version: 1,
    cluster: file.cluster,
    node: "n2",
    taken: formatTime(new Date(Date.now() + 60_000 * ++lies)),
    paths: 1,
    graph: graph.packed,
    uses: used.packed,
  });
  const args = [
    "-Y",
    "sign",
    "-q",
    "-f",
    join(directory, "n2_host_key"),
    "-n",
    namespaces.inventory,
  ];
  const signature = new Uint8Array(
    execFileSync("ssh-keygen", args, { input: bytes, stdio: "pipe" }),
  );
  const source = openDirectory(".", directory);
  await writeInventory(source, { node: "n2", bytes, signature, texts: [graph, used] });
}

describe("a node that signs what is made to do harm is unknown, with the reason, and the others are told of:", () => {
  it.for<readonly [string, () => readonly [Pieces, Pieces], string]>([
    [
      "a list that unpacks to 250 megabytes",
      () => [pack(new Uint8Array(250 * megabyte)), pack(text(uses))],
      "line 1",
    ],
    [
      "a list that unpacks to more than it says",
      () => {
        const { packed, parts } = pack(new Uint8Array(250 * megabyte));
        return [{ packed: { ...packed, size: 100 }, parts }, pack(text(uses))];
      },
      "its text is another",
    ],
    [
      "uses of a million levels",
      () => [pack(text("")), pack(text(`{"version":${"[".repeat(1_000_000)}`))],
      "inventory/malformed",
    ],
    [
      "uses with names that mean something to JavaScript",
      () => [pack(text("")), pack(text(`{"__proto__":{"version":1},"constructor":1}`))],
      "inventory/malformed",
    ],
  ])("%s", async ([, made, why]) => {
    const [graph, used] = made();
    await lie(graph, used);
    const taken = await scan();
    const { nodes, findings } = decodeScanReport(Buffer.from(taken.stdout), "the report");
    expect(nodes.map(({ name, state }) => [name, state])).toEqual([
      ["n1", "known"],
      ["n2", "unknown"],
    ]);
    expect(nodes[1]?.reason).toContain(why);
    expect(findings.flatMap(({ uses: all }) => all.map(({ node }) => node))).toEqual(["n1"]);
    expect(taken.memory - little.memory).toBeLessThan(900);
    expect(taken.time - little.time).toBeLessThan(10);
  });
});

describe("stores that are brought", () => {
  /** How many were begun before each one's turn, itself included. */
  async function begunAtTurns(isHere: boolean): Promise<number[]> {
    let begun = 0;
    const origins = Array.from({ length: 12 }, (_, at): Origin => {
      const bring = (): ReturnType<Origin["bring"]> => {
        begun++;
        return Promise.reject(new Failure("inventory/malformed", "it is none"));
      };
      return { node: `n${String(at)}`, ...(isHere ? { isHere } : {}), bring };
    });
    const turns: number[] = [];
    for (const { bring } of ahead(origins)) {
      await expect(bring()).rejects.toThrow("it is none");
      turns.push(begun);
    }
    return turns;
  }

  it("are begun eight at once from elsewhere, and each in its turn from this machine", async () => {
    expect(await begunAtTurns(false)).toEqual([8, 9, 10, 11, 12, 12, 12, 12, 12, 12, 12, 12]);
    expect(await begunAtTurns(true)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });
});
