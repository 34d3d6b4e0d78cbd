import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decodeHolding, decodeTree, encodeTree, type Holding } from "../../src/formats/tree.ts";
import { syncedPath } from "../../src/formats/synced.ts";
import { openMirror } from "../../src/sources/mirror.ts";
import { Checkout } from "../fixtures/checkout.ts";
import { expectRefused } from "../fixtures/ended.ts";
import { refusal } from "../fixtures/refusal.ts";
import { Workplace } from "../fixtures/worked-example.ts";

const checkout = new Checkout(() => Workplace.followed());
const { done } = checkout;

const onNode = "sealaunch sync --config n1/node.json --mirror n1/mirror";
const entries = "keys/entries/web/1";

/** The name of the file of a node's entry. */
function entryOf(node: string): string {
  const shown = done(`sealaunch identity show ${node}/identity --json`);
  return `${(JSON.parse(shown) as { id: string }).id}.age`;
}

/** Has n1's own rewrap read its mirror, and write into its outbox. */
function keepMirror(): void {
  const path = checkout.at("n1/node.json");
  const before = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  const paths = {
    identity: checkout.at("n1/identity"),
    state: checkout.at("n1/state"),
  };
  writeFileSync(path, JSON.stringify({ ...before, ...paths, mirror: checkout.at("n1/mirror") }));
}

