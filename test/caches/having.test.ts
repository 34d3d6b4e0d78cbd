import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireHaving } from "../../src/caches/having.ts";
import { openCache } from "../../src/caches/open.ts";
import type { Cache } from "../../src/caches/cache.ts";
import { expectDone } from "../fixtures/ended.ts";
import { Publisher } from "../fixtures/published.ts";
import { failureOf } from "../fixtures/refusal.ts";

let publisher: Publisher;
let [own, upstream]: string[] = [];
const narInfo = (name: string): string =>
  `${(publisher.paths.get(name) ?? "").slice(11, 43)}.narinfo`;
beforeAll(async () => {
  publisher = new Publisher();
  own = join(publisher.store.root, "own");
  upstream = join(publisher.store.root, "upstream");
  expectDone(await publisher.publish(`file://${own}`));
  mkdirSync(upstream);
  renameSync(join(own, narInfo("libc-2.42")), join(upstream, narInfo("libc-2.42")));
});
afterAll(() => {
  publisher[Symbol.dispose]();
});

const open = (directory = ""): Promise<Cache> =>
  openCache(`file://${directory}`, {
    ...{ directory: "/", netrc: undefined, patienceMs: 1000 },
    isOnlyRead: true,
  });

describe("a closure that was published before", () => {
  it("is there if the caches have it together", async () => {
    await requireHaving([await open(own), await open(upstream)], [publisher.top]);
  });

  it("isn't if none has a path that one of it refers to, which is named with who was asked", async () => {
    const failure = await failureOf(async () => requireHaving([await open(own)], [publisher.top]));
    expect(failure?.message).toContain(publisher.paths.get("libc-2.42") ?? "-");
    expect(failure?.message).toContain(`file://${own ?? ""}`);
    expect(readFileSync(join(own ?? "", narInfo("dns-1.0")), "utf8")).toContain("libc-2.42");
  });
});
