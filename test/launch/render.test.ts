import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { renderAll } from "../../src/launch/render.ts";
import { refusal } from "../fixtures/refusal.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "sealaunch-render-"));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

it("a template that names a large credential again and again is refused before it is filled in", async () => {
  const path = join(directory, "template");
  const renders = new Map([["CONFIGURATION", { storePath: directory, path }]]);
  const credentials = new Map([["A", new Uint8Array(1024 * 1024)]]);
  writeFileSync(path, "@A@".repeat(15));
  expect((await renderAll(renders, credentials)).get("CONFIGURATION")).toHaveLength(
    15 * 1024 * 1024,
  );
  writeFileSync(path, "@A@".repeat(300_000));
  expect(await refusal(() => renderAll(renders, credentials))).toBe("credential/too-large");
});
