import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { turnOf } from "../../src/service/on-change.ts";
import type { EtcdCluster } from "../fixtures/etcd.ts";
import { count } from "../soak.ts";
import { textOfFile } from "../source.ts";
import { enrol } from "./enrolment.ts";
import { startEtcdIn, layUser } from "./network-etcd.ts";
import { machine, Network, type Machine } from "./machine.ts";
import { until } from "./pool.ts";

// Three nodes of one pool, of which one at a time restarts its service, and etcd on their switch. The first
// is also where its signer seals.
const names = ["n1", "n2", "n3"] as const;
type Name = (typeof names)[number];
const service = "follows.service";
const spread = { atOnce: 1, seconds: 20 };
const mirror = "/var/lib/sealaunch-mirror";
const agentSocket = "/run/sealaunch/agent.sock";
const wrapper = "/opt/sealaunch/wrapper/bin/sealaunch";

let shows = "";
let network: Network;
let etcd: EtcdCluster;
let nodes: Readonly<Record<Name, Machine>>;
beforeAll(async () => {
  network = await Network.create();
  etcd = await startEtcdIn(network);
  const files = { "/usr/lib/sysusers.d/sealaunch.conf": textOfFile("systemd/sealaunch.sysusers") };
  const [n1, n2, n3] = await Promise.all(names.map((name) => machine({ network, name, files })));
  if (n1 === undefined || n2 === undefined || n3 === undefined) throw new Error("no machines");
  nodes = { n1, n2, n3 };
  await enrol(n1, { secret: "value 1", units: [service, "shows.service"] });
  await n1.sh(
    `sed -i '1s#{#{"mirror": "${mirror}",#; s#dir:/srv/cluster#etcd:/etc/sealaunch/node-n1.json#' /etc/sealaunch/node.json`,
  );
  for (const name of ["n2", "n3"] as const) await join(n1, name);
  await n1.sh(
    "cd /srv/cluster; sealaunch rewrap --identity /etc/credstore.encrypted/sealaunch-identity",
  );
  etcd.script(await n1.sh("cd /srv/cluster; sealaunch etcd-roles"));
  await layUser(etcd, n1, "root");
  await n1.sh(`
    cd /srv/cluster
    sealaunch copy --from dir:. --to etcd:/etc/sealaunch/root.json --yes
    sed -i 's#"dir:[^"]*"#"etcd:/etc/sealaunch/root.json"#' sealaunch.json`);
  for (const name of names) await follow(name);
});
afterAll(async () => {
  for (const node of Object.values(nodes)) await node[Symbol.asyncDispose]();
  for (const one of [etcd, network]) await one[Symbol.asyncDispose]();
});

/** After it, that machine is a member of the pool, by its card. */
async function join(manager: Machine, name: Name): Promise<void> {
  const node = nodes[name];
  const trust = JSON.parse(
    await readFile(manager.path("/srv/cluster/sealaunch.json"), "utf8"),
  ) as object;
  const own = { ...trust, source: `etcd:/etc/sealaunch/node-${name}.json` };
  await node.write("/run/enrol/sealaunch.json", JSON.stringify(own));
  await node.sh(`
    rm -f /etc/ssh/ssh_host_*
    ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
    cd /run/enrol
    sealaunch identity create --into /etc/sealaunch --node ${name} --mirror ${mirror}`);
  for (const file of ["card.json", "card.json.sig"])
    await manager.write(
      `/run/${name}/${file}`,
      await readFile(node.path(`/etc/sealaunch/${file}`)),
    );
  const key = await node.sh("cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub");
  await manager.sh(`
    cd /srv/cluster
    echo '${name} ${key.trim()}' >>known_hosts
    sealaunch roster add-node /run/${name} --pool web --known-hosts known_hosts --yes`);
}