describe("a directory that is carried", () => {
  it("has all that nodes need, adds what is new, and fills a mirror with nothing else at hand", async () => {
    done("sealaunch sync --to stick");
    const files = readdirSync(checkout.at("stick"), { recursive: true }).toSorted();
    done("sealaunch sync --to stick");
    expect(readdirSync(checkout.at("stick"), { recursive: true }).toSorted()).toEqual(files);
    done("printf new > token && sealaunch seal dns CF_TOKEN=token");
    done("sealaunch sync --to stick");
    renameSync(checkout.at("keys"), checkout.at("away"));
    done(`${onNode} --from stick`);
    expect(await openMirror(checkout.at("n1/mirror")).list("bundles/dns")).toContain("0.3");
  });

  it("brings back what a node has written that is owed, and nothing else", () => {
    keepMirror();
    const owed = entryOf("n2");
    rmSync(checkout.at(entries, owed));
    done("sealaunch sync --to stick");
    done("sealaunch sync --config n1/node.json --from stick");
    expect(done("sealaunch rewrap --config n1/node.json")).toContain("entry of node n2");
    done("sealaunch sync --config n1/node.json --from stick");
    expect(existsSync(checkout.at("stick", entries, owed))).toBe(true);
    // One that was cut short on the way would be owed no more, and open nothing.
    const whole = readFileSync(checkout.at("stick", entries, owed));
    writeFileSync(checkout.at("stick", entries, owed), whole.subarray(0, -1));
    expect(done("sealaunch sync --from stick")).toContain("has nothing that is owed here");
    writeFileSync(checkout.at("stick", entries, owed), whole);
    // Whoever carries it may have put there what he likes.
    const own = checkout.at(entries, entryOf("n1"));
    const before = readFileSync(own);
    writeFileSync(checkout.at("stick", entries, entryOf("n1")), "another's");
    writeFileSync(checkout.at("stick", entries, `${"0".repeat(32)}.age`), "nobody's");
    done(
      "mkdir -p stick/keys/nodes/n9 && cp stick/keys/roster/*/roster.json stick/keys/nodes/n9/card.json",
    );
    const output = done("sealaunch sync --from stick");
    expect(output).toBe(`wrote ${entries}/${owed}\n`);
    expect(readFileSync(own)).toEqual(before);
    expect(existsSync(checkout.at("keys/nodes/n9"))).toBe(false);
    expect(done("sealaunch sync --from stick")).toContain("has nothing that is owed here");
    done("sealaunch verify --identity n2/identity");
  });

  it("brings back of a node nothing but its inventory and its report: no repository of git, no file by a link", () => {
    done("sealaunch sync --to stick");
    // Whoever runs git in that folder would run what its configuration says.
    done(
      "mkdir -p stick/keys/nodes/n1/objects stick/keys/nodes/n1/refs && cd stick/keys/nodes/n1 && touch HEAD config objects/x refs/x",
    );
    done("mkdir private && echo private >private/id_ed25519");
    done("ln -s ../../../../private stick/keys/nodes/n1/ssh");
    const before = done("cd keys && find . -type f -exec sha256sum {} + | sort");
    expect(done("sealaunch sync --from stick")).toContain("has nothing that is owed here");
    expect(done("cd keys && find . -type f -exec sha256sum {} + | sort")).toBe(before);
  });

  it("brings a node's card to who enrols it", () => {
    done("sealaunch sync --to stick");
    done("mkdir -p stick/keys/nodes/n1 && mv keys/nodes/n1 card && cp card/* stick/keys/nodes/n1/");
    expect(done("sealaunch sync --from stick")).toContain("keys/nodes/n1");
    expect(readFileSync(checkout.at("keys/nodes/n1/card.json"))).toEqual(
      readFileSync(checkout.at("card/card.json")),
    );
  });

  it("is refused where it holds nothing, as where it isn't mounted", () => {
    done("sealaunch sync --to stick");
    done(`${onNode} --from stick && mkdir mounted`);
    for (const command of ["sealaunch sync", onNode])
      for (const directory of ["mounted", "absent", "token"]) {
        const ended = checkout.place.run(`${command} --from ${directory}`, checkout.here);
        expect(expectRefused(ended, "roster/absent").stderr).toContain(
          `hint: mount it, or fill it in the repository: sealaunch sync --to ${directory}\n`,
        );
      }
  });

  it("is refused altered, and leaves the mirror as it was", async () => {
    done("sealaunch sync --to stick");
    done(`${onNode} --from stick`);
    const [generation = ""] = readdirSync(checkout.at("stick/keys/roster"));
    const roster = checkout.at("stick/keys/roster", generation, "roster.json");
    writeFileSync(roster, readFileSync(roster, "utf8").replace('"ann"', '"eve"'));
    expectRefused(checkout.place.run(`${onNode} --from stick`, checkout.here), "signature/invalid");
    expect(await openMirror(checkout.at("n1/mirror")).list("roster")).toEqual([generation]);
  });

  it.for([
    ["the node's own entry", () => join(entries, entryOf("n1"))],
    [
      "a header",
      () => {
        const folder = "secrets/headers/web/1/dns";
        return join(folder, readdirSync(checkout.at(folder))[0] ?? "");
      },
    ],
  ] as const)(
    "is refused with %s cut short, which is named, and the mirror keeps its own",
    async ([, which]) => {
      done("sealaunch sync --to stick");
      done(`${onNode} --from stick`);
      const path = which();
      const object = path.slice(path.indexOf("/") + 1);
      const mirror = openMirror(checkout.at("n1/mirror"));
      const before = await mirror.read(object, 10_000);
      expect(before).toEqual(new Uint8Array(readFileSync(checkout.at(path))));
      writeFileSync(checkout.at("stick", path), (before ?? new Uint8Array()).subarray(0, 100));
      const ended = checkout.place.run(`${onNode} --from stick`, checkout.here);
      expectRefused(ended, "header/malformed");
      expect(ended.stderr).toMatch(
        /^error: (?:entries\/web\/1\/\S+ in dir:|header of credential )/u,
      );
      expect(await mirror.read(object, 10_000)).toEqual(before);
    },
  );
});

const send = "sealaunch sync --config n1/node.json --from - <tree";

/** What the checkout has, by path. */
function wholeTree(): Map<string, Uint8Array> {
  const objects = new Map<string, Uint8Array>();
  for (const room of ["keys", "secrets"]) {
    for (const file of readdirSync(checkout.at(room), {
      recursive: true,
      withFileTypes: true,
    })) {
      if (!file.isFile()) continue;
      const path = join(file.parentPath, file.name);
      objects.set(path.slice(checkout.at(room).length + 1), readFileSync(path));
    }
  }
  return objects;
}

