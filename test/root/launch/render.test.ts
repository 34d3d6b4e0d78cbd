import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestCluster } from "../../fixtures/cluster.ts";
import { TestNode } from "../../fixtures/node.ts";
import { refusalLines, type Ended } from "../../fixtures/program.ts";

let node: TestNode;
let cluster: TestCluster;
beforeAll(async () => {
  node = await TestNode.create();
  cluster = await TestCluster.create();
  await cluster.withBundle({}, { CF_TOKEN: "canary@CF_TOKEN@" });
  await node.join(cluster);
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

/** A file that is a store path, with that text. */
async function template(text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "sealaunch-template-"));
  const file = join(directory, "app.conf.in");
  await writeFile(file, text);
  const added = await node.ok("nix-store", ["--add", file]);
  await rm(directory, { recursive: true });
  return added.trim();
}

const launch = (renders: readonly string[], script: string): Promise<Ended> =>
  node.inPlace(
    ["--bundle", "dns", "--user", "nobody", ...renders.flatMap((one) => ["--render", one])],
    [`${node.busybox}/bin/sh`, "-c", script],
  );

describe("a rendered file", () => {
  it("is one more credential, with each name replaced once, and all else as it was", async () => {
    const path = await template("a@b token=@CF_TOKEN@@CF_TOKEN@ @no name@\n");
    const { stderr, stdout, status } = await launch(
      [`app.conf=${path}`],
      'cat "$CREDENTIALS_DIRECTORY/app.conf"; ls -ln "$CREDENTIALS_DIRECTORY/app.conf" | cut -c1-10',
    );
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(stdout.toString()).toBe(
      "a@b token=canary@CF_TOKEN@canary@CF_TOKEN@ @no name@\n-r--------\n",
    );
  });

  it("keeps its template in the store while the service runs", async () => {
    const path = await template(`# ${String(process.hrtime.bigint())} @CF_TOKEN@\n`);
    const { process: service, ended } = node.startInPlace(
      ["--bundle", "dns", "--user", "nobody", "--render", `app.conf=${path}`],
      [`${node.busybox}/bin/sh`, "-c", "echo started; exec sleep 60"],
    );
    if (service.stdout !== null) await once(service.stdout, "data");
    expect(await node.ok("nix-store", ["--gc", "--print-live"])).toContain(path);
    service.kill("SIGKILL");
    await ended;
    expect(await node.ok("nix-store", ["--gc", "--print-dead"])).toContain(path);
  });

  it.for([
    ["asks for a credential that isn't there", "@OTHER@", /credential OTHER/u, 66],
    ["has a bundle's credential's name", "x", /--render CF_TOKEN/u, 64],
  ] as const)("is refused if it %s", async ([, text, message, status]) => {
    const path = await template(text);
    const name = status === 64 ? "CF_TOKEN" : "app.conf";
    const ended = await launch([`${name}=${path}`], "echo started");
    expect(ended.stderr).toMatch(refusalLines);
    expect(ended.stderr).toMatch(message);
    expect(ended.status).toBe(status);
    expect(ended.stdout.toString()).toBe("");
  });

  it("is refused if the template is in no store", async () => {
    const ended = await launch(["app.conf=/etc/hostname"], "echo started");
    expect(ended.stderr).toMatch(/^error: file "\/etc\/hostname" is not \/nix\/store/u);
    expect(ended.status).toBe(64);
  });
});
