import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EtcdCluster } from "../fixtures/etcd.ts";
import { textOfFile } from "../source.ts";
import { enrol } from "./enrolment.ts";
import { machine, Network, type Machine } from "./machine.ts";
import { followEtcd, startEtcdIn } from "./network-etcd.ts";
import { until } from "./pool.ts";

const mirror = "/var/lib/sealaunch-mirror";
const agentSocket = "/run/sealaunch/agent.sock";
const wrapper = "/opt/sealaunch/wrapper/bin/sealaunch";
const services = ["1", "2", "3", "4", "5"].map((name) => `a@${name}.service`);

// A node, and three members of etcd on the switch that it is plugged into.
let network: Network;
let etcd: EtcdCluster;
let node: Machine;
beforeAll(async () => {
  network = await Network.create();
  etcd = await startEtcdIn(network);
  node = await machine({
    network,
    hasDisk: true,
    files: { "/usr/lib/sysusers.d/sealaunch.conf": textOfFile("systemd/sealaunch.sysusers") },
  });
  await enrol(node, { secret: "first value", units: ["a@"] });
  const script = `#!/bin/sh\nmkdir -p /run/got\ncp "$CREDENTIALS_DIRECTORY/CF_TOKEN" "/run/got/$1"\nexec sleep infinity\n`;
  await node.write("/run/built/bin/service", script, 0o755);
  const program = (await node.sh("nix-store --add /run/built")).trim();
  await node.sh("systemd-sysusers");
  await followEtcd(etcd, node, mirror);
  await node.unit("a@.service", unit(program));
  await node.unit(
    "collect.service",
    `[Unit]
Before=${services.join(" ")}
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/nix-collect-garbage
[Install]
WantedBy=multi-user.target
`,
  );
  await node.sh(`systemctl enable ${services.join(" ")}`);
  await until(isSynced, "a first pass");
});
afterAll(async () => {
  for (const one of [node, etcd, network]) await one[Symbol.asyncDispose]();
});

const unit = (program: string): string => `[Unit]
StartLimitIntervalSec=0
Wants=sealaunch-agent.socket
After=sealaunch-agent.socket
[Service]
Type=exec
TimeoutStartSec=8
Restart=on-failure
RestartSec=1
LoadCredential=CF_TOKEN:${agentSocket}
LoadCredential=sealaunch:${agentSocket}
ExecStart=${wrapper} run --bundle dns -- ${program}/bin/service %i
[Install]
WantedBy=multi-user.target
`;

const isSynced = async (): Promise<boolean> =>
  (await node.run("sh", ["-c", `grep -qs '"at"' ${mirror}/*`])).status === 0;

/** Which of the services run. */
async function active(): Promise<string[]> {
  const { stdout } = await node.run("systemctl", ["is-active", ...services]);
  const states = stdout.toString().split("\n");
  return services.filter((_, index) => states[index] === "active");
}

/** Returns once all services run, each with its value. */
async function allStarted(timeoutMs: number): Promise<void> {
  const got = "for file in /run/got/*; do cat $file; echo; done 2>/dev/null";
  const isSo = async (): Promise<boolean> =>
    (await active()).length === services.length &&
    (await node.sh(got)) === "first value\n".repeat(services.length);
  await until(isSo, "all services", timeoutMs);
}

/** The codes and hints with which starts were refused since the machine booted. */
async function refusals(): Promise<ReadonlyMap<string, string>> {
  await node.sh("journalctl --sync");
  const match = [`OBJECT_SYSTEMD_UNIT=${services[0] ?? ""}`, "SYSLOG_IDENTIFIER=sealaunch"];
  const lines = await node.ok("journalctl", ["-q", "-b", "-o", "json", "--no-pager", ...match]);
  const entries = lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Readonly<Record<string, string>>)
    .filter((line) => line["SEALAUNCH_HINT"] !== undefined);
  return new Map(
    entries.map((line) => [line["SEALAUNCH_CODE"] ?? "", line["SEALAUNCH_HINT"] ?? ""]),
  );
}

const kill = async (): Promise<void> => {
  for (const index of [0, 1, 2]) await etcd.kill(index);
};

describe("a machine that boots while all members of its etcd are down", () => {
  it("starts every service, from its mirror", async () => {
    await node.sh(`systemctl start ${services.join(" ")}; sync`);
    await kill();
    await node.powerCut();
    await node.boot();
    await allStarted(20_000);
    expect(await refusals()).toEqual(new Map());
    // Which sync says once its deadline is over, by when they run.
    const told = (): Promise<string> =>
      node.sh("journalctl --sync; journalctl -b -u sealaunch-sync.service --no-pager");
    await expect.poll(told).toContain("source/unreachable");
  });

  it("starts them also where garbage is collected before", async () => {
    await node.sh("systemctl enable collect.service; sync");
    await node.powerCut();
    await node.boot();
    await allStarted(20_000);
    expect(await node.show("collect.service", "Result")).toBe("success");
    expect(await node.sh("journalctl -b -u collect.service --no-pager")).toMatch(/freed|deleted/u);
  });

  it("waits with an empty mirror, refuses with the reason, and starts them once etcd is back", async () => {
    // A machine whose services are tried again and again has never booted.
    await node.sh(`
      systemctl disable ${services.join(" ")}
      systemctl stop sealaunch-sync.service
      rm -rf ${mirror}/* ${mirror}/.sync
      sync`);
    await node.powerCut();
    await node.boot();
    await node.sh(`systemctl start --no-block ${services.join(" ")}`);
    await until(async () => (await refusals()).size > 0, "a refusal");
    expect([...(await refusals()).keys()]).toEqual(["roster/absent"]);
    expect([...(await refusals()).values()][0]).toContain("sealaunch-sync.service");
    expect(await active()).toEqual([]);
    for (const index of [0, 1, 2]) etcd.run(index);
    await etcd.healthy();
    // By Restart=.
    await allStarted(120_000);
  });
});
