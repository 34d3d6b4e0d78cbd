import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { textOfFile } from "../source.ts";
import { enrol } from "./enrolment.ts";
import { okOnHost } from "./host.ts";
import { machine, type Machine } from "./machine.ts";

const secret = "correct horse battery staple";

/** The pieces of docs/containers.md, with the names of these tests. */
const [quadlet = "", unit = "", ownUser = ""] = [
  ...textOfFile("docs/containers.md").matchAll(/^```ini\n(.*?)^```$/gmsu),
].map(([, block = ""]) =>
  block.replaceAll("DB_PASSWORD", "CF_TOKEN").replace("--bundle shop", "--bundle dns"),
);

// Says what it has got, and ends when it is told to.
const program = `#!/bin/sh
trap 'exit 0' TERM
echo "user $(id -u) has $(sha256sum <"$CREDENTIALS_DIRECTORY/CF_TOKEN")"
sleep 1000 &
wait
`;

// What a machine that is itself a container lets a container do: neither raise limits nor make keyrings.
const inContainer = `
[engine]
runtime = "runc"
[containers]
keyring = false
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
`;

/** An image of a static busybox and the program, as a tar file of its root. */
async function image(): Promise<Uint8Array> {
  const work = await mkdtemp(join(tmpdir(), "sealaunch-image-"));
  try {
    await okOnHost("sh", [
      "-euc",
      `cd "$1"; mkdir -p root/bin root/run/credentials; cp /bin/busybox root/bin/
      for name in sh id sleep sha256sum cat; do ln -s busybox root/bin/$name; done
      printf %s "$2" >root/bin/shop; chmod 0755 root/bin/shop
      tar -C root -cf image.tar .`,
      "sh",
      work,
      program,
    ]);
    return await readFile(join(work, "image.tar"));
  } finally {
    await rm(work, { recursive: true });
  }
}

describe("a container of podman's", () => {
  let node: Machine;
  let expected = "";
  beforeAll(async () => {
    node = await machine({
      files: {
        "/etc/containers/containers.conf": inContainer,
        "/etc/containers/storage.conf": `[storage]
driver = "vfs"
graphroot = "/var/lib/containers/storage"
runroot = "/run/containers/storage"
`,
      },
    });
    // The control groups are there read-only until somebody asks.
    await node.sh(
      "for one in /sys/fs/cgroup/*/; do mount -o remount,rw,bind $one 2>/dev/null || :; done",
    );
    const words = ["import", "--change", "CMD /bin/shop", "-", "localhost/shop:1"];
    await node.ok("podman", words, await image());
    await enrol(node, { secret, units: ["shop.service"] });
    expected = (await node.ok("sha256sum", [], secret)).slice(0, 64);
    await node.unit("shop.service", unit.replace(" localhost/", " --network=none localhost/"));
  });
  afterAll(() => node[Symbol.asyncDispose]());

  const log = (): Promise<string> => node.sh("journalctl --boot --unit shop --output cat");
  const onDisk = (): Promise<string> =>
    node.sh(`grep -rlF '${secret}' /var/lib/containers /run/containers || :`);

  it("has its secret when it is ready, restarts, and leaves nothing of it on the disk", async () => {
    await node.ok("systemctl", ["start", "shop"]);
    await expect.poll(log).toContain(`user 0 has ${expected}`);
    expect(await onDisk()).toBe("");
    const before = await node.show("shop", "MainPID");
    await node.ok("systemctl", ["restart", "shop"]);
    expect(await node.show("shop", "MainPID")).not.toBe(before);
    expect(await node.show("shop", "ActiveState")).toBe("active");
    await node.ok("systemctl", ["stop", "shop"]);
    expect(await onDisk()).toBe("");
    expect(await node.sh("podman ps --all --quiet; ls /run/credentials")).not.toContain("shop");
  });

  it("reads it as a user of its own from the copy that the page describes", async () => {
    const drop = "/etc/systemd/system/shop.service.d/user.conf";
    const start = /^ExecStart=.*\\\n.*$/mu.exec(await node.sh("systemctl cat shop"))?.[0] ?? "";
    const asUser = start.replace("%d:", "%t/%N:").replace(" -d ", " -d --user=1000 ");
    await node.write(drop, `${ownUser}ExecStart=\n${asUser}\n`);
    await node.sh("systemctl daemon-reload; systemctl start shop");
    await expect.poll(log).toContain(`user 1000 has ${expected}`);
    await node.sh(`systemctl stop shop; rm ${drop}; systemctl daemon-reload`);
    expect(await node.sh("ls -d /run/shop 2>/dev/null || :")).toBe("");
  });

  it("isn't made when the agent refuses its secret", async () => {
    await node.sh(
      "cd /srv/cluster; sealaunch seal dns --remove-unit shop.service --unit other.service",
    );
    expect((await node.run("systemctl", ["start", "shop"])).status).not.toBe(0);
    expect(await log()).toContain("is for other.service, shop.service asks");
    expect(await log()).toContain("status=243/CREDENTIALS");
    expect(await node.sh("podman ps --all --quiet")).toBe("");
  });

  it("is described by a Quadlet that says the same as the unit", () => {
    const settings = (text: string): string[] =>
      [...text.matchAll(/^(?:LoadCredential|ExecStartPre|Restart|WantedBy)=.*$/gmu)].map(
        ([line]) => line,
      );
    expect(settings(quadlet)).toEqual(settings(unit));
    for (const [, key, value = ""] of quadlet.matchAll(/^(Volume|Environment|Image)=(.*)$/gmu)) {
      expect(unit, key).toContain(value);
    }
  });

  it("would have its secret on the disk for good, were that in its environment", async () => {
    const run = "podman run --rm --network=none --env=CF_TOKEN localhost/shop:1 /bin/id";
    await node.sh(`CF_TOKEN='${secret}' ${run}`);
    expect(await onDisk()).toContain("/libpod/bolt_state.db");
  });
});