/** After it, that node follows etcd, and runs the service. */
async function follow(name: Name): Promise<void> {
  const node = nodes[name];
  await layUser(etcd, node, `node-${name}`);
  await node.write(
    "/run/built/bin/service",
    `#!/bin/sh\nmkdir -p /run/got\ncat "$CREDENTIALS_DIRECTORY/CF_TOKEN" >>/run/got/all; echo >>/run/got/all\nexec sleep infinity\n`,
    0o755,
  );
  const program = (await node.sh("nix-store --add /run/built")).trim();
  await node.write(
    "/run/shown/bin/shows",
    `#!/bin/sh\ncat "$CREDENTIALS_DIRECTORY/CF_TOKEN"\n`,
    0o755,
  );
  shows = `${(await node.sh("nix-store --add /run/shown")).trim()}/bin/shows`;
  await node.sh(`
    systemd-sysusers
    chgrp sealaunch-sync /etc/sealaunch/node-${name}.private
    chmod 640 /etc/sealaunch/node-${name}.private
    systemctl enable --now sealaunch-sync.socket sealaunch-sync.service`);
  await node.unit(
    service,
    `[Unit]
StartLimitIntervalSec=0
[Service]
Type=exec
TimeoutStartSec=20
LoadCredential=CF_TOKEN:${agentSocket}
LoadCredential=sealaunch:${agentSocket}
ExecStart=${wrapper} run --bundle dns --on-change restart:${String(spread.atOnce)}/${String(spread.seconds)} -- ${program}/bin/service
`,
  );
  await node.unit(
    "shows.service",
    `[Service]
Type=oneshot
TimeoutStartSec=20
LoadCredential=CF_TOKEN:${agentSocket}
LoadCredential=sealaunch:${agentSocket}
StandardOutput=truncate:/run/shows
ExecStart=${wrapper} run --bundle dns -- ${shows}
`,
  );
  await node.ok("systemctl", ["start", service]);
}

const got = async (name: Name): Promise<string[]> =>
  (await nodes[name].sh("cat /run/got/all")).trimEnd().split("\n");

const seal = (value: string): Promise<string> =>
  nodes.n1.sh(
    `cd /srv/cluster; printf '%s' '${value}' >/run/token; sealaunch seal dns CF_TOKEN=/run/token`,
  );

/** How asking for the newest on all nodes ends, and what it prints. */
async function status(options: string): Promise<{ status: number | null; said: string }> {
  const command = `cd /srv/cluster; sealaunch status --bundle dns ${options}`;
  const { status: ended, stdout, stderr } = await nodes.n1.run("sh", ["-euc", command]);
  return { status: ended, said: `${stdout.toString()}${stderr}` };
}

/** A restart, in milliseconds of the epoch: when the agent decided on it, and for how long nothing ran. */
interface Restart {
  readonly name: Name;
  readonly at: number;
  readonly stopping: number;
  readonly started: number;
}

// systemd's own messages of a unit (sd-messages(3)).
const stoppingId = "de5b426a63be47a7b6ac3eaac82e2f6f";
const startedId = "39f53479d3a045ac8e11786248231fbf";

/** The restart of a node for a generation, by its journal; there is exactly one. */
async function restartFor(name: Name, generation: number): Promise<Restart> {
  const lines = await nodes[name].sh(
    `journalctl --sync; journalctl -q -o json --no-pager OBJECT_SYSTEMD_UNIT=${service} + UNIT=${service}`,
  );
  const entries = lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Readonly<Record<string, string>>)
    .map((line) => ({ ...line, time: Number(line["__REALTIME_TIMESTAMP"]) / 1000 }));
  const all = entries as (Readonly<Record<string, string>> & { readonly time: number })[];
  const said = `restarting ${service}: its values have changed, dns ${String(generation)}`;
  const decided = all.filter(({ MESSAGE }) => MESSAGE === said);
  expect(decided.map(({ MESSAGE }) => MESSAGE)).toEqual([said]);
  const at = decided[0]?.time ?? 0;
  const after = (id: string): number =>
    all.find(({ MESSAGE_ID, time }) => MESSAGE_ID === id && time >= at)?.time ?? NaN;
  return { name, at, stopping: after(stoppingId), started: after(startedId) };
}

/** When that node's turn begins in the period of a moment, or the next one after that. */
const turnFrom = (name: Name, generation: number, moment: number): number =>
  turnOf({ node: name, members: names, change: `dns ${String(generation)}`, spread }, moment);

const periodMs = spread.seconds * 1000;
const periodOf = (moment: number): number => Math.floor(moment / periodMs);

