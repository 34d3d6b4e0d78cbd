import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { machine, Network } from "./machine.ts";

// Two files, each replaced as programs do who care; then how often that was done, in memory.
const writer = `
  use IO::Handle;
  for (my $n = 1;; $n++) {
    for my $name ("/root/first", "/root/second") {
      open my $file, ">", "$name.part" or die; print $file $n; $file->flush; $file->sync or die;
      rename "$name.part", $name or die;
      open my $folder, "<", "/root" or die; $folder->sync or die;
    }
    open my $said, ">", "/run/said.part" or die; print $said $n; close $said;
    rename "/run/said.part", "/run/said" or die;
  }`;

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
    await expect.poll(ping).toBe(0);
  });

  it("loses in a power cut what wasn't synced, and nothing else", async () => {
    await using node = await machine({ hasDisk: true });
    await node.sh("echo synced >/root/synced; sync; echo lost >/root/lost");
    await node.powerCut();
    await node.boot();
    expect(await node.sh("cat /root/synced; cat /root/lost 2>/dev/null || :")).toBe("synced\n");
  });

  it("has in a power cut every synced file, in the order in which they were synced", async () => {
    await using node = await machine({ hasDisk: true });
    await node.write("/run/writer", writer);
    // What makes the disk so large that it takes its time to read it.
    await node.sh("head -c 100M /dev/urandom >/root/large; sync");
    await node.ok("systemd-run", ["--unit=writer", "perl", "/run/writer"]);
    for (let cuts = 0; cuts < 3; cuts++) {
      const said = (): Promise<string> => readFile(node.path("/run/said"), "utf8").catch(() => "0");
      await expect.poll(async () => Number(await said())).toBeGreaterThan(20);
      const before = Number(await said());
      await node.powerCut();
      await node.boot();
      const [first = 0, second = 0] = (await node.sh("cat /root/first; echo; cat /root/second"))
        .split("\n")
        .map(Number);
      expect(second).toBeGreaterThanOrEqual(before);
      expect([0, 1]).toContain(first - second);
      await node.write("/run/writer", writer);
      await node.ok("systemd-run", ["--unit=writer", "perl", "/run/writer"]);
    }
  });

  it("boots with others at once", async () => {
    const names = ["one", "two", "three", "four"];
    const nodes = await Promise.all(names.map((name) => machine({ name })));
    for (const node of nodes) expect(await node.sh("hostname")).toBe(`${node.name}\n`);
    for (const node of nodes) await node[Symbol.asyncDispose]();
  });
});
