import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { runOnHost } from "./host.ts";
import { machine, Network } from "./machine.ts";

describe("a machine", () => {
  it("boots into systemd with a Nix daemon and the agent's socket, and nothing failed", async () => {
    await using node = await machine();
    expect(await node.sh("cat /proc/1/comm")).toBe("systemd\n");
    expect(await node.sh("systemctl --failed --no-legend")).toBe("");
    expect(await node.show("nix-daemon.socket", "ActiveState")).toBe("active");
    expect(await node.show("sealaunch-agent.socket", "ActiveState")).toBe("active");
    expect(await node.sh("nix-store --verify 2>&1; ls /nix/store | grep -c demo-service")).toMatch(
      /2/u,
    );
  });

  it("reaches another one until it is cut off, and again after that", async () => {
    await using network = await Network.create();
    await using first = await machine({ network });
    await using second = await machine({ network });
    const ping = async (): Promise<number | null> =>
      (await first.run("ping", ["-c", "1", "-W", "1", second.address])).status;
    expect(await ping()).toBe(0);
    await second.setConnected(false);
    expect(await ping()).not.toBe(0);
    await second.setConnected(true);
    expect(await ping()).toBe(0);
  });

  it("loses in a power cut what wasn't synced, and nothing else", async () => {
    await using node = await machine({ hasDisk: true });
    await node.sh("echo synced >/root/synced; sync; echo lost >/root/lost");
    await node.powerCut();
    await node.boot();
    expect(await node.sh("cat /root/synced; cat /root/lost 2>/dev/null || :")).toBe("synced\n");
  });

  it("leaves nothing behind, however the process that made it ends", async () => {
    const name = `orphan${String(process.pid)}`;
    const script = `
      import { machine } from ${JSON.stringify(join(import.meta.dirname, "machine.ts"))};
      const node = await machine({ name: ${JSON.stringify(name)}, hasDisk: true });
      console.log(node.directory);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const directory = line.toString().trim();
    const isRunning = async (): Promise<boolean> =>
      (await runOnHost("pgrep", ["-f", "--", `--machine=${name}`])).status === 0;
    expect(await isRunning()).toBe(true);
    child.kill("SIGKILL");
    await once(child, "exit");
    // The kernel takes its processes, then its mounts, then the loop device.
    const traces = async (): Promise<string> =>
      [
        (await isRunning()) ? "processes" : "",
        await readFile("/proc/mounts", "utf8"),
        (await runOnHost("losetup", ["--list"])).stdout.toString(),
      ].join("\n");
    const isLeft = (text: string): boolean =>
      /^processes$/mu.test(text) || text.includes(directory);
    for (let tries = 0; isLeft(await traces()) && tries < 50; tries++) await pause(100);
    expect(isLeft(await traces())).toBe(false);
    await rm(directory, { recursive: true });
  });
});