/** Holds of restarts for one generation whatever the nodes were that made them. */
function expectInTurn(restarts: readonly Restart[], generation: number): void {
  for (const { name, at, stopping, started } of restarts) {
    const turn = turnFrom(name, generation, periodOf(at) * periodMs);
    expect(at, `${name} in its turn`).toBeGreaterThanOrEqual(turn);
    expect(at - turn, `${name} in its turn`).toBeLessThan(periodMs / 2 + 2_000);
    expect(started, `${name} runs again`).toBeGreaterThan(stopping);
  }
  const periods = restarts.map(({ at }) => periodOf(at));
  expect(new Set(periods).size).toBe(restarts.length / spread.atOnce);
  const inOrder = restarts.toSorted((a, b) => a.at - b.at);
  for (const [index, { stopping }] of inOrder.entries()) {
    const before = inOrder[index - 1];
    if (before !== undefined) expect(stopping).toBeGreaterThan(before.started);
  }
}

describe("a service that is restarted for new values on one node at a time", () => {
  it("is, on each once and in its turn, and whoever waits sees the last one", async () => {
    await until(async () => (await status("")).status === 0, "reports of all nodes");
    await seal("value 2");
    const { status: ended, said } = await status("--wait --timeout 240");
    expect(said).toMatch(/^n1 +follows\.service +dns +2 +2 +current$/mu);
    expect(ended).toBe(0);
    const restarts = await Promise.all(names.map((name) => restartFor(name, 2)));
    expectInTurn(restarts, 2);
    for (const name of names) expect(await got(name)).toEqual(["value 1", "value 2"]);
  }, 400_000);

  it("is on the others where one can't hear of it, which is named as behind until it can", async () => {
    await nodes.n3.setConnected(false);
    await seal("value 3");
    const isDone = async (name: Name): Promise<boolean> => (await got(name)).at(-1) === "value 3";
    await until(
      async () => (await isDone("n1")) && (await isDone("n2")),
      "the restarts of two",
      240_000,
    );
    const { status: ended, said } = await status("--wait --timeout 20");
    expect(said).toMatch(/^n1 +follows\.service +dns +3 +3 +current$/mu);
    expect(said).toMatch(/^n2 +follows\.service +dns +3 +3 +current$/mu);
    expect(said).toMatch(/^n3 +follows\.service +dns +2 +3 +BEHIND: restart owed$/mu);
    expect(said).toMatch(/^error: behind after 20 seconds: n3; n3: restart owed$/mu);
    expect(ended).toBe(75);
    expect((await got("n3")).at(-1)).toBe("value 2");
    await nodes.n3.setConnected(true);
    expect((await status("--wait --timeout 240")).status).toBe(0);
    const restarts = await Promise.all(names.map((name) => restartFor(name, 3)));
    expectInTurn(restarts, 3);
    for (const name of names) expect((await got(name)).at(-1)).toBe("value 3");
  }, 700_000);
});

describe("of many who seal one name at once in etcd", () => {
  it("the one with the highest number is what every node starts on, by the agent and in place", async () => {
    const many = count(50);
    await nodes.n1.sh("cd /srv/cluster; sealaunch seal dns --in-place");
    const said = await nodes.n1.sh(`
      cd /srv/cluster
      mkdir -p /run/many
      for number in $(seq ${String(many)}); do
        (
          printf %s "of $number" >/run/many/$number
          XDG_STATE_HOME=/run/many/state-$number sealaunch seal dns CF_TOKEN=/run/many/$number --json \\
            >/run/many/$number.json 2>/run/many/$number.said && echo "$number" || :
        ) &
      done
      wait`);
    // Whoever lost may have said why.
    expect(said, await nodes.n1.sh("cat /run/many/*.said")).not.toBe("");
    const won = said.trim().split("\n");
    const made = await Promise.all(
      won.map(async (number) => {
        const text = await nodes.n1.sh(`cat /run/many/${number}.json`);
        const { generation } = JSON.parse(text) as { readonly generation: number };
        return { number, generation };
      }),
    );
    const last = made.toSorted((a, b) => a.generation - b.generation).at(-1);
    const generation = String(last?.generation);
    expect(new Set(made.map((one) => one.generation)).size).toBe(made.length);
    const floor = `dns@${generation}+`;
    for (const name of names) {
      const node = nodes[name];
      // Which asks sync for what the mirror hasn't yet.
      const inPlace = ["run", "--in-place", "--bundle", floor, "--user", "nobody", "--", shows];
      expect(await node.ok("sealaunch", inPlace)).toBe(`of ${String(last?.number)}`);
      await node.ok("systemctl", ["start", "shows.service"]);
      expect(await node.sh("cat /run/shows")).toBe(`of ${String(last?.number)}`);
    }
  }, 400_000);
});
