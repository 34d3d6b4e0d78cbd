import { once } from "node:events";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collectingScript } from "../../src/host/collecting.ts";
import { registrationOf, usesOf } from "../../src/scan/store/collected-inventory.ts";
import { readCollected } from "../../src/scan/store/collected.ts";
import type { Uses } from "../../src/formats/uses.ts";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { TestNode, type Started } from "../fixtures/node.ts";
import { sealaunchPath } from "../fixtures/program.ts";

interface Told extends Uses {
  readonly paths: number;
}

let node: TestNode;
let running: Started | undefined;
beforeAll(async () => {
  node = await TestNode.create();
});
afterAll(async () => {
  running?.process.kill("SIGKILL");
  await running?.ended;
  await node[Symbol.asyncDispose]();
});

async function inventory(...args: readonly string[]): Promise<Told> {
  const ended = await node.run(sealaunchPath, ["inventory", "--json", ...args]);
  return JSON.parse(expectDone(ended).toString()) as Told;
}

/** Of the processes of that name what they run of this store: those of other nodes are told with them. */
function runningBusybox({ processes }: Uses): Pick<Uses["processes"][number], "runs" | "deleted"> {
  const { runs = [], deleted = [] } = processes.find(({ name }) => name === "busybox") ?? {};
  const isOwn = (path: string): boolean => path === node.busybox;
  return { runs: runs.filter(isOwn), deleted: deleted.filter(isOwn) };
}

/** Runs the store's own busybox until it is killed, and waits until it is there. */
async function runFromStore(): Promise<void> {
  running = node.start(`${node.busybox}/bin/busybox`, ["sh", "-c", "echo; read -r _"], {
    keepsInput: true,
  });
  if (running.process.stdout !== null) await once(running.process.stdout, "data");
}

describe("an inventory of a machine with a real store", () => {
  it("has every path of the store, and what needs what", async () => {
    const { paths } = await inventory();
    const all = (await node.ok("nix-store", ["--query", "--requisites", node.service])).trim();
    expect(paths).toBe(all.split("\n").length);
  });

  it("tells what runs from the store, and what was deleted under it", async () => {
    await runFromStore();
    expect(runningBusybox(await inventory())).toEqual({ runs: [node.busybox], deleted: [] });
    await node.ok("rm", ["-rf", node.busybox]);
    const after = runningBusybox(await inventory());
    expect(after).toEqual({ runs: [node.busybox], deleted: [node.busybox] });
  });

  it("tells what keeps a path, where it lies, and leaves every link as it was", async () => {
    const link = join(node.directory, "a result");
    const stale = join(node.directory, "stale");
    await node.ok("nix-store", ["--realise", node.service, "--add-root", link]);
    await node.ok("nix-store", ["--realise", node.service, "--add-root", stale]);
    await rm(stale);
    await mkdir(join(node.directory, "nix/var/nix/gcroots/own"));
    const own = join(node.directory, "nix/var/nix/gcroots/own/by-hand");
    await symlink(`${node.service}/bin`, own);
    const links = (): Promise<string> => node.ok("ls", ["-l", "/nix/var/nix/gcroots/auto"]);
    const before = await links();
    expect(before).toContain(` -> ${stale}\n`);
    const { roots } = await inventory();
    expect(roots).toEqual([
      { root: "/nix/var/nix/gcroots/own/by-hand", path: node.service },
      { root: link, path: node.service },
    ]);
    // nix-store --gc --print-roots would have taken the stale one away.
    expect(await links()).toBe(before);
  });

  it("is the same from any shell that a machine may have, over standard input alone", async () => {
    const seen = new Set<string>();
    for (const shell of ["dash", "bash --posix", `/bin/busybox sh`]) {
      const [program = "", ...args] = shell.split(" ");
      const { stdout } = await node.run(program, [...args, "-s"], { input: collectingScript });
      const uses = usesOf(readCollected(stdout.toString("latin1"), shell));
      const dump = registrationOf(readCollected(stdout.toString("latin1"), shell), shell);
      seen.add(JSON.stringify([uses.roots, runningBusybox(uses), dump]));
    }
    expect(seen.size).toBe(1);
  });

  it("is written whole to a file, for another machine to read", async () => {
    const file = join(node.directory, "n1.inventory");
    await inventory("--save", file);
    const collected = readCollected(await readFile(file, "latin1"), file);
    expect(registrationOf(collected, file)).toContain(node.service);
  });

  it("is refused where Nix doesn't answer, and nothing is written: inventory/unavailable", async () => {
    const file = join(node.directory, "none.inventory");
    await writeFile(join(node.directory, "broken"), "#!/bin/sh\necho no store >&2\nexit 1\n", {
      mode: 0o755,
    });
    const script = `mount --bind "$1" /usr/bin/nix-store && exec ${sealaunchPath} inventory --save "$2"`;
    const ended = await node.run("unshare", [
      ...["--mount", "sh", "-ec", script, "sh"],
      ...[join(node.directory, "broken"), file],
    ]);
    expectRefused(ended, "inventory/unavailable");
    expect(ended.stderr).toContain("no store");
    await expect(readFile(file)).rejects.toThrow("ENOENT");
  });
});
