import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exitStatus, failures, type FailureCode } from "../../../src/failure.ts";
import { TestNode } from "../../fixtures/node.ts";
import { refusalLines } from "../../fixtures/program.ts";

let node: TestNode;
beforeAll(async () => {
  node = await TestNode.create();
});
afterAll(() => node[Symbol.asyncDispose]());

async function expectRefused(program: string, code: FailureCode): Promise<void> {
  const ended = await node.inPlace(["--user", "nobody"], [program]);
  expect(ended.stderr).toMatch(refusalLines);
  expect(ended.status).toBe(exitStatus[failures[code][0]]);
}

describe("the program", () => {
  it.for([
    "/bin/sh",
    "sh",
    "",
    "/nix/store",
    "/nix/store/x/bin/sh",
    "/nix/store/00000000000000000000000000000000-x",
    "/nix/store/00000000000000000000000000000000-x/../../../bin/sh",
    "/nix/store/EEEEEEEEEEEEEEEEEEEEEEEEEEEEEEEE-x/bin/sh",
  ])("has to be below a store path: closure/not-in-store for %j", async (program) => {
    await expectRefused(program, "closure/not-in-store");
  });

  it("has to be an executable file there: program/not-executable", async () => {
    await expectRefused(`${node.service}/bin`, "program/not-executable");
    await expectRefused(`${node.service}/bin/nothing`, "program/not-executable");
    const text = join(node.directory, "text");
    await writeFile(text, "no program");
    const added = (await node.ok("nix-store", ["--add", text])).trim();
    await expectRefused(`${added}/`, "closure/not-in-store");
  });

  it("is refused with what nix-store said where it isn't known why it failed: closure/failed", async () => {
    await writeFile(
      join(node.directory, "etc/nix.conf"),
      "this is = no = configuration\nnonsense\n",
    );
    await expectRefused(`${node.busybox}/bin/sh`, "closure/failed");
    await node.configureNix();
  });
});