describe("a tree that is sent", () => {
  it("need not have the bytes of what the node has said that it holds", () => {
    keepMirror();
    const held = (): Holding =>
      decodeHolding(Buffer.from(done("sealaunch sync --config n1/node.json --held")), "n1");
    expect(held()).toMatchObject({ node: "n1", objects: {} });
    writeFileSync(checkout.at("tree"), encodeTree({ objects: wholeTree(), named: new Set() }));
    done(send);
    const { objects: before, recipients } = held();
    done("printf new > token && sealaunch seal dns CF_TOKEN=token");
    const shown = done("sealaunch identity show n1/identity --json");
    expect(recipients).toEqual([(JSON.parse(shown) as { recipient: string }).recipient]);
    const whole = wholeTree();
    const [named, sent] = [true, false].map((isHeld) =>
      [...whole].filter(
        ([path, bytes]) =>
          (before[path] === createHash("sha256").update(bytes).digest("hex")) === isHeld,
      ),
    );
    expect(named?.length).toBeGreaterThan(5);
    const [objects, names] = [new Map(sent), new Set(named?.map(([path]) => path))];
    writeFileSync(checkout.at("tree"), encodeTree({ objects, named: names }));
    done(send);
    const after = held().objects;
    expect(Object.keys(after)).toContain("bundles/dns/0.3/statement.json");
    // One that is named and isn't there is as if the source had lost it.
    writeFileSync(checkout.at("tree"), encodeTree({ objects: new Map(), named: names }));
    expectRefused(checkout.place.run(send, checkout.here), "mark/rolled-back");
    expect(held().objects).toEqual(after);
  });

  it("fills a mirror from standard input, and answers with what the node has written", async () => {
    keepMirror();
    const owed = entryOf("n2");
    rmSync(checkout.at(entries, owed));
    writeFileSync(checkout.at("tree"), encodeTree({ objects: wholeTree(), named: new Set() }));
    expect(decodeTree(Buffer.from(done(send)), "answer").objects.size).toBe(0);
    const synced = await openMirror(checkout.at("n1/mirror")).read(syncedPath, 1000);
    expect(Buffer.from(synced ?? []).toString()).toContain('"source":"a tree that was sent"');
    done("sealaunch rewrap --config n1/node.json");
    const answer = decodeTree(Buffer.from(done(send)), "answer");
    expect([...answer.objects.keys()]).toEqual([`entries/web/1/${owed}`]);
    // Who has sent the tree may have lost the answer.
    expect(decodeTree(Buffer.from(done(send)), "answer").objects).toEqual(answer.objects);
    done(`mkdir -p n1/state/outbox/keys/nodes/n1 && echo said >n1/state/outbox/keys/nodes/n1/more`);
    const more = decodeTree(Buffer.from(done(send)), "answer");
    expect([...more.objects.keys()]).toEqual([`entries/web/1/${owed}`, "nodes/n1/more"]);
    writeFileSync(checkout.at("tree"), "{}");
    expectRefused(checkout.place.run(send, checkout.here), "source/hostile");
  });

  it("has no path that leads elsewhere", async () => {
    for (const path of ["../x", "keys/../x", "/etc/passwd", "keys//x", "keys/.x", "x"]) {
      const bytes = Buffer.from(JSON.stringify({ version: 1, objects: { [path]: "" } }));
      expect(await refusal(() => decodeTree(bytes, "tree"))).toBe("source/hostile");
    }
  });

  it("is for one way at a time", () => {
    expectRefused(
      checkout.place.run("sealaunch sync --to a --from b", checkout.here),
      "usage/invalid",
    );
  });

  it("ends with what ssh says where a host isn't reached", () => {
    const ended = checkout.place.run("sealaunch sync --ssh nowhere.invalid", checkout.here);
    const { stderr } = expectRefused(ended, "ssh/failed");
    expect(stderr).toMatch(/^error: nowhere\.invalid ended with 255: ssh: .+/u);
    expect(stderr).toContain("hint: try it by hand: ssh nowhere.invalid sealaunch sync --help\n");
  });
});
