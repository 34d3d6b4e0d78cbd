import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { TestNode } from "../fixtures/node.ts";
import { sealaunchPath, type Ended } from "../fixtures/program.ts";
import { Workplace } from "../fixtures/worked-example.ts";

let node: TestNode;
const place = Workplace.followed();
let here: string;
beforeAll(async () => {
  node = await TestNode.create();
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  place[Symbol.dispose]();
});
beforeEach(() => {
  here = place.copy();
});

/** The store path of a tree with some of the checkout's folders as they are now. */
async function pinned(...folders: readonly string[]): Promise<string> {
  const tree = join(here, "tree");
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(tree);
  for (const folder of folders) cpSync(join(here, folder), join(tree, folder), { recursive: true });
  return (await node.ok("nix-store", ["--add", tree])).trim();
}

const inspect = (...args: readonly string[]): Promise<Ended> =>
  node.run(sealaunchPath, ["inspect", ...args], { cwd: here });

const told = async (...args: readonly string[]): Promise<string> =>
  expectDone(await inspect(...args)).toString();

/** What is said of a store path that was made. */
interface Made {
  readonly path: string;
  readonly generation: number;
}

const toStore = ["--from", "dir:.", "--to", "nix:", "--yes"];

const how = (): { cwd: string; environment: Record<string, string> } => ({
  cwd: here,
  environment: place.environment(here),
});

/** What a command prints in the checkout, with the key of whoever has it. */
const inCheckout = async (...words: readonly string[]): Promise<string> =>
  expectDone(await node.run(sealaunchPath, words, how())).toString();

/** After it, the roster asks for a newer generation than what was pinned, and there is one. */
function putOutOfUse(): void {
  expectDone(place.run("printf new | sealaunch seal dns CF_TOKEN=-", here));
  expectDone(place.run("sealaunch roster set-minimum dns 3 --yes", here));
}

describe("inspect of a store path", () => {
  it("tells of sealed objects by the checkout's roster, where they lie", async () => {
    const path = await pinned("secrets");
    const output = await told(path);
    expect(output).toContain(`\nlies at     ${path}/secrets/bundles/dns/0.2\n`);
    expect(output).toMatch(/^starts {6}yes$/mu);
    expect(await told(`${path}/secrets/bundles/dns/0.1`)).toContain("generation 1,");
    expect(await told(path, "--node", "n2")).toMatch(/^node n2 would give bundle dns 2 /u);
    expectRefused(await inspect(path, "--node", "n2", "--floor", "3"), "bundle/below-floor");
  });

  it("takes it though it is older than the newest, until the roster puts it out of use", async () => {
    const path = await pinned("secrets", "keys");
    expectDone(place.run("printf new | sealaunch seal dns CF_TOKEN=-", here));
    expect(await told(path, "--node", "n1")).toMatch(/^node n1 would give bundle dns 2 /u);
    expectDone(place.run("sealaunch roster set-minimum dns 3 --yes", here));
    expect(await told(path)).toMatch(/^starts {6}no: bundle dns 2 is out of use/mu);
    expectRefused(await inspect(path, "--node", "n1"), "bundle/below-minimum");
    expect(await told("dns", "--node", "n1")).toMatch(/^node n1 would give bundle dns 3 /u);
  });

  it("tells of it by its own roster where that is the newer one", async () => {
    const old = await pinned("secrets");
    putOutOfUse();
    const path = await pinned("secrets", "keys");
    const newest = readdirSync(join(here, "keys/roster"))
      .map(Number)
      .sort((a, b) => a - b)
      .at(-1);
    rmSync(join(here, "keys/roster", String(newest)), { recursive: true });
    expect(await told(old)).toMatch(/^starts {6}yes$/mu);
    expect(await told(`${path}/secrets/bundles/dns/0.2`)).toMatch(/^starts {6}no: /mu);
  });

  it("tells of a bundle that copy --to nix: has put there, as of the checkout's own", async () => {
    const [made] = JSON.parse(await inCheckout("copy", "dns", ...toStore, "--json")) as Made[];
    const path = made?.path ?? "";
    expect(await told(path)).toContain(`\nlies at     ${path}/secrets/bundles/dns/0.2\n`);
    expect(await told(path, "--node", "n2")).toMatch(/^node n2 would give bundle dns 2 /u);
    putOutOfUse();
    expect(await told(path)).toMatch(/^starts {6}no: bundle dns 2 is out of use/mu);
  });

  it("tells of one that seal --to nix: has put there, as copy would, and only once sealed", async () => {
    const sealed = await inCheckout("seal", "dns", "--generate", "NEW", "--to", "nix:", "--json");
    const { path, generation } = JSON.parse(sealed) as Made;
    expect(generation).toBe(3);
    expect(path).toMatch(/-sealaunch-dns-0\.3$/u);
    expect(await inCheckout("copy", "dns", ...toStore)).toContain(path);
    expect(await told(path)).toContain(`\nlies at     ${path}/secrets/bundles/dns/0.3\n`);
    const elsewhere = ["seal", "dns", "--generate", "NEW", "--to", "dir:/srv"];
    const refused = await node.run(sealaunchPath, elsewhere, how());
    expect(expectRefused(refused, "usage/invalid").stderr).toContain("dir:/srv");
    expect(readdirSync(join(here, "secrets/bundles/dns"))).not.toContain("0.4");
  });

  it("says how to get one that isn't there: file/absent", async () => {
    const path = await pinned("secrets");
    await node.ok("nix-store", ["--delete", path]);
    const { stderr } = expectRefused(await inspect(path), "file/absent");
    expect(stderr).toContain(`hint: nix-store --realise ${path}`);
  });
});
