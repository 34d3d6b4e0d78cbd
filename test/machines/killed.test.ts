import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { describe, it } from "vitest";
import { runOnHost } from "./host.ts";

// Makes a network and a machine, and waits for what may come.
const program = `
  import { readlinkSync } from "node:fs";
  import { machine, Network } from ${JSON.stringify(join(import.meta.dirname, "machine.ts"))};
  const network = await Network.create();
  console.log(readlinkSync("/proc/" + network.pid + "/ns/net"));
  await machine({ network, hasDisk: true });
  console.log("ready");
  setInterval(() => undefined, 1000);`;

/** What is there of machines whose files lie below a place: processes, mounts, disks, files, control groups, network. */
async function traces(
  place: string,
  network: string | undefined,
  machines: readonly string[],
): Promise<string[]> {
  const found = (await readdir(place)).map((name) => `file ${name}`);
  const disks = (await runOnHost("losetup", ["--list", "--output", "BACK-FILE"])).stdout;
  if (disks.includes(place)) found.push(`disk ${place}`);
  for (const hierarchy of ["", "systemd", "unified"]) {
    for (const name of machines) {
      const group = join("/sys/fs/cgroup", hierarchy, name);
      if (existsSync(group)) found.push(`group ${group}`);
    }
  }
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/u.test(name))) {
    const words = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (words.includes(place)) found.push(`process ${words.replaceAll("\0", " ")}`);
    const mounts = await readFile(`/proc/${pid}/mountinfo`, "utf8").catch(() => "");
    if (mounts.includes(place)) found.push(`mounts of ${pid}`);
    const space = await readlink(`/proc/${pid}/ns/net`).catch(() => "");
    if (space === network) found.push(`network of ${pid}`);
  }
  return found;
}

/** It runs, with its files below a place. */
function start(place: string): ChildProcessByStdio<null, Readable, null> {
  return spawn(process.execPath, ["--input-type=module", "-e", program], {
    env: { ...process.env, TMPDIR: place },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

const newPlace = (): Promise<string> => mkdtemp(join(tmpdir(), "sealaunch-killed-"));

describe("what the process of a test leaves when it is killed", () => {
  // In the middle of everything, and long enough for a machine to be up.
  const moments = [100, 200, 300, 400, 500, 700, 1000, 2000];
  it.concurrent.for(moments)("is nothing after %d ms", async (ms, { expect }) => {
    const place = await newPlace();
    const child = start(place);
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    await pause(ms);
    const machines = await readdir(place);
    child.kill("SIGKILL");
    await once(child, "exit");
    const network = /^net:.*$/mu.exec(said)?.[0];
    await expect.poll(() => traces(place, network, machines)).toEqual([]);
    await rm(place, { recursive: true });
  });

  it.concurrent("is found while it runs", async ({ expect }) => {
    const place = await newPlace();
    const child = start(place);
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    await once(child.stdout, "data");
    const network = line.toString().trim();
    const machines = await readdir(place);
    const found = (await traces(place, network, machines)).map((trace) => trace.split(" ")[0]);
    for (const kind of ["file", "disk", "process", "mounts", "group", "network"]) {
      expect(found).toContain(kind);
    }
    child.kill("SIGKILL");
    await once(child, "exit");
    await expect.poll(() => traces(place, network, machines)).toEqual([]);
    await rm(place, { recursive: true });
  });
});
