import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ServiceFile } from "../../../src/formats/service-file.ts";
import type { Guard } from "../../../src/service/guard.ts";
import { marathonApp } from "../../../src/service/scheduled/marathon-app.ts";
import { nomadJob } from "../../../src/service/scheduled/nomad-job.ts";
import { TestCluster } from "../../fixtures/cluster.ts";
import { TestNode } from "../../fixtures/node.ts";
import { sealaunchPath, type Ended } from "../../fixtures/program.ts";
import { bareGuard, longestStoreName, service } from "../../fixtures/service.ts";

// What Nomad and Marathon are given, run as each would: the program with its words, as root, with the
// variables of their own that they set.

const awkward = ["", "a b", "${HOME}", "%{x}", "$$", "'\"", "--unit", "ü\n"];

let node: TestNode;
let cluster: TestCluster;
let program: string;
beforeAll(async () => {
  node = await TestNode.create();
  cluster = await TestCluster.create();
  await node.join(cluster);
  const built = join(node.directory, longestStoreName);
  await mkdir(join(built, "bin"), { recursive: true });
  const script = [
    `#!${node.busybox}/bin/sh`,
    `for word; do printf '%s|' "$word"; done`,
    `printf '%s|' "$(${node.busybox}/bin/busybox id -u)" "$TOKEN" "$PLAIN"`,
    `${node.busybox}/bin/busybox cat "$CREDENTIALS_DIRECTORY/CF_TOKEN"`,
  ];
  await writeFile(join(built, "bin/service"), `${script.join("\n")}\n`);
  await chmod(join(built, "bin/service"), 0o755);
  program = `${(await node.ok("nix-store", ["--add", built])).trim()}/bin/service`;
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

const guard: Guard = {
  ...bareGuard,
  bundles: ["dns@1+"],
  credentials: ["CF_TOKEN"],
  variables: ["TOKEN=CF_TOKEN"],
};
const placed = (): ServiceFile =>
  service({
    program,
    arguments: awkward,
    environment: { PLAIN: "x y" },
    startTimeout: 20,
  });

/** This node's configuration isn't where nodes have it. */
function run(
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Ended> {
  const [command = "", verb = "", mode = "", ...rest] = words;
  const all = [verb, mode, "--config", node.configuration, ...rest];
  return node.run(command, all, { environment });
}

const expected = [...awkward, "65534", "canary", "x y", "canary"].join("|");

describe("a service with the longest of store paths, of every letter", () => {
  it("is started by the task of a Nomad job, with its secret and its words", async () => {
    const { Job: job } = nomadJob(placed(), guard, sealaunchPath) as {
      readonly Job: {
        readonly TaskGroups: readonly {
          readonly Tasks: readonly {
            readonly Config: { readonly command: string; readonly args: readonly string[] };
            readonly Env: Readonly<Record<string, string>>;
          }[];
        }[];
      };
    };
    const [task] = job.TaskGroups[0]?.Tasks ?? [];
    // As HCL reads a template: a doubled letter before a brace is one.
    const words = (task?.Config.args ?? []).map((word) => word.replace(/([$%])\1(?=\{)/gu, "$1"));
    const own = { NOMAD_ALLOC_DIR: "/srv/alloc", NOMAD_META_role: "dns", TMPDIR: "/nowhere" };
    const ended = await run([task?.Config.command ?? "", ...words], { ...own, ...task?.Env });
    expect(ended.stderr).toBe("");
    expect(ended.stdout.toString()).toBe(expected);
  });

  it("is started by a Marathon app, with its secret and its words", async () => {
    const app = marathonApp(placed(), guard, sealaunchPath) as {
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
    };
    const own = { MESOS_TASK_ID: "dns.1", MARATHON_APP_ID: "/dns", LIBPROCESS_IP: "127.0.0.1" };
    const ended = await run(app.args, { ...own, ...app.env });
    expect(ended.stderr).toBe("");
    expect(ended.stdout.toString()).toBe(expected);
  });
});
